"""One run as it is kept: its journal, and beside it what lists and counts need to know of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flownb.model import events as ev
from flownb.model.status import ApprovalStatus
from flownb.store.projections import (
    PROJECTED,
    answered_request,
    approval_changes,
    changed_row,
    new_request,
    run_change,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.model.events import Event
    from flownb.store.contract import ApprovalRow, RunRow
    from flownb.store.projections import ApprovalChange


class KeptRun:
    """A run with its journal; `row` holds all that changes rarely."""

    __slots__ = ("approvals", "events", "fence", "owner", "row")

    def __init__(self, row: RunRow) -> None:
        self.row = row
        #: The event numbered n is at n - 1.
        self.events: list[Event] = []
        self.owner = row.owner
        self.fence = row.fence
        self.approvals: dict[str, ApprovalRow] = {}

    def shown(self) -> RunRow:
        """The row as lists show it now."""
        return msgspec.structs.replace(self.row, seq=len(self.events), owner=self.owner, fence=self.fence)

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Take events into the journal; returns those that lists and counts depend on."""
        self.events += events
        if PROJECTED.isdisjoint(map(type, events)):
            return []
        notable = [event for event in events if type(event) in PROJECTED]
        change = run_change(notable)
        if change is not None:
            self.row = changed_row(self.row, change)
        for each in approval_changes(notable):
            self._project(each)
        return notable

    def answer(self, decision: ev.ApprovalDecided) -> ApprovalRow:
        """Give a request its answer, ahead of the event that says so; the row comes back."""
        for change in approval_changes([decision]):
            self._project(change)
        return self.approvals[decision.approval]

    def _project(self, change: ApprovalChange) -> None:
        event = change.event
        rows = self.approvals
        if isinstance(event, ev.ApprovalRequested):
            rows[event.approval] = new_request(self.row, event)
            return
        if change.approval:
            row = rows.get(change.approval)
            if row is not None:
                rows[row.id] = answered_request(row, change)
            return
        for row in [each for each in rows.values() if each.status == ApprovalStatus.PENDING]:
            if not change.node or row.node == change.node:
                rows[row.id] = msgspec.structs.replace(row, status=ApprovalStatus.CANCELLED, decided_at=event.at)
