"""Enums, dataclasses, pydantic models and named tuples: what needs a class of the user's to come back.

A class is found by its name among what this process has imported, never imported; and an instance is made from its
recorded state without running a line of the class: no `__init__`, no validator, no property.
"""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.class_state import (
    blank,
    compares_by_identity,
    dataclass_fields,
    is_model,
    lookup,
    model_fields,
    mro_of,
    state_of,
    write_state,
)
from flownb.store.forms.refused import Refused, a_type, broken, expect, fields, shorten, text_of, type_name
from flownb.store.forms.same import difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

#: What pydantic keeps in an instance beside the fields, by our names.
_MODEL_SLOTS: Final = {
    "given": "__pydantic_fields_set__",
    "extra": "__pydantic_extra__",
    "private": "__pydantic_private__",
}


def encode(encoder: Encoder, value: Any, cls: type) -> Any:
    """The plain form of an instance of one of these classes; NotImplemented for others."""
    mro = mro_of(cls)
    if enum.Enum in mro:
        return {"$enum": _encode_enum(encoder, value, cls)}
    if tuple in mro and lookup(mro, "_fields") is not None:
        return {"$namedtuple": _encode_namedtuple(encoder, value, cls)}
    if is_model(mro):
        return {"$pydantic": _encode_model(encoder, value, cls)}
    if (names := dataclass_fields(mro)) is not None:
        return {"$dataclass": _encode_dataclass(encoder, value, cls, names)}
    return NotImplemented


# --- the class by its name --------------------------------------------------------------------------------------------


def _name_of(cls: type) -> str:
    module, name = cls.__module__, cls.__qualname__
    if "<locals>" in name:
        raise Refused(f"is {a_type(cls)}, a class made inside a function: define it at the top of a cell or module")
    if _resolve(module, name) is not cls:
        raise Refused(f"is {a_type(cls)}, a class that isn't found again by that name")
    if lookup(mro_of(cls), "__del__") is not None:
        raise Refused(f"is {a_type(cls)}, whose __del__ would run for a restored copy as well")
    return f"{module}:{name}"


def _find_class(payload: Any, tag: str) -> Any:
    (text,) = fields(payload, tag, "class")
    module, _, name = expect(text, str, tag).partition(":")
    found = _resolve(module, name)
    shown = shorten(name, 80)
    if found is None:
        imported = "" if module == "__main__" else f"import {shorten(module, 80)}, or "
        raise broken(f"there is no class {shown} here; {imported}run the cell that defines it, then try again")
    if not issubclass(type(found), type):
        raise broken(f"{shown} is no class any more")
    if lookup(mro_of(found), "__del__") is not None:
        raise broken(f"{shown} has a __del__, and copies of it are not made")
    return found


def _resolve(module: Any, name: Any) -> Any:
    """What a module that is loaded calls by that name; looks only, and triggers nothing lazy."""
    holder = sys.modules.get(module) if type(module) is str else None
    if holder is None or type(name) is not str:
        return None
    try:
        space = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        return None
    found: Any = None
    for part in name.split("."):
        found = space.get(part)
        if not issubclass(type(found), type):  # `isinstance` would ask the object itself
            return found
        space = type.__dict__["__dict__"].__get__(found)
    return found


# --- enums ----------------------------------------------------------------------------------------------------------


def _encode_enum(encoder: Encoder, value: enum.Enum, cls: type[enum.Enum]) -> dict[str, Any]:
    form: dict[str, Any] = {"class": _name_of(cls), "name": value._name_}
    if form["name"] is None or _member(cls, form["name"]) is not value:
        if not (isinstance(value, enum.Flag) and _combines(cls)):
            raise Refused(f"is no named member of {type_name(cls)}")
        form["name"] = None
    try:
        # Kept to notice an enum that was changed since.
        form["value"] = encoder.encode(value._value_)
    except Refused:
        if form["name"] is None:
            raise
    if form["name"] is None and _enum(None, form, cls) is not value:
        raise Refused(f"is a combination of {type_name(cls)} that can't be made again")
    return form


def _member(cls: type[enum.Enum], name: str) -> Any:
    return (lookup(mro_of(cls), "_member_map_") or {}).get(name)


def _combines(cls: type) -> bool:
    """Whether combined flags are made by the standard library's code alone."""
    return type(cls) is enum.EnumMeta and lookup(mro_of(cls), "_missing_") is enum.Flag.__dict__["_missing_"]


def _restore_enum(decoder: Decoder, payload: Any) -> Any:
    cls = _find_class(payload, "$enum")
    if enum.Enum not in mro_of(cls):
        raise broken(f"{type_name(cls)} is no enum any more")
    return _enum(decoder, payload, cls)


def _enum(decoder: Decoder | None, payload: dict[str, Any], cls: Any) -> Any:
    (name,) = fields(payload, "$enum", "name")
    value = payload.get("value")
    value = decoder.decode(value) if decoder is not None else value
    if name is None:
        if enum.Flag not in mro_of(cls) or not _combines(cls) or type(value) is not int:
            raise broken(f"{type_name(cls)} has no combination {shorten(repr(value), 40)}")
        return cls(value)
    member = _member(cls, expect(name, str, "$enum"))
    if member is None:
        raise broken(f"{type_name(cls)} has no member {shorten(name, 40)} any more")
    if "value" in payload and difference(member._value_, value) is not None:
        was, now = shorten(text_of(value), 60), shorten(text_of(member._value_), 60)
        raise broken(f"{type_name(cls)}.{name} was {was} when it was stored and is {now} now")
    return member


