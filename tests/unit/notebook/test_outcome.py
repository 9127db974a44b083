from __future__ import annotations

import pytest

from flownb.model import events as ev
from flownb.notebook.outcome import may_go_on, outcome_of
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner

NOW = 1_000.0
FAILURE = ev.Failure(type="ValueError", message="no")


def recorded(*events: ev.Event, kind: str = "notebook") -> MemoryStore:
    store = MemoryStore()
    _, lease = store.create_run(NewRun(id="r", workflow="w", kind=kind, created_at=1.0), current_owner())
    assert lease is not None
    started = ev.RunStarted(at=1.0, workflow="w")
    store.commit([Write(run="r", fence=lease.fence, first=1, events=(started, *events), release=True)])
    return store


def paused(reason: str) -> ev.Event:
    return ev.RunPaused(at=2.0, reason=reason)


@pytest.mark.parametrize(
    ("events", "by_key", "asked"),
    [
        ((), True, True),
        ((ev.RunCompleted(at=2.0),), False, False),
        ((ev.RunCancelledEvent(at=2.0),), False, False),
        ((ev.RunFailedEvent(at=2.0, error=FAILURE),), False, True),
        ((paused("manual"),), False, True),
        ((paused("breakpoint"),), False, True),
        ((paused("budget"),), False, True),
        ((paused("error"),), False, True),
        ((paused("in_doubt"),), False, False),
        ((paused("human"),), False, False),
        ((paused("event"),), False, False),
        ((paused("timer"),), True, True),
    ],
)
def test_who_may_go_on_with_a_run_that_nobody_has(events: tuple[ev.Event, ...], *, by_key: bool, asked: bool) -> None:
    store = recorded(*events)
    row = require_row(store, "r")
    state = read_state(store, row)

    assert may_go_on(store, row, state, NOW, asked=False) is by_key
    assert may_go_on(store, row, state, NOW, asked=True) is asked


@pytest.mark.parametrize(
    ("events", "status", "code"),
    [
        ((ev.RunCompleted(at=2.0),), "completed", 0),
        ((ev.RunFailedEvent(at=2.0, error=FAILURE),), "failed", 1),
        ((ev.RunCancelledEvent(at=2.0),), "cancelled", 1),
        ((paused("human"),), "paused", 75),
        ((), "running", 75),
    ],
)
def test_the_exit_status_follows_from_the_record(events: tuple[ev.Event, ...], status: str, code: int) -> None:
    found = outcome_of(recorded(*events), "r")

    assert (found.status, found.exit_code) == (status, code)


def test_ctrl_c_leaves_with_130_unless_the_run_is_done() -> None:
    assert outcome_of(recorded(paused("manual")), "r", interrupted=True).exit_code == 130
    assert outcome_of(recorded(ev.RunCompleted(at=2.0)), "r", interrupted=True).exit_code == 0


def test_a_pause_says_how_it_goes_on() -> None:
    found = outcome_of(recorded(paused("manual")), "r")

    assert found.message == "Run r is paused (manual). `flownb resume r` goes on with it."


def test_results_are_values_and_the_error_is_told() -> None:
    done = outcome_of(recorded(ev.RunCompleted(at=2.0, results={"n": 5}, message="no data")), "r")
    failed = outcome_of(recorded(ev.RunFailedEvent(at=2.0, error=FAILURE)), "r")

    assert (done.results, done.message, done.error) == ({"n": 5}, "no data", None)
    assert failed.error == FAILURE
