"""What a list of requests shows: a page, what is unfolded, and what stays in sight when it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.store.memory import MemoryStore
from flownb.widgets.lists.requests import MOST_OPEN, PAGE, RequestsPart
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def run() -> Run:
    """A run that asks about each of 30 items."""
    flow = Flow("shop")
    flow.node(items)
    with flow.loop("each", over="items", concurrency=60):
        flow.approval("ok", "Post {{ item }}?")
    started = flow.run(store=MemoryStore(), display=False)
    wait_for(lambda: started.status == "paused")
    return started


def test_a_page_is_shown_oldest_first_with_how_many_there_are(run: Run) -> None:
    part = RequestsPart(run.store)
    told = part.told()
    assert (told["total"], len(told["rows"]), told["skip"]) == (30, PAGE, 0)
    assert told["rows"][0]["line"] == "Post 0?"
    part.find({"skip": PAGE})
    assert [row["line"] for row in part.told()["rows"]] == [f"Post {number}?" for number in range(25, 30)]


def test_the_last_page_is_shown_when_what_was_behind_it_is_gone(run: Run) -> None:
    part = RequestsPart(run.store)
    part.find({"skip": 400})
    told = part.told()
    assert (told["skip"], len(told["rows"])) == (25, 5)


def test_a_question_is_found_by_its_words(run: Run) -> None:
    part = RequestsPart(run.store)
    part.find({"text": "  post 2"})
    assert part.told()["total"] == 11
    part.find({"text": "nothing like it"})
    assert part.told()["rows"] == []


def test_what_is_unfolded_stays_in_sight_with_its_answer(run: Run) -> None:
    part = RequestsPart(run.store)
    first = part.told()["rows"][0]
    part.unfold(first["run"], first["id"], on=True)
    assert part.told()["open"][first["id"]]["question"] == "Post 0?"
    run.decide(first["id"], comment="yes")
    told = part.told()
    assert first["id"] not in {row["id"] for row in told["rows"]}
    assert told["open"][first["id"]]["answer"]["comment"] == "yes"
    part.unfold(first["run"], first["id"], on=False)
    assert part.told()["open"] == {}


def test_a_few_are_unfolded_at_once(run: Run) -> None:
    part = RequestsPart(run.store)
    rows = part.told()["rows"]
    for row in rows:
        part.unfold(row["run"], row["id"], on=True)
    assert list(part.told()["open"]) == [row["id"] for row in rows[-MOST_OPEN:]]


def test_what_makes_no_sense_is_left_out(run: Run) -> None:
    part = RequestsPart(run.store)
    part.find({"skip": "x", "text": 7, "pending": "yes"})
    part.find({"skip": -3})
    part.unfold("no such run", "no such request", on=True)
    told = part.told()
    assert (told["skip"], told["text"], told["pending"], told["open"]) == (0, "", True, {})


def items() -> list[int]:
    return list(range(30))
