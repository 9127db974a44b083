"""What is known to be secret in this process, and how it is kept out of all that is written or shown.

A value is known from the moment that it is resolved, for as long as the process lives and for all runs. `known` is
None until the first one, so that whoever masks pays one look as long as there are no secrets. Two places mask for all
others: events before they are folded (`run/executor.py`), and values before they are stored (`store/values.py`).

Values are masked by what they are, however they are written (`spellings`). Shorter than eight bytes, they are masked
as whole words only; shorter than four, not at all, and a warning says so. Of longer values any twelve letters in a row
are masked too, because messages are cut in their middle by whoever makes them.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from flownb.services.fragments import Fragments
    from flownb.services.patterns import Pattern, Span


_log = logging.getLogger("flownb.secrets")
#: What stands where a secret was.
MASK: Final = "***"
_MASK: Final = MASK.encode()
#: Shorter values can't be told from ordinary text.
LEAST: Final = 4
#: Secrets that share an automaton; a new one lets only the last of these be built anew.
_TOGETHER: Final = 16
#: Of a text that ends in the middle of a secret, so much is not shown.
_TELLING: Final = 8


class Masker:
    """The secrets of a process; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[bytes, str] = {}
        self._patterns: list[Pattern] = []
        self._fragments: Fragments | None = None
        self._least = 1 << 62
        #: Whether one of them is a number, so that numbers are looked at as well.
        self.numbers = False

    def add(self, name: str, value: str | bytes) -> bool:
        """Mask a value from now on; False where it was known."""
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        with self._lock:
            fresh = [each for each in dict.fromkeys((data, data.strip())) if each and each not in self._values]
            for each in fresh:
                self._values[each] = name
                if len(each) >= LEAST:
                    self._take_in(name, each)
        if fresh and len(data) < LEAST:
            _log.warning("The secret %r has fewer than %d characters: it can't be masked.", name, LEAST)
        return bool(fresh)

    def _take_in(self, name: str, value: bytes) -> None:
        from flownb.services.fragments import Fragments
        from flownb.services.patterns import Pattern
        from flownb.services.spellings import parts

        self.numbers = self.numbers or value.isdigit()
        members = [(each, text) for text, each in self._values.items() if len(text) >= LEAST]
        whole = (len(members) - 1) // _TOGETHER * _TOGETHER
        del name
        # The list is replaced and never changed: others may be looking through it.
        self._patterns = [*self._patterns[: whole // _TOGETHER], Pattern(members[whole:])]
        self._least = min(self._least, len(value), *map(len, parts(value)))
        if len(value) > Fragments.LEAST:
            self._least = min(self._least, Fragments.LEAST)
            self._fragments = self._fragments or Fragments()
            self._fragments.add(value)

    def _spans(self, data: bytes, *, words: bool) -> list[Span]:
        if len(data) < self._least:
            return []
        spans = [span for each in self._patterns for span in each.find(data, words=words)]
        return spans if self._fragments is None else spans + self._fragments.find(data, spans)

    def data(self, data: bytes, *, words: bool = False) -> bytes:
        """Bytes without secrets; the very same where there are none."""
        spans = self._spans(data, words=words)
        return _masked(data, spans) if spans else data

    def text(self, text: str, *, words: bool = True) -> str:
        """Text without secrets; the very same where there are none.

        Args:
            text: for people.
            words: short secrets are masked as whole words, as in what people read; else only where they are all there
                is, as in what nodes go on to work with.
        """
        if len(text) < LEAST:
            return text
        data = text.encode("utf-8", "surrogatepass")
        masked = self.data(data, words=words)
        return text if masked is data else _decoded(masked)

    def holds(self, data: bytes) -> bool:
        """Whether there is a secret in it."""
        return bool(self._spans(data, words=False))

    def names(self, data: bytes) -> list[str]:
        """The names of the secrets in it."""
        return sorted(set().union(*(each.names(data) for each in self._patterns)))

    def plain(self, value: Any, *, words: bool = False) -> Any:
        """JSON data without secrets; the very same where there are none. Tags (`$…`) and references stay."""
        cls = type(value)
        if cls is str:
            return self.text(value, words=words)
        if cls is int:
            return MASK if self.numbers and self.holds(b"%d" % value) else value
        if cls is list or cls is tuple:
            items = [self.plain(each, words=words) for each in value]
            return value if all(map(_same, items, value)) else cls(items)
        if cls is dict:
            return self._table(value, words=words)
        return self.struct(value) if isinstance(value, msgspec.Struct) else value

    def _table(self, table: dict[Any, Any], *, words: bool) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        changed = False
        for key, each in table.items():
            name, value = key, each
            if key == "$artifact" and type(each) is dict:  # only what was taken from the value; the rest names a file
                if "preview" in each:
                    preview = self.plain(each["preview"], words=words)
                    value = each if preview is each["preview"] else each | {"preview": preview}
            else:
                if type(key) is str and not key.startswith("$"):
                    name = self.text(key, words=words)
                value = self.plain(each, words=words)
            changed = changed or name is not key or value is not each
            made[another(name, made) if name is not key else name] = value
        return made if changed else table

    def struct(self, struct: Any) -> Any:
        """An event or a part of one without secrets; the very same where there are none."""
        changed: dict[str, Any] = {}
        for name in struct.__struct_fields__:
            before = getattr(struct, name)
            if name not in _STRUCTURE and not self._is_clear(before):
                after = self.plain(before, words=name not in _VALUES)
                if after is not before:
                    changed[name] = after
        return msgspec.structs.replace(struct, **changed) if changed else struct

    def _is_clear(self, value: Any) -> bool:
        """Whether one look at all of it is enough: large values are masked before they are stored, and again here."""
        if type(value) not in (dict, list) or not value:
            return not value
        try:
            return not self._spans(msgspec.json.encode(value), words=True)
        except (TypeError, ValueError, RecursionError):
            return False

    # --- texts that come in pieces ------------------------------------------------------------------------------------

    def stream(self, text: str, *, last: bool = False) -> tuple[str, str]:
        """The next piece of a text that comes in pieces, masked, and what of it has to wait for the next one.

        Args:
            text: what had to wait before, and what has come since.
            last: nothing more comes: what might have become a secret is masked if it is enough to tell, else shown.
        """
        data = text.encode("utf-8", "surrogatepass")
        spans = self._spans(data, words=True)
        size = min((each.held(data) for each in self._patterns), default=len(data))
        while size < len(data) and data[size] & 0xC0 == 0x80:  # noqa: PLR2004  not in the middle of a letter
            size -= 1
        while crossing := [start for start, end in spans if start < size < end]:
            size = min(crossing)
        shown = _decoded(_masked(data[:size], [span for span in spans if span[1] <= size]))
        if not last or size == len(data):
            return shown, _decoded(data[size:])
        inside = [(start - size, end - size) for start, end in spans if start >= size]
        if not inside and len(data) - size >= _TELLING:
            inside = [(0, len(data) - size)]
        return shown + _decoded(_masked(data[size:], inside)), ""


#: Fields of events that name nodes, kinds and moments, and hold nothing that a node made.
_STRUCTURE: Final = frozenset(
    {"at", "node", "approval", "kind", "definition", "mode", "trigger", "error_class", "until", "stream"}
)
#: Fields that hold values which nodes go on to work with.
_VALUES: Final = frozenset(
    {"output", "values", "inputs", "results", "value", "variables", "resume_data", "detail", "data"}
)


def _same(one: Any, other: Any) -> bool:
    return one is other


def another(name: str, taken: dict[Any, Any]) -> str:
    """A masked key that is not taken yet."""
    number = 1
    made = name
    while made in taken:
        number += 1
        made = f"{name}{number}"
    return made


def _masked(data: bytes, spans: list[Span]) -> bytes:
    pieces, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            pieces += [data[end:start], _MASK]
        end = max(end, stop)
    return b"".join([*pieces, data[end:]])


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


#: None until the first secret of this process is resolved.
known: Masker | None = None
_lock: Final = threading.Lock()


def learn(name: str, value: str | bytes) -> None:
    """Mask a value from now on, in everything that this process writes or shows."""
    global known  # noqa: PLW0603  one a process, and None as long as nobody needs it
    with _lock:
        masker = known or Masker()
        masker.add(name, value)
        if known is None:
            from flownb.services.log_records import mask_log_records

            mask_log_records(masker)
        known = masker  # last: who sees it may rely on all of the above


def text(text: str) -> str:
    """Text without secrets."""
    return text if known is None else known.text(text)


def forget() -> None:
    """Know nothing any more; for tests."""
    global known  # noqa: PLW0603
    known = None
