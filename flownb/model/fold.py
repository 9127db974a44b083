"""The fold: what each event makes of the state of a run.

`apply(state, event)` is the only way that a state changes. It changes the state in place and returns it, because a
copy a node would make a run of n nodes cost n²; it does no I/O and never fails on an event that the engine wrote.

While it folds, the state keeps count of what each node still waits for (`readiness.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model import asked
from flownb.model import events as ev
from flownb.model.readiness import CANCELLED, COMPLETED, FAILED, PENDING, RUNNING, SKIPPED, WAITING
from flownb.model.status import PauseReason, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.model.state import RunState


def _run_started(state: RunState, event: ev.RunStarted) -> None:
    state.status = RunStatus.RUNNING
    state.workflow, state.definition = event.workflow, event.definition
    state.inputs = event.inputs
    state.mode, state.trigger = event.mode, event.trigger
    state.parent, state.parent_node = event.parent, event.parent_node
    state.started_by, state.payload = event.by, event.payload
    state.started_at = state.active_since = event.at


def _run_ending(state: RunState, event: ev.RunEnding) -> None:
    state.ending = event


def _run_stopping(state: RunState, event: ev.RunStopping) -> None:
    state.stopping = event


def _run_forked(state: RunState, event: ev.RunForked) -> None:
    state.forked_from = event


def _run_paused(state: RunState, event: ev.RunPaused) -> None:
    state.status, state.pause_reason, state.message = RunStatus.PAUSED, PauseReason(event.reason), event.message
    _rests(state, event.at)


def _rests(state: RunState, at: float) -> None:
    if state.active_since is not None:
        state.active_seconds += max(0.0, at - state.active_since)
        state.active_since = None


def _run_resumed(state: RunState, event: ev.RunResumed) -> None:
    if state.status is RunStatus.FAILED:
        state.ending = state.stopping = None
        state.active_seconds, state.active_since = 0.0, event.at  # what failed begins anew
    elif state.active_since is None or event.cause not in ("retry", "decided"):
        # Else it is at work and goes on so; of a process that died nobody knows how long it worked.
        state.active_since = event.at
    state.status, state.pause_reason, state.message = RunStatus.RUNNING, None, ""
    state.error = state.error_node = state.finished_at = None
    state.definition = event.definition or state.definition
    state.workflow = event.workflow or state.workflow
    if event.inputs is not None:
        state.inputs = event.inputs
    state.passing = {state.topology.index[path] for path in event.passed if path in state.topology.index}
    for path in event.reset:
        number = state.topology.index.get(path)
        if number is None:
            continue
        state.node_status[number] = PENDING
        state.node_started[number] = state.node_finished[number] = 0.0
        state.output[number] = None
        state.undoable.pop(number, None)
        for kept in _BY_NODE:
            getattr(state, kept).pop(number, None)
        if state.approvals:
            asked.cancel(state, path)
            if event.cause == "retry":
                asked.ask_anew(state, number)
    if event.reset:
        state.recount()


_BY_NODE: Final = (
    "ports", "port_values", "verdicts", "failures", "reasons", "sources", "waits", "progress", "retries"
)  # fmt: skip


def _iteration_started(state: RunState, event: ev.IterationStarted) -> None:
    loop = state.topology.index[event.node]
    if event.index in state.blocks.get(loop, ()):
        return  # told twice
    block = state.open_block(loop, event.index, event.item)
    if block.count == 1:  # as in most loops: half the price
        state.attempts.append(0)
        state.node_started.append(0.0)
        state.node_finished.append(0.0)
        state.output.append(None)
        return
    state.attempts.frombytes(bytes(state.attempts.itemsize * block.count))
    for times in (state.node_started, state.node_finished):
        times.frombytes(bytes(times.itemsize * block.count))
    state.output += [None] * block.count


def _run_completed(state: RunState, event: ev.RunCompleted) -> None:
    _run_ended(state, RunStatus.COMPLETED, event.at)
    state.results, state.message = event.results, event.message


def _run_failed(state: RunState, event: ev.RunFailedEvent) -> None:
    _run_ended(state, RunStatus.FAILED, event.at)
    state.error, state.error_node = event.error, event.node


def _run_cancelled(state: RunState, event: ev.RunCancelledEvent) -> None:
    _run_ended(state, RunStatus.CANCELLED, event.at)
    state.message = event.by


def _run_ended(state: RunState, status: RunStatus, at: float) -> None:
    state.status, state.pause_reason, state.finished_at = status, None, at
    _rests(state, at)


def _node_started(state: RunState, event: ev.NodeStarted) -> None:
    number = state.topology.index[event.node]
    if event.attempt == 1 or not state.node_started[number]:
        state.node_started[number] = event.at
    state.node_status[number] = RUNNING
    state.attempts[number] = event.attempt
    if state.retries:
        state.retries.pop(number, None)
    if state.waits:
        state.waits.pop(number, None)


def _child_started(state: RunState, event: ev.ChildStarted) -> None:
    state.children[state.topology.index[event.node]] = event.run


def _node_retrying(state: RunState, event: ev.NodeRetrying) -> None:
    number = state.topology.index[event.node]
    state.retries[number] = event
    if state.approvals:
        asked.ask_anew(state, number)


def _node_completed(state: RunState, event: ev.NodeCompleted) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = COMPLETED
    state.node_finished[number] = event.at
    state.output[number] = event.output
    state.left -= 1
    if number >= state.flat:
        state._ended_inside(number)  # noqa: SLF001  the fold is the state's other half
    if event.ports is not None:
        state.ports[number] = event.ports
    if event.values:
        state.port_values[number] = event.values
    if event.verdicts:
        state.verdicts[number] = event.verdicts
    if event.source:
        state.sources[number] = event.source
    if state.waits:
        state.waits.pop(number, None)
    if state.delivered and type(state.delivered.get(number)) is ev.SignalReceived:
        del state.delivered[number]  # an answer stays: should the value be lost, nobody is asked twice
    state._settle_completed(number)  # noqa: SLF001


def _node_failed(state: RunState, event: ev.NodeFailedEvent) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = FAILED
    state.node_finished[number] = event.at
    state.failures[number] = event
    state.output[number] = event.output
    state.left -= 1
    if number >= state.flat:
        state._ended_inside(number)  # noqa: SLF001
    if not event.handled:
        state.unhandled.add(number)
    state.waits.pop(number, None)
    state.delivered.pop(number, None)
    state.retries.pop(number, None)
    state._settle_failed(number, event)  # noqa: SLF001


def _node_skipped(state: RunState, event: ev.NodeSkipped) -> None:
    _ended_without(state, event.node, SKIPPED, event.reason, event.at)


def _node_cancelled(state: RunState, event: ev.NodeCancelled) -> None:
    _ended_without(state, event.node, CANCELLED, event.reason, event.at)


def _ended_without(state: RunState, path: str, status: int, reason: ev.Reason, at: float) -> None:
    number = state.topology.index[path]
    state.node_status[number] = status
    state.node_finished[number] = at
    state.reasons[number] = reason
    state.retries.pop(number, None)
    state.left -= 1
    if number >= state.flat:
        state._ended_inside(number)  # noqa: SLF001
    if state.waits.pop(number, None) is not None:
        asked.cancel(state, path)
    state._close(number)  # noqa: SLF001
    state._settle_dead(number)  # noqa: SLF001


def _node_waiting(state: RunState, event: ev.NodeWaiting) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = WAITING
    state.waits[number] = event


def _node_progress(state: RunState, event: ev.NodeProgress) -> None:
    state.progress[state.topology.index[event.node]] = event


def _node_step(state: RunState, event: ev.NodeStep) -> None:
    state.steps.setdefault(state.topology.index[event.node], {})[event.name] = event.output


def _node_heartbeat(state: RunState, event: ev.NodeHeartbeat) -> None:
    state.heartbeats[state.topology.index[event.node]] = event.detail


def _breakpoint_set(state: RunState, event: ev.BreakpointSet) -> None:
    if event.on:
        state.breakpoints.add(event.node)
    else:
        state.breakpoints.discard(event.node)


def _signal_received(state: RunState, event: ev.SignalReceived) -> None:
    if not event.nodes:
        state.signals.setdefault(event.name, []).append(event.value)
    for path in event.nodes:
        state.delivered[state.topology.index[path]] = event


def _signal_delivered(state: RunState, event: ev.SignalDelivered) -> None:
    kept = state.signals[event.name]
    value = kept.pop(0)
    if not kept:
        del state.signals[event.name]
    came = ev.SignalReceived(at=event.at, name=event.name, value=value)
    state.delivered[state.topology.index[event.node]] = came


def _variable_set(state: RunState, event: ev.VariableSet) -> None:
    state.variables[event.name] = event.value


def _node_measured(state: RunState, event: ev.NodeMeasured) -> None:
    state.memory[state.topology.index[event.node]] = event.memory


def _system_info(state: RunState, event: ev.SystemInfo) -> None:
    if event.ask:
        state.asked |= {event.ask}
    number = state.topology.index.get(event.node) if event.node is not None else None
    if number is not None:
        state.remarks[number] = event.message


def _nothing(state: RunState, event: ev.Event) -> None:
    """The event is a record; the state doesn't depend on it."""


