from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from flownb.cli.ending import exit_status, outcome_lines, resume_line, sentences
from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Node, Workflow
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from flownb.store.contract import RunRow

BEGUN = ev.RunStarted(at=1, workflow="shop")


def recorded(*happened: ev.Event) -> tuple[MemoryStore, RunRow, RunState]:
    """A run of two nodes to which this has happened."""
    store = MemoryStore()
    owner = current_owner()
    store.register(owner)
    _, lease = store.create_run(NewRun(id="run1", workflow="shop", created_at=time.time()), owner)
    assert lease is not None
    store.commit([Write(run="run1", fence=lease.fence, first=1, events=(BEGUN, *happened), release=True)])
    row = store.row("run1")
    assert row is not None
    workflow = Workflow(name="shop", nodes=(Node(id="a", type="python"), Node(id="b", type="python")))
    state = RunState(Topology(workflow, {}), "run1")
    for event in (BEGUN, *happened):
        apply(state, event)
    return store, row, state


def said(*happened: ev.Event, place: str | None = None) -> str:
    return "\n".join(sentences(*recorded(*happened), place))


@pytest.mark.parametrize(
    ("status", "stopped", "expected"),
    [
        ("completed", False, 0),
        ("completed", True, 0),
        ("failed", False, 1),
        ("cancelled", True, 1),
        ("paused", False, 75),
        ("paused", True, 130),
        ("running", True, 130),
    ],
)
def test_a_status_is_an_exit_status(status: str, stopped: bool, expected: int) -> None:
    assert exit_status(status, stopped=stopped) == expected


def test_a_completed_run_needs_no_words() -> None:
    assert said(ev.RunCompleted(at=2)) == ""
    assert said(ev.RunCompleted(at=2, message="no new invoices")) == "no new invoices"


def test_a_paused_run_says_what_it_waits_for_and_the_line_that_goes_on() -> None:
    assert said(ev.RunPaused(at=2, reason="manual")) == "`flownb resume run1` goes on with it."
    until = ev.RunPaused(at=2, reason="timer", message="nap: waits; `flownb resume run1` goes on then.")
    assert said(until) == "nap: waits; `flownb resume run1` goes on then."


def test_a_run_in_doubt_asks_for_a_decision_first() -> None:
    text = said(ev.RunPaused(at=2, reason="in_doubt", message="Look, then `flownb retry run1 NODE`."))
    assert text == "Look, then `flownb retry run1 NODE`. Then `flownb resume run1`."


def test_the_line_that_goes_on_names_the_store_that_was_given() -> None:
    assert resume_line("run1", "sqlite:///my runs.db") == "flownb resume run1 --store 'sqlite:///my runs.db'"
    assert "--store x.db`" in said(ev.RunPaused(at=2, reason="manual"), place="x.db")


def test_questions_that_wait_are_printed() -> None:
    asked = ev.ApprovalRequested(
        at=2, node="a", approval="x1", kind="approval", question="Post\n\x1b[2J1 EUR?", expires_at=9
    )
    text = said(asked, ev.RunPaused(at=3, reason="human", message="a: waits for human."))
    assert text.splitlines()[0] == "a asks (until 1970-01-01T00:00:09.000Z): Post"
    assert "\\x1b[2J1 EUR?" in text


def test_a_failed_run_says_where_and_why() -> None:
    error = ev.Failure(type="ValueError", message="boom", traceback="Traceback\nValueError: boom\n")
    text = said(ev.RunFailedEvent(at=2, error=error, node="b"))
    assert text.splitlines() == [
        "shop failed at b: ValueError: boom",
        "Traceback",
        "ValueError: boom",
        "`flownb resume run1` starts again what failed; what was completed stays.",
    ]


def test_a_long_traceback_keeps_its_end() -> None:
    error = ev.Failure(type="E", message="m", traceback="x" * 10_000 + "the end")
    text = said(ev.RunFailedEvent(at=2, error=error))
    assert len(text) < 5_000
    assert "the end\n" in text


def test_a_cancelled_run_says_by_whom() -> None:
    assert said(ev.RunCancelledEvent(at=2, by="eve")) == "Run run1 was cancelled by eve."


def test_a_run_whose_process_is_gone_says_so() -> None:
    assert said() == "Run run1 is unfinished and nobody is at work on it; `flownb resume run1` goes on."


def test_results_of_a_notebook_go_before_outputs() -> None:
    _, row, state = recorded(ev.NodeCompleted(at=2, node="b", output=1), ev.RunCompleted(at=3, results={"total": 7}))
    lines = list(outcome_lines(row, state))
    assert lines[0].endswith("  shop  run1  2.00 s")
    assert lines[1:] == ["total: 7"]
