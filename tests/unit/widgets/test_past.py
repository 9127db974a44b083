"""Who looks back sees one moment; of many wishes only the newest counts, and a long journal is read in pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.widgets import past as module
from flownb.widgets.past import Past
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    @flow.node
    def total(load: list[int]) -> int:
        return sum(load)

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    return run


def looking(run: Run) -> Past:
    return Past(run, lambda moment, _, look: {"detail": {"seq": moment.seq, **look}})


def test_a_page_gets_the_moment_that_it_wanted_last(run: Run) -> None:
    past = looking(run)
    for seq in (5, 1, 2):
        past.want("page", seq, {"node": "load"})
    told = past.next({})
    assert told is not None
    assert (told["seq"], told["page"], told["last"]) == (2, "page", run.state.seq)
    assert told["moment"]["nodes"]["load"]["status"] == "running"
    assert told["moment"]["nodes"]["total"]["status"] == "pending"
    assert told["moment"]["bar"]["status"] == "running"
    assert told["detail"] == {"seq": 2, "node": "load"}
    assert json.loads(json.dumps(told)) == told
    assert past.next({}) is None


def test_each_page_has_its_own_moment_and_what_is_beyond_the_end_is_the_end(run: Run) -> None:
    past = looking(run)
    past.want("one", 0, {})
    past.want("two", 10_000, {})
    first, second = past.next({}), past.next({})
    assert first is not None
    assert second is not None
    assert first["moment"]["bar"]["status"] == "pending"
    assert second["seq"] == run.state.seq
    assert second["moment"]["bar"]["status"] == "completed"
    past.want("one", 1, {})
    past.forget("one")
    assert not past.wanted


def test_a_long_journal_is_read_in_pieces_and_says_how_far_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    past = looking(run)
    past.want("page", run.state.seq, {})
    told: list[dict[str, Any]] = []
    while past.wanted:
        told.append(past.next({}) or {})
    assert [each.get("read") for each in told[:-1]] == list(range(2, 2 * len(told), 2))
    assert "moment" in told[-1]


def test_pages_that_never_fetch_what_they_wanted_are_forgotten(run: Run) -> None:
    past = looking(run)
    for number in range(100):
        past.want(f"page {number}", 1, {})
    told = 0
    while past.next({}) is not None:
        told += 1
    assert told <= 20
