"""Where forms come from: pydantic models, dataclasses, JSON schemas, and data that may be changed."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Mapping
from typing import Any, Final

from flownb.errors import UsageError

_MOST_COLUMNS: Final = 1_000
_MOST_ITEMS: Final = 10_000
_ANY: Final[dict[str, Any]] = {}
_NULL: Final[dict[str, Any]] = {"type": "null"}
#: In the order in which several are named.
_TYPES: Final = ("string", "integer", "number", "boolean", "null")


def schema_of(form: Any, owner: str) -> dict[str, Any]:
    """A form as JSON schema.

    Args:
        form: a pydantic model, a dataclass, or a JSON schema of a table.
        owner: the node, for messages.

    Raises:
        UsageError: it is none of these, or its types have no JSON schema.
    """
    if isinstance(form, Mapping):
        return dict(form)
    pydantic_model = isinstance(form, type) and hasattr(form, "model_json_schema")
    if not pydantic_model and not (isinstance(form, type) and dataclasses.is_dataclass(form)):
        raise UsageError(
            f"{owner}: a form is a pydantic model, a dataclass or a JSON schema, and not {form!r:.60}.", name="form"
        )
    from pydantic import TypeAdapter

    try:
        schema = TypeAdapter(form).json_schema(mode="validation")
    except Exception as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise UsageError(f"{owner}: {form.__name__} can't be a form: {first}", name="form") from error
    schema.setdefault("additionalProperties", False)
    return schema


def schema_of_value(value: Any) -> dict[str, Any] | None:
    """What data may be changed to, so that whoever reads them still can; None for what people can't type."""
    found = _shape(value)
    return None if found is None else _open(found)


def _shape(value: Any) -> dict[str, Any] | None:  # noqa: PLR0911  a table of cases
    if value is None:
        return _NULL
    frame = _as_frame(value)
    if frame is not None:
        columns = list(frame.columns)[:_MOST_COLUMNS]
        if not all(isinstance(each, str) for each in columns):
            return None
        properties = {each: {"type": _type_of_dtype(frame[each].dtype)} for each in columns}
        row = {"type": "object", "properties": properties, "required": columns, "additionalProperties": False}
        return {"type": "array", "items": row}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number" if isinstance(value, float) else "integer"}
    if isinstance(value, str):
        return {"type": "string"}
    if isinstance(value, Mapping):
        if not all(isinstance(each, str) for each in value):
            return None
        fields = {name: _shape(each) or _ANY for name, each in value.items()}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    if isinstance(value, list):
        shapes = [_shape(each) or _ANY for each in value[:_MOST_ITEMS]]
        return {"type": "array", "items": functools.reduce(_either, shapes) if shapes else _ANY}
    return None


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What fits one or the other."""
    if one == other:
        return one
    if not one or not other:
        return _ANY
    if "properties" in one and "properties" in other and one["properties"].keys() == other["properties"].keys():
        fields = {name: _either(each, other["properties"][name]) for name, each in one["properties"].items()}
        return one | {"properties": fields}
    types = _types(one) | _types(other)
    if types & {"object", "array"}:
        return _ANY
    types -= {"integer"} if "number" in types else set()
    named = sorted(types, key=_TYPES.index)
    return {"type": named if len(named) > 1 else named[0]}


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema["type"]
    return {named} if isinstance(named, str) else set(named)


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, where what is None everywhere may become anything."""
    if schema == _NULL:
        return {}
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _open(each) for name, each in found["properties"].items()}
    if "items" in found:
        found["items"] = _open(found["items"])
        if not found["items"]:
            del found["items"]
    return found


def with_changes(value: Any, data: Any) -> Any:
    """The data that somebody has changed, as what they were: a frame has its columns and their types again."""
    frame = _as_frame(value)
    if frame is None or data is None:
        return value if data is None else data
    changed = type(frame)(data, columns=list(frame.columns))
    for name, dtype in frame.dtypes.items():
        if changed[name].dtype != dtype:
            changed[name] = changed[name].astype(dtype)
    return changed


def _as_frame(value: Any) -> Any:
    pandas = sys.modules.get("pandas")  # where it was never imported, no value is a frame
    return value if pandas is not None and isinstance(value, pandas.DataFrame) else None


def _type_of_dtype(dtype: Any) -> Any:
    kind = str(getattr(dtype, "kind", "O"))
    if kind == "b":
        return "boolean"
    if kind in "iu":
        return "integer"
    if kind == "f":
        return ["number", "null"]
    texts = kind in "MUT" or str(dtype).startswith("str")  # the dtype of texts of pandas 3, and its older one
    return ["string", "null"] if texts else ["string", "number", "boolean", "null"]


def as_data(value: Any) -> Any:  # noqa: PLR0911  a table of cases
    """An answer that was given in Python, as the plain data that a form checks."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_data(dataclasses.asdict(value))
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json")
    frame = _as_frame(value)
    if frame is not None:
        return as_data(frame.to_dict(orient="records"))
    if isinstance(value, Mapping):
        return {str(name): as_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return value
