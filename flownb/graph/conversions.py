"""Conversions from one type to another, by a registry: `dataframe → array`, `bytes → image`, and what users add.

Names are those of port types (`DataType`), and beside them `records` (a list of dicts), `bytes`, `text` (a string) and
`json` (text of JSON). A conversion that is marked for ports acts by itself where an edge leads from a port of the one
type to a port of the other; that is decided when a definition is compiled. All others are asked for by `convert`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flownb.errors import InvalidInput, UsageError, near_names

if TYPE_CHECKING:
    from collections.abc import Callable


class Conversion(NamedTuple):
    """How a value of one type becomes one of another."""

    source: str
    target: str
    convert: Callable[[Any], Any]
    #: Whether it acts by itself between ports.
    ports: bool


_known: Final[dict[tuple[str, str], Conversion]] = {}


def register(
    source: str, target: str, *, ports: bool = False
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Make a function the conversion from one type to another; a decorator. A later one takes the place of an earlier.

    Args:
        source: the name of a type, as `dataframe`.
        target: another.
        ports: whether it acts by itself where an edge leads from a port of the one type to one of the other.
    """
    if not source or not target or source == target:
        raise UsageError(f"A conversion leads from one type to another, not from {source!r} to {target!r}.")

    def add(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        _known[source, target] = Conversion(source, target, function, ports)
        return function

    return add


def find(source: str, target: str) -> Conversion | None:
    """The conversion from one type to another."""
    return _known.get((source, target))


def between_ports(source: str, target: str) -> Conversion | None:
    """The same, where it acts by itself."""
    found = find(source, target)
    return found if found is not None and found.ports else None


def convert(value: Any, source: str, target: str) -> Any:
    """A value as another type.

    Raises:
        InvalidInput: there is no such conversion, or it can't convert this value.
    """
    if source == target:
        return value
    found = find(source, target)
    if found is None:
        into = sorted(each for start, each in _known if start == source)
        known = f" From {source} there is: {', '.join(into)}." if into else near_names(source, {s for s, _ in _known})
        raise InvalidInput(
            f"There is no conversion from {source} to {target}.{known} Register one with "
            f"flownb.graph.conversions.register({source!r}, {target!r})."
        )
    return apply(found, value)


def apply(conversion: Conversion, value: Any) -> Any:
    """Convert a value.

    Raises:
        InvalidInput: it can't be.
    """
    try:
        return conversion.convert(value)
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(
            f"A {type(value).__name__} can't be converted from {conversion.source} to {conversion.target}: {error}"
        ) from error


# --- those that ship --------------------------------------------------------------------------------------------------


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "to_dict")


@register("dataframe", "array")  # not between ports: an array is what numpy has, too, and a frame passes for one
@register("dataframe", "records")
def _records(frame: Any) -> Any:
    if not _is_frame(frame):
        return frame  # it is one already, whatever the hint says
    return frame.to_dict(orient="records")


@register("array", "dataframe", ports=True)
@register("records", "dataframe")
@register("object", "dataframe", ports=True)
def _frame(rows: Any) -> Any:
    if _is_frame(rows):
        return rows
    import pandas as pd

    return pd.DataFrame(rows)


@register("dataframe", "object", ports=True)
def _columns(frame: Any) -> Any:
    return frame.to_dict(orient="list") if _is_frame(frame) else frame


@register("object", "json")
@register("array", "json")
def _to_json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


@register("json", "object")
@register("json", "array")
def _from_json(text: str) -> Any:
    import json

    return json.loads(text)


@register("text", "bytes")
def _to_bytes(text: str) -> bytes:
    return text.encode()


@register("bytes", "text")
def _to_text(data: bytes) -> str:
    return data.decode()


@register("image", "bytes")
@register("screenshot", "bytes")
def _png(image: Any) -> bytes:
    import io

    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@register("bytes", "image")
def _image(data: bytes) -> Any:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(data)) as opened:
        return opened.copy()


@register("file", "bytes")
def _read(path: Any) -> bytes:
    from pathlib import Path

    return Path(path).read_bytes()


@register("file", "image")
def _read_image(path: Any) -> Any:
    return _image(_read(path))


@register("coordinates", "array", ports=True)
def _pair(place: Any) -> Any:
    return [place["x"], place["y"]] if isinstance(place, dict) else list(place)


@register("array", "coordinates", ports=True)
def _place(pair: Any) -> Any:
    if isinstance(pair, dict):
        return pair
    x, y = pair
    return {"x": x, "y": y}
