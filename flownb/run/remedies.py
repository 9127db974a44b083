"""What a definition keeps for failures, set going: fallbacks, compensations, handlers.

A fallback runs in the middle of a run, in the place of the node that failed. Compensations and handlers run when all
other nodes have ended and the run is about to fail: one event says which, so that a process that takes the run up
after a kill goes on with the rest. Each is a node like any other, with attempts, output and an idempotency key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.model import events as ev
from flownb.model.remedies import HANDLER
from flownb.model.state import COMPLETED, PENDING, RUNNING, STATUSES
from flownb.run.failure import fits, plain_error

if TYPE_CHECKING:
    from flownb.model.events import Failure
    from flownb.model.remedies import Remedies
    from flownb.model.state import RunState
    from flownb.run.body import Body
    from flownb.run.executor import Execution

#: Where a value came from if the node did nothing for it, so that there is nothing to undo.
_NOT_DONE: Final = frozenset({"pinned", "disabled", "fallback", "cache", "reused"})


# --- when the nodes of a run have ended -------------------------------------------------------------------------------


def ending_of(state: RunState, end: ev.RunFailedEvent | ev.RunCompleted, at: float, *, undo: bool) -> ev.RunEnding:
    """What is to be done before a run ends: pure.

    Args:
        state: the run; all its nodes have ended, but for those that are kept for this.
        end: how it is about to end.
        at: the time.
        undo: whether what it did is undone, whatever its failures say.
    """
    remedies, paths = state.topology.remedies, state.topology.paths
    assert remedies is not None
    undo = undo or any(state.failures[number].compensates for number in state.unhandled)
    back = [
        paths[remedies.undo[number]]
        for number in reversed(state.undoable)
        if state.node_status[number] == COMPLETED and state.sources.get(number) not in _NOT_DONE
    ]
    handlers: list[str] = []
    if isinstance(end, ev.RunFailedEvent):
        handlers = [paths[number] for number in remedies.handlers if _handles(state, number, end)]
    failed = end if isinstance(end, ev.RunFailedEvent) else None
    return ev.RunEnding(
        at=at,
        error=failed.error if failed is not None else None,
        node=failed.node if failed is not None else None,
        message=end.message if isinstance(end, ev.RunCompleted) else "",
        undo=tuple(back) if undo else (),
        handlers=tuple(handlers),
    )


def _handles(state: RunState, number: int, end: ev.RunFailedEvent) -> bool:
    node = state.topology.nodes[number]
    named = [each for each in state.topology.workflow.error_handlers if each.target == node.id]
    if any(fits((each.error,), end.error) for each in named):
        return True
    if node.type != HANDLER:
        return False
    errors, nodes = node.config.get("errors") or ("any",), node.config.get("nodes") or ()
    scope = (end.node or "").partition("[")[0]
    return not named and fits(errors, end.error) and (not nodes or scope in nodes)


def prepare_end(execution: Execution, end: ev.RunFailedEvent | ev.RunCompleted, *, undo: bool = False) -> bool:
    """All nodes have ended and the run is about to: whether something is done first, which is begun here."""
    state, now = execution.state, execution.engine.now()
    remedies = state.topology.remedies
    if remedies is None or state.ending is not None:
        return False
    ending = ending_of(state, end, now, undo=undo)
    if not ending.undo and not ending.handlers:
        return False
    execution.stopping = None
    execution.timers.end()
    execution.record(ending)
    faults.reach("run.ending")
    return continue_end(execution)


def continue_end(execution: Execution) -> bool:
    """Begin what comes next before the end of the run; False where all of it is done, or waits for something."""
    state, ending = execution.state, execution.state.ending
    if ending is None:
        return False
    index, status = state.topology.index, state.node_status
    for path in ending.undo:
        number = index[path]
        if status[number] == PENDING:
            faults.reach("run.compensating")
            if _start(execution, number):
                return True
        elif not _has_ended(state, number):
            return False
    begun = [_start(execution, index[path]) for path in ending.handlers if status[index[path]] == PENDING]
    return any(begun)


def end_of(state: RunState, at: float) -> ev.RunFailedEvent | ev.RunCompleted:
    """How a run ends whose compensations and handlers have ended."""
    ending, status = state.ending, state.node_status
    assert ending is not None
    if ending.error is None:
        return ev.RunCompleted(at=at, message=ending.message)
    index, nodes = state.topology.index, state.topology.nodes
    for path in ending.handlers:
        number = index[path]
        if status[number] == COMPLETED and nodes[number].config.get("then") == "complete":
            return ev.RunCompleted(at=at, message=f"{path} took care of the failure of {ending.node or 'the run'}")
    return ev.RunFailedEvent(at=at, error=ending.error, node=ending.node)


def leave_aside(execution: Execution) -> None:
    """Skip what was kept for failures and is not needed any more."""
    state, now = execution.state, execution.engine.now()
    remedies = state.topology.remedies
    if remedies is None:
        return
    for number in sorted(remedies.every):
        if state.node_status[number] == PENDING:
            reason = ev.Reason(group="run", message=_why_not(state, remedies, number))
            execution.record(ev.NodeSkipped(at=now, node=state.topology.paths[number], reason=reason))


def _why_not(state: RunState, remedies: Remedies, number: int) -> str:
    paths = state.topology.paths
    for of, kept, needless in ((remedies.undo, "undo", "there was nothing to undo"), (remedies.instead, "", "")):
        owner = next((each for each, remedy in of.items() if remedy == number), None)
        if owner is not None:
            return needless + f" of {paths[owner]}" if kept else f"{paths[owner]} did not need it"
    failed = state.ending is not None or state.unhandled
    return "it handles other failures" if failed else "nothing failed"


def absorbs(execution: Execution, number: int, failure: Failure) -> bool:
    """Take a failure of what is kept for failures: it is told, and the others still run."""
    state = execution.state
    remedies = state.topology.remedies
    if remedies is None or number not in remedies.every:
        return False
    path, now = state.topology.paths[number], execution.engine.now()
    execution.record(ev.NodeFailedEvent(at=now, node=path, error=failure, handled=True))
    if number not in execution.standing_in:  # else the node in whose place it ran says it
        message = f"{_told(state, remedies, number)}: {failure.type}: {failure.message}"
        execution.record(ev.SystemWarning(at=now, node=path, message=message))
    return True


def _told(state: RunState, remedies: Remedies, number: int) -> str:
    paths = state.topology.paths
    owner = next((each for each, remedy in remedies.undo.items() if remedy == number), None)
    if owner is not None:
        return f"What {paths[owner]} did is not undone: its compensation {paths[number]} failed"
    return f"{paths[number]}, which runs because the run fails, failed itself"


def _start(execution: Execution, number: int) -> bool:
    """Start a node that is kept for failures; False where it has failed already, for want of what it needs."""
    state = execution.state
    names, reason = state.topology.paths, state.decide(number)
    open_ = [names[wire.source] for wire in state.topology.entering[number] if not _has_ended(state, wire.source)]
    why = reason.message if reason is not None else f"{open_[0]} has not ended" if open_ else ""
    if not why:
        execution.attempt(number, 1)
        return True
    absorbs(execution, number, ev.Failure(type="NotPossible", message=f"{names[number]} can't run: {why}"))
    return False


def _has_ended(state: RunState, number: int) -> bool:
    return STATUSES[state.node_status[number]].ended


# --- in the place of a node -------------------------------------------------------------------------------------------


def stand_in(execution: Execution, body: Body, failure: Failure) -> bool:
    """Let a node's fallback run in its place; False where it has none."""
    state = execution.state
    remedies = state.topology.remedies
    number = remedies.instead.get(body.number) if remedies is not None else None
    if number is None:
        return False
    now, tries = execution.engine.now(), state.attempts[body.number]
    execution.record(ev.NodeRetrying(at=now, node=body.path, attempt=tries, delay=0.0, error=failure))
    execution.standing_in[number] = (body, failure)
    if state.node_status[number] == PENDING:
        _start(execution, number)
    return True


