"""The declared type of a parameter: read from an annotation's text, and what a text or a value makes of it.

A type is read, never evaluated: `pd.DataFrame`, `Optional[int]`, `Literal["a", "b"]` are understood by their last
name. A name that is not known here stands for "anything": JSON, else text.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import math
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

#: A reference to a secret; it stays one on its whole way.
SECRET: Final = re.compile(r"secret://[A-Za-z0-9_][A-Za-z0-9_.-]*")
#: Files that a DataFrame parameter may name.
FRAME_SUFFIXES: Final = (".csv", ".tsv", ".parquet")

_NAMES: Final = {
    "int": "int", "float": "float", "bool": "bool", "str": "str",
    "date": "date", "datetime": "datetime", "Timestamp": "datetime", "time": "time", "timedelta": "timedelta",
    "Decimal": "Decimal", "Path": "Path", "PurePath": "Path", "PosixPath": "Path",
    "list": "list", "List": "list", "Sequence": "list", "Iterable": "list",
    "tuple": "tuple", "Tuple": "tuple", "set": "set", "Set": "set", "frozenset": "set",
    "dict": "dict", "Dict": "dict", "Mapping": "dict",
    "DataFrame": "DataFrame", "None": "None", "NoneType": "None",
}  # fmt: skip

#: What each kind expects, for the end of a sentence.
_EXPECTED: Final = {
    "int": "a whole number (int)",
    "float": "a number (float)",
    "bool": "true or false (also yes, no, 1, 0)",
    "str": "text (str)",
    "date": "a date as 2026-11-21",
    "datetime": "a date and time as 2026-11-21T08:00:00",
    "time": "a time as 12:30",
    "timedelta": "a duration as PT1H30M, 1:30:00 or a number of seconds",
    "Decimal": "a decimal number as 12.50",
    "Path": "a path",
    "list": "a JSON list as [1, 2]",
    "tuple": "a JSON list as [1, 2]",
    "set": "a JSON list as [1, 2]",
    "dict": 'a JSON object as {"a": 1}',
    "DataFrame": "the path of a file that ends in " + ", ".join(FRAME_SUFFIXES),
    "None": "None",
}
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


class Declared(msgspec.Struct, frozen=True):
    """A type as it was declared."""

    #: One of the kinds above, `choice`, `union` or `any`.
    kind: str = "any"
    #: Element types, or the members of a union.
    args: tuple[Declared, ...] = ()
    #: The values of a `Literal` or an enum.
    choices: tuple[Any, ...] = ()

    def expected(self) -> str:
        """What a value has to be, for the end of a sentence."""
        if self.kind == "choice":
            return "one of " + ", ".join(repr(each) for each in self.choices)
        if self.kind == "union":
            return " or ".join(each.expected() for each in self.args)
        if self.kind in ("list", "tuple", "set") and len(self.args) == 1 and self.args[0].kind != "any":
            return f"{_EXPECTED[self.kind]}, each {self.args[0].expected()}"
        return _EXPECTED.get(self.kind, "JSON or text")


ANY: Final = Declared()


class Unfit(Exception):
    """A text or a value is not what the type asks for; the message is `found; expected`."""


class SecretRef(msgspec.Struct, frozen=True):
    """A value that is the name of a secret; nobody but the node that uses it resolves it."""

    url: str


class FrameFile(msgspec.Struct, frozen=True):
    """A DataFrame that a file holds; the kernel reads it."""

    path: str


# --- reading a type ---------------------------------------------------------------------------------------------------


def declared(text: str, enums: dict[str, tuple[Any, ...]] | None = None) -> Declared:
    """The type that an annotation's text declares; `ANY` where it is not understood.

    Args:
        text: as `int`, `list[str] | None`, `Literal["a", "b"]`.
        enums: the values of the enums that the notebook's parameters cell defines, by class name.
    """
    try:
        return _read(parsed(text.strip(), "eval").body, enums or {})
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ANY


def _read(node: ast.expr, enums: dict[str, tuple[Any, ...]]) -> Declared:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return declared(node.value, enums)
    if isinstance(node, ast.Constant) and node.value is None:
        return Declared("None")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([_read(node.left, enums), _read(node.right, enums)])
    if isinstance(node, ast.Subscript):
        return _read_subscript(node, enums)
    name = last_name(node)
    if name in enums:
        return Declared("choice", choices=enums[name])
    return Declared(_NAMES.get(name, "any"))


def _read_subscript(node: ast.Subscript, enums: dict[str, tuple[Any, ...]]) -> Declared:
    name = last_name(node.value)
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return Declared("choice", choices=tuple(ast.literal_eval(each) for each in inner))
    if name == "Annotated":
        return _read(inner[0], enums)
    args = [_read(each, enums) for each in inner if not (isinstance(each, ast.Constant) and each.value is ...)]
    if name == "Optional":
        return _union([*args, Declared("None")])
    if name == "Union":
        return _union(args)
    return Declared(_NAMES.get(name, "any"), args=tuple(args))


def _union(args: list[Declared]) -> Declared:
    flat: list[Declared] = []
    for each in args:
        flat += each.args if each.kind == "union" else [each]
    return Declared("union", args=tuple(flat))


def last_name(node: ast.AST) -> str:
    """`DataFrame` of `pd.DataFrame`; empty for what is no dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# --- what a text makes of it ------------------------------------------------------------------------------------------


