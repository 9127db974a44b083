"""Variables of workflows: the newest value of each, written with the event of the run that set it, or from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.events import VariableSet
from flownb.store.contract import VariableRow
from flownb.store.sqlite import meaning
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from flownb.store.sqlite.transaction import Cursor

_SET_BY_RUN: Final = """
INSERT OR REPLACE INTO workflow_variables (workflow, name, run_id, body) SELECT workflow, ?2, id, ?3 FROM runs
WHERE id = ?1
"""
_SET: Final = "INSERT OR REPLACE INTO workflow_variables (workflow, name, run_id, body) VALUES (?, ?, NULL, ?)"
_UNSET: Final = "DELETE FROM workflow_variables WHERE workflow = ? AND name = ? RETURNING name"
_ALL: Final = """
SELECT workflow, run_id, body FROM workflow_variables WHERE ?1 IS NULL OR workflow = ?1 ORDER BY workflow, name
"""


def keep(cursor: Cursor, run: str, event: VariableSet, body: bytes) -> None:
    """Keep what a run has set for its workflow; in the transaction that writes the event."""
    cursor.execute(_SET_BY_RUN, (run, event.name, body))


class Variables(Table):
    """Looking at them, and setting them from outside of any run."""

    def variables(self, workflow: str | None = None) -> list[VariableRow]:
        """The variables of a workflow, or of all, by workflow and name."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_ALL, (workflow,)).fetchall()
        return [VariableRow(workflow=name, run=run, event=self._read(name, body)) for name, run, body in rows]

    def _read(self, workflow: str, body: bytes) -> VariableSet:
        try:
            event = self._codec.decode(body)
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"a variable of {workflow} can't be read: {error}") from error
        assert isinstance(event, VariableSet)
        return event

    def set_variable(self, workflow: str, event: VariableSet) -> None:
        """Give a workflow's variable a value from outside of any run."""
        with self._db.writing() as cursor:
            cursor.execute(_SET, (workflow, event.name, self._codec.encode(event)))

    def unset_variable(self, workflow: str, name: str) -> bool:
        """Forget a workflow's variable; False where there was none of that name."""
        with self._db.writing() as cursor:
            return bool(cursor.execute(_UNSET, (workflow, name)).fetchall())
