"""What is wrong with a template, while it is being written: for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import ExpressionError
from flownb.expr.condition import compile_condition
from flownb.expr.expression import compile_expression
from flownb.expr.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.expr.expression import Data


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    message: str
    #: The 0-based offset in the text.
    position: int


_READERS: dict[str, Callable[[Any], Any]] = {
    "template": compile_template,
    "expression": compile_expression,
    "condition": compile_condition,
}


def check(template: str, data: Data, *, kind: str = "template") -> list[Finding]:
    """What is wrong with a text on known data: that it can't be read, else each missing path, else why it fails.

    Args:
        template: the text.
        data: a mapping of root names to values.
        kind: what the text is: `template`, `expression` (a bare one) or `condition`.

    Returns:
        The findings in the order of the text; none if it evaluates.
    """
    try:
        found = _READERS[kind](template).problems(data)
    except ExpressionError as error:
        found = [error]
    findings = {Finding(error.message, error.position) for error in found}
    return sorted(findings, key=lambda each: (each.position, each.message))
