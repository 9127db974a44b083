"""Failures that somebody has to look at: dead letters, and the workflows that are to be started because a run failed.

Both are read off the events of runs: a letter comes with the failure of a node that no port took, and goes when the
node is set back, skipped, or dropped from the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flownb.model import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.model.events import Event


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
