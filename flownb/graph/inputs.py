"""The inputs of a flow: whether their declarations are sound, and whether a run was given what they ask for."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from flownb.errors import near_names
from flownb.ids import slug
from flownb.model.ports import DataType, misfit
from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flownb.model.workflow import Workflow


def check_variables(workflow: Workflow) -> Iterator[Problem]:
    """The problems of the declarations."""
    ids = {node.id for node in workflow.nodes}
    types = [each.value for each in DataType]
    seen: set[str] = set()
    for number, each in enumerate(workflow.variables):
        place = f"variables[{number}]"
        if not each.name.isidentifier() or keyword.iskeyword(each.name):
            hint = f"Call it {slug(each.name)!r}."
            yield Problem(f"The input {each.name!r} is no Python identifier.", place=place, hint=hint, code="bad_id")
        if each.name in seen:
            yield Problem(f"Two inputs have the name {each.name!r}.", place=place, code="duplicate_input")
        if each.name in ids:
            yield Problem(
                f"{each.name!r} is an input and a node: expressions and parameters could mean either.",
                node=each.name,
                place=place,
                hint="Rename one of them.",
                code="input_is_node",
            )
        if each.type not in types:
            near = near_names(str(each.type), types)
            message = f"The input {each.name!r} has the type {each.type!r}, which no port has.{near}"
            yield Problem(message, place=f"{place}.type", code="bad_type")
        if each.secret and not each.required and not str(each.default).startswith("secret://"):
            yield Problem(
                f"The input {each.name!r} is a secret, and its default is no reference to one.",
                place=f"{place}.default",
                hint="Write secret://name, and never the value; or leave the default out.",
                code="secret_default",
            )
        seen.add(each.name)
    yield from _check_settings(workflow)


def _check_settings(workflow: Workflow) -> Iterator[Problem]:
    """The problems of nodes that set a declared variable to what it can't be; what is computed is left to the run."""
    declared = {each.name: each for each in workflow.variables}
    for node in workflow.nodes:
        if node.type != "control.set_variable" or not declared:
            continue
        several = node.config.get("values")
        one = {node.config.get("name"): node.config.get("value")}
        for name, value in (several if isinstance(several, dict) else one).items():
            variable = declared.get(name) if isinstance(name, str) else None
            if variable is None or (isinstance(value, str) and "{{" in value):
                continue
            wrong = misfit(value, variable.type)
            if variable.secret and not str(value).startswith("secret://"):
                wrong = "a reference to a secret, as secret://name"
            if wrong:
                place = f"config.values.{name}" if isinstance(several, dict) else "config.value"
                message = f"{node.id} sets the variable {name!r} to {value!r:.60}; it must be {wrong}."
                yield Problem(message, node=node.id, place=place, code="bad_variable")


def check_inputs(workflow: Workflow, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of the inputs that a run is given: missing and unknown ones, and names of nodes."""
    known = {each.name: each for each in workflow.variables}
    ids = {node.id for node in workflow.nodes}
    for name in inputs:
        if name in known:
            continue
        if name in ids:
            message = f"{name!r} is a node and no input: its output can't be given."
            yield Problem(message, node=name, hint=f"Pin it instead: `run.pin({name!r}, value)`.", code="input_is_node")
        else:
            message = f"There is no input {name!r}.{near_names(name, known)}"
            yield Problem(message, place=f"inputs.{name}", code="unknown_input")
    for name, variable in known.items():
        if variable.required and name not in inputs:
            message = f"The input {name!r} ({variable.type}) is missing."
            yield Problem(message, place=f"inputs.{name}", hint=f"Give it as `{name}=…`.", code="missing_input")
