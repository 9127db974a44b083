"""What a node prints, logs and warns, caught for that node and for no other.

While any run works, `sys.stdout` and `sys.stderr` are stand-ins that look at a context variable: in the context of a
node they write into its buffer, elsewhere to the stream that was there before.
"""

from __future__ import annotations

import contextvars
import io
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

import msgspec

from flownb.services import masking

#: Characters that one attempt may write; then one line says that the rest is left out.
LIMIT: Final = 1_000_000

#: The buffer of the node in whose context the code runs.
OUTPUT: contextvars.ContextVar[Buffer | None] = contextvars.ContextVar("flownb_output", default=None)


#: One for all buffers: it is held for an append, and most attempts write nothing.
_writing: Final = threading.Lock()


def writable(text: str) -> str:
    """A text as every store can keep it: half of a surrogate pair, as from a file name, is spelt out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


class Buffer(msgspec.Struct, eq=False):
    """What one attempt wrote and nobody has taken yet; safe from any thread."""

    #: Called when something is written into an empty buffer.
    wake: Callable[[], None] | None = None
    #: Streams and texts that wait to be taken; None where there are none.
    parts: list[tuple[str, str]] | None = None
    #: Characters that may still come.
    left: int = LIMIT
    #: The services of the run, for what the node calls without its context.
    services: Mapping[str, Any] | None = None
    #: By stream, what might be the beginning of a secret that goes on with the next piece; None where nothing is.
    held: dict[str, str] | None = None

    def write(self, stream: str, text: str) -> None:
        """Add a piece; beyond the limit only a last line that says so."""
        with _writing:
            if self.left <= 0 or not text:
                return
            if len(text) > self.left:
                text = masking.text(text)[: self.left] + f"\n… output beyond {LIMIT:,} characters is left out\n"
            self.left -= len(text)
            parts = self.parts
            if parts is None:
                self.parts = [(stream, text)]
            else:
                parts.append((stream, text))
        if parts is None and self.wake is not None:
            self.wake()

    def take(self, *, last: bool = False) -> list[tuple[str, str]]:
        """The pieces since the last call, neighbours of one stream joined, secrets masked.

        Args:
            last: nothing more comes, so nothing is held back.
        """
        if self.parts is None:
            return self._masked([], last=last) if self.held is not None else []
        with _writing:
            parts, self.parts = self.parts, None
        assert parts is not None
        joined: list[tuple[str, str]] = []
        pieces: list[str] = []
        current = parts[0][0]
        for stream, text in parts:
            if stream != current:
                joined.append((current, "".join(pieces)))
                current, pieces = stream, []
            pieces.append(text)
        joined.append((current, "".join(pieces)))
        if masking.known is not None:
            joined = self._masked(joined, last=last)
        return [(name, writable(text)) for name, text in joined]

    def _masked(self, joined: list[tuple[str, str]], *, last: bool) -> list[tuple[str, str]]:
        masker = masking.known
        if masker is None:
            return joined
        held, made = self.held or {}, []
        for stream, text in joined:
            shown, held[stream] = masker.stream(held.get(stream, "") + text)
            made.append((stream, shown))
        if last:
            made += [(stream, masker.stream(text, last=True)[0]) for stream, text in held.items()]
        self.held = {stream: text for stream, text in held.items() if text} or None if not last else None
        return [(stream, text) for stream, text in made if text]


class _Stream(io.TextIOBase):
    """A stand-in for a standard stream."""

    def __init__(self, name: str, under: TextIO) -> None:
        super().__init__()
        self._name = name
        self.under = under

    def write(self, text: str) -> int:
        buffer = OUTPUT.get()
        if buffer is None:
            shown = masking.text(text)
            return self.under.write(text) if shown is text else self.under.write(shown) and len(text)
        buffer.write(self._name, str(text))
        return len(text)

    def flush(self) -> None:
        if OUTPUT.get() is None:
            self.under.flush()

    def isatty(self) -> bool:
        return OUTPUT.get() is None and self.under.isatty()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Stay open: it stands for a stream that others use, and is thrown away by a process that ends."""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property here, an attribute there; read-only for both
        return getattr(self.under, "encoding", None) or "utf-8"

    def fileno(self) -> int:
        return self.under.fileno()

    def __getattr__(self, name: str) -> Any:
        # What a kernel's stream has beyond a file (`pub_thread`, `parent_header` …).
        return getattr(self.under, name)


class _Handler(logging.Handler):
    """Takes log records of nodes; those of other code go where they always went."""

    def emit(self, record: logging.LogRecord) -> None:
        buffer = OUTPUT.get()
        if buffer is None:
            return
        try:
            buffer.write("log", self.format(record) + "\n")
        except Exception:  # noqa: BLE001  a bad format string in a node's log call must not fail the node
            self.handleError(record)


class _Installation:
    """Puts the stand-ins in place with the first run and takes them away after the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._streams: dict[str, _Stream] = {}
        self._handler = _Handler()
        self._handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            for name in ("stdout", "stderr"):
                stream = _Stream(name, getattr(sys, name))
                self._streams[name] = stream
                setattr(sys, name, stream)
            logging.getLogger().addHandler(self._handler)

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for name, stream in self._streams.items():
                # Somebody may have put a stream of their own on top since; theirs stays.
                if getattr(sys, name) is stream:
                    setattr(sys, name, stream.under)
            self._streams.clear()
            logging.getLogger().removeHandler(self._handler)


_installation: Final = _Installation()
#: Begin and end to catch; counted, so that many runs may overlap.
enter = _installation.enter
leave = _installation.leave


def node_logger(path: str) -> logging.Logger:
    """The logger that a node gets as `ctx.logger`: everything from INFO on is part of its output."""
    logger = logging.getLogger(f"flownb.node.{path}")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return logger
