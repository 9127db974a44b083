"""What a node writes, caught for that node and for no other: bounded, live, in order, from any thread.

Who writes in the context of a node (`OUTPUT`) writes into its buffer; the engine takes from there a few times a second.
`flownb/run/output/` is what leads prints, log records, warnings and displays here.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from flownb.run.output.held import Held, Part
from flownb.services import masking

#: Characters that an attempt may write before only samples and the end are kept.
LIMIT: Final = 500_000
#: Characters in one record.
MOST_RECORD: Final = 100_000
#: Rich displays that an attempt may make, and characters in them.
MOST_DISPLAYS: Final = 200
MOST_DISPLAYED: Final = 20_000_000
#: Pieces shorter than this are joined as they come.
_SHORT: Final = 1_000
#: What one that can't be joined counts beside its characters.
_PART: Final = 32

#: The buffer of the node in whose context the code runs.
OUTPUT: contextvars.ContextVar[Buffer | None] = contextvars.ContextVar("flownb_output", default=None)


#: One for all buffers: it is held for an append, and most attempts write nothing. It can be taken again, as by a
#: finalizer that prints while its thread is within `write`.
_writing: Final = threading.RLock()


def writable(text: str) -> str:
    """A text as every store can keep it: half of a surrogate pair, as from a file name, is spelt out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


