"""Checks plain data against the definitions of the model: all faults in one walk, each with its place.

The walk is driven by the fields of the structs, so that a new field of the model needs nothing here. It never raises,
whatever it is given: data from a file, or from a caller, with cycles, strange keys and numbers that aren't any.
"""

from __future__ import annotations

import functools
import keyword
import math
from enum import StrEnum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from flownb.errors import near_names
from flownb.ids import slug
from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: Takes the walk and a value; gives the value of the model, or INVALID after reporting why not.
    Check = Callable[["Walk", Any], Any]

#: How deep lists and objects may lie in one another.
MAX_DEPTH: Final = 100
#: How many problems are reported; a document with more has one cause.
MAX_PROBLEMS: Final = 500
#: How many lists and objects free data may have; shared parts count each time they are met.
MAX_CONTAINERS: Final = 1_000_000
#: Whole numbers beyond these can't be written by every JSON tool, nor kept in the journal.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1

INVALID: Final = object()
#: No limits.
_FREE: Final = msgspec.Meta()


class Strange:
    """A number of a JSON text that can't be kept: `NaN`, `Infinity`, or one of too many digits."""

    def __init__(self, text: str) -> None:
        self.text = text


class Doubled(dict[str, Any]):
    """An object of a JSON text in which keys came twice; the last value counts, as in every JSON reader."""

    def __init__(self, values: dict[str, Any], doubled: Sequence[str]) -> None:
        super().__init__(values)
        self.doubled = doubled


class Walk:
    """One pass over a document, with where it is and what it found."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.path: list[str | int] = []
        self.problems: list[Problem] = []
        self.containers = 0

    @property
    def full(self) -> bool:
        """Whether enough was found, or seen, to stop."""
        return len(self.problems) >= MAX_PROBLEMS or self.containers > MAX_CONTAINERS

    def report(self, message: str, *, code: str, at: str | int | None = None, hint: str = "") -> Any:
        """Note a problem at this place, or at one of its members; returns INVALID."""
        path = self.path if at is None else [*self.path, at]
        if len(self.problems) < MAX_PROBLEMS - 1:
            node = self._node()
            self.problems.append(Problem(message, node=node, place=place(path), hint=hint, code=code))
        elif len(self.problems) == MAX_PROBLEMS - 1:
            self.problems.append(
                Problem(f"There are more; these are the first {MAX_PROBLEMS - 1}.", place="document", code="too_many")
            )
        return INVALID

    def wrong(self, value: Any, expected: str) -> Any:
        """Report a value of the wrong type; returns INVALID."""
        if isinstance(value, Strange):
            return self.number(value)
        return self.report(f"Expected {expected}, found {shown(value)}.", code="wrong_type")

    def number(self, value: Strange | float) -> Any:
        """Report a number that can't be kept; returns INVALID."""
        text = value.text if isinstance(value, Strange) else ""
        if isinstance(value, float) or (text and not text.lstrip("-").isdigit()):
            return self.report(f"{text or value} is no number that a document can keep.", code="not_finite")
        # Not by str(): Python refuses to write numbers of more than 4,300 digits.
        digits = len(text.lstrip("-")) if isinstance(value, Strange) else int(value.bit_length() * math.log10(2)) + 1
        message = f"A whole number of {digits:,} digits is too large."
        return self.report(message, code="big_integer", hint="Write it as a text.")

    def keys(self, value: dict[Any, Any]) -> None:
        """Report the keys of an object that came twice, are no texts, or can't be written."""
        if isinstance(value, Doubled):
            for key in value.doubled:
                message = f"The key {shown(key, bare=True)} is there twice; which one is meant?"
                self.report(message, code="duplicate_key", at=key)
        for key in value:
            if type(key) is not str and not isinstance(key, str):
                self.report(f"Keys are texts, found {shown(key)}.", code="wrong_type")
            elif not key.isascii() and _has_surrogate(key):
                self.report(f"The key {shown(key, bare=True)} has half a character in it.", code="encoding")

    def _node(self) -> str | None:
        if len(self.path) > 1 and self.path[0] == "nodes":
            try:
                name = self.root["nodes"][self.path[1]]["id"]
            except (KeyError, IndexError, TypeError):
                return None
            return name if isinstance(name, str) and name.isidentifier() else None
        return None


