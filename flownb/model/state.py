"""The state of a run: what its events amount to, and nothing else. Only the fold changes it (`fold.py`)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, ClassVar

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
from flownb.model.status import NodeStatus, PauseReason, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model import events as ev
    from flownb.model.topology import Topology

__all__ = [
    "CANCELLED",
    "COMPLETED",
    "FAILED",
    "PENDING",
    "RUNNING",
    "SKIPPED",
    "STATUSES",
    "WAITING",
    "RunState",
]


class RunState(Readiness):
    """Everything that is known of one run.

    Lists are by node number (`topology.index`). Outputs are in plain form; the engine keeps the live values.
    """

    # A run that waits is little more than this, and there may be thousands: slots take a third of what a table takes.
    __slots__ = (
        "active_seconds", "active_since", "approvals", "asked", "attempts", "breakpoints", "children", "definition",
        "delivered", "ending", "error", "error_node", "finished_at", "forked_from", "heartbeats", "inputs",
        "memory", "message", "mode", "node_finished", "node_started", "output", "parent", "parent_node", "passing",
        "pause_reason", "payload", "port_values", "progress", "remarks", "results", "retries", "run_id", "seq",
        "signals", "sources", "started_at", "started_by", "status", "steps", "stopping", "trigger", "variables",
        "waits", "workflow",
    )  # fmt: skip
    #: Everything that a state holds.
    FIELDS: ClassVar[tuple[str, ...]] = (*Readiness.__slots__[1:], *__slots__)  # without "__weakref__"

    def __init__(self, topology: Topology, run_id: str = "") -> None:
        super().__init__(topology.origin)
        self.run_id = run_id
        self.status = RunStatus.PENDING
        self.pause_reason: PauseReason | None = None
        self.message = ""
        self.workflow = topology.workflow.name
        self.definition = ""
        self.mode = self.trigger = "manual"
        self.parent: str | None = None
        self.parent_node: str | None = None
        #: The run whose history it shares, and up to which of its events.
        self.forked_from: ev.RunForked | None = None
        #: Who started it, where it asks people.
        self.started_by = ""
        self.inputs: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.results: dict[str, Any] = {}
        self.error: ev.Failure | None = None
        self.error_node: str | None = None
        #: How the run is about to end, once that is decided; which node ends it, while others are still in flight; and
        #: what its trigger says of why it began (plain form).
        self.ending: ev.RunEnding | None = None
        self.stopping: ev.RunStopping | None = None
        self.payload: Any = None
        #: The ids of clicks that were heard.
        self.asked: frozenset[str] = frozenset()
        self.started_at: float | None = None
        #: Seconds that it was at work before it was last taken up, and when that was; None while it rests.
        self.active_seconds = 0.0
        self.active_since: float | None = None
        self.finished_at: float | None = None
        self.seq = 0
        self._keep_of_nodes(len(self.topology))
        #: The nodes to halt before, by path or id, and those that may be passed now.
        self.breakpoints: set[str] = set()
        self.passing: set[int] = set()
        #: Signals that nobody waited for, by name, oldest first; and the signal, or the answer, that a node got.
        self.signals: dict[str, list[Any]] = {}
        self.delivered: dict[int, ev.SignalReceived | ev.ApprovalDecided | ev.ApprovalExpired] = {}
        #: By approval id: `request`, `status` (an `ApprovalStatus`), `votes`, and once it is there the `decision`.
        self.approvals: dict[str, dict[str, Any]] = {}

    def _keep_of_nodes(self, count: int) -> None:
        """What is kept of each node."""
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
        #: The most bytes that an attempt in a process of its own used, of the newest.
        self.memory: dict[int, int] = {}
        #: What else is to be said of why a node ran, or did not.
        self.remarks: dict[int, str] = {}
        #: The run that a node has beneath it; it keeps it for good, because it begins no second one.
        self.children: dict[int, str] = {}

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
