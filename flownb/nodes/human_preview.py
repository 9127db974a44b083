"""What is shown beside a question: values as they are, so that whoever looks sees a table as a table."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, Final

from flownb.graph.nodetype import Preview

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SHOWN: Final = 20
_MOST_LINES: Final = 2_000
_MOST_NAME: Final = 60


def previews(shown: Any, names: Mapping[str, Any]) -> list[Preview]:
    """What a config says is to be shown, evaluated.

    Args:
        shown: an expression, a list of them, a table of `before` and `after`, or plain data.
        names: what expressions see.

    Raises:
        ExpressionError: one can't be evaluated.
    """
    if shown is None or shown == "":
        return []
    parts = shown[:_MOST_SHOWN] if isinstance(shown, list) else [shown]
    return [_preview(each, names) for each in parts]


def _preview(each: Any, names: Mapping[str, Any]) -> Preview:
    if isinstance(each, str):
        return Preview(each.strip().removeprefix("{{").removesuffix("}}").strip()[:_MOST_NAME], evaluate(each, names))
    if isinstance(each, dict) and set(each) == {"before", "after"}:
        before, after = (evaluate(each[end], names) for end in ("before", "after"))
        name = f"{each['before']} → {each['after']}"
        return Preview(name[:_MOST_NAME], difference(before, after), "diff")
    return Preview("", each)


def evaluate(text: Any, names: Mapping[str, Any]) -> Any:
    """A bare expression, or a text with `{{ }}`; a name alone gives the value untouched."""
    if not isinstance(text, str):
        return text
    from flownb.expr import compile_expression, compile_template

    if "{{" in text:
        return compile_template(text).evaluate(names)
    lone = text.strip()
    if lone.isidentifier() and lone in names:
        return names[lone]
    return compile_expression(text).evaluate(names)


def truth(condition: Any, names: Mapping[str, Any]) -> bool:
    """Whether a condition holds."""
    from flownb.expr import compile_condition

    return bool(compile_condition(condition).evaluate(names))


def difference(before: Any, after: Any) -> str:
    """Two values as a unified diff, bounded."""
    old, new = _lines(before), _lines(after)
    lines = list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} lines more"]
    return "\n".join(lines) or "(no difference)"


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines()[: 10 * _MOST_LINES]
    if hasattr(value, "to_csv"):
        return str(value.head(_MOST_LINES).to_csv(index=False)).splitlines()
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str, sort_keys=True).splitlines()
    except (TypeError, ValueError):
        return str(value).splitlines()
