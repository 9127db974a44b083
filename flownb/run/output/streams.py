"""Standard output and error: stand-ins that look in whose context they are written to.

While runs are at work the module `sys` notices when somebody sets another stream. Within a node that holds for that
node alone, so that `redirect_stdout` in one node takes nothing from another; outside, a stand-in is put before the new
stream, so that nodes keep writing into their own output.
"""

from __future__ import annotations

import contextvars
import io
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TextIO

from flownb.run.output.capture import OUTPUT, Buffer
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAMES: Final = ("stdout", "stderr")

#: Streams that a node has set for itself, by name.
_own: Final[contextvars.ContextVar[Mapping[str, Any] | None]] = contextvars.ContextVar("flownb_streams", default=None)


class _StandIn(io.TextIOBase):
    """Writes into the buffer of the node in whose context it is, elsewhere to the stream under it."""

    def __init__(self, name: str, under: TextIO) -> None:
        super().__init__()
        self._name = name
        self.under = under

    def _stream(self) -> tuple[Buffer | None, Any]:
        """The buffer to write to, or None and the stream."""
        buffer = OUTPUT.get()
        if buffer is None:
            return None, self.under
        own = _own.get()
        if own is not None and self._name in own:
            return None, own[self._name]
        return buffer, self.under

    def write(self, text: str) -> int:
        buffer, stream = self._stream()
        if buffer is not None:
            if not isinstance(text, str):
                raise TypeError(f"write() argument must be str, not {type(text).__name__}")
            if not text or buffer.write(self._name, text):
                return len(text)
        elif stream is None:
            return len(text)
        shown = masking.text(text)
        written: int = stream.write(shown)
        return written if shown is text else len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        buffer, stream = self._stream()
        if buffer is None and stream is not None:
            stream.flush()

    def isatty(self) -> bool:
        buffer, stream = self._stream()
        return buffer is None and stream is not None and bool(stream.isatty())

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Stay open: it stands for a stream that others use, and is thrown away by a process that ends."""

    def reconfigure(self, **options: Any) -> None:
        """Scripts set an encoding or a buffering; a node's output needs neither, and its wish is for nobody else."""
        buffer, stream = self._stream()
        if buffer is None:
            stream.reconfigure(**options)

    @property
    def buffer(self) -> Any:
        """The stream of bytes beneath."""
        buffer, stream = self._stream()
        return _Bytes(self._name, buffer) if buffer is not None else stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property here, an attribute there; read-only for both
        return getattr(self._stream()[1], "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # as above
        return getattr(self._stream()[1], "errors", None)

    def fileno(self) -> int:
        number: int = self._stream()[1].fileno()
        return number

    def __getattr__(self, name: str) -> Any:
        # What a kernel's stream has beyond a file (`pub_thread`, `parent_header` …).
        if name == "under":
            raise AttributeError(name)
        return getattr(self._stream()[1], name)


def _stand_in(name: str, under: Any) -> _StandIn:
    """The one that stands for a stream, the same each time.

    `print` borrows `sys.stdout` without holding it (CPython up to 3.13): a stand-in that nobody keeps would be freed
    under a `print` of another thread when the last run ends, and the process could crash.
    """
    key = (name, id(under))
    found = _stand_ins.get(key)
    if found is None or found.under is not under:
        if len(_stand_ins) >= _MOST_KEPT:
            del _stand_ins[next(iter(_stand_ins))]
        found = _stand_ins[key] = _StandIn(name, under)
    return found


_MOST_KEPT: Final = 256
_stand_ins: Final[dict[tuple[str, int], _StandIn]] = {}


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer` within a node."""

    def __init__(self, name: str, buffer: Buffer) -> None:
        super().__init__()
        self._name = name
        self._buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with memoryview(data) as view:
            self._buffer.write_bytes(self._name, bytes(view))
            return view.nbytes


class _Watched(ModuleType):
    """`sys` while runs are at work: it has an eye on who sets its streams."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _NAMES:
            if OUTPUT.get() is not None:
                _set_own(name, value)
                return
            if value is not None and not isinstance(value, _StandIn):
                value = _stand_in(name, value)
        # Not by super(): the engine's thread may have taken this class away since the call began.
        ModuleType.__setattr__(self, name, value)

    def __reduce__(self) -> Any:
        # A function that knows `sys` is sent to other processes; a module of another class could not be.
        return __import__, ("sys",)


def _set_own(name: str, value: Any) -> None:
    own = dict(_own.get() or {})
    if isinstance(value, _StandIn):
        own.pop(name, None)
    else:
        own[name] = value
    _own.set(own or None)


def muted() -> contextvars.Token[Mapping[str, Any] | None]:
    """From here to `unmute`, what this context prints is nobody's."""
    return _own.set(dict.fromkeys(_NAMES))


unmute: Final = _own.reset


def is_console(stream: object) -> bool:
    """Whether a stream is one that shows what a process prints."""
    return isinstance(stream, _StandIn) or any(
        stream is each or (isinstance(each, _StandIn) and stream is each.under)
        for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    )


def install() -> None:
    """Put the stand-ins in place."""
    for name in _NAMES:
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _StandIn):
            setattr(sys, name, _stand_in(name, stream))
    if type(sys) is ModuleType:
        sys.__class__ = _Watched


def remove() -> None:
    """Take them away; those that somebody keeps go on to the streams under them."""
    if type(sys) is _Watched:
        sys.__class__ = ModuleType  # type: ignore[assignment]  # mypy narrows it for good
    names = vars(sys)
    for name in _NAMES:
        stream = names[name]
        if isinstance(stream, _StandIn):
            under = stream.under
            # Another thread may just set one, as a cell that has seen the end of its run. Between these two looks there
            # is no call, so that no other thread comes between them.
            if names[name] is stream:
                names[name] = under
