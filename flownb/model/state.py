"""The state of a run: the fold of its events, and nothing else.

`apply(state, event)` is the only way that a state changes. It changes the state in place and returns it, because a
copy a node would make a run of n nodes cost n²; it does no I/O and never fails on an event that the engine wrote.

While it folds, the state keeps count of what each node still waits for (`readiness.py`).
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from flownb.model import events as ev
from flownb.model.readiness import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    SKIPPED,
    STATUSES,
    WAITING,
    Readiness,
)
from flownb.model.status import ApprovalStatus, NodeStatus, PauseReason, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flownb.model.topology import Topology

__all__ = [
    "APPLY",
    "CANCELLED",
    "COMPLETED",
    "FAILED",
    "PENDING",
    "RUNNING",
    "SKIPPED",
    "STATUSES",
    "WAITING",
    "RunState",
    "apply",
    "fold",
]


class RunState(Readiness):
    """Everything that is known of one run.

    Lists are by node number (`topology.index`). Outputs are in plain form; the engine keeps the live values.
    """

    def __init__(self, topology: Topology, run_id: str = "") -> None:
        super().__init__(topology.origin)
        self.run_id = run_id
        self.status = RunStatus.PENDING
        self.pause_reason: PauseReason | None = None
        self.message = ""
        self.workflow = topology.workflow.name
        self.definition = ""
        self.mode = "manual"
        self.trigger = "manual"
        self.parent: str | None = None
        self.parent_node: str | None = None
        self.inputs: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.results: dict[str, Any] = {}
        self.error: ev.Failure | None = None
        #: How the run is about to end, once that is decided.
        self.ending: ev.RunEnding | None = None
        self.error_node: str | None = None
        self.started_at: float | None = None
        #: Seconds that it was at work before it was last taken up, and when that was; None while it rests.
        self.active_seconds = 0.0
        self.active_since: float | None = None
        self.finished_at: float | None = None
        self.seq = 0
        count = len(topology)
        self.attempts = array("I", bytes(4 * count))
        self.node_started = array("d", bytes(8 * count))
        self.node_finished = array("d", bytes(8 * count))
        self.output: list[Any] = [None] * count
        #: Values of single ports, where a value came from if no body ran, and the like: only for nodes that have them.
        self.port_values: dict[int, dict[str, Any]] = {}
        self.sources: dict[int, str] = {}
        #: What each parked node waits for.
        self.waits: dict[int, ev.NodeWaiting] = {}
        self.progress: dict[int, ev.NodeProgress] = {}
        self.retries: dict[int, ev.NodeRetrying] = {}
        #: What the steps inside nodes gave, by their names, and what long nodes last said of how far they were: a node
        #: that is set back keeps both.
        self.steps: dict[int, dict[str, Any]] = {}
        self.heartbeats: dict[int, Any] = {}
        #: The nodes to halt before, by path or id, and those that may be passed now.
        self.breakpoints: set[str] = set()
        self.passing: set[int] = set()
        #: Signals that nobody waited for, by name, oldest first; and the signal that a node got.
        self.signals: dict[str, list[Any]] = {}
        self.delivered: dict[int, ev.SignalReceived] = {}
        #: By approval id: `request`, `status` (an `ApprovalStatus`), `votes`, and once it is there the `decision`.
        self.approvals: dict[str, dict[str, Any]] = {}

    def status_of(self, path: str) -> NodeStatus:
        """The status of a node.

        Raises:
            KeyError: no such node.
        """
        return STATUSES[self.node_status[self.topology.index[path]]]

    def with_status(self, *statuses: NodeStatus) -> Iterator[str]:
        """The paths of the nodes in any of these statuses, in the order of the definition."""
        for number, path in enumerate(self.topology.paths):
            if STATUSES[self.node_status[number]] in statuses:
                yield path

    @property
    def in_flight(self) -> list[int]:
        """The nodes whose body may be running."""
        return [number for number, status in enumerate(self.node_status) if status == RUNNING]

    @property
    def done(self) -> int:
        """How many nodes have ended, in whatever way."""
        return len(self.topology) - self.left

    def outputs(self) -> dict[str, Any]:
        """The run's outputs by node id, in plain form; nodes that did not complete are absent."""
        topology = self.topology
        return {
            topology.paths[number]: self.output[number]
            for number in topology.sinks()
            if self.node_status[number] == COMPLETED
        }