def place(path: Iterable[str | int]) -> str:
    """A place as people write it: `nodes[3].config.seconds`; the whole is `document`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() and part == _short(part)[1:-1]:
            text += f".{part}" if text else part
        else:
            text += f"[{_short(part)}]"
    return text or "document"


def shown(value: Any, *, bare: bool = False) -> str:
    """What was found, in words, short enough for a line and without anything a terminal would act on."""
    if isinstance(value, str):
        return _short(value) if bare else f"the text {_short(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return f"the number {int(value)}" if _SMALLEST <= value <= _LARGEST else "a very large number"
    if isinstance(value, float):
        return f"the number {float(value)}"
    known = {dict: "an object", list: "a list", tuple: "a list"}
    return next((name for kind, name in known.items() if isinstance(value, kind)), f"a Python {type(value).__name__}")


def _short(text: str, most: int = 40) -> str:
    return repr(str.__str__(text if len(text) <= most else text[: most - 3] + "..."))


def check_struct(cls: type[msgspec.Struct], walk: Walk, value: Any) -> Any:
    """An instance of `cls` from plain data, or INVALID with the reasons in `walk.problems`."""
    return _struct(cls)(walk, value)


def check_data(walk: Walk, value: Any) -> Any:
    """A copy of free data, plain throughout; what can't be kept is in `walk.problems`."""
    return _data(walk, value)


# --- a check for each kind of field -----------------------------------------------------------------------------------


@functools.cache
def _struct(cls: type[msgspec.Struct]) -> Check:
    fields = [(each.encode_name, _compile(each.type), each.required) for each in msgspec.structs.fields(cls)]
    known = {name for name, _, _ in fields}
    noun = cls.__name__

    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, dict):
            return walk.wrong(value, "an object")
        walk.keys(value)
        for key in value:
            if key not in known and isinstance(key, str):
                near = near_names(key[:60], known)
                walk.report(f"{noun} has no field {shown(key, bare=True)}.{near}", code="unknown_field", at=key)
        values: dict[str, Any] = {}
        whole = True
        for name, check_field, required in fields:
            if name in value:
                walk.path.append(name)
                values[name] = got = check_field(walk, value[name])
                walk.path.pop()
                whole = whole and got is not INVALID
            elif required:
                walk.report(f"{noun} needs the field {name!r}.", code="missing_field")
                whole = False
        return cls(**values) if whole else INVALID

    return check


def _compile(kind: Any) -> Check:
    """The check for an annotation of the model."""
    meta = _FREE
    if get_origin(kind) is Annotated:
        kind, meta, *_ = get_args(kind)
    parts = get_args(kind)
    match get_origin(kind):
        case origin if origin in (Union, UnionType):
            check = _either([part for part in parts if part is not NoneType], nullable=NoneType in parts)
        case origin if origin is tuple and parts[-1] is Ellipsis:
            check = _list(_compile(parts[0]), meta.max_length)
        case origin if origin is tuple:
            check = _row([_compile(part) for part in parts])
        case origin if origin is dict:
            check = _mapping(_compile(parts[1]))
        case _:
            check = _compile_plain(kind, meta)
    return check


def _compile_plain(kind: Any, meta: msgspec.Meta) -> Check:
    if kind is Any:
        return _data
    if kind in _SCALARS:
        return functools.partial(_SCALARS[kind], meta)
    if issubclass(kind, StrEnum):
        return functools.partial(_member, kind)
    if issubclass(kind, msgspec.Struct):
        return _struct(kind)
    raise TypeError(f"The checker of documents has no rule for {kind!r}; give it one.")


def _either(kinds: Sequence[Any], *, nullable: bool) -> Check:
    """One kind, or a word beside a struct; and null where `nullable`."""
    checks = [_compile(kind) for kind in kinds]
    struct = next((check for kind, check in zip(kinds, checks, strict=True) if _is_struct(kind)), None)

    def check(walk: Walk, value: Any) -> Any:
        if value is None and nullable:
            return None
        if struct is not None and isinstance(value, dict):
            return struct(walk, value)
        return checks[0](walk, value)

    return check


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _list(check_item: Check, most: int | None) -> Check:
    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return walk.wrong(value, "a list")
        if most is not None and len(value) > most:
            return walk.report(f"{len(value):,} entries are too many; at most {most:,}.", code="too_large")
        items = []
        for number, item in enumerate(value):
            walk.path.append(number)
            items.append(check_item(walk, item))
            walk.path.pop()
            if walk.full:
                return INVALID
        return INVALID if INVALID in items else tuple(items)

    return check


def _row(checks: Sequence[Check]) -> Check:
    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            found = f"a list of {len(value)}" if isinstance(value, list | tuple) else shown(value)
            return walk.report(f"Expected a list of {len(checks)}, found {found}.", code="wrong_type")
        items = []
        for number, (check_item, item) in enumerate(zip(checks, value, strict=True)):
            walk.path.append(number)
            items.append(check_item(walk, item))
            walk.path.pop()
        return INVALID if INVALID in items else tuple(items)

    return check


