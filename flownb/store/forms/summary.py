"""A plain form as people read it, from the form alone: nothing is loaded, and nothing in it can make this fail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.refused import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST_DEPTH: Final = 20
_PAIR: Final = 2


class _Full(Exception):
    """Ends the writing where the text is long enough."""


def text_of_plain(plain: Any, limit: int) -> str:
    """One readable text of at most `limit` characters."""
    if type(plain) is str:
        return _cut(plain, limit)
    writer = _Writer(limit)
    try:
        writer.top(plain)
    except _Full:
        pass
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError):
        writer.parts.append("…")  # a form that nobody of ours wrote
    return _cut("".join(writer.parts), limit)


def _cut(text: str, limit: int) -> str:
    return encodable(text if len(text) <= limit else text[: max(0, limit - 1)] + "…")


class _Writer:
    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self._left = limit + 1
        self._depth = 0

    def write(self, text: str) -> None:
        self.parts.append(text[: self._left])
        self._left -= len(text)
        if self._left <= 0:
            raise _Full

    def top(self, plain: Any) -> None:
        """The whole value: an artifact with its head, a transient one with its reason."""
        tag, payload = _tag(plain)
        if tag == "$artifact":
            self._head(payload)
        elif tag == "$transient":
            text = payload.get("text") or payload.get("type", "")
            self.write(f"{text}\n(in memory only: {payload.get('reason', '')})")
        else:
            self.any(plain)

    def any(self, plain: Any) -> None:
        """A value inside another, as Python would write it."""
        tag, payload = _tag(plain)
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            self.write("…")
        elif tag is not None:
            write = _TAGS.get(tag)
            if write is None:
                self.write(f"<{tag[1:]}>")
            else:
                write(self, payload)
        elif type(plain) is list:
            self.row("[", plain, "]")
        elif type(plain) is dict:
            self.pairs("{", ((repr(key), ": ", each) for key, each in plain.items()), "}")
        else:
            self.write(repr(plain[: self._left] if type(plain) is str else plain))
        self._depth -= 1

    def row(self, begin: str, items: Iterable[Any], end: str) -> None:
        """Items with commas."""
        self.write(begin)
        for place, item in enumerate(items):
            if place:
                self.write(", ")
            self.any(item)
        self.write(end)

    def pairs(self, begin: str, items: Iterable[tuple[Any, str, Any]], end: str) -> None:
        """Keys and values with commas; a key that is text is written as it is, any other as a value."""
        self.write(begin)
        for place, (key, sign, value) in enumerate(items):
            if place:
                self.write(", ")
            if type(key) is str:
                self.write(key)
            else:
                self.any(key[0])
            self.write(sign)
            self.any(value)
        self.write(end)

    def keyed(self, begin: str, pairs: Any, end: str) -> None:
        """A dict whose keys are plain forms themselves."""
        self.pairs(begin, (([key], ": ", value) for key, value in pairs), end)

    def instance(self, payload: Any) -> None:
        """A dataclass or a model, as its repr would be."""
        name = str(payload["class"]).rpartition(":")[2].rpartition(".")[2]
        self.pairs(f"{name}(", ((key, "=", value) for key, value in payload["fields"].items()), ")")

    def _head(self, payload: Any) -> None:
        preview = payload.get("preview") or {}
        self.write(_title(payload))
        if payload.get("form") == "parquet" and preview.get("columns"):
            columns = ", ".join(f"{name} {dtype}" for name, dtype in preview["columns"])
            self.write(f"\n{columns}")
        if text := preview.get("head") or preview.get("text"):
            self.write(f"\n{text}")


def _tag(plain: Any) -> tuple[str | None, Any]:
    if type(plain) is dict and len(plain) == 1:
        ((tag, payload),) = plain.items()
        if type(tag) is str and tag.startswith("$"):
            return tag, payload
    return None, None


def _title(payload: Any) -> str:
    """What an artifact is, in a few words: `Series, 1,000 rows`."""
    name = str(payload.get("type", "value")).rpartition(".")[2]
    preview = payload.get("preview") or {}
    shape = preview.get("shape")
    if payload.get("form") == "parquet" and shape:
        words = [f"{shape[0]:,} rows", *(f"{length:,} columns" for length in shape[1:])]
        return f"{name}, {' × '.join(words)}"  # noqa: RUF001  the sign for "by"
    if shape is not None:
        return f"{name}, {' × '.join(map(str, shape)) or 'no axis'}, {preview.get('dtype', '')}"  # noqa: RUF001
    if "width" in preview:
        return f"{name}, {preview['width']} × {preview['height']}, {preview.get('mode', '')}"  # noqa: RUF001
    if "length" in preview:
        unit = {"str": "characters", "list": "items", "dict": "items"}.get(name, "bytes" if "byte" in name else "items")
        return f"{name}, {preview['length']:,} {unit}"
    return f"{name}, {payload.get('size', 0):,} bytes"


def _bytes(writer: _Writer, payload: Any) -> None:
    kind, text = payload if type(payload) is list else ("bytes", payload)
    writer.write(f"<{str(kind).partition(' ')[0]}, {len(text) * 3 // 4 - text[-2:].count('='):,} bytes>")


def _int(writer: _Writer, payload: Any) -> None:
    number = int(payload, 16) if len(payload) < 1_000 else None  # noqa: PLR2004  far below where Python refuses
    writer.write(payload if number is None else str(number))


def _objects(writer: _Writer, payload: Any) -> None:
    writer.write(f"array{tuple(payload['shape'])} ")
    writer.row("[", payload["items"], "]")


def _moment(writer: _Writer, payload: Any) -> None:
    if type(payload) is str:
        writer.write(payload)
        return
    zone = (payload.get("zone") or {}).get("$zone", "")
    writer.write(f"{payload['at']} {zone if type(zone) is str else ''}".strip())


def _text(payload: Any) -> str:
    return str(payload["path"] if type(payload) is dict else payload[0] if type(payload) is list else payload)


_TAGS: Final[dict[str, Callable[[_Writer, Any], None]]] = {
    "$int": _int,
    "$float": lambda w, p: w.write(str(p)),
    "$str": lambda w, p: w.write(f"<text, {len(p) * 3 // 4:,} bytes>"),
    "$complex": lambda w, p: w.row("complex(", p, ")"),
    "$fraction": lambda w, p: w.write(f"{p[0]}/{p[1]}"),
    "$range": lambda w, p: w.row("range(", p, ")"),
    "$bytes": _bytes,
    "$decimal": lambda w, p: w.write(str(p)),
    "$uuid": lambda w, p: w.write(_text(p)),
    "$path": lambda w, p: w.write(_text(p)),
    "$datetime": _moment,
    "$time": _moment,
    "$date": lambda w, p: w.write(str(p)),
    "$timedelta": lambda w, p: w.write(str(timedelta(*p))),
    "$zone": lambda w, p: w.write(str(p)),
    "$tuple": lambda w, p: w.row("(", p, ",)" if len(p) == 1 else ")"),
    "$set": lambda w, p: w.row("{" if p else "set(", p, "}" if p else ")"),
    "$frozenset": lambda w, p: w.row("frozenset({", p, "})"),
    "$dict": lambda w, p: w.keyed("{", p, "}"),
    "$ordereddict": lambda w, p: w.keyed("OrderedDict({", p, "})"),
    "$counter": lambda w, p: w.keyed("Counter({", p, "})"),
    "$defaultdict": lambda w, p: w.keyed("{", p["items"], "}"),
    "$deque": lambda w, p: w.row("deque([", p["items"], "])"),
    "$enum": lambda w, p: w.write(f"{str(p['class']).rpartition(':')[2]}.{p['name'] or p['value']}"),
    "$namedtuple": lambda w, p: w.instance({"class": p["class"], "fields": dict(zip(p["fields"], p["items"]))}),  # noqa: B905
    "$dataclass": lambda w, p: w.instance(p),
    "$pydantic": lambda w, p: w.instance(p),
    "$numpy": lambda w, p: w.any(p[1]) if len(p) == _PAIR else w.write(str(p[_PAIR])),
    "$npy": lambda w, p: w.write(f"<array, {len(p) * 3 // 4:,} bytes>"),
    "$objects": _objects,
    "$pandas": lambda w, p: w.write(str(p.get("text", p["type"]))),
    "$artifact": lambda w, p: w.write(f"<{_title(p)}>"),
    "$transient": lambda w, p: w.write(str(p.get("text") or p.get("type"))),
}
