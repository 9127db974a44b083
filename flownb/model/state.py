"""The state of a run: the fold of its events, and nothing else.

`apply(state, event)` is the only way that a state changes. It changes the state in place and returns it, because a
copy a node would make a run of n nodes cost n²; it does no I/O and never fails on an event that the engine wrote.

While it folds, the state keeps count of what each node still waits for, and puts a node on `ready` when that is
decided. `decide(number)` then says whether it starts or is skipped, and why.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from flownb.model import events as ev
from flownb.model.ports import ERROR
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from flownb.model.topology import DATA, GATE, GROUP_NAMES, ORDER, Topology, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Node statuses as small numbers, so that 100,000 of them are 100 kB.
PENDING, RUNNING, WAITING, COMPLETED, FAILED, SKIPPED, CANCELLED = range(7)
STATUSES: Final = (
    NodeStatus.PENDING,
    NodeStatus.RUNNING,
    NodeStatus.WAITING,
    NodeStatus.COMPLETED,
    NodeStatus.FAILED,
    NodeStatus.SKIPPED,
    NodeStatus.CANCELLED,
)


class RunState:
    """Everything that is known of one run.

    Lists are by node number (`topology.index`). Outputs are in plain form; the engine keeps the live values.
    """

    def __init__(self, topology: Topology, run_id: str = "") -> None:
        self.topology = topology
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
        self.error_node: str | None = None
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.seq = 0
        count = len(topology)
        self.node_status = bytearray(count)
        self.attempts = array("H", bytes(2 * count))
        self.node_started = array("d", bytes(8 * count))
        self.node_finished = array("d", bytes(8 * count))
        self.output: list[Any] = [None] * count
        #: Ports that fired, values of single ports, failures, reasons: only for the nodes that have them.
        self.ports: dict[int, tuple[str, ...]] = {}
        self.port_values: dict[int, dict[str, Any]] = {}
        self.verdicts: dict[int, dict[str, bool]] = {}
        self.failures: dict[int, ev.NodeFailedEvent] = {}
        self.reasons: dict[int, ev.Reason] = {}
        self.sources: dict[int, str] = {}
        self.waits: dict[int, ev.NodeWaiting] = {}
        self.progress: dict[int, ev.NodeProgress] = {}
        self.retries: dict[int, ev.NodeRetrying] = {}
        self.approvals: dict[str, dict[str, Any]] = {}
        self._start_counting()

    # --- what waits for what ----------------------------------------------------------------------------------------

    def _start_counting(self) -> None:
        topology = self.topology
        #: Edges that each node still waits for.
        self.need: list[int] = list(topology.need)
        #: Numbers of dead edges; empty in an ordinary run.
        self.dead: set[int] = set()
        #: For nodes with an early join: unsettled data, unsettled controls, live controls.
        self.join_counts: dict[int, list[int]] = {
            number: [rule.data_edges, rule.control_edges, 0] for number, rule in topology.joins.items()
        }
        #: Nodes whose edges are decided; the engine takes from here. Each is in it once.
        self.ready: list[int] = [number for number, need in enumerate(self.need) if not need]
        #: How many nodes have not ended.
        self.left = len(topology)
        #: Nodes that failed with nobody to handle it.
        self.unhandled: set[int] = set()

    def _settle(self, wire: Wire, *, live: bool) -> None:
        """One edge is decided; the slow way, for ports, dead edges and joins."""
        target = wire.target
        if not live:
            self.dead.add(wire.number)
        self.need[target] -= 1
        counts = self.join_counts.get(target)
        if counts is None:
            if not self.need[target]:
                self.ready.append(target)
            return
        if counts[2] < 0:  # decided before; what comes later is ignored
            return
        counts[0 if wire.group == DATA else 1] -= 1
        if wire.group != DATA and live:
            counts[2] += 1
        wanted = self.topology.joins[target].count
        hopeless = counts[2] + counts[1] < wanted
        if hopeless or (counts[0] == 0 and counts[2] >= wanted):
            self.ready.append(target)
            counts[2] = -1 if not hopeless else -2

    def _settle_completed(self, number: int) -> None:
        topology = self.topology
        if number not in topology.wires and not self.join_counts:
            need, ready = self.need, self.ready
            for target in topology.succ[number]:
                need[target] = left = need[target] - 1
                if not left:
                    ready.append(target)
            return
        fired = self.ports.get(number, ())
        verdicts = self.verdicts.get(number)
        for wire in topology.leaving[number]:
            live = wire.port is None or wire.port in fired
            if live and wire.condition is not None:
                live = bool(verdicts and verdicts.get(wire.id))
            self._settle(wire, live=live)

    def _settle_dead(self, number: int, *, error_port: bool = False) -> None:
        for wire in self.topology.leaving[number]:
            self._settle(wire, live=error_port and wire.port == ERROR)

    def edge_is_live(self, wire: Wire) -> bool:
        """Whether a settled edge carries; meaningless before its source has ended."""
        return wire.number not in self.dead

    def decide(self, number: int) -> ev.Reason | None:
        """Whether a node on `ready` starts (None), or the reason for which it is skipped."""
        counts = self.join_counts.get(number)
        if counts is not None and counts[2] == -2:  # noqa: PLR2004  the mark of a join that can't happen any more
            return self._hopeless_join(number)
        if not self.dead:
            return None
        topology = self.topology
        for argument in topology.arguments[number]:
            dead = [wire for wire in argument.wires if wire.number in self.dead]
            if argument.required and dead and (len(dead) == len(argument.wires) or not argument.many):
                return self._because(dead[0])
        if counts is not None:
            return None
        for group in (GATE, ORDER):
            wires = [wire for wire in topology.entering[number] if wire.group == group]
            if wires and all(wire.number in self.dead for wire in wires):
                return self._because(wires[0], all_of=len(wires))
        return None

    def _hopeless_join(self, number: int) -> ev.Reason:
        rule = self.topology.joins[number]
        dead = [w for w in self.topology.entering[number] if w.group != DATA and w.number in self.dead]
        names = ", ".join(self._from(wire) for wire in dead)
        return ev.Reason(
            group="join",
            message=f"{rule.count} of {rule.control_edges} had to come; these can't any more: {names}",
            edge=dead[0].id if dead else "",
        )

    def _from(self, wire: Wire) -> str:
        return self.topology.paths[wire.source] + (f".{wire.port}" if wire.port else "")

    def _because(self, wire: Wire, *, all_of: int = 1) -> ev.Reason:
        """The sentence for a dead edge: what it came from, and why it is dead."""
        source = wire.source
        status = STATUSES[self.node_status[source]]
        name = self.topology.paths[source]
        if status is NodeStatus.COMPLETED and wire.condition is not None and wire.id in self.verdicts.get(source, {}):
            why = f"the condition {wire.condition!r} of the edge from {name} is false"
        elif status is NodeStatus.COMPLETED:
            fired = " and ".join(self.ports.get(source, ())) or "no port"
            why = f"{name} took {fired}, not {wire.port}"
        else:
            why = f"{name} was {status}" if status is not NodeStatus.FAILED else f"{name} failed"
        group = GROUP_NAMES[wire.group]
        if all_of > 1:
            why = f"none of its {all_of} {group}s is live; {why}"
        elif wire.group == DATA:
            why = f"no value for {wire.parameter}: {why}"
        return ev.Reason(group=group, message=why, edge=wire.id)

    def recount(self) -> None:
        """Count again from the statuses; after nodes were set back to pending."""
        self._start_counting()
        for number in range(len(self.topology)):
            status = self.node_status[number]
            if status == COMPLETED:
                self.left -= 1
                self._settle_completed(number)
            elif status == FAILED:
                self.left -= 1
                failed = self.failures[number]
                if not failed.handled:
                    self.unhandled.add(number)
                self._settle_dead(number, error_port=failed.port)
            elif status in (SKIPPED, CANCELLED):
                self.left -= 1
                self._settle_dead(number)
        self.ready = [number for number in self.ready if self.node_status[number] == PENDING]

    def reset_numbers(self) -> list[int]:
        """The nodes that a resumption or a retry sets back: unhandled failures and what ended because of them."""
        back = {n for n in range(len(self.topology)) if self.node_status[n] == CANCELLED} | self.unhandled
        queue = list(back)
        while queue:
            number = queue.pop()
            for wire in self.topology.leaving[number]:
                target = wire.target
                if target not in back and self.node_status[target] == SKIPPED:
                    back.add(target)
                    queue.append(target)
        return sorted(back)

    # --- what others read ---------------------------------------------------------------------------------------------

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
    state.started_at = event.at


def _run_paused(state: RunState, event: ev.RunPaused) -> None:
    state.status, state.pause_reason, state.message = RunStatus.PAUSED, PauseReason(event.reason), event.message


def _run_resumed(state: RunState, event: ev.RunResumed) -> None:
    state.status, state.pause_reason, state.message = RunStatus.RUNNING, None, ""
    state.error = state.error_node = state.finished_at = None
    state.definition = event.definition or state.definition
    for path in event.reset:
        number = state.topology.index.get(path)
        if number is None:
            continue
        state.node_status[number] = PENDING
        state.output[number] = None
        for kept in _BY_NODE:
            getattr(state, kept).pop(number, None)
    if event.reset:
        state.recount()


_BY_NODE: Final = (
    "ports", "port_values", "verdicts", "failures", "reasons", "sources", "waits", "progress", "retries"
)  # fmt: skip


def _run_completed(state: RunState, event: ev.RunCompleted) -> None:
    state.status, state.results, state.message = RunStatus.COMPLETED, event.results, event.message
    state.finished_at = event.at


def _run_failed(state: RunState, event: ev.RunFailedEvent) -> None:
    state.status, state.error, state.error_node = RunStatus.FAILED, event.error, event.node
    state.finished_at = event.at


def _run_cancelled(state: RunState, event: ev.RunCancelledEvent) -> None:
    state.status, state.message, state.finished_at = RunStatus.CANCELLED, event.by, event.at


def _node_started(state: RunState, event: ev.NodeStarted) -> None:
    number = state.topology.index[event.node]
    if event.attempt == 1:
        state.node_started[number] = event.at
    state.node_status[number] = RUNNING
    state.attempts[number] = event.attempt
    if state.retries:
        state.retries.pop(number, None)


def _node_retrying(state: RunState, event: ev.NodeRetrying) -> None:
    state.retries[state.topology.index[event.node]] = event


def _node_completed(state: RunState, event: ev.NodeCompleted) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = COMPLETED
    state.node_finished[number] = event.at
    state.output[number] = event.output
    state.left -= 1
    if event.ports is not None:
        state.ports[number] = event.ports
    if event.values:
        state.port_values[number] = event.values
    if event.verdicts:
        state.verdicts[number] = event.verdicts
    if event.source:
        state.sources[number] = event.source
    state._settle_completed(number)  # noqa: SLF001  the fold is the state's other half


def _node_failed(state: RunState, event: ev.NodeFailedEvent) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = FAILED
    state.node_finished[number] = event.at
    state.failures[number] = event
    state.output[number] = event.output
    state.left -= 1
    if not event.handled:
        state.unhandled.add(number)
    state._settle_dead(number, error_port=event.port)  # noqa: SLF001


def _node_skipped(state: RunState, event: ev.NodeSkipped) -> None:
    _ended_without(state, event.node, SKIPPED, event.reason, event.at)


def _node_cancelled(state: RunState, event: ev.NodeCancelled) -> None:
    _ended_without(state, event.node, CANCELLED, event.reason, event.at)


def _ended_without(state: RunState, path: str, status: int, reason: ev.Reason, at: float) -> None:
    number = state.topology.index[path]
    state.node_status[number] = status
    state.node_finished[number] = at
    state.reasons[number] = reason
    state.waits.pop(number, None)
    state.left -= 1
    state._settle_dead(number)  # noqa: SLF001


def _node_waiting(state: RunState, event: ev.NodeWaiting) -> None:
    number = state.topology.index[event.node]
    state.node_status[number] = WAITING
    state.waits[number] = event


def _node_progress(state: RunState, event: ev.NodeProgress) -> None:
    state.progress[state.topology.index[event.node]] = event


def _approval_requested(state: RunState, event: ev.ApprovalRequested) -> None:
    state.approvals[event.approval] = {"request": event, "status": "pending"}


def _approval_decided(state: RunState, event: ev.ApprovalDecided) -> None:
    state.approvals.setdefault(event.approval, {})["decision"] = event


def _approval_expired(state: RunState, event: ev.ApprovalExpired) -> None:
    state.approvals.setdefault(event.approval, {})["status"] = "expired"


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
    ev.RunForked: _nothing,
    ev.NodeStarted: _node_started,
    ev.NodeRetrying: _node_retrying,
    ev.NodeCompleted: _node_completed,
    ev.NodeFailedEvent: _node_failed,
    ev.NodeSkipped: _node_skipped,
    ev.NodeWaiting: _node_waiting,
    ev.NodeCancelled: _node_cancelled,
    ev.NodeOutput: _nothing,
    ev.NodeProgress: _node_progress,
    ev.ApprovalRequested: _approval_requested,
    ev.ApprovalVoted: _nothing,
    ev.ApprovalDecided: _approval_decided,
    ev.ApprovalExpired: _approval_expired,
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
