"""What a run at work asks people, and what a node gets when they have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from flownb.model import events as ev
from flownb.model.fingerprint import digest_of
from flownb.run.waiting.deliveries import tell_once_committed

if TYPE_CHECKING:
    from flownb.graph.nodetype import Suspend
    from flownb.model.state import RunState
    from flownb.run.executor import Execution

_ID_LENGTH: Final = 12


class Attending(Protocol):
    """Who answers in this process at once, as scripted people do in tests."""

    def take(self, execution: Execution, approval: str) -> None:
        """A request is about to be committed; on the engine's loop."""
        ...

    def hold(self, state: RunState) -> bool:
        """Whether a run that could pause is about to be answered."""
        ...


#: None where people are people.
attending: Attending | None = None


def approval_id(run: str, path: str, seq: int) -> str:
    """The id of a request: of one pause only, and the same for whoever recovers the run from the same journal."""
    return digest_of([run, path, seq])[:_ID_LENGTH]


def ask(execution: Execution, path: str, suspend: Suspend, preview: Any) -> str:
    """Record the request of a node that is about to wait; returns its id."""
    what, state = suspend.ask, execution.state
    assert what is not None
    approval = approval_id(execution.run_id, path, state.seq)
    execution.record(
        ev.ApprovalRequested(
            at=execution.engine.now(),
            node=path,
            approval=approval,
            kind=what.kind,
            question=what.question,
            details=what.details,
            ports=what.ports,
            preview=preview,
            form=what.form,
            edits=what.edits,
            expires_at=suspend.until,
            expiry_port=what.expiry_port,
            default=execution.values.encode(what.default),
            approvers=what.approvers,
            approvals_needed=what.approvals_needed,
            rejections_needed=what.rejections_needed,
            asked_by=state.started_by,
            self_approval=what.self_approval,
            due_at=what.due_at,
            remind=what.remind,
            channels=what.channels,
            to=what.to,
            escalate_to=what.escalate_to,
            escalate_at=what.escalate_at,
        )
    )
    if what.channels:
        tell_once_committed(execution, what.channels)
    if attending is not None:
        attending.take(execution, approval)
    return approval


def what_came(execution: Execution, came: ev.SignalReceived | ev.ApprovalDecided | ev.ApprovalExpired) -> Any:
    """What a node that waited finds in `ctx.resumed`."""
    decode = execution.values.decode
    if isinstance(came, ev.SignalReceived):
        return {"name": came.name, "value": decode(came.value)}
    decided = isinstance(came, ev.ApprovalDecided)
    return {
        "approval": came.approval,
        "port": came.port,
        "data": decode(came.data),
        "comment": came.comment if isinstance(came, ev.ApprovalDecided) else "",
        "by": came.by if isinstance(came, ev.ApprovalDecided) else "",
        "at": came.at,
        "action": "decided" if decided or not isinstance(came, ev.ApprovalExpired) else came.action,
    }


def go_on(execution: Execution, number: int) -> None:
    """A node has its answer; it goes on now, or when the pause that the run is about to make is over."""
    if execution.stopping is None and not execution.pausing:
        execution.timers.drop(number)
        execution.attempt(number, execution.state.attempts[number])
