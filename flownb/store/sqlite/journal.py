"""The journal: events go in with their projections, in one transaction for all runs of a loop tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw
import msgspec

from flownb.errors import InternalError, StoreError
from flownb.model import events as ev
from flownb.model.events import Record, event_type
from flownb.store import refusals
from flownb.store.projections import PROJECTED, approval_changes, run_change
from flownb.store.sqlite import meaning
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.model.events import Event
    from flownb.store.contract import Write
    from flownb.store.projections import ApprovalChange, RunChange
    from flownb.store.sqlite.connections import Cursor

_OWNED: Final = "SELECT 1 FROM runs WHERE id = ? AND fence = ? AND owner IS NOT NULL"
_LAST: Final = "SELECT coalesce(max(seq), 0) FROM events WHERE run_id = ?"
_APPEND: Final = "INSERT INTO events (run_id, seq, body) VALUES (?, ?, ?)"
_CHANGE: Final = """
UPDATE runs SET status = ?2, pause_reason = ?3, started_at = coalesce(?4, started_at), finished_at = ?5,
    definition = coalesce(nullif(?6, ''), definition)
WHERE id = ?1
"""
_LET_GO: Final = "UPDATE runs SET owner = NULL WHERE id = ?"

_ASK: Final = """
INSERT INTO approvals (run_id, id, node, kind, status, created_at, expires_at, request)
VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7)
ON CONFLICT (run_id, id) DO UPDATE SET node = ?3, kind = ?4, status = 'pending', created_at = ?5, expires_at = ?6,
    decided_at = NULL, decided_by = NULL, port = NULL, request = ?7, decision = NULL
"""
_VOTE: Final = """
INSERT INTO approval_votes (run_id, approval, place, body)
SELECT run_id, id, (SELECT count(*) FROM approval_votes WHERE run_id = ?1 AND approval = ?2), ?3
FROM approvals WHERE run_id = ?1 AND id = ?2
"""
_ANSWER: Final = """
UPDATE approvals SET status = ?3, decided_at = ?4, decided_by = ?5, port = ?6, decision = ?7
WHERE run_id = ?1 AND id = ?2 AND status = 'pending'
"""
_CANCEL: Final = """
UPDATE approvals SET status = ?2, decided_at = ?3 WHERE run_id = ?1 AND status = 'pending' AND node = ?4
"""
_CANCEL_ALL: Final = "UPDATE approvals SET status = ?2, decided_at = ?3 WHERE run_id = ?1 AND status = 'pending'"

_EVENTS: Final = "SELECT seq, body FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?"


class Journal(Table):
    """Appending and reading events."""

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        """Append the events of one loop tick, all or nothing, with their projections."""
        rows: list[tuple[str, int, bytes]] = []
        notable: list[tuple[str, list[Event]]] = []
        for write in writes:
            self._encode(write, rows, notable)
        try:
            self._write(writes, rows, notable, power=power)
        except StoreError as error:
            if not isinstance(error.__cause__, apsw.ConstraintError):
                raise
            # Somebody else writes under the same lease, so what was remembered of the journal is wrong: look again.
            self._write(writes, rows, notable, power=power)

    def _write(
        self,
        writes: Sequence[Write],
        rows: list[tuple[str, int, bytes]],
        notable: list[tuple[str, list[Event]]],
        *,
        power: bool,
    ) -> None:
        remembered = {write.run: self._last.pop(write.run, None) for write in writes}
        with self._db.writing(power=power) as cursor:
            self._check(cursor, writes, remembered)
            cursor.executemany(_APPEND, rows)
            for run, happened in notable:
                self._project(cursor, run, happened)
            if let_go := [write.run for write in writes if write.release]:
                self._db.look()  # nobody looks after a run that rests: a file that went away is noticed now
                for run in let_go:
                    cursor.execute(_LET_GO, (run,))
        for write in writes:
            if write.events and not write.release:
                self._last[write.run] = write.first + len(write.events) - 1

    def _encode(self, write: Write, rows: list[tuple[str, int, bytes]], notable: list[tuple[str, list[Event]]]) -> None:
        run, number, encode = write.run, write.first, self._codec.encode
        found: list[Event] | None = None
        for event in write.events:
            try:
                rows.append((run, number, encode(event)))
            except (TypeError, ValueError, msgspec.MsgspecError) as error:
                raise InternalError(
                    f"Event {number} of run {run} ({event_type(event)}) holds a value that is no plain data: {error}. "
                    "Nothing was written; please report this.",
                    run=run,
                ) from error
            number += 1
            if type(event) in PROJECTED:
                if found is None:
                    found = []
                    notable.append((run, found))
                found.append(event)

    def _check(self, cursor: Cursor, writes: Sequence[Write], remembered: dict[str, int | None]) -> None:
        """Every run must be owned under the write's fence, and its journal end just before the write."""
        lost: list[str] = []
        gaps: list[tuple[str, int, int]] = []
        for write in writes:
            run, first = write.run, write.first
            if not cursor.execute(_OWNED, (run, write.fence)).fetchall():
                lost.append(run)
            elif write.events and remembered[run] != first - 1:
                last = cursor.execute(_LAST, (run,)).fetchall()[0][0]
                if first <= last:
                    lost.append(run)
                elif first > last + 1:
                    gaps.append((run, last, first))
        if lost:
            raise refusals.fenced(self.url, lost)
        if gaps:
            raise refusals.misnumbered(self.url, *gaps[0])

    def _project(self, cursor: Cursor, run: str, happened: list[Event]) -> None:
        change = run_change(happened)
        if change is not None:
            _change_run(cursor, run, change)
        for each in approval_changes(happened):
            self._change_approval(cursor, run, each)

    def _change_approval(self, cursor: Cursor, run: str, change: ApprovalChange) -> None:
        event, status = change.event, change.status
        match event:
            case ev.ApprovalRequested():
                body = self._codec.encode(event)
                cursor.execute(_ASK, (run, event.approval, event.node, event.kind, event.at, event.expires_at, body))
            case ev.ApprovalVoted():
                cursor.execute(_VOTE, (run, event.approval, self._codec.encode(event)))
            case ev.ApprovalDecided():
                body = self._codec.encode(event)
                cursor.execute(_ANSWER, (run, event.approval, status, event.at, event.by, event.port, body))
            case _ if change.approval:
                cursor.execute(_ANSWER, (run, change.approval, status, event.at, None, None, None))
            case _ if change.node:
                cursor.execute(_CANCEL, (run, status, event.at, change.node))
            case _:
                cursor.execute(_CANCEL_ALL, (run, status, event.at))

    def events(self, run: str, after: int = 0, limit: int | None = None) -> list[Record]:
        """The events of a run with `seq > after`, in order."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_EVENTS, (run, after, -1 if limit is None else limit)).fetchall()
        decode = self._codec.decode
        try:
            return [Record(run, seq, decode(body)) for seq, body in rows]
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"an event of run {run} can't be read: {error}") from error


def _change_run(cursor: Cursor, run: str, change: RunChange) -> None:
    cursor.execute(
        _CHANGE, (run, change.status, change.pause_reason, change.started_at, change.finished_at, change.definition)
    )
