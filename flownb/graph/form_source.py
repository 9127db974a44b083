"""Where forms come from: pydantic models, dataclasses, JSON schemas, and data that may be changed."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Final

from flownb.errors import UsageError

_MOST_COLUMNS: Final = 1_000


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


def schema_of_value(value: Any) -> dict[str, Any] | None:  # noqa: PLR0911  a table of cases
    """What data may be changed to, so that whoever reads them still can; None for what people can't type."""
    if value is None:
        return {}
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
        fields = {name: schema_of_value(each) or {} for name, each in value.items()}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    if isinstance(value, list):
        first = schema_of_value(value[0]) if value else {}
        same = first is not None and all(schema_of_value(each) == first for each in value[:_MOST_COLUMNS])
        return {"type": "array", "items": first} if same and first else {"type": "array"}
    return None


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
    return ["string", "null"] if kind in "MUT" else ["string", "number", "boolean", "null"]


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
