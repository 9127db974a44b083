"""Everything that can happen, as one closed vocabulary: the journal is a list of these.

An event is made, appended to the journal, and only then published; nobody changes one. Values in events are the
*plain form* that `store/values.py` makes (JSON data; what is large or not JSON is a reference), so that an event can
always be written, read back and compared. Times are seconds since 1970, UTC.

The tag of an event is its public name: the `type` of `flownb events --json` and of `flownb.on`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flownb.model.events.beside import (
    DesktopClick,
    DesktopOcr,
    DesktopScreenshot,
    DesktopType,
    SystemError,  # noqa: A004  the public name of `system_error`
    SystemInfo,
    SystemWarning,
    UserEvent,
)
from flownb.model.events.event import (
    Event,
    Failure,
    NodeEvent,
    Reason,
)
from flownb.model.events.nodes import (
    BreakpointSet,
    ChildStarted,
    DeadLetterDropped,
    IterationStarted,
    NodeCancelled,
    NodeCompleted,
    NodeFailedEvent,
    NodeHeartbeat,
    NodeMeasured,
    NodeOutput,
    NodeProgress,
    NodeRetrying,
    NodeSkipped,
    NodeStarted,
    NodeStep,
    NodeWaiting,
    ResultCached,
    SignalDelivered,
)
from flownb.model.events.people import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotified,
    ApprovalRefused,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalVoted,
)
from flownb.model.events.runs import (
    RunCancelledEvent,
    RunCompleted,
    RunEnding,
    RunFailedEvent,
    RunForked,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopping,
    SignalReceived,
    VariableSet,
)

__all__ = [
    "EVENT_ALIASES",
    "EVENT_TYPES",
    "AnyEvent",
    "ApprovalDecided",
    "ApprovalExpired",
    "ApprovalNotified",
    "ApprovalRefused",
    "ApprovalReminded",
    "ApprovalRequested",
    "ApprovalVoted",
    "BreakpointSet",
    "ChildStarted",
    "DeadLetterDropped",
    "DesktopClick",
    "DesktopOcr",
    "DesktopScreenshot",
    "DesktopType",
    "Event",
    "Failure",
    "IterationStarted",
    "NodeCancelled",
    "NodeCompleted",
    "NodeEvent",
    "NodeFailedEvent",
    "NodeHeartbeat",
    "NodeMeasured",
    "NodeOutput",
    "NodeProgress",
    "NodeRetrying",
    "NodeSkipped",
    "NodeStarted",
    "NodeStep",
    "NodeWaiting",
    "Reason",
    "Record",
    "ResultCached",
    "RunCancelledEvent",
    "RunCompleted",
    "RunEnding",
    "RunFailedEvent",
    "RunForked",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "RunStopping",
    "SignalDelivered",
    "SignalReceived",
    "SystemError",
    "SystemInfo",
    "SystemWarning",
    "UserEvent",
    "VariableSet",
    "event_type",
]

#: The whole vocabulary; what can be in a journal is all but the last.
AnyEvent = (
    RunStarted
    | RunPaused
    | RunResumed
    | RunCompleted
    | RunFailedEvent
    | RunCancelledEvent
    | RunEnding
    | RunStopping
    | RunForked
    | NodeStarted
    | IterationStarted
    | ChildStarted
    | NodeRetrying
    | NodeCompleted
    | ResultCached
    | NodeFailedEvent
    | DeadLetterDropped
    | NodeSkipped
    | NodeWaiting
    | NodeCancelled
    | NodeOutput
    | NodeProgress
    | NodeStep
    | NodeHeartbeat
    | NodeMeasured
    | ApprovalRequested
    | ApprovalVoted
    | ApprovalDecided
    | ApprovalExpired
    | ApprovalRefused
    | ApprovalReminded
    | ApprovalNotified
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