# --- the fold ---------------------------------------------------------------------------------------------------------


def _run_started(state: RunState, event: ev.RunStarted) -> None:
    state.status = RunStatus.RUNNING
    state.workflow, state.definition = event.workflow, event.definition
    state.inputs = event.inputs
    state.mode, state.trigger = event.mode, event.trigger
    state.parent, state.parent_node = event.parent, event.parent_node
    state.started_at = state.active_since = event.at


def _run_paused(state: RunState, event: ev.RunPaused) -> None:
    state.status, state.pause_reason, state.message = RunStatus.PAUSED, PauseReason(event.reason), event.message
    _rests(state, event.at)


def _rests(state: RunState, at: float) -> None:
    if state.active_since is not None:
        state.active_seconds += max(0.0, at - state.active_since)
        state.active_since = None


def _run_resumed(state: RunState, event: ev.RunResumed) -> None:
    if state.status is RunStatus.FAILED:
        state.ending = None
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
            _cancel_approvals(state, path)
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


def _run_ending(state: RunState, event: ev.RunEnding) -> None:
    state.ending = event


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


def _node_retrying(state: RunState, event: ev.NodeRetrying) -> None:
    state.retries[state.topology.index[event.node]] = event


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
    if state.delivered:
        state.delivered.pop(number, None)
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
        _cancel_approvals(state, path)
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


def _cancel_approvals(state: RunState, path: str) -> None:
    for asked in state.approvals.values():
        if asked["status"] == ApprovalStatus.PENDING and asked["request"].node == path:
            asked["status"] = ApprovalStatus.CANCELLED


def _approval_requested(state: RunState, event: ev.ApprovalRequested) -> None:
    state.approvals[event.approval] = {"request": event, "status": ApprovalStatus.PENDING, "votes": []}


def _approval_voted(state: RunState, event: ev.ApprovalVoted) -> None:
    state.approvals[event.approval]["votes"].append(event)


def _approval_decided(state: RunState, event: ev.ApprovalDecided) -> None:
    asked = state.approvals[event.approval]
    asked["decision"] = event
    asked["status"] = _ANSWERS.get(event.port, ApprovalStatus.ANSWERED)


_ANSWERS: Final = {"approved": ApprovalStatus.APPROVED, "rejected": ApprovalStatus.REJECTED}


def _approval_expired(state: RunState, event: ev.ApprovalExpired) -> None:
    state.approvals[event.approval]["status"] = ApprovalStatus.EXPIRED


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
    ev.RunForked: _nothing,
    ev.IterationStarted: _iteration_started,
    ev.NodeStarted: _node_started,
    ev.NodeRetrying: _node_retrying,
    ev.NodeCompleted: _node_completed,
    ev.ResultCached: _nothing,
    ev.NodeFailedEvent: _node_failed,
    ev.NodeSkipped: _node_skipped,
    ev.NodeWaiting: _node_waiting,
    ev.NodeCancelled: _node_cancelled,
    ev.NodeOutput: _nothing,
    ev.NodeProgress: _node_progress,
    ev.NodeStep: _node_step,
    ev.NodeHeartbeat: _node_heartbeat,
    ev.ApprovalRequested: _approval_requested,
    ev.ApprovalVoted: _approval_voted,
    ev.ApprovalDecided: _approval_decided,
    ev.ApprovalExpired: _approval_expired,
    ev.BreakpointSet: _breakpoint_set,
    ev.SignalReceived: _signal_received,
    ev.SignalDelivered: _signal_delivered,
    ev.VariableSet: _variable_set,
    ev.DesktopScreenshot: _nothing,
    ev.DesktopClick: _nothing,
    ev.DesktopType: _nothing,
    ev.DesktopOcr: _nothing,
    ev.SystemInfo: _nothing,
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
