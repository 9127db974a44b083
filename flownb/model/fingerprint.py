"""What makes two definitions, or two functions, the same: hashes of what they do, not of how they look.

*Stale* is defined here and nowhere else: a node's result is current as long as its type, type version, config, the
code of its function without comments, and the digests of its inputs' values are what they were.

Of a function counts its code, the default values of its parameters, and what it encloses from the function that made
it, as far as those are plain values or functions; of lists, dicts and sets that it encloses only that they are there.
What it finds in its module does not count: a helper that changes there makes nothing stale.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import inspect
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model.document import plain
from flownb.model.source import source_of
from flownb.model.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.workflow import Node, Workflow

#: What a node or a variable may change without becoming another one.
_LOOKS: Final = frozenset({"name", "notes", "pinned"})
_LENGTH: Final = 32
#: Below this every whole number is a float as well, and the other way round.
_EXACT: Final = 2**53


def digest(data: bytes) -> str:
    """The first 32 hexadecimal digits of the SHA-256: 128 bits, enough against chance and readable in a list."""
    return hashlib.sha256(data).hexdigest()[:_LENGTH]


def digest_of(value: Any) -> str:
    """The digest of plain data, whatever the order of its keys."""
    return digest(msgspec.json.encode(value, order="deterministic"))


def definition_hash(workflow: Workflow) -> str:
    """The hash of what a workflow does: its nodes, edges, inputs and settings; not its name, notes or positions.

    Equal for equal documents, whatever wrote them: `5` and `5.0` are the same number there.
    """
    edges = {(edge.id, edge.condition or "", edge.type): edge for edge in workflow.edges}  # equal ones are one
    variables = [_without(plain(each), frozenset({"description"})) for each in workflow.variables]
    return digest_of(
        {
            "nodes": sorted((_what_it_does(plain(node)) for node in workflow.nodes), key=lambda node: str(node["id"])),
            "edges": [plain(edges[key]) for key in sorted(edges)],
            "variables": sorted(map(_canonical, variables), key=lambda each: str(each["name"])),
            "settings": _canonical(plain(workflow.settings)),
            "error_handlers": _canonical(plain(workflow.error_handlers)),
        }
    )


def node_key(node: Node) -> str:
    """The hash of what decides a node's result besides its inputs: type, type version, config, code."""
    kept = _what_it_does(plain(node))
    mapped = [_canonical(plain(node.input_mapping))] if node.input_mapping else []
    schemas = [each for each in (node.input_schema, node.output_schema) if each]
    return digest_of([node.type, node.type_version, kept.get("config", {}), *schemas, *mapped])


def _what_it_does(node: dict[str, Any]) -> dict[str, Any]:
    kept = _without(node, _LOOKS)
    if node["type"] == "python" and "config" in kept:
        kept["config"] = _without(kept["config"], frozenset({"source"}))  # what only people read of a function
    return {name: value if type(value) is str else _canonical(value) for name, value in kept.items()}


