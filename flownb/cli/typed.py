"""A value as somebody types it: JSON where it is some, else text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.workflow import Variable


def typed(text: str | None) -> Any:
    """What was typed; None for nothing."""
    if text is None:
        return None
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def typed_as(declared: Iterable[Variable], name: str, text: str) -> Any:
    """What was typed, as the declared type of an input or variable reads it.

    Raises:
        InvalidInput: it is none of that type.
    """
    kind = next((each.type for each in declared if each.name == name), "any")
    value = text if kind in ("string", "file") else typed(text)
    if kind == "number" and isinstance(value, str):
        raise InvalidInput(f"The variable {name!r} is {text!r:.60}; it must be a number.", name=name)
    return value


def _no_number(word: str) -> Any:
    raise ValueError(word)
