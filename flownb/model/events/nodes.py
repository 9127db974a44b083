"""What happens to one node of a run."""

from __future__ import annotations

from typing import Any

import msgspec

from flownb.model.events.event import Failure, NodeEvent, Reason


class NodeStarted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_started"):
    """An attempt is about to begin; committed before its body runs."""

    attempt: int = 1


class IterationStarted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="iteration_started"):
    """A loop begins one more round: its body gets instances of its nodes, as `each[3].clean`."""

    #: From 0.
    index: int
    #: The plain form of what the round is about.
    item: Any = None


class ChildStarted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="child_started"):
    """A node begins a run of its own, or has found the one that an attempt before it had begun."""

    run: str
    workflow: str = ""


class NodeRetrying(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_retrying"):
    """An attempt failed and another follows after `delay` seconds."""

    attempt: int
    delay: float
    error: Failure


class NodeCompleted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_completed"):
    """A node's result is committed; it never runs again in this run."""

    #: The plain form of its value.
    output: Any = None
    #: The ports that fired beside `main`; None for a node that has no other.
    ports: tuple[str, ...] | None = None
    #: Values of single ports, where they differ from `output`.
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    #: The verdict of each conditional edge that leaves the node, by edge id.
    verdicts: dict[str, bool] = msgspec.field(default_factory=dict)
    #: Where the value came from if no body ran: `cache`, `pinned`, `fallback`, `disabled`.
    source: str = ""


class ResultCached(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="result_cached"):
    """The node's result may be used again wherever its code, config and inputs are the same."""

    #: The digest of what the result depends on.
    key: str
    #: The number of the `node_completed` that holds it.
    seq: int


class NodeFailedEvent(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_failed"):
    """The last attempt failed."""

    error: Failure
    #: Whether the error port, `continue` or the like took care of it; else the run stops.
    handled: bool = False
    #: Whether the `error` port fires.
    port: bool = False
    #: The plain form of the error for the `error` port.
    output: Any = None
    #: The verdict of each conditional edge that leaves the `error` port, by edge id.
    verdicts: dict[str, bool] = msgspec.field(default_factory=dict)
    #: Whether what the run did is to be undone because of it.
    compensates: bool = False


class DeadLetterDropped(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="dead_letter_dropped"):
    """Somebody has taken a failed node off the list of dead letters; the run stays as it is."""

    by: str = ""


class NodeSkipped(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_skipped"):
    """The node will not run in this run."""

    reason: Reason


class NodeWaiting(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_waiting"):
    """The node is parked and costs nothing until a person, a time or an event comes."""

    #: A `PauseReason`: `human`, `timer`, `event`, `in_doubt`.
    waits_for: str
    until: float | None = None
    request: str = ""
    #: What the node wants to have back when it goes on (plain form).
    resume_data: Any = None


class NodeCancelled(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_cancelled"):
    """The node was ended, or never started, because the run ended."""

    reason: Reason


class NodeOutput(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_output"):
    """A piece of what a node printed, logged or displayed."""

    #: `stdout`, `stderr`, `log`, `display`.
    stream: str
    text: str = ""
    #: A mimebundle, for `display`.
    data: dict[str, Any] | None = None


class NodeProgress(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_status"):
    """A node says how far it is: a short text, a share from 0 to 1, or both."""

    text: str = ""
    progress: float | None = None


class NodeStep(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_step"):
    """A part of a node is done (`ctx.step`); a later attempt gets what it gave, and doesn't do it again."""

    name: str
    #: The plain form of what it gave.
    output: Any = None


class NodeMeasured(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_measured"):
    """What an attempt in a process of its own has used."""

    #: The most memory that the process and all it had started used together, in bytes.
    memory: int


class NodeHeartbeat(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_heartbeat"):
    """How far a long node had come, for the attempt after this one (`ctx.heartbeat`)."""

    #: Plain form.
    detail: Any = None


class BreakpointSet(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="breakpoint_set"):
    """The run is to halt before a node, or no more."""

    on: bool = True


class SignalDelivered(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="signal_delivered"):
    """A node asks for a signal that came before: it gets the oldest of that name."""

    name: str
