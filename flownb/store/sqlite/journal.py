"""The journal: events go in with their projections, in one transaction for all runs of a loop tick."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import apsw
import msgspec

from flownb.errors import InternalError, StoreError
from flownb.model import events as ev
from flownb.model.events import Record, event_type
from flownb.model.status import VariableScope
from flownb.store import refusals
from flownb.store.projections import PROJECTED, approval_changes, run_change
from flownb.store.sqlite import answering, audit, cached, letters, meaning, notices, variables
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from flownb.model.events import Event
    from flownb.store.contract import Write
    from flownb.store.projections import ApprovalChange, RunChange
    from flownb.store.sqlite.transaction import Cursor

_OWNED: Final = "SELECT 1 FROM runs WHERE id = ? AND fence = ? AND owner IS NOT NULL"
_LAST: Final = "SELECT coalesce(max(seq), 0) FROM events WHERE run_id = ?"
_APPEND: Final = "INSERT INTO events (run_id, seq, body) VALUES (?, ?, ?)"
_CHANGE: Final = """
UPDATE runs SET status = ?2, pause_reason = ?3, started_at = coalesce(?4, started_at), finished_at = ?5,
    definition = coalesce(nullif(?6, ''), definition), program = coalesce(nullif(?7, ''), program)
WHERE id = ?1
"""
_FORKED: Final = "INSERT OR REPLACE INTO forks (run_id, source, seq) VALUES (?, ?, ?)"
_LET_GO: Final = "UPDATE runs SET owner = NULL WHERE id = ?"

_ASK: Final = """
INSERT INTO approvals (run_id, id, node, kind, status, created_at, expires_at, request)
VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7)
ON CONFLICT (run_id, id) DO UPDATE SET node = ?3, kind = ?4, status = 'pending', created_at = ?5, expires_at = ?6,
    decided_at = NULL, decided_by = NULL, port = NULL, request = ?7, decision = NULL
