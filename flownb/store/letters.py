"""What somebody has to look at: dead letters, and the workflows that are to be started because of how a run is now.

All are read off the events of runs: a letter comes with the failure of a node that no port took, and goes when the
node is set back, skipped, or dropped from the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

import msgspec

from flownb.model import events as ev
from flownb.model.status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.model.events import Event


#: What brings a run to a status that others may be started for.
Change: TypeAlias = ev.RunCompleted | ev.RunFailedEvent | ev.RunCancelledEvent | ev.RunPaused

#: The statuses that others may be started for, by the events that bring them.
STATUS_OF: Final[dict[type[ev.Event], str]] = {
    ev.RunCompleted: RunStatus.COMPLETED,
    ev.RunFailedEvent: RunStatus.FAILED,
    ev.RunCancelledEvent: RunStatus.CANCELLED,
    ev.RunPaused: RunStatus.PAUSED,
}


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A node that failed, and that nobody has taken care of."""

    run: str
    workflow: str
    event: ev.NodeFailedEvent

    @property
    def node(self) -> str:
        """The node's path."""
        return self.event.node


class ErrorCall(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that is to be started because a run failed."""

    run: str
    workflow: str
    event: ev.RunFailedEvent
    #: What `RunStarted.trigger` says of the run that is started.
    trigger: ClassVar[str] = "error"
    status: ClassVar[str] = "failed"

    @property
    def target(self) -> str:
        """The workflow that is to be started."""
        return self.event.calls


class StatusCall(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that is to be started because a run has a status now."""

    run: str
    workflow: str
    event: Change
    trigger: ClassVar[str] = "status"

    @property
    def target(self) -> str:
        """The workflow that is to be started."""
        return self.event.tells

    @property
    def status(self) -> str:
        """The status that the run came to."""
        return STATUS_OF[type(self.event)]


def changes_told(happened: Iterable[Event]) -> Iterator[Change]:
    """The changes of status among events because of which another workflow is to be started."""
    for event in happened:
        if isinstance(event, Change) and event.tells:
            yield event


def letter_changes(happened: Iterable[Event]) -> Iterator[tuple[str, ev.NodeFailedEvent | None]]:
    """By node, in order: the failure that it is on the list for from now on, or None where it is no more."""
    for event in happened:
        match event:
            case ev.NodeFailedEvent(port=False):
                yield event.node, event
            case ev.RunResumed():
                for path in event.reset:
                    yield path, None
            case ev.NodeSkipped() | ev.DeadLetterDropped():
                yield event.node, None
            case _:
                pass
