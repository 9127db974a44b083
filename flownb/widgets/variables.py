"""The variables of a run as a list: what each is, who set it and when, and what may be done with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import InvalidInput
from flownb.graph.drawing.words import clean
from flownb.model.events import VariableSet
from flownb.widgets.shown import shown

if TYPE_CHECKING:
    from flownb.model.workflow import Variable
    from flownb.run.handles.handle import Run
    from flownb.run.handles.view import RunView

_MOST: Final = 200
_MOST_TEXT: Final = 400
#: Longer values are not put into a field to be changed; they can be set anew.
_MOST_EDITED: Final = 10_000
HIDDEN: Final = "\u2022" * 6


class Variables:
    """Reads from the journal who set what, once, and then on from there."""

    def __init__(self, run: Run) -> None:
        """Nothing is read yet."""
        self._run = run
        self._after = 0
        self._sets: list[tuple[int, VariableSet]] = []
        #: What was asked for while the run rested: it finds it when it goes on.
        self._left: dict[str, int] = {}

    def told(self, moment: RunView | None = None, seq: int | None = None) -> list[dict[str, Any]]:
        """A row a variable, by name.

        Args:
            moment: the run at a moment of its journal; None for now.
            seq: the number of its event.
        """
        self._read()
        state = (moment or self._run).state
        last: dict[str, tuple[int, VariableSet]] = {}
        for number, event in self._sets:
            if seq is None or number <= seq:
                last[event.name] = number, event
        declared = {each.name: each for each in state.topology.workflow.variables}
        names = sorted({*declared, *state.inputs, *state.variables})[:_MOST]
        rows = [self._row(state, name, declared.get(name), last.get(name)) for name in names]
        if moment is None:
            for row in rows:
                if row["name"] in self._left:
                    row["left"] = True
        return rows

    def set(self, name: str, text: str) -> None:
        """Give one the value that somebody typed.

        Raises:
            FlownbError: it is refused; the message says why.
        """
        declared = {each.name: each for each in self._run.state.topology.workflow.variables}
        variable = declared.get(name)
        self._run.set(name, value_of(text, variable))
        if self._run.resting:
            self._read()
            self._left[name] = self._after

    def _read(self) -> None:
        for record in self._run.events(self._after):
            self._after = record.seq
            if isinstance(record.event, VariableSet):
                self._sets.append((record.seq, record.event))
                self._left.pop(record.event.name, None)

    def _row(
        self, state: Any, name: str, variable: Variable | None, last: tuple[int, VariableSet] | None
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"name": clean(name, 120), "type": variable.type if variable is not None else ""}
        secret = variable is not None and variable.secret
        if name in state.variables:
            plain, there = state.variables[name], True
        elif name in state.inputs:
            plain, there = state.inputs[name], True
            row["by"] = "an input of the run"
        else:
            default = variable.default if variable is not None else msgspec.UNSET
            plain, there = default, default is not msgspec.UNSET
            row["by"] = "its default" if there else ""
        if last is not None and name in state.variables:
            row |= {"by": _who(last[1]), "at": last[1].at, "seq": last[0]}
        if variable is not None and variable.description:
            row["help"] = clean(variable.description, _MOST_TEXT)
        if secret:
            return row | {"secret": True, "text": HIDDEN if there else ""}
        if there:
            row["value"] = shown(plain, self._run.store)
            if (text := _editable(plain)) is not None:
                row["text"] = text
        return row


def _who(event: VariableSet) -> str:
    if event.node:
        return clean(event.node, 120)
    return "the workflow, as the run found it" if event.by == "workflow" else clean(event.by, 120) or "a command"


def _editable(plain: Any) -> str | None:
    """A value as text that can be changed and read again; None where it is no plain data, or too long for a field."""
    if isinstance(plain, str):
        return plain if len(plain) <= _MOST_EDITED else None
    try:
        text = json.dumps(plain, ensure_ascii=False)
    except (TypeError, ValueError):
        return None
    return text if len(text) <= _MOST_EDITED and '"$' not in text else None


def value_of(text: str, variable: Variable | None) -> Any:
    """The value that somebody typed: text where the variable is text, else JSON, and text where it is no JSON either.

    Raises:
        InvalidInput: the variable is declared as something that only JSON can be, and it is none.
    """
    if variable is not None and (variable.type == "string" or variable.secret):
        return text
    try:
        return json.loads(text)
    except ValueError:
        if variable is None or variable.type == "any":
            return text
        shown_text = f"{text[:40]!r}{' …' if len(text) > 40 else ''}"  # noqa: PLR2004  what a sentence has room for
        example = _EXAMPLES.get(variable.type, '[1, 2] or {"a": 1}')
        message = f"The variable {variable.name!r} is {shown_text}; it must be {variable.type}, written as {example}."
        raise InvalidInput(message, name=variable.name) from None


_EXAMPLES: Final = {"number": "12.5", "boolean": "true or false", "object": '{"a": 1}', "array": "[1, 2]"}
