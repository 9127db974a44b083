from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from flownb.model.status import PauseReason, RunStatus
from flownb.notebook import staying
from flownb.notebook.staying import look_after


class FakeRun:
    """As much of a run's handle as is looked at."""

    def __init__(self, status: RunStatus, reason: PauseReason | None = None, until: float | None = None) -> None:
        self.status, self.pause_reason = status, reason
        self.resting = status is not RunStatus.RUNNING
        self.state = SimpleNamespace(waits={0: SimpleNamespace(until=until)})
        self.store = None
        self.asked: list[str] = []

    def resume(self) -> None:
        self.asked.append("resume")

    def follow(self, _: Any) -> None:
        self.asked.append("follow")

    def followed(self, _: Any) -> None:
        """Nobody calls it here."""


@pytest.fixture(autouse=True)
def no_following(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staying, "Follower", lambda *_: None)


def look(run: FakeRun, *times: float) -> list[str]:
    followed: set[int] = set()
    for now in times:
        look_after([run], followed, now)  # type: ignore[list-item]  # a fake
    return run.asked


def test_a_run_that_waits_for_a_time_goes_on_when_that_has_come() -> None:
    run = FakeRun(RunStatus.PAUSED, PauseReason.TIMER, 100.0)

    assert look(run, 99.0) == []
    assert look(run, 100.0) == ["resume"]


def test_a_run_that_waits_for_something_else_is_followed_once() -> None:
    assert look(FakeRun(RunStatus.PAUSED, PauseReason.HUMAN), 1.0, 2.0, 3.0) == ["follow"]


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.COMPLETED, RunStatus.FAILED])
def test_others_are_left_alone(status: RunStatus) -> None:
    assert look(FakeRun(status), 1.0) == []
