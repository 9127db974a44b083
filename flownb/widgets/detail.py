"""What the panel under the canvas shows of one node: bounded, plain text only, and nothing large is loaded."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.words import clean
from flownb.model.events import (
    NodeCancelled,
    NodeCompleted,
    NodeFailedEvent,
    NodeOutput,
    NodeRetrying,
    NodeSkipped,
    NodeStarted,
    event_type,
)
from flownb.model.state import COMPLETED, FAILED
from flownb.model.times import iso
from flownb.run.output.held import settled
from flownb.store.forms.summary import text_of_plain
from flownb.widgets.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.events import Event, Failure, Record
    from flownb.model.state import RunState
    from flownb.run.handles.handle import Run
    from flownb.run.handles.moment import Moment
    from flownb.run.handles.view import RunView

#: Characters of a log that are shown, its end; of a traceback; of a value of the config.
_MOST_LOG: Final = 20_000
#: Characters of a log that are kept for those who look back.
_MOST_KEPT: Final = 1_000_000
_MOST_TRACE: Final = 20_000
_MOST_TEXT: Final = 240
_MOST_FIELDS: Final = 40
_MOST_TRIES: Final = 50
#: What begins and ends attempts.
_TRIED: Final = (NodeStarted, NodeCompleted, NodeFailedEvent, NodeRetrying, NodeCancelled, NodeSkipped)
#: Events in one answer to a view.
MOST_EVENTS: Final = 200


class Look:
    """A view looks at a node: its part of the journal is read once, and then on from there."""

    def __init__(self, run: Run, key: str, path: str) -> None:
        """Begin to look.

        Args:
            run: of which the node is.
            key: of its card.
            path: which node it is, or which instance in a loop.
        """
        self._run = run
        self.key = key
        self.path = path
        self._after = 0
        #: What it has written, with the number of the event; and its other events.
        self._written: deque[tuple[int, str]] = deque()
        self._kept = 0
        self._events: list[Record] = []

    def told(self, moment: Moment | None = None) -> dict[str, Any]:
        """All that the panel says of the node now, or at a moment of the journal."""
        view: RunView = moment or self._run
        state, path = view.state, self.path
        number = state.topology.index.get(path)
        if number is None:
            return {"key": self.key, "path": path, "status": "pending", "why": "It has not started.", "type": ""}
        node = state.topology.nodes[number]
        shown_node = view[path]
        self._read(path)
        error = shown_node.error
        until = moment.seq if moment is not None else self._after
        return {
            "key": self.key,
            "path": path,
            "title": clean(node.title or node.id),
            "type": clean(node.type),
            "status": str(shown_node.status),
            "why": shown_node.why[:2_000],
            "output": shown(state.output[number], view.store) if shown_node.status == "completed" else None,
            "inputs": self._inputs(state, number),
            "log": settled("".join(text for seq, text in self._written if seq <= until))[-_MOST_LOG:],
            "error": None if error is None else _failure(error),
            "tries": _tries(record.event for record in self._events if record.seq <= until)[-_MOST_TRIES:],
            "config": _config(node.config),
            "breakpoint": node.id in state.breakpoints or path in state.breakpoints,
        }

    def _read(self, path: str) -> None:
        """Take from the journal what is new of the node."""
        for record in self._run.events(self._after):
            self._after = record.seq
            event = record.event
            if getattr(event, "node", None) != path:
                continue
            if isinstance(event, NodeOutput):
                self._written.append((record.seq, event.text))
                self._kept += len(event.text)
            elif isinstance(event, _TRIED):
                self._events.append(record)
        while self._kept > _MOST_KEPT and len(self._written) > 1:
            self._kept -= len(self._written.popleft()[1])

    def _inputs(self, state: RunState, number: int) -> list[dict[str, Any]]:
        topology = state.topology
        found: list[dict[str, Any]] = []
        for argument in topology.arguments[number]:
            for wire in argument.wires:
                done = state.node_status[wire.source] in (COMPLETED, FAILED) and state.edge_is_live(wire)
                ports = state.port_values.get(wire.source, {})
                plain = ports.get(wire.port or "", state.output[wire.source])
                value = shown(plain, self._run.store) if done else None
                found.append({"name": argument.name, "from": topology.paths[wire.source], "value": value})
        for name in topology.from_round(number):
            block = state.block_of[number - state.flat]
            plain = block.item if name == "item" else block.index
            found.append({"name": name, "from": "the round", "value": shown(plain, self._run.store)})
        found += [
            {"name": name, "from": "the run's inputs", "value": shown(state.inputs[name], self._run.store)}
            for name in topology.from_inputs(number)
            if name in state.inputs
        ]
        return found[:_MOST_FIELDS]


def _tries(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The attempts of a node, one a row."""
    found: list[dict[str, Any]] = []
    for event in events:
        if isinstance(event, NodeStarted):
            found.append({"attempt": event.attempt, "started": event.at})
        elif found and "ended" not in found[-1]:
            last = found[-1]
            last |= {"ended": event.at, "how": event_type(event).removeprefix("node_")}
            if isinstance(event, NodeRetrying):
                last["delay"] = event.delay
            if (error := getattr(event, "error", None)) is not None:
                last["error"] = f"{error.type}: {error.message}"[:_MOST_TEXT]
    return found


def _failure(error: Failure) -> dict[str, str]:
    return {"type": error.type, "message": error.message[:4_000], "traceback": _ends(error.traceback)}


def _ends(text: str) -> str:
    """A long text without its middle: a traceback says where at its beginning, and what at its end."""
    half = _MOST_TRACE // 2
    return text if len(text) <= _MOST_TRACE else f"{text[:half]}\n…\n{text[-half:]}"


def _config(config: dict[str, Any]) -> list[list[str]]:
    return [[clean(name), text_of_plain(value, _MOST_TEXT)] for name, value in list(config.items())[:_MOST_FIELDS]]


def lines_of(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Events as lines of a list."""
    return [_line(record) for record in records]


def _line(record: Record) -> dict[str, Any]:
    event = record.event
    line = {"seq": record.seq, "at": event.at, "time": iso(event.at), "type": event_type(event), "text": _said(event)}
    node = getattr(event, "node", None)
    return line if node is None else line | {"node": node}


def _said(event: Event) -> str:
    """The one thing that an event says beside its type."""
    if (error := getattr(event, "error", None)) is not None:
        return clean(f"{error.type}: {error.message}", _MOST_TEXT)
    if (reason := getattr(event, "reason", None)) is not None:
        return clean(getattr(reason, "message", reason), _MOST_TEXT)
    for name in ("text", "message", "question", "name", "attempt", "index", "port", "workflow"):
        if said := getattr(event, name, None):
            return clean(f"{name} {said}" if name in ("attempt", "index", "port") else said, _MOST_TEXT)
    if (output := getattr(event, "output", None)) is not None:
        return clean(text_of_plain(output, _MOST_TEXT), _MOST_TEXT)
    return ""
