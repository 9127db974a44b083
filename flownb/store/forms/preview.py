"""What is shown of a stored value without loading it: data for views, bounded, and never code or HTML.

`preview_of(plain)` gives a dict with `kind` and `type` (the name of the value's type), and by kind:

* `nothing`: None, or no value.
* `scalar`: `text`. Numbers, moments, paths, ids, enums.
* `text`: `length` in characters, `head` (up to 2,000 of them).
* `bytes`: `length`, `format` (`png`, `pdf`, `zip` … or empty, by how it begins), `head` as Python writes bytes.
* `list`: `length`, `items`: texts of the first 20. Tuples, sets and deques as well.
* `dict`: `length`, `items`: pairs of texts of the first 20. Dataclasses and models as well.
* `table`: `rows`, `columns` (how many), `schema`: pairs of column and dtype of the first 50, `head`: up to 20 rows of
  cells (None, true, false, numbers, texts), `index`: a text for each of these rows, `memory` in bytes. Frames; also
  series and indexes, with one column, and lists of dicts with the same keys, which have no dtypes and no `memory`.
* `array`: `shape`, `dtype`, `head` (text), `min` and `max` (numbers, or None where they are unknown or have no order).
* `image`: `width`, `height`, `mode`, `png`: the digest of an artifact with a picture of at most 256 pixels a side.
* `object`: `text`, `reason`. A transient value, which is known in memory only; `png` where there is a picture of it.

`size` is there where the value lies in an artifact: how many bytes. Every text is plain text of the value's own making
and must be escaped where it is shown as HTML. All of it is at most about 50 kB of JSON.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.refused import encodable, shorten, text_of, type_name
from flownb.store.forms.summary import text_of_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: How many characters of a text, items of a list, rows and columns of a table are shown.
MOST_TEXT: Final = 2_000
MOST_ITEMS: Final = 20
MOST_ROWS: Final = 20
MOST_COLUMNS: Final = 50
#: About how many characters the cells of a table have together.
_MOST_CELLS: Final = 24_000
_MOST_CELL: Final = 80
_MOST_ITEM: Final = 100
#: Whole numbers beyond this are texts: browsers would round them.
_MOST_INT: Final = 2**53
#: By how they begin.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"), (b"\x1f\x8b", "gzip"), (b"PAR1", "parquet"), (b"SQLite format 3\x00", "sqlite"),
    (b"\x93NUMPY", "npy"), (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"), (b"BM", "bmp"), (b"OggS", "ogg"),
)  # fmt: skip


# --- made when a value is stored --------------------------------------------------------------------------------------


def of_text(value: str) -> dict[str, Any]:
    """Beside a long text."""
    return {"length": len(value), "text": encodable(value[:MOST_TEXT])}


def of_bytes(data: memoryview) -> dict[str, Any]:
    """Beside bytes."""
    return {"length": len(data), "format": format_of(bytes(data[:16])), "text": repr(bytes(data[:32]))}


def format_of(start: bytes) -> str:
    """What a file is, by its first bytes; empty if that says nothing."""
    if start.startswith(b"RIFF") and start[8:12] in (b"WEBP", b"WAVE"):
        return start[8:12].decode().lower()
    return next((name for magic, name in _MAGIC if start.startswith(magic)), "")


def of_items(value: Any, encode: Callable[[Any], Any]) -> dict[str, Any]:
    """Beside a long list or table; `encode` makes the plain form of a part, and may refuse."""
    if type(value) is dict:
        return {"length": len(value), "items": [[_key(key), _text(value[key], encode)] for key in _first(value)]}
    if type(value) in (list, tuple, set, frozenset):
        return {"length": len(value), "items": [_text(each, encode) for each in _first(value)]}
    return {}


def _first(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in values:
        if len(found) == MOST_ITEMS:
            break
        found.append(each)
    return found


def _text(value: Any, encode: Callable[[Any], Any]) -> str:
    try:
        if type(value) in (list, tuple, str):
            value = value[:_MOST_ITEM]  # more of it is not shown
        return text_of_plain(encode(value), _MOST_ITEM)
    except Exception:  # noqa: BLE001  a part that has no form of its own
        return f"<{type_name(type(value))}>"


def _key(key: Any) -> str:
    return encodable(shorten(key, _MOST_CELL)) if type(key) is str else text_of(key)


def cell(value: Any) -> Any:
    """A cell of a table as data: None, bool, number or text."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
        kind = type(value)
    if kind is int:
        return value if -_MOST_INT < value < _MOST_INT else shorten(str(value), _MOST_CELL)
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if kind is str:
        return encodable(shorten(value, _MOST_CELL))
    ours = kind.__module__.partition(".")[0] in ("pandas", "datetime", "decimal", "uuid", "numpy")
    return encodable(shorten(str(value) if ours else text_of(value), _MOST_CELL))


