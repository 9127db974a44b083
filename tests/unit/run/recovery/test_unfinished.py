"""A process that has nothing but the program goes on with every run that can."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import flownb
from flownb import Flow
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.store.place import open_store
from flownb.testing import fake_clock
from tests.unit.run.test_recovery import completed, dead_owner, leave_behind, started, store, two_steps
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Owner, Store

__all__ = ["dead_owner", "store"]
TIMEOUT = 5.0


def asking(ran: Counter[str]) -> Flow:
    flow = Flow("asking")

    @flow.node
    def first(n: int = 0) -> int:
        ran[f"first {n}"] += 1
        return n + 1

    ok = flow.approval("ok", "Go on with {{ first }}?", after=first, timeout=1_000.0)

    @flow.node(after=[ok.approved, ok.expired])
    def last(first: int) -> int:
        ran[f"last {first - 1}"] += 1
        return first + 1

    return flow


def left_by_another(flow: Flow, place: Path, count: int) -> list[str]:
    """Runs that rest, and that nobody in this process looks after."""
    store = open_store(f"sqlite:///{place}/w.db")
    runs: list[Run] = [flow.run(n=n, store=store, display=False) for n in range(count)]
    wait_for(lambda: all(run.resting for run in runs))
    for run in runs:
        engine().house.take_rest(store, run.id)
    return [run.id for run in runs]


def test_what_is_answered_goes_on_and_the_rest_waits(tmp_path: Path) -> None:
    ran: Counter[str] = Counter()
    ids = left_by_another(asking(ran), tmp_path, 6)
    store = open_store(f"sqlite:///{tmp_path}/./w.db")
    flow = asking(ran)
    assert flow.resume(store=store) == []
    asked = {each.run: each for each in flownb.inbox(store)}
    for answered in ids[:4]:
        asked[answered].approve()

    going = flow.resume(store=store)

    assert {run.id for run in going} == set(ids[:4])
    for run in going:
        assert run.result(TIMEOUT) == {"last": ids.index(run.id) + 2}
    assert {row.id for row in store.rows(status=["paused"])} == set(ids[4:])
    assert set(ran.values()) == {1}
    assert flow.resume(store=store) == []


def test_what_is_due_goes_on(tmp_path: Path) -> None:
    ran: Counter[str] = Counter()
    with fake_clock() as clock:
        (run_id,) = left_by_another(asking(ran), tmp_path, 1)
        store = open_store(f"sqlite:///{tmp_path}/./w.db")
        clock.advance(2_000.0)
        (run,) = asking(ran).resume(store=store)
        assert (run.id, run.result(TIMEOUT)) == (run_id, {"last": 2})
    assert ran == {"first 0": 1, "last 0": 1}


def test_a_run_whose_process_died_goes_on_where_it_was(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran)
    leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    (run,) = flow.resume(store=store)
    run.result(TIMEOUT)
    assert ran == ["second"]


def test_another_definition_and_a_failed_run_are_left(tmp_path: Path) -> None:
    ran: Counter[str] = Counter()
    (asked_run,) = left_by_another(asking(ran), tmp_path, 1)
    store = open_store(f"sqlite:///{tmp_path}/./w.db")
    flownb.inbox(store)[0].approve()
    changed = asking(ran)
    changed.set_variable("more", "more", 1, after="last")
    assert changed.resume(store=store) == []
    (run,) = asking(ran).resume(store=store)
    assert (run.id, run.result(TIMEOUT)) == (asked_run, {"last": 2})

    failing = Flow("failing")

    @failing.node
    def fails() -> None:
        raise ValueError

    failed = failing.run(store=store, display=False)
    wait_for(lambda: failed.status.ended)
    assert failing.resume(store=store) == []


def test_a_run_that_a_living_process_has_is_left(tmp_path: Path) -> None:
    import threading

    gate = threading.Event()
    flow = Flow("works")

    @flow.node
    def waits(ctx: Any) -> None:
        gate.wait(TIMEOUT)

    store = open_store(f"sqlite:///{tmp_path}/w.db")
    run = flow.run(store=store, display=False)
    wait_for(lambda: run["waits"].status == "running")
    assert flow.resume(store=open_store(f"sqlite:///{tmp_path}/./w.db")) == []
    gate.set()
    run.result(TIMEOUT)
    assert sum(isinstance(record.event, ev.NodeStarted) for record in run.events()) == 1
