"""A value as somebody types it: JSON where it is some, else text."""

from __future__ import annotations

import json
from typing import Any


def typed(text: str | None) -> Any:
    """What was typed; None for nothing."""
    if text is None:
        return None
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(word: str) -> Any:
    raise ValueError(word)
