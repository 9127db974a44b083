"""What lists and counts need to know of events: pure, and the same for every store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model import events as ev
from flownb.model.commands import Decide
from flownb.model.status import ANSWERS, ApprovalStatus, RunStatus
from flownb.store.requests import ApprovalRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.store.contract import RunRow


class RunChange(msgspec.Struct):
    """What the events of one write make of a run's row."""

    status: str = ""
    pause_reason: str | None = None
    #: None where no start is among the events: the row keeps its own.
    started_at: float | None = None
    finished_at: float | None = None
    #: Empty where they stay as they are.
    definition: str = ""
    program: str = ""


class ApprovalChange(msgspec.Struct, frozen=True):
    """What one event makes of requests to people."""

    event: ev.Event
    #: The request's new status; None for a vote, which changes none.
    status: ApprovalStatus | None
    #: The request; empty where the change is for all that are pending, or all of `nodes`.
    approval: str = ""
    node: str = ""


#: The events that any projection looks at; a commit passes all others by.
PROJECTED: Final = frozenset(
    {
        ev.RunStarted,
        ev.RunPaused,
        ev.RunResumed,
        ev.RunCompleted,
        ev.RunFailedEvent,
        ev.RunCancelledEvent,
        ev.NodeFailedEvent,
        ev.NodeSkipped,
        ev.DeadLetterDropped,
        ev.ResultCached,
        ev.VariableSet,
        ev.RunForked,
        ev.NodeCancelled,
        ev.ApprovalRequested,
        ev.ApprovalVoted,
        ev.ApprovalDecided,
        ev.ApprovalExpired,
    }
)

_ENDS: Final[dict[type[ev.Event], RunStatus]] = {
    ev.RunCompleted: RunStatus.COMPLETED,
    ev.RunFailedEvent: RunStatus.FAILED,
    ev.RunCancelledEvent: RunStatus.CANCELLED,
}


def run_change(happened: Iterable[ev.Event]) -> RunChange | None:
    """What events change in a run's row; None where they change nothing."""
    change = RunChange()
    for event in happened:
        if isinstance(event, ev.RunStarted):
            change.status, change.pause_reason, change.finished_at = RunStatus.RUNNING, None, None
            change.started_at = event.at
            change.definition = event.definition or change.definition
        elif isinstance(event, ev.RunPaused):
            change.status, change.pause_reason, change.finished_at = RunStatus.PAUSED, event.reason, None
        elif isinstance(event, ev.RunResumed):
            change.status, change.pause_reason, change.finished_at = RunStatus.RUNNING, None, None
            change.definition = event.definition or change.definition
            change.program = event.program or change.program
        elif (status := _ENDS.get(type(event))) is not None:
            change.status, change.pause_reason, change.finished_at = status, None, event.at
    return change if change.status else None


def changed_row(row: RunRow, change: RunChange) -> RunRow:
    """A row after a change."""
    return msgspec.structs.replace(
        row,
        status=change.status,
        pause_reason=change.pause_reason,
        started_at=row.started_at if change.started_at is None else change.started_at,
        finished_at=change.finished_at,
        definition=change.definition or row.definition,
        program=change.program or row.program,
    )


def approval_changes(happened: Iterable[ev.Event]) -> Iterator[ApprovalChange]:
    """What events change in the requests to people, in order.

    A request whose node or run ended without an answer is cancelled.
    """
    for event in happened:
        match event:
            case ev.ApprovalRequested():
                yield ApprovalChange(event, ApprovalStatus.PENDING, event.approval, event.node)
            case ev.ApprovalVoted():
                yield ApprovalChange(event, None, event.approval, event.node)
            case ev.ApprovalDecided():
                status = ANSWERS.get(event.port, ApprovalStatus.ANSWERED)
                yield ApprovalChange(event, status, event.approval, event.node)
            case ev.ApprovalExpired():
                yield ApprovalChange(event, ApprovalStatus.EXPIRED, event.approval, event.node)
            case ev.RunCompleted() | ev.RunCancelledEvent():
                yield ApprovalChange(event, ApprovalStatus.CANCELLED)
            case _:
                for node in _no_more_asking(event):
                    yield ApprovalChange(event, ApprovalStatus.CANCELLED, node=node)


def _no_more_asking(event: ev.Event) -> Iterable[str]:
    """The nodes whose requests an event makes pointless."""
    match event:
        case ev.NodeCancelled():
            return (event.node,)
        case ev.NodeSkipped() if event.reason.group == "command":  # else the node never got as far as asking
            return (event.node,)
        case ev.RunResumed():
            return event.reset
        case _:
            return ()


def new_request(row: RunRow, event: ev.ApprovalRequested) -> ApprovalRow:
    """The row of a request that was just made."""
    return ApprovalRow(
        id=event.approval,
        run=row.id,
        workflow=row.workflow,
        node=event.node,
        kind=event.kind,
        status=ApprovalStatus.PENDING,
        created_at=event.at,
        expires_at=event.expires_at,
        decided_at=None,
        decided_by=None,
        port=None,
        request=event,
        decision=None,
    )


def answered_request(row: ApprovalRow, change: ApprovalChange) -> ApprovalRow:
    """The row after a vote or an answer; the first answer stands."""
    event = change.event
    if isinstance(event, ev.ApprovalVoted):
        return msgspec.structs.replace(row, votes=(*row.votes, event))
    if row.status != ApprovalStatus.PENDING:
        return row
    if isinstance(event, ev.ApprovalDecided | ev.ApprovalExpired):
        by = event.by if isinstance(event, ev.ApprovalDecided) else None
        return msgspec.structs.replace(
            row, status=change.status, decided_at=event.at, decided_by=by, port=event.port or None, decision=event
        )
    return msgspec.structs.replace(row, status=change.status, decided_at=event.at)


def wake_for(decision: ev.ApprovalDecided | ev.ApprovalExpired) -> Decide:
    """The command that tells a run's owner of an answer, or that there will be none."""
    if isinstance(decision, ev.ApprovalExpired):
        return Decide(approval=decision.approval, port=decision.port, data=decision.data)
    return Decide(
        by=decision.by,
        approval=decision.approval,
        port=decision.port,
        data=decision.data,
        comment=decision.comment,
    )


def is_new_vote(row: ApprovalRow, vote: ev.ApprovalVoted) -> bool:
    """Whether a journaled vote is not among those that were given already."""
    return all((each.by, each.at) != (vote.by, vote.at) for each in row.votes)