def _mapping(check_value: Check) -> Check:
    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, dict):
            return walk.wrong(value, "an object")
        walk.keys(value)
        values = {}
        for key, item in value.items():
            walk.path.append(key if isinstance(key, str) else str(type(key)))
            values[key] = check_value(walk, item)
            walk.path.pop()
            if walk.full:
                return INVALID
        return INVALID if any(each is INVALID for each in values.values()) else values

    return check


def _member(kind: type[StrEnum], walk: Walk, value: Any) -> Any:
    words = [each.value for each in kind]
    return kind(value) if _word(walk, value, words) is not INVALID else INVALID


def _word(walk: Walk, value: Any, words: Sequence[str]) -> Any:
    if not isinstance(value, str):
        return walk.wrong(value, "one of " + ", ".join(map(repr, words)))
    if value not in words:
        near = near_names(value[:60].lower(), words)
        return walk.report(f"{shown(value, bare=True)} is not known here.{near}", code="unknown_value")
    return value


def _text(meta: msgspec.Meta, walk: Walk, value: Any) -> Any:
    extra = meta.extra or {}
    if words := extra.get("one_of"):
        return _word(walk, value, words)
    if not isinstance(value, str):
        return walk.wrong(value, "a text")
    if meta.max_length is not None and len(value) > meta.max_length:
        message = f"A text of {len(value):,} characters is too long; at most {meta.max_length:,}."
        return walk.report(message, code="too_large")
    if not value.isascii() and _has_surrogate(value):
        return walk.report("The text has half a character in it.", code="encoding")
    if extra.get("identifier") and (not value.isidentifier() or keyword.iskeyword(value)):
        message = f"{shown(value, bare=True)} is no Python identifier."
        return walk.report(message, code="bad_name", hint=f"{slug(value)!r} would be one.")
    return str.__str__(value)


def _boolean(_: msgspec.Meta, walk: Walk, value: Any) -> Any:
    return value if isinstance(value, bool) else walk.wrong(value, "true or false")


def _integer(meta: msgspec.Meta, walk: Walk, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return walk.wrong(value, "a whole number")
    return _in_range(meta, walk, int(value))


def _number(meta: msgspec.Meta, walk: Walk, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return walk.wrong(value, "a number")
    return _in_range(meta, walk, int(value) if isinstance(value, int) else float(value))


def _in_range(meta: msgspec.Meta, walk: Walk, value: float) -> Any:
    if (isinstance(value, int) and not _SMALLEST <= value <= _LARGEST) or not math.isfinite(value):
        return walk.number(value)
    if meta.ge is not None and value < meta.ge:
        return walk.report(f"{value} is too small; at least {meta.ge}.", code="out_of_range")
    if meta.le is not None and value > meta.le:
        return walk.report(f"{value} is too large; at most {meta.le:,}.", code="out_of_range")
    return value


_SCALARS: Final[dict[Any, Callable[[msgspec.Meta, Walk, Any], Any]]] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    float: _number,
}


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


# --- free data --------------------------------------------------------------------------------------------------------


def _data(walk: Walk, value: Any) -> Any:
    """Any JSON data, as it is; lists and objects are new ones, so that nobody shares them with the caller."""
    if isinstance(value, str):
        return _text(_FREE, walk, value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(_FREE, walk, value)
    if isinstance(value, dict | list | tuple):
        return _container(walk, value)
    return walk.wrong(value, "JSON data")


def _container(walk: Walk, value: dict[Any, Any] | list[Any] | tuple[Any, ...]) -> Any:
    if len(walk.path) >= MAX_DEPTH:
        return walk.report(f"Lists and objects lie more than {MAX_DEPTH} deep in one another.", code="too_deep")
    walk.containers += 1
    if walk.containers == MAX_CONTAINERS:
        return walk.report(f"More than {MAX_CONTAINERS:,} lists and objects are too many.", code="too_large")
    return _entries(walk, value) if isinstance(value, dict) else _items(walk, value)


def _entries(walk: Walk, value: dict[Any, Any]) -> Any:
    walk.keys(value)
    entries = {}
    for key, item in value.items():
        walk.path.append(key if isinstance(key, str) else str(type(key)))
        entries[key] = _data(walk, item)
        walk.path.pop()
        if walk.full:
            return INVALID
    return entries


def _items(walk: Walk, value: Sequence[Any]) -> Any:
    items = []
    for number, item in enumerate(value):
        walk.path.append(number)
        items.append(_data(walk, item))
        walk.path.pop()
        if walk.full:
            return INVALID
    return items
