"""The part of a list that shows what runs ask people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.words import clean
from flownb.store.lists import RequestFilter
from flownb.widgets.questions import question_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

#: Requests on one page.
PAGE: Final = 25
#: Requests that are unfolded at once; the one that was unfolded first is folded again.
MOST_OPEN: Final = 10
_LONGEST: Final = 120
_MOST_QUESTION: Final = 300
_MOST_TEXT: Final = 200


class RequestsPart:
    """A page of the requests of a store: what waits oldest first, else the newest first."""

    name: Final = "requests"

    def __init__(self, store: Store, *, everything: bool = False) -> None:
        """Begin with the first page.

        Args:
            store: whose requests.
            everything: those that have an answer as well.
        """
        self._store = store
        self._pending = not everything
        self._text = ""
        self._skip = 0
        #: The unfolded requests, each with its run.
        self._open: dict[str, str] = {}
        self._known: dict[str, tuple[ApprovalRow, dict[str, Any]]] = {}

    def find(self, wanted: Mapping[str, Any]) -> None:
        """What somebody filters and searches for, and which page they want; what makes no sense is left out."""
        pending, text, skip = wanted.get("pending"), wanted.get("text"), wanted.get("skip")
        if isinstance(pending, bool):
            self._pending = pending
        if isinstance(text, str):
            self._text = text.strip()[:_MOST_TEXT]
        self._skip = max(0, skip) // PAGE * PAGE if isinstance(skip, int) else 0

    def unfold(self, run: str, approval: str, *, on: bool) -> None:
        """Show the whole of a request, or its first line again."""
        self._open.pop(approval, None)
        if on:
            self._open[approval] = run
            for oldest in list(self._open)[:-MOST_OPEN]:
                del self._open[oldest]

    def told(self) -> dict[str, Any]:
        """The page as it is now; `open` has the whole of the unfolded requests by id."""
        wanted = RequestFilter(pending=self._pending, text=self._text)
        rows, total = self._store.page_of_requests(wanted, skip=self._skip, limit=PAGE)
        if not rows and total:  # there are fewer pages now
            self._skip = (total - 1) // PAGE * PAGE
            rows, total = self._store.page_of_requests(wanted, skip=self._skip, limit=PAGE)
        here = {(row.run, row.id): row for row in rows}
        return {
            "pending": self._pending,
            "text": self._text,
            "skip": self._skip,
            "size": PAGE,
            "total": total,
            "counts": self._store.count_requests(),
            "rows": [_line(row) for row in rows],
            "open": self._unfolded(here),
        }

    def _unfolded(self, here: Mapping[tuple[str, str], ApprovalRow]) -> dict[str, dict[str, Any]]:
        """What is unfolded stays in sight when it gets its answer, until somebody folds it."""
        found: dict[str, dict[str, Any]] = {}
        for approval, run in list(self._open.items()):
            row = here.get((run, approval)) or self._store.find_request(run, approval)
            if row is None:  # its run was deleted
                del self._open[approval]
                continue
            known = self._known.get(approval)
            if known is None or known[0] != row:
                kept = {"request": row.request, "status": row.status, "votes": row.votes, "decision": row.decision}
                known = row, question_of(kept, self._store)
            found[approval] = known[1] | _line(row)
            self._known[approval] = known
        self._known = {name: each for name, each in self._known.items() if name in found}
        return found


def _line(row: ApprovalRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "run": row.run,
        "workflow": clean(row.workflow, _LONGEST),
        "node": clean(row.node, _LONGEST),
        "kind": row.kind,
        "status": row.status,
        "line": clean(row.request.question, _MOST_QUESTION),
        "asked": row.created_at,
        "expires": row.expires_at,
    }