def _without(data: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else float(value)
    return value


def function_hash(function: Callable[..., Any]) -> str:
    """The hash of a function: its code without comments, docstrings, decorators and blank space, and its defaults.

    Without source (`exec`, a lambda in the middle of a line) the instructions of the code object count, recursively.
    Of another callable count its class and, where that is written in Python, its `__call__`.
    """
    return digest(repr(_parts(function, frozenset())).encode())


def _parts(function: Callable[..., Any], outer: frozenset[int]) -> tuple[Any, ...]:
    """What is hashed; `outer` are the functions that this one is a value of, against endless circles."""
    function = inspect.unwrap(function)
    if id(function) in outer:
        return ("itself",)
    outer |= {id(function)}
    if isinstance(function, functools.partial):
        held = (*function.args, *sorted(function.keywords.items()))
        return ("partial", _parts(function.func, outer), tuple(_value(each, outer) for each in held))
    made = getattr(function, "__func__", function)
    if not isinstance(made, FunctionType):
        kind = function if isinstance(function, type) else type(function)
        name = getattr(function, "__qualname__", kind.__qualname__)
        call = getattr(kind, "__init__" if kind is function else "__call__", None)
        inner = _parts(call, outer) if isinstance(call, FunctionType) else ()
        return ("callable", getattr(function, "__module__", kind.__module__), name, inner)
    defaults = (*(made.__defaults__ or ()), *sorted((made.__kwdefaults__ or {}).items()))
    return (
        "function",
        _read(made.__code__, made)[0],
        tuple(_value(each, outer) for each in defaults),
        tuple(_enclosed(cell, outer) for cell in made.__closure__ or ()),
    )


def _value(value: Any, outer: frozenset[int]) -> Any:
    """A default or an enclosed value: plain ones by value, functions by their parts, the rest by its type alone."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, FunctionType):
        return _parts(value, outer)
    if isinstance(value, tuple | list | set | frozenset | dict) and id(value) not in outer:
        inner = outer | {id(value)}
        parts = [_value(each, inner) for each in (value.items() if isinstance(value, dict) else value)]
        return (type(value).__name__, parts if isinstance(value, tuple | list) else sorted(parts, key=repr))
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _enclosed(cell: Any, outer: frozenset[int]) -> Any:
    try:
        held = cell.cell_contents
        if isinstance(held, list | dict | set):  # what may be filled while the program runs says nothing of the code
            return type(held).__name__
        return _value(held, outer)
    except ValueError:  # not given a value yet
        return "empty"


def code_and_source(function: Callable[..., Any]) -> tuple[str, str]:
    """Hash and text of a function; of a thousand that are made by one `def` the text is read once."""
    made = inspect.unwrap(function)
    if not isinstance(made, FunctionType):
        return function_hash(function), source_of(function)
    text = _read(made.__code__, made)[1]
    if made.__closure__ or made.__defaults__ or made.__kwdefaults__:
        return function_hash(function), text
    key = (made.__code__, made.__code__.co_filename)
    if key not in _hashes:
        _hashes[key] = function_hash(function)
    return _hashes[key], text


def _read(code: CodeType, function: Any) -> tuple[Any, str]:
    """What a code object does, and its text; remembered, because reading and parsing the text is slow."""
    key = (code, code.co_filename)  # equal code objects may come from two files
    found = _texts.get(key)
    if found is None:
        if len(_texts) >= _MOST_TEXTS:
            _texts.clear()
            _hashes.clear()
        source = source_of(function)
        found = _texts[key] = _steps(function, source), source
    return found


_MOST_TEXTS: Final = 1024
_texts: dict[tuple[CodeType, str], tuple[Any, str]] = {}
#: Of functions that enclose nothing and have no defaults, whose hash is that of their code.
_hashes: dict[tuple[CodeType, str], str] = {}


def _steps(function: FunctionType, source: str) -> Any:
    if source:
        try:
            tree = parsed(source)
        except SyntaxError:
            tree = None  # a lambda in the middle of an expression
        first = tree.body[0] if tree is not None and tree.body else None
        if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) and first.name == function.__code__.co_name:
            first.decorator_list = []
            return _tree(first)
    return _instructions(function.__code__)


def _tree(node: Any) -> Any:
    """A syntax tree without docstrings and without empty fields, which differ from one Python to the next."""
    if isinstance(node, list):
        return [_tree(each) for each in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    documented = (
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and ast.get_docstring(node, clean=False) is not None
    )
    fields = []
    for name, value in ast.iter_fields(node):
        held = (value[1:] or [ast.Pass()]) if documented and name == "body" else value
        if held not in (None, []) and name not in ("ctx", "kind"):
            fields.append((name, _tree(held)))
    return (type(node).__name__, fields)


def _instructions(code: CodeType) -> tuple[Any, ...]:
    """What a code object does: no line numbers, and no docstring, because nothing loads it."""
    steps = [
        (step.opname, _constant(step.argval) if step.opcode in dis.hasconst else str(step.argval))
        for step in dis.get_instructions(code)
        if step.opname not in ("CACHE", "EXTENDED_ARG")
    ]
    return (code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], code.co_flags & _KIND, steps)


#: What the flags of a code object say of the function: `*args`, `**kwargs`, generator, coroutine.
_KIND: Final = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _instructions(value)
    if isinstance(value, frozenset):
        return sorted(map(repr, value))  # their order differs from process to process
    if isinstance(value, tuple):
        return [_constant(each) for each in value]
    return repr(value)
