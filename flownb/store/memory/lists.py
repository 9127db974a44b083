"""Pages of runs and of requests, cut from what is in memory anyway."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flownb.model.status import ApprovalStatus
from flownb.store.memory.care import Care

if TYPE_CHECKING:
    from flownb.store.contract import RunRow
    from flownb.store.lists import RequestFilter, RunFilter
    from flownb.store.requests import ApprovalRow


class Lists(Care):
    """What lists show."""

    def page_of_runs(self, wanted: RunFilter, *, skip: int = 0, limit: int = 50) -> list[RunRow]:
        """Some of the runs, newest first."""
        found = [row for row in self._listed() if wanted.holds(row)]
        found.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return found[skip : skip + limit]

    def count_runs(self, wanted: RunFilter) -> dict[str, int]:
        """How many runs have the text, by status."""
        return dict(Counter(row.status for row in self._listed() if wanted.finds(row)))

    def _listed(self) -> list[RunRow]:
        with self._lock:
            self._open()
            return [kept.shown() for kept in self._runs.values() if kept.row.group is None]

    def page_of_requests(
        self, wanted: RequestFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[list[ApprovalRow], int]:
        """Some of the requests, oldest first, and how many there are in all."""
        found = [row for row in self._asked() if not wanted.pending or row.status == ApprovalStatus.PENDING]
        found = [row for row in found if wanted.finds(row)]
        found.sort(key=lambda row: (row.created_at, row.id), reverse=not wanted.pending)
        return found[skip : skip + limit], len(found)

    def count_requests(self) -> dict[str, int]:
        """How many requests there are, by status."""
        return dict(Counter(row.status for row in self._asked()))

    def find_request(self, run: str, approval: str) -> ApprovalRow | None:
        """One request of a run."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            return None if kept is None else kept.approvals.get(approval)

    def _asked(self) -> list[ApprovalRow]:
        with self._lock:
            self._open()
            return [row for kept in self._runs.values() for row in kept.approvals.values()]
