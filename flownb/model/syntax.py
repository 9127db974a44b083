"""Python's parser, as threads need it."""

from __future__ import annotations

import ast
from typing import Any, Final, Literal

_MOST_TRIES: Final = 20


def parsed(text: str, mode: Literal["exec", "eval"] = "exec", name: str = "<unknown>") -> Any:
    """The tree of a text: an `ast.Module`, or an `ast.Expression` where `mode` is `eval`.

    Up to Python 3.12.3 all threads of a process share one count of how deep the tree is. Where a collection lets
    another thread parse in between, it is found wrong and raises `SystemError`, though nothing is wrong with the text.

    Args:
        text: the source.
        mode: whether it is statements or one expression.
        name: what errors call it.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it holds null characters.
        RecursionError, MemoryError: it is nested too deeply.
    """
    for _ in range(_MOST_TRIES - 1):
        try:
            return ast.parse(text, name, mode)
        except SystemError:
            continue
    return ast.parse(text, name, mode)