def ended(state: RunState, number: int) -> bool | None:
    """Whether a fallback has failed; None where it has not ended."""
    status = state.node_status[number]
    return None if not _has_ended(state, number) else status != COMPLETED


def is_replaced(state: RunState, number: int) -> bool:
    """Whether a node still waits for its fallback."""
    return state.node_status[number] == RUNNING


def both(failure: Failure, state: RunState, number: int) -> Failure:
    """The failure of a node whose fallback failed too, or could not run."""
    name = state.topology.paths[number]
    failed = state.failures.get(number)
    if failed is not None:
        what = f"{failed.error.type}: {failed.error.message}"
        trace = f"{failure.traceback}\nIts fallback {name} failed too:\n{failed.error.traceback}".strip()
    else:
        reason = state.reasons.get(number)
        what, trace = reason.message if reason is not None else "it did not run", failure.traceback
    message = f"{failure.message}; its fallback {name} failed too: {what}"
    return msgspec.structs.replace(failure, message=message, traceback=trace)


def error_for(execution: Execution, number: int) -> dict[str, Any] | None:
    """The failure that a node is run because of; None for a node that is run for itself."""
    state = execution.state
    remedies = state.topology.remedies
    if remedies is None or number not in remedies.every:
        return None
    if number in execution.standing_in:
        body, failure = execution.standing_in[number]
        return plain_error(failure, body.path)
    ending = state.ending
    if ending is None or ending.error is None:
        return None
    return plain_error(ending.error, ending.node or "") | {"run": state.run_id, "workflow": state.workflow}