# --- named tuples -----------------------------------------------------------------------------------------------------


def _encode_namedtuple(encoder: Encoder, value: Any, cls: type) -> dict[str, Any]:
    form = {"class": _name_of(cls), "fields": list(_tuple_fields(cls) or ())}
    if state_of(value, cls):
        raise Refused(f"is {a_type(cls)} with attributes beside its fields")
    if len(form["fields"]) != tuple.__len__(value):
        raise Refused(f"is {a_type(cls)} with another number of items than fields")
    _check_comparison(cls)
    encoder.doubtful = True
    items = dict(zip(form["fields"], tuple.__iter__(value), strict=True))
    return form | {"items": list(encoder.named(items).values())}


def _tuple_fields(cls: type) -> tuple[str, ...] | None:
    names = lookup(mro_of(cls), "_fields")
    return names if type(names) is tuple and all(type(name) is str for name in names) else None


def _restore_namedtuple(decoder: Decoder, payload: Any) -> Any:
    cls: Any = _find_class(payload, "$namedtuple")
    names, items = fields(payload, "$namedtuple", "fields", "items")
    now = _tuple_fields(cls) if tuple in mro_of(cls) else None
    if now is None:
        raise broken(f"{type_name(cls)} is no named tuple any more")
    _check_fields(cls, list(now), expect(names, list, "$namedtuple"))
    if len(expect(items, list, "$namedtuple")) != len(names):
        raise broken(f"{a_type(cls)} has {len(items)} items for {len(names)} fields")
    return tuple.__new__(cls, decoder.items(items))


# --- dataclasses and models -------------------------------------------------------------------------------------------


def _encode_dataclass(encoder: Encoder, value: Any, cls: type, names: list[str]) -> dict[str, Any]:
    form: dict[str, Any] = {"class": _name_of(cls)}
    state = state_of(value, cls)
    _check_made_again(cls)
    _check_extra(cls, state, names)
    encoder.doubtful = True
    return form | _fields_form(encoder, state, names)


def _restore_dataclass(decoder: Decoder, payload: Any) -> Any:
    cls = _find_class(payload, "$dataclass")
    names = dataclass_fields(mro_of(cls))
    if names is None:
        raise broken(f"{type_name(cls)} is no dataclass any more")
    value = blank(cls)
    write_state(value, cls, _fields_of(decoder, payload, "$dataclass", cls, names))
    return value


def _encode_model(encoder: Encoder, value: Any, cls: type) -> dict[str, Any]:
    form: dict[str, Any] = {"class": _name_of(cls)}
    state = state_of(value, cls)
    # What pydantic keeps beside the fields; a root model has only the first.
    inner = {name: state.pop(slot) for name, slot in _MODEL_SLOTS.items() if slot in state}
    names = model_fields(mro_of(cls))
    _check_made_again(cls)
    _check_extra(cls, state, names)
    encoder.doubtful = True
    form |= _fields_form(encoder, state, names)
    for name, each in inner.items():
        form[name] = sorted(each) if name == "given" else encoder.encode(each)
    return form


def _restore_model(decoder: Decoder, payload: Any) -> Any:
    cls = _find_class(payload, "$pydantic")
    if not is_model(mro_of(cls)):
        raise broken(f"{type_name(cls)} is no pydantic model any more")
    state = _fields_of(decoder, payload, "$pydantic", cls, model_fields(mro_of(cls)))
    for name, slot in _MODEL_SLOTS.items():
        if name == "given":
            names = expect(payload.get(name), list, "$pydantic")
            state[slot] = {expect(each, str, "$pydantic") for each in names}
        elif name in payload:
            held = decoder.decode(payload[name])
            state[slot] = held if held is None else expect(held, dict, "$pydantic")
    value = blank(cls)
    write_state(value, cls, state)
    return value


def _fields_form(encoder: Encoder, state: dict[str, Any], names: list[str]) -> dict[str, Any]:
    form: dict[str, Any] = {"fields": encoder.named(state)}
    if unset := [name for name in names if name not in state]:
        form["unset"] = unset
    return form


def _fields_of(decoder: Decoder, payload: Any, tag: str, cls: type, names: list[str]) -> dict[str, Any]:
    (stored,) = fields(payload, tag, "fields")
    state = decoder.named(stored, tag)
    _check_fields(cls, names, [*state, *expect(payload.get("unset", []), list, tag)])
    return state


def _check_fields(cls: type, now: list[str], stored: list[Any]) -> None:
    if new := [name for name in now if name not in stored]:
        raise broken(f"{type_name(cls)} has the new field {new[0]!r}, which the stored one lacks")
    if gone := [name for name in stored if name not in now]:
        raise broken(f"{type_name(cls)} has no field {shorten(repr(gone[0]), 60)} any more")


def _check_extra(cls: type, state: dict[str, Any], names: list[str]) -> None:
    if extra := [name for name in state if name not in names]:
        raise Refused(f"is {a_type(cls)} that carries {extra[0]!r} beside its fields")


def _check_made_again(cls: type) -> None:
    _check_comparison(cls)
    try:
        blank(cls)
    except TypeError as error:
        raise Refused(f"is {a_type(cls)}, which can't be made from its fields alone") from error


def _check_comparison(cls: type) -> None:
    if compares_by_identity(cls):
        raise Refused(f"is {a_type(cls)}, which equals only itself (eq=False), so no copy would")


TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {
    "$enum": _restore_enum,
    "$namedtuple": _restore_namedtuple,
    "$dataclass": _restore_dataclass,
    "$pydantic": _restore_model,
}
