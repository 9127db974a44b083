"""What functions say of their parameters and of what they return, where that is more than a type's name.

A pydantic model, a dataclass and a TypedDict are forms, and so is what stands in `Annotated[…]` as a `DataSchema` or
as JSON Schema; in a list and beside None as well. All other hints stay hints.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import UsageError
from flownb.graph.hints import may_be_form, type_of
from flownb.graph.schemas.schema import DataSchema
from flownb.graph.schemas.words import read_schema
from flownb.model.ports import MAIN, DataType

if TYPE_CHECKING:
    from collections.abc import Callable

#: The key of what a function returns, among its annotations.
RETURN: Final = "return"
_WORDS: Final = frozenset({"type", "properties", "required", "items", "columns", "enum", "anyOf", "$ref"})
_SCALARS: Final[dict[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_LISTS: Final = ("list", "Sequence", "tuple", "Iterable", "Collection", "MutableSequence")


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function that may say more than a type's name; texts are read where it was defined.

    What can't be read there, as a name that only a type checker imports, is left out.
    """
    plain = getattr(function, "__wrapped__", function)
    try:
        given = plain.__annotations__
    except Exception:  # noqa: BLE001  from Python 3.14 on it is computed, and may raise anything
        return {}
    found = {}
    for name, hint in given.items() if isinstance(given, dict) else ():
        if isinstance(hint, str):
            if not may_be_form(hint):
                continue
            with contextlib.suppress(Exception):  # then it stays a hint
                found[name] = eval(hint, _scope(plain))  # noqa: S307  a program's own annotation, as typing reads it
        elif hint not in _SCALARS:
            found[name] = hint
    return found


def form_of(hint: Any) -> dict[str, Any] | None:
    """The form that a hint stands for, as JSON Schema; None where it is only a hint."""
    core, optional = _without_none(hint)
    found = _form(core)
    return {**found, "nullable": True} if found is not None and optional and "$ref" not in found else found


def is_form(value: Any) -> bool:
    """Whether something is JSON Schema, or a `DataSchema`, and not a dict of them."""
    return isinstance(value, DataSchema) or (isinstance(value, Mapping) and bool(_WORDS & value.keys()))


def schema_of(given: Any) -> dict[str, Any]:
    """The JSON Schema of a class, a hint, a `DataSchema`, or of JSON Schema itself.

    Raises:
        UsageError: it stands for no form.
    """
    if isinstance(given, DataSchema):
        return plain_form(given)
    if isinstance(given, Mapping):
        read_schema(given)
        return dict(given)
    core, optional = _without_none(given)
    found = form_of(given)
    if found is None and core in _SCALARS:
        found = {"type": _SCALARS[core]} | ({"nullable": True} if optional else {})
    if found is None and (kind := type_of(core)) is not DataType.ANY:
        found = {"type": kind.value} | ({"nullable": True} if optional else {})
    if found is None:
        raise UsageError(
            f"{given!r:.80} says nothing of a value: give a pydantic model, a dataclass, a TypedDict, or JSON Schema."
        )
    return found


def forms_of(function: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas that a function's annotations stand for: of its parameters, and of what it returns."""
    found = {name: form for name, hint in hints_of(function).items() if (form := form_of(hint)) is not None}
    returned = found.pop(RETURN, None)
    return found, {} if returned is None else {MAIN: returned}


def model_of(hint: Any) -> Any:
    """The class of which a table becomes an instance, or a list of that; None where values stay as they are."""
    core, _ = _without_none(_bare(hint))
    if _is_list(core):
        inside = model_of(next(iter(typing.get_args(core)), None))
        return None if inside is None else [inside]
    return core if _is_model(core) or (isinstance(core, type) and dataclasses.is_dataclass(core)) else None


def _form(hint: Any) -> dict[str, Any] | None:  # noqa: PLR0911  a table of cases
    if typing.get_origin(hint) is typing.Annotated:
        core, *said = typing.get_args(hint)
        for each in said:
            if isinstance(each, DataSchema):
                return plain_form(each)
            if isinstance(each, Mapping) and _WORDS & each.keys():
                read_schema(each)
                return dict(each)
        return form_of(core)
    if _is_list(hint):
        inside = form_of(next(iter(typing.get_args(hint)), None))
        if inside is None:
            return None
        defs = {word: inside.pop(word) for word in ("$defs",) if word in inside}
        return {"type": "array", "items": inside, **defs}
    if _is_model(hint):
        found: dict[str, Any] = hint.model_json_schema()
        return found
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or typing.is_typeddict(hint)):
        return plain_form(shape_of_class(hint))
    return None


