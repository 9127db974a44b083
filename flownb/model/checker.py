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

from flownb.errors import InvalidInput, near_names
from flownb.ids import slug
from flownb.model.durations import MARK, seconds_in
from flownb.model.walk import (
    INVALID,
    LARGEST,
    MAX_CONTAINERS,
    MAX_DEPTH,
    SMALLEST,
    Doubled,
    Walk,
    has_surrogate,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: Takes the walk and a value; gives the value of the model, or INVALID after reporting why not.
    Check = Callable[[Walk, Any], Any]

#: No limits.
_FREE: Final = msgspec.Meta()


def check_struct(cls: type[msgspec.Struct], walk: Walk, value: Any) -> Any:
    """An instance of `cls` from plain data, or INVALID with the reasons in `walk.problems`."""
    return _struct(cls)(walk, value)


def check_data(walk: Walk, value: Any) -> Any:
    """A copy of free data, plain throughout; what can't be kept is in `walk.problems`."""
    return _data(walk, value)


# --- a check for each kind of field -----------------------------------------------------------------------------------


@functools.cache
def fields_of(cls: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a part of the model; finding them out evaluates all of its annotations."""
    return msgspec.structs.fields(cls)


@functools.cache
def _struct(cls: type[msgspec.Struct]) -> Check:
    fields = fields_of(cls)
    kinds = {each.encode_name: each.type for each in fields}
    checks: dict[str, Check] = {}  # made when a field is first seen: most documents have few of them
    required = [each.encode_name for each in fields if each.required]
    noun = cls.__name__

    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, dict):
            return walk.wrong(value, "an object")
        if isinstance(value, Doubled):
            walk.doubled(value)
        values: dict[str, Any] = {}
        whole = True
        for key, held in value.items():
            check_field = checks.get(key)
            if check_field is None:
                if key not in kinds:
                    _unknown(walk, noun, key, kinds)
                    continue
                check_field = checks[key] = _compile(kinds[key])
            walk.path.append(key)
            values[key] = got = check_field(walk, held)
            walk.path.pop()
            if got is INVALID:
                whole = False
        for name in required:
            if name not in values:
                walk.report(f"{noun} needs the field {name!r}.", code="missing_field")
                whole = False
        return cls(**values) if whole else INVALID

    return check


def _unknown(walk: Walk, noun: str, key: Any, known: Iterable[str]) -> None:
    if isinstance(key, str):
        near = near_names(key[:60], known)
        walk.report(f"{noun} has no field {shown(key, bare=True)}.{near}", code="unknown_field", at=key)
    else:
        walk.report(f"Keys are texts, found {shown(key)}.", code="wrong_type")


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
    if kind is str:
        return _texts(meta)
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


def _texts(meta: msgspec.Meta) -> Check:
    extra = meta.extra or {}
    if words := extra.get("one_of"):
        return lambda walk, value: _word(walk, value, words)
    most = meta.max_length
    identifier = extra.get("identifier", False)

    def check(walk: Walk, value: Any) -> Any:
        if not isinstance(value, str):
            return walk.wrong(value, "a text")
        if most is not None and len(value) > most:
            message = f"A text of {len(value):,} characters is too long; at most {most:,}."
            return walk.report(message, code="too_large")
        if not value.isascii() and has_surrogate(value):
            return walk.report("The text has half a character in it.", code="encoding")
        if identifier and (not value.isidentifier() or keyword.iskeyword(value)):
            message = f"{shown(value, bare=True)} is no Python identifier."
            return walk.report(message, code="bad_name", hint=f"{slug(value)!r} would be one.")
        return value if type(value) is str else str.__str__(value)

    return check


def _boolean(_: msgspec.Meta, walk: Walk, value: Any) -> Any:
    return value if isinstance(value, bool) else walk.wrong(value, "true or false")


def _integer(meta: msgspec.Meta, walk: Walk, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return walk.wrong(value, "a whole number")
    return _in_range(meta, walk, int(value))


def _number(meta: msgspec.Meta, walk: Walk, value: Any) -> Any:
    if isinstance(value, str) and meta.extra == MARK:
        try:
            value = seconds_in(value, bare=False)  # a bare number might mean milliseconds, as in the seeds
        except InvalidInput as error:
            return walk.report(str(error), code="wrong_type")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return walk.wrong(value, "a number")
    return _in_range(meta, walk, int(value) if isinstance(value, int) else float(value))


def _in_range(meta: msgspec.Meta, walk: Walk, value: float) -> Any:
    if (isinstance(value, int) and not SMALLEST <= value <= LARGEST) or not math.isfinite(value):
        return walk.number(value)
    if meta.ge is not None and value < meta.ge:
        return walk.report(f"{value} is too small; at least {meta.ge}.", code="out_of_range")
    if meta.le is not None and value > meta.le:
        return walk.report(f"{value} is too large; at most {meta.le:,}.", code="out_of_range")
    return value


_SCALARS: Final[dict[Any, Callable[[msgspec.Meta, Walk, Any], Any]]] = {
    bool: _boolean,
    int: _integer,
    float: _number,
}


# --- free data --------------------------------------------------------------------------------------------------------


def _data(walk: Walk, value: Any) -> Any:
    """Any JSON data, as it is; lists and objects are new ones, so that nobody shares them with the caller."""
    if isinstance(value, str):
        return value if type(value) is str and value.isascii() else _any_text(walk, value)
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


_any_text: Final = _texts(_FREE)


def _items(walk: Walk, value: Sequence[Any]) -> Any:
    items = []
    for number, item in enumerate(value):
        walk.path.append(number)
        items.append(_data(walk, item))
        walk.path.pop()
        if walk.full:
            return INVALID
    return items
