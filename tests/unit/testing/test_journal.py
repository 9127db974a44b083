from __future__ import annotations

from typing import Any

import pytest

from flownb.model import events as ev
from flownb.model.events import Record
from flownb.testing import check_journal

FAILURE = ev.Failure(type="ValueError", message="no")
REASON = ev.Reason(group="run", message="why")


def journal(*happened: ev.Event) -> list[Record]:
    return [Record("r", number, event) for number, event in enumerate(happened, 1)]


def begun() -> ev.Event:
    return ev.RunStarted(at=1.0, workflow="w")


def start(node: str, attempt: int = 1) -> ev.Event:
    return ev.NodeStarted(at=2.0, node=node, attempt=attempt)


def done(node: str, **fields: Any) -> ev.Event:
    return ev.NodeCompleted(at=3.0, node=node, **fields)


END = ev.RunCompleted(at=9.0)
BACK = ev.RunResumed(at=8.0)


@pytest.mark.parametrize(
    "happened",
    [
        (begun(), start("a"), done("a"), END),
        (begun(), done("a", source="disabled"), END),
        (begun(), start("a"), ev.NodeRetrying(at=2.0, node="a", attempt=1, delay=1.0, error=FAILURE), start("a", 2)),
        (begun(), start("a"), ev.NodeWaiting(at=2.0, node="a", waits_for="timer"), start("a"), done("a"), END),
        (begun(), start("a"), ev.RunResumed(at=2.0, reset=("a",)), start("a"), done("a"), END),
        (begun(), ev.NodeSkipped(at=2.0, node="a", reason=REASON), ev.RunCancelledEvent(at=3.0)),
        (begun(), ev.RunPaused(at=2.0, reason="manual"), BACK, END),
        (
            begun(),
            start("a"),
            ev.NodeFailedEvent(at=2.0, node="a", error=FAILURE),
            ev.RunFailedEvent(at=3.0, error=FAILURE),
        ),
    ],
)
def test_a_sound_journal_passes(happened: tuple[ev.Event, ...]) -> None:
    check_journal(journal(*happened))


@pytest.mark.parametrize(
    ("happened", "fault"),
    [
        ((start("a"),), "run_started is the first"),
        ((begun(), begun()), "run_started is the first"),
        ((begun(), start("a"), start("a")), "a was running"),
        ((begun(), start("a"), done("a"), start("a")), "a had ended"),
        ((begun(), start("a"), done("a"), done("a")), "a had ended before, by node_completed"),
        ((begun(), done("a")), "a never started"),
        ((begun(), END, BACK), "run_completed is final"),
        ((begun(), END, start("a")), "it follows run_completed"),
        ((begun(), ev.RunPaused(at=2.0, reason="manual"), start("a")), "it follows run_paused"),
        ((begun(), start("a"), END), "a had not ended"),
        ((begun(), start("a"), done("a"), ev.RunResumed(at=4.0, reset=("a",))), "a had completed and is set back"),
        ((begun(), start("a"), ev.NodeFailedEvent(at=2.0, node="a", error=FAILURE), END), "a had failed"),
    ],
)
def test_each_fault_is_named(happened: tuple[ev.Event, ...], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_journal(journal(*happened))


def test_a_gap_is_found() -> None:
    records = journal(begun(), start("a"), done("a"))
    with pytest.raises(AssertionError, match="event 2 is numbered 3"):
        check_journal([records[0], records[2]])