class Buffer(msgspec.Struct, eq=False):
    """What one attempt wrote and nobody has taken yet; safe from any thread."""

    #: Called when there is something to take where there was nothing.
    wake: Callable[[], None] | None = None
    #: Characters that may still come.
    left: int = LIMIT
    #: Whether the engine knows that there is something.
    pending: bool = False
    #: Whether the attempt is over: what its threads still write is nobody's.
    closed: bool = False
    #: What waits to be taken; None where nothing does.
    parts: list[Part] | None = None
    #: What has to wait; None for those who write little and overwrite nothing.
    held: Held | None = None
    displays: int = 0
    displayed: int = 0
    #: The services of the run, for what the node calls without its context.
    services: Mapping[str, Any] | None = None
    #: By stream, what might be the beginning of a secret that goes on with the next piece; None where nothing is.
    unsaid: dict[str, str] | None = None

    def write(self, stream: str, text: str) -> bool:
        """Add a piece; whether it is taken, which it is until the attempt is over."""
        with _writing:
            if self.closed:
                return False
            if masking.known is not None:  # before anything of it is dropped: half a secret can't be found
                text = self._masked(stream, text)
            held = self.held
            if (held is not None or "\r" in text) and len(text) <= LIMIT:
                if held is None:
                    held = self.held = Held()
                text = held.settle(stream, text)
            if text:
                self._append(stream, text)
        self.nudge()
        return True

    def write_bytes(self, stream: str, data: bytes) -> bool:
        """Add a piece of UTF-8; what is none is replaced."""
        with _writing:
            if self.held is None:
                self.held = Held()
            text = self.held.decode(stream, data)
        return self.write(stream, text)

    def display(self, data: dict[str, Any], text: str, size: int, name: str | None = None) -> bool:
        """Add something to be shown with its forms by media type.

        Args:
            data: plain data by media type.
            text: what those show who show no more than text.
            size: characters in `data`.
            name: what it is displayed as: it takes the place of one of the same name that has not been taken yet.
        """
        with _writing:
            if self.closed:
                return False
            parts = self.parts = self.parts or []
            if name is not None:
                data = data | {_NAME: name}
                parts[:] = [part for part in parts if part[2] is None or part[2].get(_NAME) != name]
            if self.displays < MOST_DISPLAYS and self.displayed + size <= MOST_DISPLAYED:
                self.displays += 1
                self.displayed += size
                parts.append(("display", text, data))
            elif self.displays <= MOST_DISPLAYS:
                self.displays = MOST_DISPLAYS + 1
                parts.append(("display", "… what else was displayed is left out …\n", None))
        self.nudge()
        return True

    def _masked(self, stream: str, text: str) -> str:
        masker, unsaid = masking.known, self.unsaid or {}
        assert masker is not None
        shown, unsaid[stream] = masker.stream(unsaid.get(stream, "") + text)
        self.unsaid = {name: each for name, each in unsaid.items() if each} or None
        return shown

    def _say_the_rest(self) -> None:
        """What might have become a secret has not."""
        unsaid, self.unsaid = self.unsaid or {}, None
        for stream, text in unsaid.items():
            if masking.known is not None:
                self._append(stream, masking.known.stream(text, last=True)[0])

    def nudge(self) -> None:
        """There is something to take."""
        if not self.pending:
            self.pending = True
            if self.wake is not None:
                self.wake()

    def _append(self, stream: str, text: str) -> None:
        size = len(text)
        if size > self.left:
            if self.held is None:
                self.held = Held()
            cut = text.rfind("\n", 0, self.left) + 1 or (self.left if size > _SHORT else 0)
            self.held.overflow(stream, text, cut)
            text = text[:cut]
            self.left = 0
            if not text:
                return
        else:
            self.left -= size
        parts = self.parts
        if parts is None:
            self.parts = [(stream, text, None)]
            return
        last = parts[-1] if parts else None
        if last is not None and last[0] == stream and last[2] is None and len(last[1]) < _SHORT:
            parts[-1] = (stream, last[1] + text, None)
        else:
            parts.append((stream, text, None))
            self.left = max(0, self.left - _PART)

    def take(self, now: float, most: int = MOST_RECORD, *, last: bool = False) -> list[Part]:
        """The next pieces, neighbours of one stream joined; `pending` stays where there is more.

        Args:
            now: by a clock that goes on evenly, in seconds.
            most: characters to take.
            last: take all, and nothing is written any more.
        """
        with _writing:
            self.closed = self.closed or last
            if last and self.unsaid is not None:
                self._say_the_rest()
            parts, self.parts = self.parts or [], None
            if last:
                most = LIMIT + MOST_DISPLAYED
            taken = 0
            for place, part in enumerate(parts):
                taken += len(part[1])
                if taken > most and place:
                    parts, self.parts = parts[:place], parts[place:]
                    break
            if self.held is not None and self.parts is None:
                due = self.held.due(now, last=last, room=self.left > 0)
                parts += [(stream, text, None) for stream, text in due]
                self.left = max(0, self.left - sum(len(text) for _, text in due)) if self.left else 0
            self.pending = self.parts is not None or (self.held is not None and self.held.waits())
        return list(_records(parts))


#: Where a mimebundle has what it is displayed as; it is no media type.
_NAME: Final = "name"


def _records(parts: list[Part]) -> list[Part]:
    """Neighbours of one stream joined, up to the size of a record."""
    records: list[Part] = []
    pieces: list[str] = []
    size, current = 0, ""

    def close() -> None:
        if pieces:
            text = writable("".join(pieces))
            records.extend((current, text[n : n + MOST_RECORD], None) for n in range(0, len(text), MOST_RECORD))
            pieces.clear()

    for stream, text, data in parts:
        if data is not None:
            close()
            records.append((stream, writable(text), {name: each for name, each in data.items() if name != _NAME}))
            size = 0
            continue
        if stream != current or size > MOST_RECORD:
            close()
            size, current = 0, stream
        pieces.append(text)
        size += len(text)
    close()
    return records


def writing_into(buffer: Buffer) -> contextvars.Context:
    """A copy of the current context for a body that runs elsewhere: what it writes there comes to `buffer`."""
    context = contextvars.copy_context()
    context.run(OUTPUT.set, buffer)
    return context


def node_logger(path: str) -> logging.Logger:
    """The logger that a node gets as `ctx.logger`: everything from INFO on is part of its output."""
    logger = logging.getLogger(f"flownb.node.{path}")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return logger