def from_text(kind: Declared, text: str, directory: Path | None) -> Any:
    """The value that a text means under a type.

    Args:
        kind: the type.
        text: as typed on a command line or written in a file. An instance of a subclass of `str` was quoted there: it
            stays text where anything fits.
        directory: what relative paths start from; None leaves them as they are.

    Raises:
        Unfit: it means none.
    """
    if SECRET.fullmatch(text) and _takes_text(kind):
        return SecretRef(text)
    return _BY_KIND.get(kind.kind, _from_json)(kind, text, directory)


def _from_json(kind: Declared, text: str, directory: Path | None) -> Any:
    return from_value(kind, _json(kind, text), directory)


def _scalar(kind: Declared, text: str, directory: Path | None) -> Any:
    del directory
    try:
        return _READERS[kind.kind](text.strip() if kind.kind != "str" else text)
    except (ValueError, InvalidOperation, OverflowError):
        raise _unfit(kind, text) from None


def _takes_text(kind: Declared) -> bool:
    return kind.kind in ("str", "any") or any(_takes_text(each) for each in kind.args if kind.kind == "union")


def _from_text_by_members(kind: Declared, text: str, directory: Path | None) -> Any:
    members = sorted(kind.args, key=lambda each: each.kind == "str")  # text fits everything: it comes last
    for each in members:
        if each.kind == "None":
            has_text = any(_takes_text(other) for other in kind.args)
            if text == "None" or (not has_text and text in ("null", "")):
                return None
            continue
        try:
            return from_text(each, text, directory)
        except Unfit:
            continue
    raise _unfit(kind, text)


def _choice(kind: Declared, text: str, directory: Path | None = None) -> Any:
    del directory
    for each in kind.choices:
        if text == (each if isinstance(each, str) else repr(each)):
            return each
    raise _unfit(kind, text)


def _path(kind: Declared, text: str, directory: Path | None) -> Path:
    del kind
    if "\0" in text or not text:
        raise Unfit(f"is {text!r}; it must be a path")
    return Path(directory, text) if directory is not None else Path(text)


def _frame_file(kind: Declared, text: str, directory: Path | None) -> FrameFile:
    path = _path(kind, text, directory)
    if path.suffix.lower() not in FRAME_SUFFIXES:
        raise _unfit(kind, text)
    if not path.is_file():
        raise Unfit(f"is {text!r}, but there is no such file; it must be {kind.expected()}")
    return FrameFile(str(path.absolute()))


