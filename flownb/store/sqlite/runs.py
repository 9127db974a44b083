"""The rows of runs and of requests to people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.store import refusals
from flownb.store.contract import Lease, RunRow
from flownb.store.requests import ApprovalRow
from flownb.store.sqlite import notices
from flownb.store.sqlite.announced import CREATE, Announced
from flownb.store.sqlite.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from flownb.errors import NotFound
    from flownb.store.contract import NewRun, Owner
    from flownb.store.sqlite.transaction import Cursor

#: The fields of a `RunRow`, each the column of its name but the last event's number.
_FIELDS: Final = RunRow.__struct_fields__
COLUMNS: Final = ", ".join(
    "coalesce((SELECT max(seq) FROM events WHERE run_id = runs.id), 0)" if name == "seq" else f'"{name}"'
    for name in _FIELDS
)
_BY_ID: Final = f"SELECT {COLUMNS} FROM runs WHERE id = ?"  # noqa: S608  our own names
_BY_KEY: Final = f"SELECT {COLUMNS} FROM runs WHERE key = ?"  # noqa: S608  our own names
_BENEATH: Final = """
WITH RECURSIVE beneath (id) AS (
    SELECT id FROM runs WHERE id = ?
    UNION SELECT runs.id FROM runs JOIN beneath ON runs."group" = beneath.id
)
SELECT id FROM beneath
"""
#: Where a run leaves traces, with the column that names it.
_TRACES: Final = (
    ("events", "run_id"),
    ("commands", "run_id"),
    ("approvals", "run_id"),
    ("approval_votes", "run_id"),
    ("cached_results", "run_id"),
    ("audit", "run_id"),
    ("forks", "run_id"),
    ("dead_letters", "run_id"),
    ("error_calls", "run_id"),
    ("status_calls", "run_id"),
    ("notices", "run_id"),
)
_APPROVALS: Final = """
SELECT approvals.id, run_id, workflow, node, approvals.kind, approvals.status, approvals.created_at, expires_at,
    decided_at, decided_by, port, approvals.request, decision, EXISTS (SELECT 1 FROM approval_votes)
