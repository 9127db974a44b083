"""The part of a list that shows runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.words import clean
from flownb.model.status import RunStatus
from flownb.store.lists import RunFilter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flownb.store.contract import RunRow, Store

#: Runs on one page.
PAGE: Final = 25
_LONGEST: Final = 120
_MOST_TEXT: Final = 200
_AT_WORK: Final = (RunStatus.RUNNING, RunStatus.PENDING)


class RunsPart:
    """A page of the runs of a store, newest first."""

    name: Final = "runs"

    def __init__(self, store: Store, status: Sequence[str] = ()) -> None:
        """Begin with the first page.

        Args:
            store: whose runs.
            status: only those in one of these.
        """
        self._store = store
        self._status = tuple(status)
        self._text = ""
        self._skip = 0

    def find(self, wanted: Mapping[str, Any]) -> None:
        """What somebody filters and searches for, and which page they want; what makes no sense is left out."""
        status, text, skip = wanted.get("status"), wanted.get("text"), wanted.get("skip")
        if isinstance(status, list):
            self._status = tuple(str(RunStatus(each)) for each in status if each in set(RunStatus))
        if isinstance(text, str):
            self._text = text.strip()[:_MOST_TEXT]
        self._skip = max(0, skip) // PAGE * PAGE if isinstance(skip, int) else 0

    def told(self) -> dict[str, Any]:
        """The page as it is now, with how many there are of each status."""
        wanted = RunFilter(status=self._status, text=self._text)
        counts = self._store.count_runs(wanted)
        total = sum(counts.get(each, 0) for each in self._status) if self._status else sum(counts.values())
        self._skip = min(self._skip, max(0, total - 1) // PAGE * PAGE)  # the last page, where there are fewer now
        rows = self._store.page_of_runs(wanted, skip=self._skip, limit=PAGE)
        return {
            "status": list(self._status),
            "text": self._text,
            "skip": self._skip,
            "size": PAGE,
            "total": total,
            "counts": counts,
            "rows": [self._row(row) for row in rows],
        }

    def _row(self, row: RunRow) -> dict[str, Any]:
        ended = RunStatus(row.status).ended
        return {
            "id": row.id,
            "workflow": clean(row.workflow, _LONGEST),
            "kind": row.kind,
            "status": row.status,
            "reason": row.pause_reason or "",
            "key": clean(row.key or "", _LONGEST),
            "trigger": clean(row.trigger, _LONGEST),
            "created": row.created_at,
            "started": row.started_at,
            "finished": row.finished_at if ended else None,
            "lost": row.status in _AT_WORK and not self._is_alive(row.id),
        }

    def _is_alive(self, run: str) -> bool:
        owner = self._store.owner_of(run)
        return owner is not None and owner[1]