"""
_CANCEL: Final = """
UPDATE approvals SET status = ?2, decided_at = ?3 WHERE run_id = ?1 AND status = 'pending' AND node = ?4 RETURNING id
"""
_CANCEL_ALL: Final = """
UPDATE approvals SET status = ?2, decided_at = ?3 WHERE run_id = ?1 AND status = 'pending' RETURNING id
"""

_JOURNALS: Final = """
SELECT run_id, seq, body FROM events WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, seq
"""
_EVENTS: Final = "SELECT seq, body FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?"


class Journal(Table):
    """Appending and reading events."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: The fences that runs were found under, as long as nobody but `commit` has written since; see `_check_fences`.
        self._sure: dict[str, int] = {}
        self._sure_at: tuple[int, int, int] | None = None

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        """Append the events of one loop tick, all or nothing, with their projections."""
        rows: list[tuple[str, int, bytes]] = []
        notable: list[tuple[Write, list[Event]]] = []
        for write in writes:
            self._encode(write, rows)
            if not PROJECTED.isdisjoint(map(type, write.events)):
                notable.append((write, [event for event in write.events if type(event) in PROJECTED]))
        try:
            self._write(writes, rows, notable, power=power)
        except StoreError as error:
            self._sure.clear()
            if not isinstance(error.__cause__, apsw.ConstraintError):
                raise
            # Somebody else writes under the same lease, so what was remembered of the journal is wrong: look again.
            self._write(writes, rows, notable, power=power)

    def _write(
        self,
        writes: Sequence[Write],
        rows: list[tuple[str, int, bytes]],
        notable: list[tuple[Write, list[Event]]],
        *,
        power: bool,
    ) -> None:
        last = self._last
        remembered = [last.pop(write.run, None) for write in writes]
        with self._db.writing(power=power) as cursor:
            self._check(cursor, writes, remembered)
            cursor.executemany(_APPEND, rows)
            for write, happened in notable:
                self._project(cursor, write.run, happened)
            if let_go := [(write.run,) for write in writes if write.release]:
                self._db.look()  # nobody looks after a run that rests: a file that went away is noticed now
                cursor.executemany(_LET_GO, let_go)
        for write in writes:
            if write.release:
                self._sure.pop(write.run, None)
            elif write.events:
                last[write.run] = write.first + len(write.events) - 1

    def _encode(self, write: Write, rows: list[tuple[str, int, bytes]]) -> None:
        run, encode = write.run, self._codec.encode
        number, event = write.first, None
        try:
            for number, event in enumerate(write.events, number):  # noqa: B020  where it failed is told
                rows.append((run, number, encode(event)))
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            assert event is not None
            raise InternalError(
                f"Event {number} of run {run} ({event_type(event)}) holds a value that is no plain data: {error}. "
                "Nothing was written; please report this.",
                run=run,
            ) from error

    def _check(self, cursor: Cursor, writes: Sequence[Write], remembered: Sequence[int | None]) -> None:
        """Every run must be owned under the write's fence, and its journal end just before the write."""
        lost = self._check_fences(cursor, writes)
        gaps: list[tuple[str, int, int]] = []
        for write, last in zip(writes, remembered, strict=True):
            run, first = write.run, write.first
            if last != first - 1 and write.events and run not in lost:
                there = cursor.execute(_LAST, (run,)).fetchall()[0][0]
                if first <= there:
                    lost.append(run)
                elif first > there + 1:
                    gaps.append((run, there, first))
        if lost:
            raise refusals.fenced(self.url, lost)
        if gaps:
            raise refusals.misnumbered(self.url, *gaps[0])

    def _check_fences(self, cursor: Cursor, writes: Sequence[Write]) -> list[str]:
        """The runs that are not owned under their write's fence.

        A fence that was found right stays so until somebody else writes, whom SQLite's `data_version` shows if it is
        another connection, and the count of transactions if it is this one. So a commit for a thousand runs asks once.
        """
        home = self._db
        now = (cursor.execute("PRAGMA data_version").fetchall()[0][0], home.writers, home.transactions)
        if now != self._sure_at:
            self._sure.clear()
        self._sure_at = (now[0], now[1], now[2] + 1)  # what it is in the next transaction, if that is ours
        sure = self._sure
        lost: list[str] = []
        for write in writes:
            if sure.get(write.run) != write.fence:
                if cursor.execute(_OWNED, (write.run, write.fence)).fetchall():
                    sure[write.run] = write.fence
                else:
                    lost.append(write.run)
        return lost

    def _project(self, cursor: Cursor, run: str, happened: list[Event]) -> None:
        change = run_change(happened)
        if change is not None:
            _change_run(cursor, run, change)
        for each in approval_changes(happened):
            self._change_approval(cursor, run, each)
        letters.keep(cursor, run, happened, self._codec.encode)
        for event in happened:
            match event:
                case ev.ResultCached():
                    cached.keep(cursor, run, event)
                case ev.VariableSet(scope=VariableScope.WORKFLOW):
                    variables.keep(cursor, run, event, self._codec.encode(event))
                case ev.RunForked():
                    cursor.execute(_FORKED, (run, event.source, event.seq))

    def _change_approval(self, cursor: Cursor, run: str, change: ApprovalChange) -> None:
        """Change a request, and tell the audit log what is new to it: answers come here a second time."""
        event, status = change.event, change.status
        encode: Any = self._codec.encode
        match event:
            case ev.ApprovalRequested():
                body = encode(event)
                cursor.execute(_ASK, (run, event.approval, event.node, event.kind, event.at, event.expires_at, body))
                if event.channels:
                    notices.plan(cursor, run, event)
                changed = True
            case ev.ApprovalVoted():
                changed = answering.keep_vote(cursor, self._codec, run, event)
            case ev.ApprovalDecided() | ev.ApprovalExpired():
                changed = answering.keep_answer(cursor, self._codec, run, event, status)
            case _ if change.node:
                changed = notices.close(cursor, run, cursor.execute(_CANCEL, (run, status, event.at, change.node)))
            case _:
                changed = notices.close(cursor, run, cursor.execute(_CANCEL_ALL, (run, status, event.at)))
        if changed:
            audit.append(cursor, self.keys, run, encode(event))

    def events(self, run: str, after: int = 0, limit: int | None = None) -> list[Record]:
        """The events of a run with `seq > after`, in order."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_EVENTS, (run, after, -1 if limit is None else limit)).fetchall()
        return self._decoded([(run, seq, body) for seq, body in rows])

    def journals(self, runs: Collection[str]) -> dict[str, list[Record]]:
        """The events of many runs."""
        if not runs:
            return {}
        with self._db.reading() as cursor:
            rows = cursor.execute(_JOURNALS, (json.dumps(list(runs)),)).fetchall()
        found: dict[str, list[Record]] = {}
        for record in self._decoded(rows):
            found.setdefault(record.run, []).append(record)
        return found

    def _decoded(self, rows: Iterable[tuple[str, int, bytes]]) -> list[Record]:
        decode, run = self._codec.decode, ""
        found = []
        try:
            for run, seq, body in rows:
                found.append(Record(run, seq, decode(body)))
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"an event of run {run} can't be read: {error}") from error
        return found


def _change_run(cursor: Cursor, run: str, change: RunChange) -> None:
    cursor.execute(_CHANGE, (run, *msgspec.structs.astuple(change)))
