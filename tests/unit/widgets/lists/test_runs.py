"""What a list of runs shows: a page of it, counts by status, and those that nobody has any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.store.contract import NewRun
from flownb.store.memory import MemoryStore
from flownb.widgets.lists.runs import PAGE, RunsPart

if TYPE_CHECKING:
    from flownb.store.contract import Store


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def fill(store: Store, count: int) -> None:
    for number in range(count):
        store.create_run(NewRun(id=f"r{number:04}", workflow="shop <b>", created_at=float(number)), None)


def test_a_page_is_shown_newest_first_and_counted(store: Store) -> None:
    fill(store, 60)
    part = RunsPart(store)
    told = part.told()
    assert (told["total"], told["counts"], len(told["rows"])) == (60, {"pending": 60}, PAGE)
    assert told["rows"][0]["id"] == "r0059"
    part.find({"skip": 50})
    assert [row["id"] for row in part.told()["rows"]][-1] == "r0000"


def test_a_filter_counts_the_others_as_well(store: Store) -> None:
    fill(store, 3)
    part = RunsPart(store, ["failed"])
    told = part.told()
    assert (told["total"], told["counts"], told["rows"]) == (0, {"pending": 3}, [])
    part.find({"status": ["pending", "no such status"], "text": "R0001"})
    told = part.told()
    assert (told["status"], [row["id"] for row in told["rows"]]) == (["pending"], ["r0001"])


def test_a_run_that_nobody_has_is_told_so(store: Store) -> None:
    fill(store, 1)
    assert RunsPart(store).told()["rows"][0]["lost"]


def test_an_empty_store_has_one_empty_page(store: Store) -> None:
    told = RunsPart(store).told()
    assert (told["total"], told["skip"], told["rows"]) == (0, 0, [])
