"""The promises that every journal keeps, checked from its events alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.model.events import Record

_FINAL = (ev.RunCompleted, ev.RunCancelledEvent)
_ENDS = (*_FINAL, ev.RunFailedEvent, ev.RunPaused)
_NODE_ENDS = (ev.NodeCompleted, ev.NodeFailedEvent, ev.NodeSkipped, ev.NodeCancelled)


def check_journal(records: Iterable[Record]) -> None:
    """Check that a journal is well-formed.

    Numbers run from 1 without gaps. The run starts once, first. A node's body starts only when it is not running and
    has not ended, and nothing of a node ends twice, unless a `run_resumed` set it back in between; a completed node is
    set back only where its result was transient. Nothing follows the end of a run, and after a pause or a failure only
    `run_resumed` does.

    Raises:
        AssertionError: it isn't; the message lists all faults.
    """
    faults = list(_Walk(list(records)).faults())
    if faults:
        raise AssertionError("This journal is not well-formed:\n" + "\n".join(f"* {each}" for each in faults))


class _Walk:
    def __init__(self, records: list[Record]) -> None:
        self._records = records
        #: Nodes whose body runs or waits, nodes that ended, and of the completed ones the plain output.
        self._running: set[str] = set()
        self._ended: dict[str, ev.Event] = {}
        self._rests: ev.Event | None = None

    def faults(self) -> Iterator[str]:
        for place, record in enumerate(self._records, 1):
            if record.seq != place:
                yield f"event {place} is numbered {record.seq}"
            event = record.event
            for fault in (*self._of_run(place, event), *self._of_node(event)):
                yield f"{place} {ev.event_type(event)}: {fault}"

    def _of_run(self, place: int, event: ev.Event) -> Iterator[str]:
        if isinstance(event, ev.RunStarted) != (place == 1):
            yield "run_started is the first event, and only the first"
        if self._rests is not None and not isinstance(event, ev.RunResumed):
            yield f"it follows {ev.event_type(self._rests)}"
        if isinstance(self._rests, _FINAL) and isinstance(event, ev.RunResumed):
            yield f"{ev.event_type(self._rests)} is final"
        if isinstance(event, ev.RunResumed):
            self._rests = None
            for path in event.reset:
                yield from self._set_back(path)
        elif isinstance(event, _ENDS):
            self._rests = event
            if isinstance(event, (*_FINAL, ev.RunFailedEvent)) and self._running:
                yield f"{', '.join(sorted(self._running))} had not ended"
            if isinstance(event, ev.RunCompleted):
                failed = [
                    p for p, end in self._ended.items() if isinstance(end, ev.NodeFailedEvent) and not end.handled
                ]
                if failed:
                    yield f"{', '.join(sorted(failed))} had failed"

    def _set_back(self, path: str) -> Iterator[str]:
        end = self._ended.pop(path, None)
        self._running.discard(path)
        if isinstance(end, ev.NodeCompleted) and not values.is_transient(end.output):
            yield f"{path} had completed and is set back"

    def _of_node(self, event: ev.Event) -> Iterator[str]:
        if not isinstance(event, ev.NodeEvent):
            return
        path = event.node
        if isinstance(event, ev.NodeStarted):
            if path in self._ended:
                yield f"{path} had ended"
            if path in self._running:
                yield f"{path} was running"
            self._running.add(path)
        elif isinstance(event, (ev.NodeWaiting, ev.NodeRetrying)):
            if path not in self._running:
                yield f"{path} was not running"
            self._running.discard(path)
        elif isinstance(event, _NODE_ENDS):
            if path in self._ended:
                yield f"{path} had ended before, by {ev.event_type(self._ended[path])}"
            if isinstance(event, ev.NodeCompleted) and path not in self._running and not event.source:
                yield f"{path} never started"
            self._running.discard(path)
            self._ended[path] = event
