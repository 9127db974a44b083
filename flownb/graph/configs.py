"""The config of a node against the pydantic model of its type: read for a run, or checked before one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput, near_names
from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from flownb.model.workflow import Node


def read_config(model: type[BaseModel], config: Mapping[str, Any], owner: str) -> BaseModel:
    """A config as an instance of its model.

    Raises:
        InvalidInput: it doesn't fit; the message names `owner` and lists all faults.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        faults = "; ".join(_fault(each, owner, model) for each in error.errors(include_url=False))
        raise InvalidInput(f"The config of {owner} can't be used: {faults}", name=owner) from error


def check_config(model: type[BaseModel], node: Node) -> list[Problem]:
    """The config of a node against a pydantic model: a problem for each fault.

    A text with `{{` in it is an expression whose value is not known yet: its field is left to the run.
    """
    from pydantic import ValidationError

    try:
        model.model_validate(node.config)
    except ValidationError as error:
        return [
            _problem(fault, node, model)
            for fault in error.errors(include_url=False)
            if not _is_template(fault.get("input"))
        ]
    return []


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def _problem(fault: Any, node: Node, model: type[BaseModel]) -> Problem:
    place = ".".join(("config", *(str(part) for part in fault["loc"])))
    return Problem(_fault(fault, f"{node.id} ({node.type})", model), node=node.id, place=place, code="bad_config")


def _fault(fault: Any, owner: str, model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{owner} has no field {place!r}.{near_names(place, model.model_fields)}"
    if fault["type"] == "missing":
        return f"{owner} needs the field {place!r}."
    reason = fault["msg"].removeprefix("Value error, ")
    return f"{place} of {owner} is {fault.get('input')!r:.80}: {reason}." if place else f"{owner}: {reason}."
