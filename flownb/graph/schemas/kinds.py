"""The types that data may have at a port, how each is called, and whether a value is one."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from flownb.expr.frame import is_missing_cell

if TYPE_CHECKING:
    from collections.abc import Callable

#: By the name of a type, how people call a value of it.
WORDS: Final[dict[str, str]] = {
    "any": "anything",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a table",
    "array": "a list",
    "file": "the path of a file",
    "image": "a picture",
    "coordinates": "a place on the screen, with x and y",
    "screenshot": "a picture",
    "ocr_result": "text that was read from a picture",
    "dataframe": "a DataFrame",
}
_CLASSES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float, Decimal),
    "integer": (int,),
    "boolean": (bool,),
    "object": (Mapping,),
    "array": (list, tuple),
}


def is_a(value: Any, kind: str) -> bool:
    """Whether a value is of a type; numbers of numpy's must be Python's already."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    if kind == "object":
        return isinstance(value, Mapping) or fields_of(value) is not None
    if kind in _CLASSES:
        return isinstance(value, _CLASSES[kind])
    return _LOOKS[kind](value)


def is_missing(value: Any) -> bool:
    """Whether this is None, NaN, or pandas' word for an empty cell."""
    if value is None:
        return True
    if isinstance(value, float):
        return value != value  # noqa: PLR0124  only nan differs from itself
    return (isinstance(value, Decimal) and value.is_nan()) or is_missing_cell(value)


def plain_cell(value: Any) -> Any:
    """The value; a number of numpy's as Python's, so that sums can't overflow."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.number | numpy.bool_):
        return value.item()
    return value


def fields_of(value: Any) -> Mapping[str, Any] | None:
    """What a table holds: a mapping itself, or the fields of a dataclass, a model, a struct or a named tuple."""
    if isinstance(value, Mapping):
        return value
    cls = type(value)
    if dataclasses.is_dataclass(cls):
        return {each.name: getattr(value, each.name, None) for each in dataclasses.fields(cls)}
    for names in ("model_fields", "__struct_fields__", "_fields"):
        if isinstance(found := getattr(cls, names, None), Mapping | tuple):
            return {name: getattr(value, name, None) for name in found}
    return None


def _is_picture(value: Any) -> bool:
    return isinstance(value, bytes) or {cls.__name__ for cls in type(value).__mro__} & {"Image", "Figure"} != set()


def _is_place(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = [value.get("x"), value.get("y")]
    pair = isinstance(value, list | tuple) and len(value) == len(("x", "y"))
    return pair and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)


#: What has no class of its own, or one of a package that need not be there.
_LOOKS: Final[dict[str, Callable[[Any], bool]]] = {
    "file": lambda value: isinstance(value, str | PurePath | bytes),
    "image": _is_picture,
    "screenshot": _is_picture,
    "coordinates": _is_place,
    "ocr_result": lambda value: isinstance(value, str | Mapping | list | tuple),
    "dataframe": lambda value: any(cls.__name__ == "DataFrame" for cls in type(value).__mro__),
}

#: Words for what a column may hold, by what numpy and pandas call the kind of its dtype; any other word is a dtype.
COLUMN_KINDS: Final[dict[str, str]] = {
    "any": "",
    "number": "iuf",
    "integer": "iu",
    "boolean": "b",
    "string": "O",
    "datetime": "M",
}


def column_is(dtype: Any, wanted: str) -> bool:
    """Whether a column's dtype is the one that is wanted, by its name or by one of the words above."""
    name = str(dtype)
    if wanted in ("any", name):
        return True
    if wanted == "string":
        return name in ("object", "str", "string") or name.startswith(("string[", "large_string"))
    if wanted == "category":
        return name == "category"
    return getattr(dtype, "kind", "") in (COLUMN_KINDS.get(wanted) or "-")