def plain_form(form: DataSchema) -> dict[str, Any]:
    """A form in the words of JSON Schema, as far as classes and `Annotated` need them."""
    fields = {
        name: value
        for name, value in _fields_of(form)
        if value not in (None, {}, []) and not (value is False and name == "nullable")
    }
    plain: dict[str, Any] = {"type": form.type, **fields}
    if form.values is not None:
        plain["enum"] = list(form.values)
    lengths = ("minItems", "maxItems") if form.type == "array" else ("minLength", "maxLength")
    plain |= {name: each for name, each in zip(lengths, (form.shortest, form.longest), strict=True) if each is not None}
    return {"$ref": f"#/$defs/{form.like}"} if form.like else plain


def _fields_of(form: DataSchema) -> tuple[tuple[str, Any], ...]:
    return (
        ("nullable", form.nullable),
        ("properties", {name: plain_form(each) for name, each in form.properties.items()}),
        ("required", list(form.required)),
        ("items", plain_form(form.items) if form.items else None),
        ("columns", dict(form.columns)),
        ("additionalProperties", False if form.closed else plain_form(form.others) if form.others else None),
        ("minimum" if not form.beyond else "exclusiveMinimum", form.least),
        ("maximum" if not form.below else "exclusiveMaximum", form.most),
        ("pattern", form.pattern),
        ("anyOf", [plain_form(each) for each in form.one_of]),
        ("allOf", [plain_form(each) for each in form.all_of]),
        ("$defs", {name: plain_form(each) for name, each in form.named.items()}),
    )


def hints_of_class(cls: type) -> dict[str, Any]:
    """The annotations of a class; none where one of them can't be read, as a name that only a type checker imports."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except Exception:  # noqa: BLE001  it evaluates texts, which may raise anything
        return {}


def shape_of_class(cls: type, around: tuple[type, ...] = ()) -> DataSchema:
    """The form of a dataclass or a TypedDict; one that holds itself is looked at once."""
    if cls in around:
        return DataSchema("object")
    hints = hints_of_class(cls)
    if typing.is_typeddict(cls):
        # Where annotations are texts, the class itself does not see which are `NotRequired`.
        left_out = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
        required: Any = cls.__required_keys__ - left_out  # type: ignore[attr-defined]  # a TypedDict has it
        names = list(cls.__annotations__)
    else:
        fields = [each for each in dataclasses.fields(cls) if each.init]
        names = [each.name for each in fields]
        required = {
            each.name
            for each in fields
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        }
    return DataSchema(
        "object",
        properties={name: _of_field(hints.get(name, Any), (*around, cls)) for name in names},
        required=tuple(name for name in names if name in required),
    )


def _of_field(hint: Any, around: tuple[type, ...]) -> DataSchema:  # noqa: PLR0911  a table of cases
    core, optional = _without_none(hint)
    if typing.get_origin(core) in (typing.Required, typing.NotRequired):
        return _of_field(typing.get_args(core)[0], around)
    if core in _SCALARS:
        return DataSchema(_SCALARS[core], nullable=optional)
    if typing.get_origin(core) is typing.Literal:
        return DataSchema(values=typing.get_args(core), nullable=optional)
    if core is dict or typing.get_origin(core) is dict:
        return DataSchema("object", nullable=optional)
    if _is_list(core):
        inside = next(iter(typing.get_args(core)), Any)
        return DataSchema("array", nullable=optional, items=_of_field(inside, around))
    if isinstance(core, type) and (dataclasses.is_dataclass(core) or typing.is_typeddict(core)):
        return msgspec.structs.replace(shape_of_class(core, around), nullable=optional)
    found = _form(core)
    return DataSchema() if found is None else msgspec.structs.replace(read_schema(found), nullable=optional)


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _without_none(hint: Any) -> tuple[Any, bool]:
    """A hint without the None that may stand for it, and whether there was one; an `Annotated` stays."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(hint) if each is not types.NoneType]
        if len(rest) == 1:
            return rest[0], len(typing.get_args(hint)) > 1
    return hint, False


def _is_list(hint: Any) -> bool:
    return getattr(typing.get_origin(hint) or hint, "__name__", "") in _LISTS


def _is_model(hint: Any) -> bool:
    pydantic = sys.modules.get("pydantic")  # who has a model has imported it
    return isinstance(hint, type) and pydantic is not None and issubclass(hint, pydantic.BaseModel)


def _scope(function: Callable[..., Any]) -> dict[str, Any]:
    """What the text of an annotation may name: the module of the function, and what the function encloses."""
    scope = dict(getattr(function, "__globals__", {}))
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
        with contextlib.suppress(ValueError):  # it is empty yet
            scope[name] = cell.cell_contents
    return scope