def rows_of(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    """Rows of cells, as many as there is room for."""
    found: list[list[Any]] = []
    left = _MOST_CELLS
    for row in rows:
        cells = [cell(each) for each in row]
        left -= sum(len(each) if type(each) is str else 8 for each in cells)
        if found and left < 0:
            break
        found.append(cells)
    return found


# --- looked at later --------------------------------------------------------------------------------------------------


def preview_of(plain: Any) -> dict[str, Any]:
    """What views show of a stored value, in the shape that is told above. Nothing is loaded, nothing fails."""
    try:
        return _preview(plain)
    except Exception:  # noqa: BLE001  a form that nobody of ours wrote
        return {"kind": "scalar", "type": "value", "text": text_of_plain(plain, MOST_TEXT)}


def _preview(plain: Any) -> dict[str, Any]:
    if plain is None:
        return {"kind": "nothing", "type": "NoneType"}
    if type(plain) is str:
        return {"kind": "text", "type": "str", "length": len(plain), "head": encodable(plain[:MOST_TEXT])}
    if type(plain) is list:
        return _records(plain) or _items("list", "list", plain)
    if type(plain) is not dict:
        return {"kind": "scalar", "type": type(plain).__name__, "text": text_of_plain(plain, MOST_TEXT)}
    if len(plain) == 1 and (tag := next(iter(plain))).startswith("$"):
        return _tagged(tag, plain)
    return _pairs("dict", list(plain.items())[:MOST_ITEMS], len(plain))


def _tagged(tag: str, plain: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911  a table of cases
    payload = plain[tag]
    if tag == "$artifact":
        return _of_artifact(payload)
    if tag == "$transient":
        shown = {"kind": "object", "type": payload.get("type", ""), "text": payload.get("text", "")}
        shown["reason"] = payload.get("reason", "")
        return shown | ({"png": payload["png"]} if type(payload.get("png")) is str else {})
    if tag == "$bytes":
        return _of_bytes(payload)
    if tag in ("$tuple", "$set", "$frozenset"):
        return _items("list", tag[1:], payload)
    if tag == "$deque":
        return _items("list", "deque", payload["items"])
    if tag in ("$dict", "$ordereddict", "$counter"):
        return _pairs(
            tag[1:], [(text_of_plain(key, _MOST_CELL), each) for key, each in payload[:MOST_ITEMS]], len(payload)
        )
    if tag in ("$dataclass", "$pydantic"):
        name = str(payload["class"]).rpartition(":")[2]
        return _pairs(name, list(payload["fields"].items())[:MOST_ITEMS], len(payload["fields"]))
    return {"kind": "scalar", "type": tag[1:], "text": text_of_plain(plain, MOST_TEXT)}


def _records(plain: list[Any]) -> dict[str, Any]:
    """A list of dicts with the same keys, as people would write it down; empty for any other list."""
    first = plain[0] if plain else None
    if type(first) is not dict or not 0 < len(first) <= MOST_COLUMNS or any(key.startswith("$") for key in first):
        return {}
    shown = plain[:MOST_ROWS]
    if not all(type(each) is dict and each.keys() == first.keys() for each in plain):
        return {}
    head = rows_of([_plain_cell(each[key]) for key in first] for each in shown)
    schema = [[_key(key), _dtype(each[column] for each in head)] for column, key in enumerate(first)]
    rest = {"rows": len(plain), "columns": len(first), "schema": schema, "head": head}
    return {
        "kind": "table",
        "type": "list",
        "index": [str(number) for number in range(len(head))],
        "memory": None,
    } | rest


def _plain_cell(plain: Any) -> Any:
    return plain if type(plain) in (int, float, str, bool, type(None)) else text_of_plain(plain, _MOST_CELL)


def _dtype(cells: Iterable[Any]) -> str:
    """What stands in a column of plain cells, where that is one kind of number; views set it to the right."""
    kinds = {type(each) for each in cells if each is not None}
    return "int" if kinds == {int} else "float" if kinds and kinds <= {int, float} else ""


def _items(kind: str, name: str, items: list[Any]) -> dict[str, Any]:
    shown = [text_of_plain(each, _MOST_ITEM) for each in items[:MOST_ITEMS]]
    return {"kind": kind, "type": name, "length": len(items), "items": shown}


def _pairs(name: str, pairs: list[tuple[Any, Any]], length: int) -> dict[str, Any]:
    shown = [[_key(key), text_of_plain(each, _MOST_ITEM)] for key, each in pairs]
    return {"kind": "dict", "type": name, "length": length, "items": shown}


def _of_bytes(payload: Any) -> dict[str, Any]:
    import base64

    kind, text = payload if type(payload) is list else ("bytes", payload)
    start = base64.b64decode(text[:64])
    length = len(text) * 3 // 4 - text[-2:].count("=")
    return {"kind": "bytes", "type": str(kind), "length": length, "format": format_of(start), "head": repr(start[:32])}


def _of_artifact(payload: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911  a table of cases
    form, made = payload.get("form"), payload.get("preview") or {}
    shown: dict[str, Any] = {"kind": "scalar", "type": payload.get("type", "value"), "size": payload.get("size", 0)}
    if form == "parquet":
        shape = made.get("shape") or [0]
        schema = made.get("columns") or [[made.get("name") or "", made.get("dtype", "")]]
        rest = {"rows": shape[0], "columns": shape[1] if len(shape) > 1 else 1, "schema": schema}
        rest |= {"head": made.get("rows", []), "index": made.get("index", []), "memory": made.get("memory")}
        return shown | {"kind": "table"} | rest
    if form == "npy":
        rest = {"shape": made.get("shape", []), "dtype": made.get("dtype", ""), "head": made.get("text", "")}
        return shown | {"kind": "array", "min": made.get("min"), "max": made.get("max")} | rest
    if form == "png":
        small = made.get("thumbnail") or payload.get("digest")
        rest = {name: made.get(name) for name in ("width", "height", "mode")}
        return shown | {"kind": "image", "png": small} | rest
    if form == "bytes" and shown["type"] == "str":
        return shown | {"kind": "text", "length": made.get("length", 0), "head": made.get("text", "")}
    if form == "bytes":
        rest = {"length": made.get("length", 0), "format": made.get("format", ""), "head": made.get("text", "")}
        return shown | {"kind": "bytes"} | rest
    if "items" in made:
        kind = "dict" if made["items"] and type(made["items"][0]) is list else "list"
        return shown | {"kind": kind, "length": made.get("length", 0), "items": made["items"]}
    return shown | {"text": made.get("text", "")}
