"""Secrets in runs: references become values just before a body gets them, and values never become records."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import msgspec

from flownb.errors import InvalidInput, InvalidWorkflow, NodeFailed
from flownb.model import events as ev
from flownb.run.hooks import hook
from flownb.run.output.capture import OUTPUT
from flownb.services import masking, secrets
from flownb.services.secrets import SERVICE, as_bytes, as_text, is_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.graph.nodetype import Output
    from flownb.model.state import RunState
    from flownb.model.workflow import Workflow
    from flownb.run.attempt import Attempt

#: What starts a run by the hand of somebody who could write the program as well, and may say `secret://…` in any input.
#: What comes from outside, as the body of a webhook, is data: there an input must be declared secret for that.
_TRUSTED: Final = frozenset({"manual", "papermill", "flow", "schedule"})


@overload
def secret(name: str, *, binary: Literal[False] = False) -> str: ...
@overload
def secret(name: str, *, binary: Literal[True]) -> bytes: ...
@overload
def secret(name: str, *, binary: bool) -> str | bytes: ...


def secret(name: str, *, binary: bool = False) -> str | bytes:
    """The value of a secret, looked up now: in a node, in a cell, or in a script.

    From then on it is masked, as `***`, in all that this process records or shows: outputs, errors, logs, the journal,
    notebooks, reports. What you write to a file of your own, or send to somebody, is yours.

    It comes from the environment (`FLOWNB_SECRET_<NAME>`, or a variable of just that name), from the file or directory
    that `FLOWNB_SECRETS` names, from `.flownb/secrets.toml` or `.flownb/secrets/`, from `/run/secrets/`, or from the
    keyring; in a node of a run with `services={"secrets": …}`, from that alone.

    Args:
        name: as `crm_token`, or the reference `secret://crm_token`.
        binary: give its bytes, as they are.

    Raises:
        NotFound: there is none of that name; the message lists near names and says where it was looked for.
        UsageError: it is empty, or no text where text is asked for, or a file that others can read.
    """
    buffer = OUTPUT.get()
    value = resolve(name, buffer.services if buffer is not None else None)
    return as_bytes(value) if binary else as_text(name, value)


def text_of(name: str, services: Mapping[str, Any] | None) -> str:
    """The value of a secret as text, for a node of a run with these services."""
    return as_text(name, resolve(name, services))


def resolve(name: str, services: Mapping[str, Any] | None) -> str | bytes:
    """The value of a secret as it is, for a node of a run with these services."""
    if _engine is not None:
        value = _engine(name)
        masking.learn(secrets.name_of(name), value)
        return value
    value = secrets.resolve(name, services[SERVICE] if services is not None and SERVICE in services else None)
    if "ipykernel" in sys.modules and (mask_kernel := hook("mask")) is not None:
        mask_kernel()
    return value


#: In a process of a node: asks the engine, which knows a secret before anything that this process writes arrives.
_engine: Callable[[str], str | bytes] | None = None


def work_for(ask: Callable[[str], str | bytes], known: Mapping[str, bytes]) -> None:
    """This process works for an engine in another one: it is asked for secrets.

    Args:
        ask: gives the value of a secret, by its name or reference.
        known: those that are among the arguments.
    """
    global _engine  # noqa: PLW0603  one engine a process, and nodes have no other place to find it
    _engine = ask
    for name, value in known.items():
        masking.learn(name, value)


# --- references ------------------------------------------------------------------------------------------------------


def references_of(workflow: Workflow, state: RunState) -> frozenset[str]:
    """The inputs of a run whose value is a reference; nearly always none."""
    if not state.inputs:
        return frozenset()
    named = {name for name, plain in state.inputs.items() if is_reference(plain)}
    if named and state.trigger not in _TRUSTED:
        variables = {variable.name: variable for variable in workflow.variables if variable.name in named}
        named = {name for name, each in variables.items() if each.secret or each.default == state.inputs[name]}
    return frozenset(named)


def filled(attempt: Attempt, inputs: dict[str, Any], known: dict[str, bytes] | None = None) -> dict[str, Any]:
    """The arguments of a function with values in the place of references that are inputs of the run.

    Args:
        attempt: whose they are.
        inputs: by parameter.
        known: takes the values by the names of the secrets, for a process that must know them.
    """
    execution = attempt.execution
    values: dict[str, str] = {}
    for name in attempt.body.from_inputs:
        if name in execution.references and is_reference(inputs.get(name)):
            values[name] = text_of(inputs[name], execution.services)
            if known is not None:
                known[secrets.name_of(inputs[name])] = as_bytes(values[name])
    return inputs | values


# --- values that must not get in -------------------------------------------------------------------------------------


def refuse_values(inputs: Mapping[str, Any]) -> None:
    """Inputs are recorded, so none may be the value of a secret.

    Raises:
        InvalidInput: one is, or holds one.
    """
    masker = masking.known
    if masker is None:
        return
    from flownb.services.cleaning import clean

    for name, value in inputs.items():
        if clean(value, masker) is not value:
            raise InvalidInput(
                f"The input {name!r} holds the value of a secret, and inputs are recorded. Give its reference instead, "
                f"as {name}='secret://…', or call flownb.secret(…) in the node.",
                name=name,
            )


def refuse_in_definition(name: str, document: str) -> None:
    """A definition is recorded and shown, so it may hold references only.

    Raises:
        InvalidWorkflow: the value of a secret is in it.
    """
    masker = masking.known
    if masker is None or not masker.holds(document.encode("utf-8", "surrogatepass")):
        return
    named = masker.names(document.encode("utf-8", "surrogatepass"))
    references = " or ".join(f"'secret://{each}'" for each in named) or "'secret://…'"
    raise InvalidWorkflow(
        f"{name} holds the value of the secret {', '.join(named)} in its definition, which is recorded. "
        f"Write the reference {references} there instead; the node gets the value.".replace("  ", " "),
        problems=[],
    )


# --- values that must not get out ------------------------------------------------------------------------------------


def masked_output(attempt: Attempt, output: Output) -> Output:
    """What a node returned, without secrets: what is stored and what the next node gets must be the same."""
    masker = masking.known
    if masker is None:
        return output
    from flownb.services.cleaning import clean

    value = clean(output.value, masker)
    ports = {port: clean(each, masker) for port, each in output.values.items()}
    if value is output.value and all(ports[port] is each for port, each in output.values.items()):
        return output
    _warn(attempt, "returned")
    return msgspec.structs.replace(output, value=value, values=ports)


def masked_step(attempt: Attempt, name: str, value: Any) -> Any:
    """What a step gave, without secrets."""
    masker = masking.known
    if masker is None:
        return value
    from flownb.services.cleaning import clean

    made = clean(value, masker)
    if made is not value:
        _warn(attempt, f"gave in its step {name!r}")
    return made


def _warn(attempt: Attempt, what: str) -> None:
    execution = attempt.execution
    message = (
        f"{attempt.path} {what} the value of a secret: {masking.MASK} stands in its place, in the record and for the "
        "nodes after it. A node that needs the secret asks for it itself, by flownb.secret(…)."
    )
    event = ev.SystemWarning(at=execution.engine.now(), message=message, node=attempt.path)
    execution.engine.call(_say, attempt, event)


def _say(attempt: Attempt, event: ev.Event) -> None:
    if not attempt.execution.over:
        attempt.execution.record(event)


def masked_cause(error: BaseException, failure: ev.Failure, node: str) -> BaseException:
    """The exception of a node as the caller may see it: itself, unless a secret shows in its text or its traceback."""
    masker = masking.known
    if masker is None:
        return error
    import traceback

    try:
        whole = "".join(traceback.format_exception(error)) + repr(error)
    except Exception:  # noqa: BLE001  its own methods may raise anything; then nobody can look at it either
        whole = ""
    if whole and masker.text(whole) is whole:
        return error
    return NodeFailed(f"{failure.type}: {failure.message}\n{failure.traceback}".rstrip(), node=node)
