"""The variables of a workflow, for those who look at them and set them from outside of its runs."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from flownb.errors import near_names
from flownb.model import events as ev
from flownb.model.status import VariableScope
from flownb.run.engine import engine
from flownb.run.variables import storable
from flownb.services import masking
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.model.workflow import Variable
    from flownb.store.contract import Store, VariableRow


class WorkflowVariables(MutableMapping[str, Any]):
    """By name; what is set is seen by the runs that start later."""

    def __init__(self, store: Store, workflow: str, declared: Iterable[Variable] = (), by: str = "you") -> None:
        self._store = store
        self._workflow = workflow
        self._declared = {each.name: each for each in declared}
        self._by = by

    def rows(self) -> list[VariableRow]:
        """All that is known of each, by name."""
        return self._store.variables(self._workflow)

    def __getitem__(self, name: str) -> Any:
        rows = {row.event.name: row for row in self.rows()}
        if name not in rows:
            raise KeyError(f"{self._workflow} has no variable {name!r}.{near_names(name, rows)}")
        return values.load(rows[name].event.value, self._store.artifacts)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set one.

        Raises:
            InvalidInput: the name is no text, or the value has no stored form or is not of the declared type.
        """
        plain = storable(self._declared, self._store.artifacts, name, value)
        event = ev.VariableSet(at=engine().now(), name=name, value=plain, scope=VariableScope.WORKFLOW, by=self._by)
        self._store.set_variable(self._workflow, masking.known.struct(event) if masking.known is not None else event)

    def __delitem__(self, name: str) -> None:
        if not self._store.unset_variable(self._workflow, name):
            known = [row.event.name for row in self.rows()]
            raise KeyError(f"{self._workflow} has no variable {name!r}.{near_names(name, known)}")

    def __iter__(self) -> Iterator[str]:
        return iter([row.event.name for row in self.rows()])

    def __len__(self) -> int:
        return len(self.rows())

    def __repr__(self) -> str:
        shown = ", ".join(f"{row.event.name}={values.preview(row.event.value, 40)}" for row in self.rows())
        return f"variables of {self._workflow}: {shown or 'none'}"
