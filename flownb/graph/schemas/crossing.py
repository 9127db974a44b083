"""What a port with a schema does with a value that crosses it: look at it, and make a model of a table.

Decided when a definition is compiled; a port without a schema has nothing of it.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.graph.schemas.annotations import RETURN, hints_of, hints_of_class, model_of, shape_of_class
from flownb.graph.schemas.result import Fault, inside
from flownb.graph.schemas.schema import MOST_FAULTS
from flownb.graph.schemas.words import read_schema
from flownb.model.ports import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.ports import InputPort
    from flownb.model.workflow import Node

#: Faults that a message lists.
_SHOWN: Final = 5

Crossing = typing.Callable[[Any], Any]


class Misfit(InvalidInput):
    """A value does not have the form that a port asks for; `.node`, `.port` and `.faults` say where, and what is."""

    node: str
    port: str
    faults: list[str]


def entering(node: Node, ports: Mapping[str, InputPort], function: Callable[..., Any] | None) -> dict[str, Crossing]:
    """For each input of a node that has a schema, what is done with a value before the node gets it."""
    hints = hints_of(function) if function is not None and node.input_schema else {}
    found: dict[str, Crossing] = {}
    for name, schema in node.input_schema.items():
        port = ports.get(name)
        each = _crossing(node, name, f"the input {name}", schema, hints.get(name), makes=True)
        found[name] = _for_each(each) if port is not None and port.many else each
    return found


def leaving(node: Node, function: Callable[..., Any] | None) -> dict[str, Crossing]:
    """For each output of a node that has a schema, what is done with a value before it is committed."""
    hints = hints_of(function) if function is not None and node.output_schema else {}
    return {
        name: _crossing(
            node, name, "what it returned" if name == MAIN else f"what it returned at {name}", schema,
            hints.get(RETURN) if name == MAIN else None, makes=False,
        )
        for name, schema in node.output_schema.items()
    }  # fmt: skip


def _crossing(node: Node, port: str, what: str, schema: Any, hint: Any, *, makes: bool) -> Crossing:
    form, model = read_schema(schema), model_of(hint)

    def cross(value: Any) -> Any:
        made, faults = _as_model(model, value) if model is not None else (value, [])
        if not faults and made is value:  # a model has looked at all that it was made from
            faults = list(form.validate(value).faults)
        if faults:
            raise _misfit(node.id, port, what, faults)
        return made if makes else value

    return cross


def _misfit(node: str, port: str, what: str, faults: list[Fault]) -> Misfit:
    texts = [f"{inside(port, each.path) if each.path else port} {each.says}" for each in faults]
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return Misfit(
        f"{node}: {what} doesn't fit its schema: {'; '.join(texts[:_SHOWN])}{more}.",
        name=port, node=node, port=port, faults=texts,
    )  # fmt: skip


def _for_each(cross: Crossing) -> Crossing:
    return lambda values: [cross(each) for each in values]


def _as_model(model: Any, value: Any) -> tuple[Any, list[Fault]]:
    """A table as an instance of a class, a list of tables as a list of them; anything else as it is."""
    if isinstance(model, list):
        return _as_models(model[0], value)
    if value is None or isinstance(value, model) or not isinstance(value, Mapping):
        return value, []
    if dataclasses.is_dataclass(model):
        return _as_dataclass(model, value)
    from pydantic import ValidationError  # there already: the class is a model

    try:
        return model.model_validate(dict(value)), []
    except ValidationError as error:
        listed = error.errors(include_url=False)[:MOST_FAULTS]
        return value, [
            Fault(".".join(str(part) for part in each["loc"]), _said(str(each["type"]), str(each["msg"])))
            for each in listed
        ]


def _said(kind: str, message: str) -> str:
    return "is missing" if kind == "missing" else f"can't be used: {message[:1].lower()}{message[1:]}"


def _as_models(model: Any, values: Any) -> tuple[Any, list[Fault]]:
    if not isinstance(values, list | tuple):
        return values, []
    found: list[Any] = []
    faults: list[Fault] = []
    for number, value in enumerate(values):
        made, wrong = _as_model(model, value)
        found.append(made)
        faults += [each.below(str(number)) for each in wrong[: MOST_FAULTS - len(faults)]]
    changed = any(made is not value for made, value in zip(found, values, strict=True))
    return (found if changed else values), faults


def _as_dataclass(model: Any, value: Mapping[str, Any]) -> tuple[Any, list[Fault]]:
    faults = list(shape_of_class(model).validate(value).faults)
    if faults:
        return value, faults
    hints = hints_of_class(model)
    given = {}
    for each in dataclasses.fields(model):
        if each.init and each.name in value:
            inner = model_of(hints.get(each.name))
            given[each.name], wrong = _as_model(inner, value[each.name]) if inner else (value[each.name], [])
            faults += [fault.below(each.name) for fault in wrong]
    try:
        return (value, faults) if faults else (model(**given), [])
    except Exception as error:  # noqa: BLE001  __post_init__ may refuse it
        return value, [Fault("", f"can't be used: {type(error).__name__}: {error}")]