APPLY: Final[dict[type[ev.Event], Callable[[RunState, Any], None]]] = {
    ev.RunStarted: _run_started,
    ev.RunPaused: _run_paused,
    ev.RunResumed: _run_resumed,
    ev.RunCompleted: _run_completed,
    ev.RunFailedEvent: _run_failed,
    ev.RunCancelledEvent: _run_cancelled,
    ev.RunEnding: _run_ending,
    ev.RunStopping: _run_stopping,
    ev.RunForked: _run_forked,
    ev.IterationStarted: _iteration_started,
    ev.NodeStarted: _node_started,
    ev.ChildStarted: _child_started,
    ev.NodeRetrying: _node_retrying,
    ev.NodeCompleted: _node_completed,
    ev.ResultCached: _nothing,
    ev.NodeFailedEvent: _node_failed,
    ev.DeadLetterDropped: _nothing,
    ev.NodeSkipped: _node_skipped,
    ev.NodeWaiting: _node_waiting,
    ev.NodeCancelled: _node_cancelled,
    ev.NodeOutput: _nothing,
    ev.NodeProgress: _node_progress,
    ev.NodeStep: _node_step,
    ev.NodeHeartbeat: _node_heartbeat,
    ev.NodeMeasured: _node_measured,
    ev.ApprovalRequested: asked.requested,
    ev.ApprovalVoted: asked.voted,
    ev.ApprovalDecided: asked.decided,
    ev.ApprovalExpired: asked.expired,
    ev.ApprovalRefused: _nothing,
    ev.ApprovalReminded: _nothing,
    ev.ApprovalNotified: _nothing,
    ev.BreakpointSet: _breakpoint_set,
    ev.SignalReceived: _signal_received,
    ev.SignalDelivered: _signal_delivered,
    ev.VariableSet: _variable_set,
    ev.DesktopScreenshot: _nothing,
    ev.DesktopClick: _nothing,
    ev.DesktopType: _nothing,
    ev.DesktopOcr: _nothing,
    ev.SystemInfo: _system_info,
    ev.SystemWarning: _nothing,
    ev.SystemError: _nothing,
    ev.UserEvent: _nothing,
}


def apply(state: RunState, event: ev.Event) -> RunState:
    """Fold one event into the state; the same state comes back, changed."""
    APPLY[type(event)](state, event)
    state.seq += 1
    return state


def fold(state: RunState, happened: Iterable[ev.Event]) -> RunState:
    """Fold many events into the state."""
    for event in happened:
        apply(state, event)
    return state
