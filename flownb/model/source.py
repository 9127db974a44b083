"""The text of a function as its author wrote it."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from typing import TYPE_CHECKING, Any, Final

from flownb.model import syntax

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_STARTS: Final = ("def ", "async def ", "@")


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function as its author wrote it, or empty where there is none (`exec`, C, a partial)."""
    made = inspect.unwrap(function)
    code = getattr(made, "__code__", None)
    if code is not None:
        text = _quickly(code, getattr(made, "__globals__", None))
        if text:
            return text
    try:
        return textwrap.dedent(inspect.getsource(made))
    except (OSError, TypeError, IndentationError):
        return ""


def _quickly(code: CodeType, names: dict[str, Any] | None) -> str:
    """What `inspect.getsource` would find, where that is plain to see; else empty.

    It reads line by line and token by token, and its grammar alone takes longer to make than a first flow to run. Here
    a block is the lines that are indented below its first, and the parser has the last word on it.
    """
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, names)[code.co_firstlineno - 1 :]
    if not lines:
        return ""
    first = lines[0].lstrip()
    indent = len(lines[0]) - len(first)
    if code.co_name == "<lambda>":
        text = first if "lambda" in first else ""
        return text if text and _parsed(text) else ""
    if not first.startswith(_STARTS) or "\t" in lines[0][:indent]:
        return ""
    text = textwrap.dedent("".join(lines[: _end(lines, indent)]))
    parsed = _parsed(text)
    whole = len(parsed) == 1 and isinstance(parsed[0], ast.FunctionDef | ast.AsyncFunctionDef)
    return text if whole and parsed[0].name == code.co_name else ""


def _end(lines: list[str], indent: int) -> int:
    """How many of the lines belong to the block that begins with them: blank ones at its end don't."""
    end, named = 1, not lines[0].lstrip().startswith("@")
    for number, line in enumerate(lines[1:], 2):
        bare = line.lstrip()
        shallow = len(line) - len(bare) <= indent
        if not bare or (shallow and bare.startswith("#")):
            continue
        decorated = not named and bare.startswith(_STARTS)
        if shallow and not decorated and not bare.startswith((")", "]", "}")):
            break
        end, named = number, named or (decorated and not bare.startswith("@"))
    return end


def _parsed(text: str) -> list[Any]:
    try:
        body: list[Any] = syntax.parsed(text).body
    except (SyntaxError, ValueError):
        return []
    return body
