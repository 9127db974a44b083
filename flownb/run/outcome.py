"""How a body ended well: what it returned, and the form that is stored of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import InvalidInput, StoreError
from flownb.graph.nodetype import Output, Suspend
from flownb.model.ports import ERROR, MAIN
from flownb.model.status import PauseReason
from flownb.run.recovery.patience import patiently
from flownb.run.secrets import masked_output
from flownb.run.variables import fault_of
from flownb.services import masking
from flownb.store import values
from flownb.store.values import Stored

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt


class Outcome(msgspec.Struct, frozen=True):
    """A value and its stored form; a struct, as there is one for every node of every run."""

    #: The stored form of the value.
    plain: Any = None
    #: What was returned; None where that is `plain` itself.
    output: Output | None = None
    #: Of single ports, where they differ from `plain`.
    ports: dict[str, Stored] | None = None
    suspend: Suspend | None = None
    #: Variables of the run that it sets, in plain form.
    variables: dict[str, Any] | None = None
    #: How many bytes of it are in artifacts; 0 where a part of it is in memory only.
    held: int = 0


class NotKept(Exception):
    """The store has no room for a result, or can't be written. That is no failure of the node: it did its work."""

    def __init__(self, fault: StoreError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def outcome_of(attempt: Attempt, value: Any) -> Outcome:
    """Make the stored form beside the live value; on the thread where the body ran.

    Raises:
        InvalidInput: the body chose a port that its node has not, or left a step unfinished.
        NotKept: the store can't take what the body returned.
    """
    if attempt.steps is not None:
        attempt.steps.close()
    if type(value) is int and _LEAST_INT <= value < _MOST_INT and masking.known is None:
        if faults.armed:
            faults.reach("node.after_body")
        return Outcome(value)
    cls = type(value)  # `isinstance` would ask the value itself too, whose own code may raise anything
    if issubclass(cls, Suspend):
        return _parked(attempt, value)
    output = value if issubclass(cls, Output) else Output(value)
    if masking.known is not None:
        output = masked_output(attempt, output)
    ports: dict[str, Stored] | None = None
    if output.ports or output.values:
        _check_ports(attempt, output)
        ports = {port: _stored(attempt, each) for port, each in output.values.items()}
    stored = _stored(attempt, output.value)
    variables = {name: _variable(attempt, name, each) for name, each in output.variables.items()}
    held = _held(stored, ports) if stored.held or ports else 0
    outcome = Outcome(stored.plain, output, ports, held=held, variables=variables or None)
    faults.reach("node.after_body")
    return outcome


def checked_outcome(attempt: Attempt, value: Any) -> Outcome:
    """The same, once the value has been held against the schemas of the node's ports.

    Raises:
        Misfit: it has another form.
    """
    leaving = attempt.body.leaving
    if leaving is not None and not issubclass(type(value), Suspend):
        output = value if issubclass(type(value), Output) else Output(value)
        for port, look in leaving.items():
            if port in output.values:
                look(output.values[port])
            elif port == MAIN or port in (output.ports or ()):
                look(output.value)
    return outcome_of(attempt, value)


def _parked(attempt: Attempt, suspend: Suspend) -> Outcome:
    """What is shown to a person is stored as it is, so that it can be seen wherever the answer is given.

    Raises:
        InvalidInput: it waits for a person and asks nothing, and neither does a run beneath it.
    """
    beneath = attempt.execution.state.children.get(attempt.number)
    if suspend.waits_for == PauseReason.HUMAN and suspend.ask is None and (not beneath or suspend.name != beneath):
        raise InvalidInput(f"{attempt.path} waits for a person and asks nothing: give Suspend(ask=Ask(…)) as well.")
    shown = suspend.ask.preview if suspend.ask is not None else ()
    plain = [{"name": each.name, "kind": each.kind, "value": _stored(attempt, each.value).plain} for each in shown]
    return Outcome(plain or None, suspend=suspend)


def _stored(attempt: Attempt, value: Any) -> Stored:
    execution = attempt.execution
    artifacts = execution.store.artifacts
    try:
        try:
            return values.store(value, artifacts)
        except StoreError as error:
            return patiently(execution, lambda: values.store(value, artifacts), error)
    except StoreError as error:
        raise NotKept(error) from error


def _variable(attempt: Attempt, name: str, value: Any) -> Any:
    if wrong := fault_of(attempt.execution.definition.declared, name, value):
        raise InvalidInput(f"{attempt.path}: {wrong}", name=name)
    stored = _stored(attempt, value)
    if stored.transient:
        raise InvalidInput(
            f"{attempt.path}: the variable {name!r} can't be a {type(value).__name__}: a variable is journaled, and "
            "that has no stored form.",
            name=name,
        )
    return stored.plain


def _held(stored: Stored, ports: dict[str, Stored] | None) -> int:
    every = (stored, *(ports or {}).values())
    return 0 if any(each.transient for each in every) else sum(each.held for each in every)


def _check_ports(attempt: Attempt, output: Output) -> None:
    known = {ERROR} | {port.name for port in attempt.execution.definition.ports[attempt.body.node.id].outputs}
    unknown = [port for port in (*(output.ports or ()), *output.values) if port not in known]
    if unknown:
        there = ", ".join(sorted(known - {ERROR}))
        raise InvalidInput(f"{attempt.path} returned the port {unknown[0]!r}; it has {there}.")


#: What JSON has as a whole number; see `store/values.py`.
_LEAST_INT: Final = -(2**63)
_MOST_INT: Final = 2**64
_SHORT: Final = frozenset({type(None), bool, int, float})
_SCALARS: Final = _SHORT | {str, bytes}
_MOST_ITEMS: Final = 100
_MOST_LETTERS: Final = 10_000


def is_small(value: Any) -> bool:
    """Whether its stored form is made in microseconds, as far as a glance can tell."""
    cls = type(value)
    if cls in _SHORT:
        return True
    if cls is str or cls is bytes:
        return len(value) <= _MOST_LETTERS
    if cls is Output:
        return is_small(value.value) and not value.values
    if cls is Suspend:
        return value.ask is None or not value.ask.preview
    if cls is dict:
        items: Any = value.values()
    elif cls in (list, tuple):
        items = value
    else:
        return False
    return len(value) <= _MOST_ITEMS and all(type(each) in _SCALARS for each in items)
