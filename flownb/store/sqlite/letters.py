"""Dead letters, error calls and status calls, written with the events that they are read off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model import events as ev
from flownb.store.letters import STATUS_OF, DeadLetter, ErrorCall, StatusCall, changes_told, letter_changes
from flownb.store.sqlite import meaning
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.model.events import Event
    from flownb.store.sqlite.transaction import Cursor

_KEEP: Final = "INSERT OR REPLACE INTO dead_letters (run_id, node, at, body) VALUES (?, ?, ?, ?)"
_DROP: Final = "DELETE FROM dead_letters WHERE run_id = ? AND node = ?"
_LETTERS: Final = """
SELECT run_id, workflow, body FROM dead_letters JOIN runs ON runs.id = run_id
WHERE ?1 IS NULL OR run_id = ?1 ORDER BY at, run_id, node
"""
_CALL: Final = "INSERT OR REPLACE INTO error_calls (run_id, at, body) VALUES (?, ?, ?)"
_CALLS: Final = "SELECT run_id, workflow, body FROM error_calls JOIN runs ON runs.id = run_id ORDER BY at, run_id"
_ANSWERED: Final = "DELETE FROM error_calls WHERE run_id = ? AND at = ? RETURNING run_id"
_TELL: Final = "INSERT OR REPLACE INTO status_calls (run_id, at, status, body) VALUES (?, ?, ?, ?)"
_TOLD: Final = """
SELECT run_id, workflow, body FROM status_calls JOIN runs ON runs.id = run_id
ORDER BY at, run_id, status_calls.status
"""
_HEARD: Final = "DELETE FROM status_calls WHERE run_id = ? AND at = ? AND status = ? RETURNING run_id"


def keep(cursor: Cursor, run: str, happened: Iterable[Event], encode: Callable[[Event], bytes]) -> None:
    """Write what events say of letters and calls; in the transaction that writes the events."""
    for node, failed in letter_changes(happened):
        if failed is None:
            cursor.execute(_DROP, (run, node))
        else:
            cursor.execute(_KEEP, (run, node, failed.at, encode(failed)))
    for event in happened:
        if isinstance(event, ev.RunFailedEvent) and event.calls:
            cursor.execute(_CALL, (run, event.at, encode(event)))
    for change in changes_told(happened):
        cursor.execute(_TELL, (run, change.at, STATUS_OF[type(change)], encode(change)))


class Letters(Table):
    """Looking at them."""

    def dead_letters(self, run: str | None = None) -> list[DeadLetter]:
        """Nodes that failed and that nobody has taken care of, oldest first: of a run, or of all."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_LETTERS, (run,)).fetchall()
        return [DeadLetter(run=of, workflow=workflow, event=self._event(of, body)) for of, workflow, body in rows]

    def error_calls(self) -> list[ErrorCall]:
        """Workflows that are to be started because a run failed, oldest first."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_CALLS).fetchall()
        return [ErrorCall(run=of, workflow=workflow, event=self._event(of, body)) for of, workflow, body in rows]

    def status_calls(self) -> list[StatusCall]:
        """Workflows that are to be started because a run has a status now, oldest first."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_TOLD).fetchall()
        return [StatusCall(run=of, workflow=workflow, event=self._event(of, body)) for of, workflow, body in rows]

    def answer_call(self, call: ErrorCall | StatusCall) -> bool:
        """A workflow was started; False where somebody has said so before."""
        with self._db.writing() as cursor:
            if isinstance(call, StatusCall):
                return bool(cursor.execute(_HEARD, (call.run, call.event.at, call.status)).fetchall())
            return bool(cursor.execute(_ANSWERED, (call.run, call.event.at)).fetchall())

    def _event(self, run: str, body: bytes) -> Any:
        try:
            return self._codec.decode(body)
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"a failure of run {run} can't be read: {error}") from error
