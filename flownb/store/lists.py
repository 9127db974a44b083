"""Pages of runs and of requests: whoever shows a list reads what is in sight, and never the whole store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from flownb.store.contract import RunRow
    from flownb.store.requests import ApprovalRow


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list shows; those beneath a notebook's run are listed with it alone."""

    #: In one of these; empty for all.
    status: tuple[str, ...] = ()
    #: With this in their id, workflow, key or reason to pause; letters of ASCII in either case.
    text: str = ""

    def holds(self, row: RunRow) -> bool:
        """Whether a run is among them."""
        return (not self.status or row.status in self.status) and self.finds(row)

    def finds(self, row: RunRow) -> bool:
        """Whether a run has the text."""
        wanted = _folded(self.text)
        return not wanted or any(
            wanted in _folded(each or "") for each in (row.id, row.workflow, row.key, row.pause_reason)
        )


class RequestFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests to people a list shows."""

    #: Only those without an answer.
    pending: bool = True
    #: With this in their question, node, workflow, kind, run or id, whatever the case.
    text: str = ""

    def finds(self, row: ApprovalRow) -> bool:
        """Whether a request has the text."""
        wanted = self.text.casefold()
        fields = (row.request.question, row.node, row.workflow, row.kind, row.run, row.id)
        return not wanted or any(wanted in each.casefold() for each in fields)


class Lists(Protocol):
    """The half of the contract that lists are made of."""

    def page_of_runs(self, wanted: RunFilter, *, skip: int = 0, limit: int = 50) -> list[RunRow]:
        """Some of the runs, newest first: `limit` of them after the first `skip`."""
        ...

    def count_runs(self, wanted: RunFilter) -> dict[str, int]:
        """How many runs have the text, by status, whichever statuses are wanted."""
        ...

    def page_of_requests(
        self, wanted: RequestFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[list[ApprovalRow], int]:
        """Some of the requests, oldest first, and how many there are in all; the newest first where all are wanted."""
        ...

    def count_requests(self) -> dict[str, int]:
        """How many requests there are, by status."""
        ...

    def find_request(self, run: str, approval: str) -> ApprovalRow | None:
        """One request of a run."""
        ...


def _folded(text: str) -> str:
    """ASCII letters in lower case, as SQLite compares."""
    return "".join(each.lower() if each.isascii() else each for each in text)
