"""What makes two definitions, or two functions, the same: hashes of what they do, not of how they look.

*Stale* is defined here and nowhere else: a node's result is current as long as its type, type version, config, the
code of its function without comments, and the digests of its inputs' values are what they were.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.workflow import Workflow

#: What a definition may change without becoming another one.
_LOOKS: Final = frozenset({"name", "notes", "description", "positions", "pinned"})
#: Of the config of a function node, what only people read.
_SOURCE: Final = "source"
_LENGTH: Final = 32


def digest(data: bytes) -> str:
    """The first 32 hexadecimal digits of the SHA-256: 128 bits, enough against chance and readable in a list."""
    return hashlib.sha256(data).hexdigest()[:_LENGTH]


def digest_of(value: Any) -> str:
    """The digest of plain data, whatever the order of its keys."""
    return digest(msgspec.json.encode(value, order="deterministic"))


def definition_hash(workflow: Workflow) -> str:
    """The hash of what a workflow does: its nodes, edges, inputs and settings; not its name, notes or positions."""
    nodes = [_what_it_does(msgspec.to_builtins(node)) for node in workflow.nodes]
    return digest_of(
        {
            "nodes": sorted(nodes, key=lambda node: str(node["id"])),
            "edges": sorted(
                (msgspec.to_builtins(edge) for edge in workflow.edges),
                key=lambda edge: (
                    edge["source"],
                    edge.get("source_port", ""),
                    edge["target"],
                    edge.get("target_port", ""),
                ),
            ),
            "variables": sorted(
                (msgspec.to_builtins(each) for each in workflow.variables), key=lambda each: str(each["name"])
            ),
            "settings": msgspec.to_builtins(workflow.settings),
            "error_handlers": msgspec.to_builtins(workflow.error_handlers),
        }
    )


def _what_it_does(node: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in node.items() if name not in _LOOKS}
    if _SOURCE in kept.get("config", {}):
        kept["config"] = {name: value for name, value in kept["config"].items() if name != _SOURCE}
    return kept


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function as its author wrote it, or empty where there is none (`exec`, C, a partial)."""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError, IndentationError):
        return ""


def function_hash(function: Callable[..., Any]) -> str:
    """The hash of a function's code without comments, docstrings, decorators and blank space.

    Without source the bytecode, names and constants of the code object count, recursively; of a callable without a
    code object only its qualified name does.
    """
    source = source_of(function)
    if source:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            tree = None  # a lambda in the middle of an expression
        if tree is not None and tree.body and isinstance(tree.body[0], ast.FunctionDef | ast.AsyncFunctionDef):
            return digest(ast.dump(_bare(tree.body[0])).encode())
    code = getattr(inspect.unwrap(function), "__code__", None)
    if isinstance(code, CodeType):
        return digest(repr(_code_parts(code)).encode())
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return digest(f"{getattr(function, '__module__', '')}:{name}".encode())


def _bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
    function.decorator_list = []
    for node in ast.walk(function):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return function


def _code_parts(code: CodeType) -> tuple[Any, ...]:
    constants = tuple(_code_parts(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts)
    return (code.co_code, code.co_names, code.co_varnames, constants)
