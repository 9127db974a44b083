"""What an instance of a user's class is made of, read and written without running any of the class's own code."""

from __future__ import annotations

import dataclasses
import sys
import types
from typing import Any, Final

from flownb.store.forms.refused import Refused, a_type, broken

_GENERATED: Final = "<string>"

# A metaclass may put its own attributes in front of these two; `type`'s own can't be deceived.
mro_of: Final = type.__dict__["__mro__"].__get__
_namespace: Final = type.__dict__["__dict__"].__get__


def lookup(mro: tuple[type, ...], name: str) -> Any:
    """The attribute of a class as it lies in a namespace; no descriptor runs. None where there is none."""
    for base in mro:
        space = _namespace(base)
        if name in space:
            return space[name]
    return None


def dataclass_fields(mro: tuple[type, ...]) -> list[str] | None:
    """The names of the fields of a dataclass; None for other classes."""
    found = lookup(mro, "__dataclass_fields__")
    if type(found) is not dict:
        return None
    holder: Any = types.SimpleNamespace(__dataclass_fields__=found)  # `fields` leaves out ClassVar and InitVar
    return [field.name for field in dataclasses.fields(holder)]


def is_model(mro: tuple[type, ...]) -> bool:
    """Whether a class is a pydantic model."""
    pydantic = sys.modules.get("pydantic.main")
    base = getattr(pydantic, "BaseModel", None)
    return base is not None and base in mro and mro[0] is not base


def model_fields(mro: tuple[type, ...]) -> list[str]:
    """The names of the fields of a pydantic model."""
    return list(lookup(mro, "__pydantic_fields__") or ())


def state_of(value: Any, cls: type) -> dict[str, Any]:
    """Every attribute that an instance itself has, by name: from its `__dict__` and its slots.

    Raises:
        Refused: the class hides them.
    """
    state: dict[str, Any] = {}
    for base in mro_of(cls):
        for name, member in _namespace(base).items():
            if type(member) is types.MemberDescriptorType:
                try:
                    state.setdefault(name, member.__get__(value))
                except AttributeError:
                    continue  # a slot that was never set
    return _dict_of(value, cls) | state


def blank(cls: type) -> Any:
    """An instance without any attribute.

    Raises:
        TypeError: it is built on a type that keeps state of its own, as exceptions and builtins do.
    """
    return object.__new__(cls)


def write_state(value: Any, cls: type, state: dict[str, Any]) -> None:
    """Give an instance these attributes.

    Raises:
        AttributeError: it has no place for one.
    """
    own = None
    for name, each in state.items():
        member = lookup(mro_of(cls), name)
        if type(member) is types.MemberDescriptorType:
            member.__set__(value, each)
            continue
        own = _dict_of(value, cls, needed=True) if own is None else own
        own[name] = each


def _dict_of(value: Any, cls: type, *, needed: bool = False) -> dict[str, Any]:
    for base in mro_of(cls):
        if (found := _namespace(base).get("__dict__")) is not None:
            if type(found) is not types.GetSetDescriptorType:
                raise Refused(f"is {a_type(cls)}, which hides its __dict__")
            own: dict[str, Any] = found.__get__(value)
            return own
    if needed:
        raise broken(f"{a_type(cls)} has no place for its fields")
    return {}


def compares_by_identity(cls: type) -> bool:
    """Whether `==` is the one that every object has."""
    return lookup(mro_of(cls), "__eq__") is object.__eq__


def compares_by_state(cls: type) -> bool:
    """Whether `==` compares the fields and nothing else, as it does where nobody wrote one by hand."""
    own = lookup(mro_of(cls), "__eq__")
    if own is tuple.__eq__:
        return True
    if (code := getattr(own, "__code__", None)) is not None and code.co_filename == _GENERATED:
        return True  # written by the dataclass decorator
    return is_model(mro_of(cls)) and own is lookup(mro_of(sys.modules["pydantic.main"].BaseModel), "__eq__")
