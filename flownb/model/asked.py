"""What a run asks people, in the fold of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.model.status import ANSWERS, ApprovalStatus, PauseReason

if TYPE_CHECKING:
    from flownb.model.state import RunState


def cancel(state: RunState, path: str) -> None:
    """Nobody waits for an answer of this node any more."""
    for each in state.approvals.values():
        if each["status"] == ApprovalStatus.PENDING and each["request"].node == path:
            each["status"] = ApprovalStatus.CANCELLED


def ask_anew(state: RunState, number: int) -> None:
    """The next attempt of a node asks again, whatever was answered before."""
    if isinstance(state.delivered.get(number), ev.ApprovalDecided | ev.ApprovalExpired):
        del state.delivered[number]


def requested(state: RunState, event: ev.ApprovalRequested) -> None:
    """A person is asked."""
    state.approvals[event.approval] = {"request": event, "status": ApprovalStatus.PENDING, "votes": []}


def voted(state: RunState, event: ev.ApprovalVoted) -> None:
    """One of several has answered."""
    state.approvals[event.approval]["votes"].append(event)


def decided(state: RunState, event: ev.ApprovalDecided) -> None:
    """The one answer is there."""
    _answered(state, event, ANSWERS.get(event.port, ApprovalStatus.ANSWERED))


def expired(state: RunState, event: ev.ApprovalExpired) -> None:
    """There will be none."""
    _answered(state, event, ApprovalStatus.EXPIRED)


def _answered(state: RunState, event: ev.ApprovalDecided | ev.ApprovalExpired, status: ApprovalStatus) -> None:
    asked = state.approvals[event.approval]
    asked["decision"], asked["status"] = event, status
    number = state.topology.index.get(event.node, -1)
    wait = state.waits.get(number)
    if wait is not None and wait.waits_for == PauseReason.HUMAN and wait.request == event.approval:
        state.delivered[number] = event
