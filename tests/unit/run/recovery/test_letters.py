"""Dead letters: what failed is listed, runs again under its key, or is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import flownb
from flownb import Flow, RunFailed, Settings
from flownb.errors import Conflict, NotFound, UsageError
from flownb.model.events import DeadLetterDropped
from flownb.model.status import RunStatus
from flownb.run.recovery.letters import drop, find_letters
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run

SECONDS = 10.0


class Shop:
    """Two nodes that fail as long as the shop is closed, with what needs them; it writes down under which keys."""

    def __init__(self) -> None:
        self.is_open = False
        self.keys: list[str] = []
        self.store = MemoryStore()
        self.flow = Flow("orders", settings=Settings(failures="collect"))  # type: ignore[arg-type]  # as people write it
        for name in ("charge", "ship"):
            self.flow.node(self._node(), id=name)
        self.flow.node(lambda charge: charge, id="receipt")

    def _node(self) -> Callable[[Any], str]:
        def body(ctx: Any) -> str:
            self.keys.append(ctx.idempotency_key)
            if not self.is_open:
                raise ConnectionError(f"{ctx.path}: the shop is closed")
            return "done"

        return body

    def failed(self) -> Run:
        run = self.flow.run(store=self.store, display=False)
        with pytest.raises(RunFailed):
            run.result(SECONDS)
        return run


def test_what_failed_is_listed_with_its_error_and_called_by_its_key() -> None:
    shop = Shop()
    run = shop.failed()
    letters = flownb.dead_letters(shop.store)
    assert [each.id for each in letters] == [f"{run.id}:charge", f"{run.id}:ship"] == sorted(shop.keys)
    assert letters[0].error.error_class == "dependency"
    record = letters.records()[0]
    assert (record["workflow"], record["node"], record["run_status"]) == ("orders", "charge", "failed")
    assert record["error"]["message"] == "charge: the shop is closed"
    assert len(flownb.dead_letters(shop.store, workflow="other")) == 0
    assert "charge: the shop is closed" in repr(letters)


def test_all_run_again_under_their_keys_and_the_list_is_empty() -> None:
    shop = Shop()
    run = shop.failed()
    before = sorted(shop.keys)
    shop.is_open, shop.keys = True, []
    run.resume().result(SECONDS)
    assert sorted(shop.keys) == before
    assert len(flownb.dead_letters(shop.store)) == 0


def test_one_runs_again_and_the_other_stays_on_the_list() -> None:
    shop = Shop()
    run = shop.failed()
    shop.is_open, shop.keys = True, []
    run.retry("charge")
    with pytest.raises(RunFailed, match="ship"):
        run.result(SECONDS)
    assert shop.keys == [f"{run.id}:charge"]
    assert run["receipt"].output == "done"
    assert [each.node for each in flownb.dead_letters(shop.store)] == ["ship"]


def test_a_letter_that_is_dropped_is_told_in_the_journal_and_its_run_stays_as_it_is() -> None:
    shop = Shop()
    run = shop.failed()
    flownb.dead_letters(shop.store)[0].drop()
    assert [each.node for each in flownb.dead_letters(shop.store)] == ["ship"]
    assert run.events()[-1].event == DeadLetterDropped(at=run.events()[-1].event.at, node="charge", by="you")
    row = shop.store.row(run.id)
    assert row is not None
    assert (row.status, row.owner) == (RunStatus.FAILED, None)
    flownb.dead_letters(shop.store).drop()
    assert repr(flownb.dead_letters(shop.store)).startswith("no dead letters")


def test_letters_are_found_by_their_id_or_by_their_run() -> None:
    shop = Shop()
    run = shop.failed()
    assert [each.node for each in find_letters(shop.store, [f"{run.id}:ship"])] == ["ship"]
    assert [each.node for each in find_letters(shop.store, [run.id, f"{run.id}:ship"])] == ["charge", "ship"]
    with pytest.raises(NotFound, match=f"Did you mean '{run.id}:ship'"):
        find_letters(shop.store, [f"{run.id}:shp"])
    with pytest.raises(NotFound, match="The list is empty"):
        find_letters(MemoryStore(), ["x"])


def test_an_item_that_a_finished_loop_left_behind_is_listed_and_can_only_be_dropped() -> None:
    flow, store = Flow("items"), MemoryStore()

    @flow.map(over=[1, 0, 2], errors="collect")  # type: ignore[untyped-decorator]  # what it gives may be either
    def share(item: int) -> float:
        return 1 / item

    run = flow.run(store=store, display=False)
    run.result(SECONDS)
    (letter,) = flownb.dead_letters(store)
    assert letter.node == "share[1].share_item"
    with pytest.raises(UsageError, match="is completed, which is final"):
        letter.retry()
    letter.drop()
    assert len(flownb.dead_letters(store)) == 0


def test_an_item_of_a_failed_loop_runs_again_alone() -> None:
    flow, store, calls, good = Flow("items"), MemoryStore(), [], [False]

    @flow.map(over=[1, 0, 2], errors="fail", concurrency=1)  # type: ignore[untyped-decorator]  # what it gives may be either
    def share(item: int) -> float:
        calls.append(item)
        return 1 / (item or good[0])

    run = flow.run(store=store, display=False)
    with pytest.raises(RunFailed):
        run.result(SECONDS)
    assert [each.node for each in flownb.dead_letters(store)] == ["share[1].share_item", "share"]
    good[0] = True
    calls.clear()
    run.retry("share[1].share_item")
    assert run.result(SECONDS) == {"share": [1.0, 1.0, 0.5]}
    assert calls == [0, 2]
    assert len(flownb.dead_letters(store)) == 0


def test_what_was_undone_is_not_taken_up_again() -> None:
    flow, store = Flow("undone"), MemoryStore()
    flow.node(lambda: 1, id="a", compensation=lambda a: None)
    flow.node(lambda: 1 / 0, id="bad", after="a", on_error="compensate")
    with pytest.raises(RunFailed):
        flow.run(store=store, display=False).result(SECONDS)
    with pytest.raises(Conflict, match="was undone"):
        flownb.dead_letters(store)[0].retry()


def test_what_is_at_work_is_not_dropped() -> None:
    import threading

    flow, store, go = Flow("busy"), MemoryStore(), threading.Event()
    flow.node(lambda: 1 / 0, id="bad", on_error="continue")
    flow.node(lambda: go.wait(10), id="slow")
    run = flow.run(store=store, display=False)
    try:
        from tests.waiting import wait_for

        wait_for(lambda: len(flownb.dead_letters(store)) == 1)
        with pytest.raises(Conflict, match="is at work"):
            drop(store, run.id, ["bad"], at=1.0)
    finally:
        go.set()
    with pytest.raises(RunFailed):
        run.result(SECONDS)
