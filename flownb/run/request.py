"""What a start is given, and whether it is what the flow takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import InvalidInput, near_names
from flownb.run.secrets import refuse_values
from flownb.run.variables import fault_of
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.workflow import Variable
    from flownb.run.definition import Definition


class Request(msgspec.Struct, kw_only=True):
    """Everything that a start needs; live values."""

    definition: Any
    store: Any
    inputs: dict[str, Any] = {}
    #: The inputs that somebody gave; the others are defaults, which variables of the workflow come before.
    given: frozenset[str] = frozenset()
    services: Any = None
    key: str | None = None
    #: The id of a run that starts; a new one by default.
    run_id: str = ""
    mode: str = "manual"
    trigger: str = "manual"
    #: What the trigger says of why it starts; plain data.
    payload: Any = None
    parent: str | None = None
    parent_node: str | None = None
    power: bool = False
    #: Digest of the pinned program, or empty.
    program: str = ""
    #: Whether a recorded run goes over to this program.
    moves: bool = False
    until: str | None = None
    from_: str | None = None
    only: tuple[str, ...] = ()
    #: Live outputs by node that take the place of running it.
    pins: dict[str, Any] = {}
    #: The nodes to halt before.
    breakpoints: tuple[str, ...] = ()
    session: Any = None
    #: What a key is compared by beside the inputs: the target as given.
    target: str = ""
    headless: bool = False
    #: Whether the run that has the key goes on even where it failed, or waits for a command.
    retry: bool = False
    #: Whether the run is recorded with its first events, and not before the start returns; not for one with a key.
    soon: bool = False


def check_inputs(
    definition: Definition, given: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The inputs of a run: those given, and the defaults of the rest.

    Args:
        definition: says which inputs there are.
        given: live values by name.
        defaults: live values, where the program has them (an input that is absent there is left to each function); None
            for what the definition keeps of them.

    Raises:
        InvalidInput: an unknown one, one that is a node's name, or one that is missing; all of them in one message.
    """
    variables = {variable.name: variable for variable in definition.workflow.variables}
    found = {name: _fault(definition, variables, name, value) for name, value in given.items()}
    inputs = {name: given[name] for name in given if name in variables}
    for name, variable in variables.items():
        if name in inputs:
            continue
        if variable.required:
            found[name] = f"The input {name!r} ({variable.type}) is missing; give it as {name}=…."
        elif defaults is None:
            inputs[name] = variable.default
        elif name in defaults:
            inputs[name] = defaults[name]
    if faults_found := {name: fault for name, fault in found.items() if fault}:
        raise InvalidInput(masking.text(" ".join(faults_found.values())), name=str(next(iter(faults_found))))
    refuse_values(inputs)
    return inputs


def _fault(definition: Definition, variables: Mapping[str, Variable], name: str, value: Any) -> str:
    """What is wrong with one input that was given; empty where it is fine."""
    if name in variables:
        return fault_of(variables, name, value).replace("The variable", "The input", 1)
    if name in definition.topology.index:
        return f"{name!r} is a node, not an input; to use a value instead of running it, pin it: flow.pin({name!r}, …)."
    return f"{definition.workflow.name} has no input {name!r}.{near_names(name, variables)}"
