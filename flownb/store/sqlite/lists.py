"""Pages of runs and of requests, read from their indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.store.sqlite.runs import COLUMNS, Runs, row_of

if TYPE_CHECKING:
    from flownb.store.contract import RunRow
    from flownb.store.lists import RequestFilter, RunFilter
    from flownb.store.requests import ApprovalRow

#: Columns of `runs` that are searched.
_SEARCHED: Final = ("id", "workflow", "key", "pause_reason")
_PAGE_OLDEST: Final = """(run_id, approvals.id) IN (
    SELECT run_id, id FROM approvals WHERE status = 'pending' ORDER BY created_at, id LIMIT ? OFFSET ?
)"""
_PAGE_NEWEST: Final = """(run_id, approvals.id) IN (
    SELECT run_id, id FROM approvals ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
)"""


class Lists(Runs):
    """What lists show."""

    def page_of_runs(self, wanted: RunFilter, *, skip: int = 0, limit: int = 50) -> list[RunRow]:
        """Some of the runs, newest first."""
        conditions, values = _having(wanted.text)
        if wanted.status:
            conditions += f" AND status IN ({', '.join('?' * len(wanted.status))})"
            values += wanted.status
        order = "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        query = f"SELECT {COLUMNS} FROM runs WHERE {conditions} {order}"  # noqa: S608  values are bound
        with self._db.reading() as cursor:
            return [row_of(each) for each in cursor.execute(query, (*values, limit, skip)).fetchall()]

    def count_runs(self, wanted: RunFilter) -> dict[str, int]:
        """How many runs have the text, by status."""
        conditions, values = _having(wanted.text)
        query = f"SELECT status, count(*) FROM runs WHERE {conditions} GROUP BY status"  # noqa: S608  values are bound
        with self._db.reading() as cursor:
            return dict(cursor.execute(query, (*values,)).fetchall())

    def page_of_requests(
        self, wanted: RequestFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[list[ApprovalRow], int]:
        """Some of the requests, oldest first, and how many there are in all."""
        conditions = "approvals.status = 'pending'" if wanted.pending else "true"
        with self._db.reading() as cursor:
            if wanted.text:  # a question may lie there encrypted: each is looked at
                found = [row for row in self._requests(cursor, conditions, ()) if wanted.finds(row)]
                found = found if wanted.pending else found[::-1]
                return found[skip : skip + limit], len(found)
            query = f"SELECT count(*) FROM approvals WHERE {conditions}"  # noqa: S608  our own words
            count = int(cursor.execute(query).fetchall()[0][0])
            page = self._requests(cursor, _PAGE_OLDEST if wanted.pending else _PAGE_NEWEST, (limit, skip))
        return page if wanted.pending else page[::-1], count

    def count_requests(self) -> dict[str, int]:
        """How many requests there are, by status."""
        with self._db.reading() as cursor:
            return dict(cursor.execute("SELECT status, count(*) FROM approvals GROUP BY status").fetchall())

    def find_request(self, run: str, approval: str) -> ApprovalRow | None:
        """One request of a run."""
        with self._db.reading() as cursor:
            found = self._requests(cursor, "run_id = ? AND approvals.id = ?", (run, approval))
        return found[0] if found else None


def _having(text: str) -> tuple[str, list[Any]]:
    """The condition on runs that have a text."""
    if not text:
        return '"group" IS NULL', []
    escaped = "".join(f"\\{each}" if each in "\\%_" else each for each in text)
    either = " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in _SEARCHED)
    return f'"group" IS NULL AND ({either})', [f"%{escaped}%"] * len(_SEARCHED)
