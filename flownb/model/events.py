"""Everything that can happen, as one closed vocabulary: the journal is a list of these.

An event is made, appended to the journal, and only then published; nobody changes one. Values in events are the
*plain form* that `store/values.py` makes (JSON data; what is large or not JSON is a reference), so that an event can
always be written, read back and compared. Times are seconds since 1970, UTC.

The tag of an event is its public name: the `type` of `flownb events --json` and of `flownb.on`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec


class Failure(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is recorded of an exception."""

    #: The exception's class, as `ValueError` or `requests.Timeout`.
    type: str
    message: str
    traceback: str = ""
    #: One of `ErrorClass`.
    error_class: str = "execution"
    #: Whether another attempt may go better.
    recoverable: bool = True
    #: What the workflow's author says to people about such an error.
    advice: str = ""

    @property
    def text(self) -> str:
        """It in a line, with the author's word behind it."""
        return f"{self.type}: {self.message}{f' ({self.advice})' if self.advice else ''}"


class Reason(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Why a node was skipped or cancelled."""

    #: `data`, `gate`, `order`, `join`, `condition`, `run` (the run was stopped), or `command` (a person did it).
    group: str
    #: A whole sentence, as `load.rows is dead: load was skipped`.
    message: str
    #: The edge or the parameter that decided, where there is one.
    edge: str = ""


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What every event has."""

    at: float


class NodeEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What every event of a node has."""

    node: str


# --- runs -----------------------------------------------------------------------------------------------------------


class RunStarted(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_started"):
    """The first event of a run: what it is a run of, and with which inputs (plain form)."""

    workflow: str
    definition: str = ""
    inputs: dict[str, Any] = {}
    mode: str = "manual"
    trigger: str = "manual"
    #: The run of which this is a part, as a sub-notebook's is.
    parent: str | None = None
    parent_node: str | None = None


class RunPaused(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_paused"):
    """Nothing goes on until what `reason` names has come."""

    reason: str
    message: str = ""
    #: When it goes on by itself, for a timer.
    until: float | None = None


class RunResumed(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_resumed"):
    """A paused, failed or orphaned run goes on; the nodes in `reset` are pending again."""

    reset: tuple[str, ...] = ()
    #: `command`, `recovered` (its process had died), `decided`, `timer`, `retry`.
    cause: str = "command"
    #: What holds from now on, where `--migrate` changed it, or a notebook's first flow begins only now.
    definition: str = ""
    program: str = ""
    workflow: str = ""
    inputs: dict[str, Any] | None = None
    #: The nodes at whose breakpoints the run stood, and which it passes now.
    passed: tuple[str, ...] = ()


class RunCompleted(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_completed"):
    """The run ended well; its outputs are those of its output nodes. `results` come from a notebook."""

    results: dict[str, Any] = {}
    message: str = ""


class RunFailedEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_failed"):
    """The run ended badly: a node failed unhandled, or the notebook did."""

    error: Failure
    node: str | None = None


class RunCancelledEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_cancelled"):
    """Somebody ended the run."""

    by: str = ""


class RunEnding(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_ending"):
    """The nodes of a run have ended, and it is about to end: first what was done is undone, then handlers are told."""

    #: None where the run ends well.
    error: Failure | None = None
    node: str | None = None
    message: str = ""
    #: The compensations to run, one after another.
    undo: tuple[str, ...] = ()
    #: The nodes that handle the failure.
    handlers: tuple[str, ...] = ()


class RunForked(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_forked"):
    """The run is a copy of another up to one of its events."""

    source: str
    seq: int


# --- nodes ----------------------------------------------------------------------------------------------------------


class NodeStarted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_started"):
    """An attempt is about to begin; committed before its body runs."""

    attempt: int = 1


class IterationStarted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="iteration_started"):
    """A loop begins one more round: its body gets instances of its nodes, as `each[3].clean`."""

    #: From 0.
    index: int
    #: The plain form of what the round is about.
    item: Any = None


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
    values: dict[str, Any] = {}
    #: The verdict of each conditional edge that leaves the node, by edge id.
    verdicts: dict[str, bool] = {}
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
    verdicts: dict[str, bool] = {}
    #: Whether what the run did is to be undone because of it.
    compensates: bool = False


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


class NodeHeartbeat(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="node_heartbeat"):
    """How far a long node had come, for the attempt after this one (`ctx.heartbeat`)."""

    #: Plain form.
    detail: Any = None


# --- people ---------------------------------------------------------------------------------------------------------


class ApprovalRequested(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_requested"):
    """A person is asked."""

    approval: str
    kind: str
    question: str
    expires_at: float | None = None
    ports: tuple[str, ...] = ()
    preview: Any = None
    form: dict[str, Any] | None = None


class ApprovalVoted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_voted"):
    """One of several approvers answered; the threshold is not reached."""

    approval: str
    by: str
    port: str
    comment: str = ""


class ApprovalDecided(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_decided"):
    """The one answer of a request."""

    approval: str
    by: str
    port: str
    data: Any = None
    comment: str = ""


class ApprovalExpired(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_expired"):
    """Nobody answered in time."""

    approval: str
    action: str = "expired"


class BreakpointSet(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="breakpoint_set"):
    """The run is to halt before a node, or no more."""

    on: bool = True


# --- signals ----------------------------------------------------------------------------------------------------------


class SignalReceived(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="signal_received"):
    """Somebody handed a named value to the run."""

    name: str
    #: In plain form.
    value: Any = None
    by: str = ""
    #: The nodes that waited for it and get it; without one it is kept for the next that asks.
    nodes: tuple[str, ...] = ()


class SignalDelivered(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="signal_delivered"):
    """A node asks for a signal that came before: it gets the oldest of that name."""

    name: str


# --- variables, desktop, system ---------------------------------------------------------------------------------------


class VariableSet(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="variable_set"):
    """A variable of the run has a new value."""

    name: str
    value: Any
    node: str | None = None


class DesktopScreenshot(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_screenshot"):
    """A node took a picture of the screen."""

    image: Any


class DesktopClick(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_click"):
    """A node clicked."""

    x: int
    y: int
    button: str = "left"


class DesktopType(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_type"):
    """A node typed; secrets are masked."""

    text: str


class DesktopOcr(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_ocr"):
    """A node read text from the screen."""

    result: Any


class SystemInfo(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_info"):
    """Something worth knowing."""

    message: str
    node: str | None = None


class SystemWarning(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_warning"):
    """Something that will hurt later, with advice."""

    message: str
    node: str | None = None


class SystemError(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_error"):  # noqa: A001
    """Something went wrong beside the nodes."""

    message: str
    node: str | None = None


class UserEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="user"):
    """What `flownb.emit` sends: published to handlers, never journaled."""

    name: str
    data: dict[str, Any] = {}
    source: str = ""


#: The whole vocabulary; what can be in a journal is all but the last.
AnyEvent = (
    RunStarted
    | RunPaused
    | RunResumed
    | RunCompleted
    | RunFailedEvent
    | RunCancelledEvent
    | RunEnding
    | RunForked
    | NodeStarted
    | IterationStarted
    | NodeRetrying
    | NodeCompleted
    | ResultCached
    | NodeFailedEvent
    | NodeSkipped
    | NodeWaiting
    | NodeCancelled
    | NodeOutput
    | NodeProgress
    | NodeStep
    | NodeHeartbeat
    | ApprovalRequested
    | ApprovalVoted
    | ApprovalDecided
    | ApprovalExpired
    | BreakpointSet
    | SignalReceived
    | SignalDelivered
    | VariableSet
    | DesktopScreenshot
    | DesktopClick
    | DesktopType
    | DesktopOcr
    | SystemInfo
    | SystemWarning
    | SystemError
    | UserEvent
)

EVENT_TYPES: Final[dict[str, type[Event]]] = {str(cls.__struct_config__.tag): cls for cls in AnyEvent.__args__}

#: The seeds' sixteen names, accepted at the border: ours on the right.
EVENT_ALIASES: Final[dict[str, str]] = {
    "workflow_started": "run_started",
    "workflow_completed": "run_completed",
    "workflow_failed": "run_failed",
    "workflow_paused": "run_paused",
    "workflow_resumed": "run_resumed",
    "workflow_cancelled": "run_cancelled",
} | {
    name: name
    for name in (
        "node_started",
        "node_completed",
        "node_failed",
        "node_skipped",
        "desktop_screenshot",
        "desktop_click",
        "desktop_type",
        "desktop_ocr",
        "system_error",
        "system_warning",
        "system_info",
    )
}


def event_type(event: Event) -> str:
    """The public name of an event's type, as `node_completed`."""
    return str(type(event).__struct_config__.tag)


class Record(msgspec.Struct, frozen=True, gc=False):
    """An event in its place: the run, the number in the run (from 1, without gaps), the event."""

    run: str
    seq: int
    event: Event