def _json(kind: Declared, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _unfit(kind, text) from None


def _json_or_text(kind: Declared, text: str, directory: Path | None) -> Any:
    del kind, directory
    if type(text) is not str:
        return str(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(found, float) and not math.isfinite(found) else found


def _bool(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


_ISO_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_CLOCK_DURATION: Final = re.compile(r"(?P<hours>\d+):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d+)?))?")


def _timedelta(text: str) -> dt.timedelta:
    found = _ISO_DURATION.fullmatch(text) or _CLOCK_DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        return dt.timedelta(seconds=float(text))
    parts = {name: float(each) for name, each in found.groupdict().items() if each and name != "sign"}
    length = dt.timedelta(**parts)
    return -length if found.groupdict().get("sign") else length


def _decimal(text: str) -> Decimal:
    return Decimal(text)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _bool,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": _timedelta,
    "Decimal": _decimal,
}
_BY_KIND: Final[dict[str, Callable[[Declared, str, Path | None], Any]]] = {
    **dict.fromkeys(_READERS, _scalar),
    "union": _from_text_by_members,
    "choice": _choice,
    "Path": _path,
    "DataFrame": _frame_file,
    "any": _json_or_text,
}


# --- what a value makes of it -----------------------------------------------------------------------------------------

_CLASSES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,), "float": (float,), "bool": (bool,), "str": (str,),
    "datetime": (dt.datetime,), "time": (dt.time,), "timedelta": (dt.timedelta,), "Decimal": (Decimal,),
    "Path": (Path,), "dict": (dict,),
}  # fmt: skip


def from_value(kind: Declared, value: Any, directory: Path | None) -> Any:
    """The value that a Python or JSON value means under a type; a text is read as `from_text` reads it.

    Raises:
        Unfit: it is none of that type.
    """
    as_it_is = kind.kind == "any" or isinstance(value, FrameFile)
    if as_it_is or (isinstance(value, SecretRef) and _takes_text(kind)):
        return value
    if kind.kind == "union":
        return _from_value_by_members(kind, value, directory)
    if kind.kind == "choice":
        return _chosen(kind, value)
    if isinstance(value, str):
        return from_text(kind, value, directory)
    return _elements(kind, value, directory) if kind.kind in ("list", "tuple", "set") else _single(kind, value)


def _from_value_by_members(kind: Declared, value: Any, directory: Path | None) -> Any:
    if isinstance(value, str):
        return _from_text_by_members(kind, value, directory)
    for each in kind.args:
        try:
            return from_value(each, value, directory)
        except Unfit:
            continue
    raise _unfit(kind, value)


def _chosen(kind: Declared, value: Any) -> Any:
    value = getattr(value, "value", value)  # a member of an enum is given by its value
    for each in kind.choices:
        if type(each) is type(value) and each == value:
            return each
    if isinstance(value, str):
        return _choice(kind, value)
    raise _unfit(kind, value)


def _elements(kind: Declared, value: Any, directory: Path | None) -> Any:
    if not isinstance(value, list | tuple | set | frozenset):
        raise _unfit(kind, value)
    if kind.kind == "tuple" and len(kind.args) > 1:
        if len(value) != len(kind.args):
            raise Unfit(f"has {len(value)} elements; it must have {len(kind.args)}")
        return tuple(from_value(each, part, directory) for each, part in zip(kind.args, value, strict=True))
    element = kind.args[0] if kind.args else ANY
    found = [from_value(element, each, directory) for each in value]
    return {"list": list, "tuple": tuple, "set": set}[kind.kind](found)


def _single(kind: Declared, value: Any) -> Any:
    name = kind.kind
    if name == "None":
        fits = value is None
    elif name == "DataFrame":
        fits = type(value).__name__ == "DataFrame"
    elif name == "date":
        fits = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    elif name == "int":
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, _CLASSES[name])
    if name in ("float", "Decimal") and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if name == "float" else Decimal(value)
    if not fits:
        raise _unfit(kind, value)
    return value


def _unfit(kind: Declared, found: Any) -> Unfit:
    shown = repr(found)
    if len(shown) > 100:  # noqa: PLR2004  a line
        shown = shown[:97] + "…"
    return Unfit(f"is {shown}; it must be {kind.expected()}")
