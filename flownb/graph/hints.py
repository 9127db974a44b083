"""From a type hint to the type of a port, by name: no package is imported for it and no text is evaluated."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from functools import lru_cache
from typing import Any, Final

from flownb.model.ports import DataType
from flownb.model.syntax import parsed

#: The last part of a class's name, by what a port would call it; the classes it derives from are looked up as well.
_NAMES: Final[dict[DataType, str]] = {
    DataType.BOOLEAN: "bool bool_",
    DataType.STRING: "str LiteralString",
    DataType.NUMBER: "int float complex Decimal Fraction number integer floating",
    DataType.OBJECT: "dict Dict Mapping MutableMapping OrderedDict defaultdict Counter TypedDict BaseModel Struct",
    DataType.ARRAY: "list List tuple Tuple NamedTuple set Set frozenset FrozenSet Sequence MutableSequence Iterable "
    "Iterator Collection AbstractSet ndarray NDArray deque",
    DataType.DATAFRAME: "DataFrame Series LazyFrame",
    DataType.FILE: "Path PurePath PosixPath WindowsPath PathLike",
    DataType.IMAGE: "Image Figure",
}
_BY_NAME: Final = {name: each for each, names in _NAMES.items() for name in names.split()}
_WRAPPERS: Final = frozenset({"Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"})


def type_of(hint: Any) -> DataType:  # noqa: PLR0911  a table of cases
    """The port type for a hint: an object, a text (as `from __future__ import annotations` leaves it), or none.

    `Optional` counts as what it wraps; a union of unlike types, and all that is not known, is `any`.
    """
    if hint is None or hint is inspect.Parameter.empty or hint is Any:
        return DataType.ANY
    if isinstance(hint, str):
        return _of_text(hint)
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return type_of(typing.get_args(hint)[0])
    if origin is typing.Literal:
        return _same([type_of_value(each) for each in typing.get_args(hint)])
    if origin in (typing.Union, types.UnionType):
        return _same([type_of(each) for each in typing.get_args(hint) if each is not types.NoneType])
    if origin is not None:
        return type_of(origin)
    if isinstance(hint, typing.NewType):
        return type_of(hint.__supertype__)
    if isinstance(hint, typing.ForwardRef):
        return _of_text(hint.__forward_arg__)
    return _of_class(hint) if isinstance(hint, type) else DataType.ANY


_PLAIN: Final = frozenset(
    {*_BY_NAME, *_WRAPPERS, "Any", "Optional", "Union", "Literal", "Callable", "None", "object", "bytes", "type"}
)


def type_of_value(value: Any) -> DataType:
    """The port type of a value, as of a parameter's default; `any` for None."""
    return DataType.ANY if value is None else _of_class(type(value))


def _of_class(cls: type) -> DataType:
    if hasattr(cls, "__dataclass_fields__") or typing.is_typeddict(cls):
        return DataType.OBJECT
    for each in cls.__mro__:
        found = _BY_NAME.get(each.__name__)
        if found is not None:
            return found
    return DataType.ANY


def _same(types_: list[DataType]) -> DataType:
    first = types_[0] if types_ else DataType.ANY
    return first if all(each is first for each in types_) else DataType.ANY


@lru_cache(maxsize=1024)
def _of_text(text: str) -> DataType:
    try:
        return _of_tree(parsed(text.strip(), "eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return DataType.ANY


def _of_tree(tree: ast.expr) -> DataType:  # noqa: PLR0911  a table of cases
    match tree:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _BY_NAME.get(name, DataType.ANY)
        case ast.Constant(value=str(text)):
            return _of_text(text)
        case ast.BinOp(op=ast.BitOr()):
            return _same([_of_tree(each) for each in _members(tree) if not _is_none(each)])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            if name in _WRAPPERS:
                return _of_tree(parts[0])
            if name in ("Optional", "Union"):
                return _same([_of_tree(each) for each in parts if not _is_none(each)])
            if name == "Literal":
                return _same([type_of_value(each.value) for each in parts if isinstance(each, ast.Constant)])
            return _BY_NAME.get(name, DataType.ANY)
    return DataType.ANY


def _members(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        return [*_members(tree.left), *_members(tree.right)]
    return [tree]


def _is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def may_have_forms(function: Any) -> bool:
    """Whether a function's annotations may say more of values than the types of ports; decided by names alone."""
    try:
        given = getattr(function, "__wrapped__", function).__annotations__
    except Exception:  # noqa: BLE001  from Python 3.14 on it is computed, and may raise anything
        return False
    for hint in given.values() if isinstance(given, dict) else ():
        if isinstance(hint, str):
            if may_be_form(hint):
                return True
        elif hint is not None and not (isinstance(hint, type) and hint.__name__ in _PLAIN):
            return True
    return False


@lru_cache(maxsize=1024)
def may_be_form(text: str) -> bool:
    """Whether the text of an annotation names a class that we know nothing of, or says more in `Annotated`."""
    try:
        tree = parsed(text.strip(), "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    prefixes = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    for each in ast.walk(tree):
        name = each.attr if isinstance(each, ast.Attribute) else each.id if isinstance(each, ast.Name) else ""
        if name and id(each) not in prefixes and (name == "Annotated" or name not in _PLAIN):
            return True
    return False