FROM approvals JOIN runs ON runs.id = run_id
WHERE {conditions}
ORDER BY approvals.created_at, approvals.id
"""
_VOTES: Final = "SELECT body FROM approval_votes WHERE run_id = ? AND approval = ? ORDER BY place"
_FORKS: Final = "SELECT run_id, seq FROM forks WHERE source = ? ORDER BY run_id"
_PAGE: Final = 500
#: How many ids a message about an unknown one looks through.
_NEAR: Final = 200


class Runs(Leases):
    """Making, listing and deleting runs."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._announced = self._db.announced = Announced(self._stamp)

    def create_run(self, new: NewRun, owner: Owner | None) -> tuple[RunRow, Lease | None]:
        """Record a run, owned by `owner` from the start; or find the one that has its key."""
        if new.key is not None and not new.key.strip():
            raise refusals.blank_key()
        with self._db.writing() as cursor:
            if new.key is not None and (older := _one(cursor, _BY_KEY, new.key)) is not None:
                return older, None
            if _one(cursor, _BY_ID, new.id) is not None:
                raise refusals.id_in_use(self.url, new.id)
            if owner is not None:
                self._stamp(cursor, owner)
            cursor.execute(CREATE, _created(new, owner))
        row = RunRow(
            **msgspec.structs.asdict(new),
            status="pending",
            pause_reason=None,
            started_at=None,
            finished_at=None,
            seq=0,
            owner=owner.id if owner else None,
            fence=1 if owner else 0,
        )
        return row, Lease(new.id, owner.id, 1) if owner else None

    def announce_run(self, new: NewRun, owner: Owner) -> Lease:
        """Record a run that has no key with the next transaction of this process, or before anything is read."""
        assert new.key is None, "a run with a key may be another one: create it"
        if self._db.closed:
            raise refusals.closed(self.url)
        self._announced.add(_created(new, owner), owner)
        self._last[new.id] = 0
        return Lease(new.id, owner.id, 1)

    def row(self, run: str) -> RunRow | None:
        """The run's row."""
        with self._db.reading() as cursor:
            return _one(cursor, _BY_ID, run)

    def find_key(self, key: str) -> RunRow | None:
        """The run that was started with a key."""
        with self._db.reading() as cursor:
            return _one(cursor, _BY_KEY, key)

    def rows(
        self,
        *,
        status: Iterable[str] = (),
        group: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RunRow]:
        """Runs, newest first; read page by page, so that the first are there at once."""
        wanted = [str(each) for each in status]
        conditions = ['"group" IS ?']
        values: list[Any] = [group]
        if wanted:
            conditions.append(f"status IN ({', '.join('?' * len(wanted))})")
            values += wanted
        if workflow is not None:
            conditions.append("workflow = ?")
            values.append(workflow)
        return self._pages(" AND ".join(conditions), values, limit)

    def _pages(self, conditions: str, values: list[Any], limit: int | None) -> Iterator[RunRow]:
        last: RunRow | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            after = "" if last is None else " AND (created_at, id) < (?, ?)"
            place = [] if last is None else [last.created_at, last.id]
            query = f"SELECT {COLUMNS} FROM runs WHERE {conditions}{after} ORDER BY created_at DESC, id DESC LIMIT ?"  # noqa: S608  values are bound
            with self._db.reading() as cursor:
                page = [row_of(each) for each in cursor.execute(query, (*values, *place, size)).fetchall()]
            yield from page
            if len(page) < size:
                return
            last = page[-1]
            left = None if left is None else left - size

    def approvals(
        self, *, run: str | None = None, runs: Collection[str] | None = None, pending: bool = True
    ) -> list[ApprovalRow]:
        """Requests to people, oldest first: those without an answer, or all of them."""
        conditions, values = [], []
        if run is not None:
            conditions.append("run_id = ?")
            values.append(run)
        if runs is not None:
            conditions.append("run_id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(runs)))
        if pending:
            conditions.append("approvals.status = 'pending'")
        with self._db.reading() as cursor:
            return self._requests(cursor, " AND ".join(conditions) or "true", tuple(values))

    def due_approvals(self, now: float) -> list[ApprovalRow]:
        """Requests that nobody has answered and whose time is over."""
        with self._db.reading() as cursor:
            return self._requests(cursor, "approvals.status = 'pending' AND expires_at <= ?", (now,))

    def _requests(self, cursor: Cursor, conditions: str, values: tuple[Any, ...]) -> list[ApprovalRow]:
        found = cursor.execute(_APPROVALS.format(conditions=conditions), values).fetchall()
        if not found or not found[0][-1]:  # nobody has voted, in no run
            rows = [self._approval(each, []) for each in found]
        else:
            rows = [self._approval(each, cursor.execute(_VOTES, (each[1], each[0])).fetchall()) for each in found]
        return [notices.with_notices(cursor, self._codec, row) if row.request.channels else row for row in rows]

    def _approval(self, columns: tuple[Any, ...], votes: list[tuple[bytes]]) -> ApprovalRow:
        decode: Any = self._codec.decode
        name, run, workflow, node, kind, status, created_at, expires_at, decided_at, by, port, request, decision, _ = (
            columns
        )
        return ApprovalRow(
            id=name,
            run=run,
            workflow=workflow,
            node=node,
            kind=kind,
            status=status,
            created_at=created_at,
            expires_at=expires_at,
            decided_at=decided_at,
            decided_by=by,
            port=port,
            request=decode(request),
            decision=None if decision is None else decode(decision),
            votes=tuple([decode(body) for (body,) in votes]) if votes else (),
        )

    def forks(self, run: str) -> dict[str, int]:
        """The runs that were forked from a run, with the event up to which each shares its history."""
        with self._db.reading() as cursor:
            return dict(cursor.execute(_FORKS, (run,)).fetchall())

    def delete_run(self, run: str) -> None:
        """Forget a run and everything beneath it; artifacts are left to `gc`."""
        with self._db.writing() as cursor:  # from here on nobody can claim one of them
            doomed = beneath(cursor, run)
            if not doomed:
                raise self._unknown(run)
            for each in doomed:
                holder = self.owner_of(each)
                if holder is not None and holder[1]:
                    raise refusals.owned(self.url, each, f"process {holder[0].pid} on {holder[0].host}")
            delete_traces(cursor, doomed)

    def _unknown(self, run: str) -> NotFound:
        with self._db.reading() as cursor:
            query = "SELECT id FROM runs ORDER BY id DESC LIMIT ?"
            known = [each for (each,) in cursor.execute(query, (_NEAR,)).fetchall()]
        return refusals.no_such_run(self.url, run, known)


def delete_traces(cursor: Cursor, runs: list[str]) -> None:
    """Delete runs with all that is kept of them."""
    doomed = [(run,) for run in runs]
    for table, column in _TRACES:
        cursor.executemany(f"DELETE FROM {table} WHERE {column} = ?", doomed)  # noqa: S608  our own names
    cursor.executemany("DELETE FROM runs WHERE id = ?", doomed)


def beneath(cursor: Cursor, run: str) -> list[str]:
    """A run and every run beneath it."""
    return [each for (each,) in cursor.execute(_BENEATH, (run,)).fetchall()]


def _created(new: NewRun, owner: Owner | None) -> tuple[Any, ...]:
    return (
        new.id,
        new.workflow,
        new.kind,
        new.key,
        new.request,
        new.mode,
        new.trigger,
        new.parent,
        new.group,
        new.definition,
        new.program,
        new.created_at,
        owner.id if owner else None,
        1 if owner else 0,
    )


def _one(cursor: Cursor, query: str, value: str) -> RunRow | None:
    found = cursor.execute(query, (value,)).fetchall()
    return row_of(found[0]) if found else None


def row_of(columns: tuple[Any, ...]) -> RunRow:
    """A run as `COLUMNS` read it."""
    return RunRow(**dict(zip(_FIELDS, columns, strict=True)))
