"""Variables: what a run takes over from its workflow when it begins, and what a value must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.ports import misfit
from flownb.services import masking
from flownb.services.secrets import is_reference
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flownb.model.workflow import Variable
    from flownb.run.request import Request
    from flownb.store.artifacts.contract import ArtifactStore

#: Who set a variable of a run that has taken it over from its workflow.
TAKEN_OVER: Final = "workflow"


def taken_over(request: Request, now: float) -> Iterator[ev.Event]:
    """The variables of the workflow, as the run finds them when it begins; an input that it was given comes first.

    They are in the run's own journal from then on, so that a resumption sees what the run saw, whatever others have set
    meanwhile. A flow whose nodes read none asks for none.
    """
    if not request.definition.reads_variables:
        return
    declared = request.definition.declared
    for row in request.store.variables(request.definition.workflow.name):
        name, value = row.event.name, row.event.value
        if name in request.given:
            continue
        if wrong := fault_of(declared, name, value) if is_plain(value) else "":
            message = f"The workflow's own value is left out: {wrong} `flownb variables` shows and sets it."
            yield ev.SystemWarning(at=now, message=message)
            continue
        yield ev.VariableSet(at=now, name=name, value=value, by=TAKEN_OVER)


def is_plain(plain: Any) -> bool:
    """Whether a stored form is the value itself, as far as its type goes."""
    return not isinstance(plain, dict) or not any(name.startswith("$") for name in plain)


def set_by(command: cmd.SetVariable, now: float) -> ev.VariableSet:
    """The event of a command."""
    return ev.VariableSet(at=now, name=command.name, value=command.value, scope=command.scope, by=command.by)


def set_meanwhile(commands: Iterable[cmd.Command], now: float) -> list[ev.VariableSet]:
    """The events of the commands that were left for a run while it rested."""
    return [set_by(each, now) for each in commands if isinstance(each, cmd.SetVariable)]


def storable(declared: Mapping[str, Variable], artifacts: ArtifactStore, name: str, value: Any) -> Any:
    """The stored form of a value that somebody gives to a variable.

    Raises:
        InvalidInput: the name is no text, the value has no stored form, or is not what the variable was declared as.
    """
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"The name of a variable is text, not {name!r:.60}.", name="name")
    if wrong := fault_of(declared, name, value):
        raise InvalidInput(masking.text(wrong), name=name)
    stored = values.store(value, artifacts)
    if stored.transient:
        raise InvalidInput(
            f"The variable {name!r} can't be a {type(value).__name__}: a variable is journaled, and that has no stored "
            "form.",
            name=name,
        )
    return stored.plain


def fault_of(declared: Mapping[str, Variable], name: str, value: Any) -> str:
    """What is wrong with a value of a variable, in a sentence; empty where it is fine, or nothing was declared."""
    variable = declared.get(name)
    if variable is None:
        return ""
    if variable.secret and not is_reference(value):
        return f"{name} is a secret: give its reference, as secret://name, and never its value."
    wrong = misfit(value, variable.type)
    return f"The variable {name!r} is {value!r:.60}; it must be {wrong}." if wrong else ""
