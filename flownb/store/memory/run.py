"""One run as it is kept: its journal, and beside it what lists and counts need to know of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model import events as ev
from flownb.model.journal import JsonCodec
from flownb.model.status import ApprovalStatus
from flownb.store.audit import head_of, next_entry
from flownb.store.letters import STATUS_OF, changes_told, letter_changes
from flownb.store.notices import changed, closed, plans_of
from flownb.store.projections import (
    PROJECTED,
    answered_request,
    approval_changes,
    changed_row,
    is_new_vote,
    new_request,
    run_change,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.model.events import Event
    from flownb.store.contract import RunRow
    from flownb.store.keys import Keys
    from flownb.store.letters import Change
    from flownb.store.notices import Notice
    from flownb.store.projections import ApprovalChange
    from flownb.store.requests import ApprovalRow, AuditEntry

_CODEC: Final = JsonCodec()


class KeptRun:
    """A run with its journal; `row` holds all that changes rarely."""

    __slots__ = (
        "_sealed_by", "approvals", "audit", "call", "events", "fence", "letters", "notices", "owner", "row", "told",
    )  # fmt: skip

    def __init__(self, row: RunRow, keys: Keys) -> None:
        self.row = row
        self._sealed_by = keys
        self.audit: list[AuditEntry] = []
        #: The event numbered n is at n - 1.
        self.events: list[Event] = []
        self.owner = row.owner
        self.fence = row.fence
        self.approvals: dict[str, ApprovalRow] = {}
        #: Who is told of them, by the keys of the notices.
        self.notices: dict[tuple[str, str, str, str, int], Notice] = {}
        #: Failures that somebody has to look at, by node, and what is to be started because the run failed.
        self.letters: dict[str, ev.NodeFailedEvent] = {}
        self.call: ev.RunFailedEvent | None = None
        #: What is to be started because of how the run is now, by moment and status.
        self.told: dict[tuple[float, str], Change] = {}

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
        for node, failed in letter_changes(notable):
            self.letters.pop(node, None)
            if failed is not None:
                self.letters[node] = failed
        for event in notable:
            if isinstance(event, ev.RunFailedEvent) and event.calls:
                self.call = event
        for told in changes_told(notable):
            self.told[told.at, STATUS_OF[type(told)]] = told
        return notable

    def record(self, event: Event) -> None:
        """Take what somebody says of a request, ahead of the events that say so."""
        if isinstance(event, ev.ApprovalRefused | ev.ApprovalReminded | ev.ApprovalNotified):
            self._log(event)
        for change in approval_changes([event]):
            self._project(change)

    def _project(self, change: ApprovalChange) -> None:
        event, rows = change.event, self.approvals
        before = dict(rows)
        if isinstance(event, ev.ApprovalRequested):
            rows[event.approval] = new_request(self.row, event)
            self.notices = {key: each for key, each in self.notices.items() if key[0] != event.approval}
            self.notices |= {each.key: each for each in plans_of(self.row.id, event)}
        elif change.approval:
            row = rows.get(change.approval)
            if row is not None and (not isinstance(event, ev.ApprovalVoted) or is_new_vote(row, event)):
                rows[row.id] = answered_request(row, change)
        else:
            for row in [each for each in rows.values() if each.status == ApprovalStatus.PENDING]:
                if not change.node or row.node == change.node:
                    rows[row.id] = msgspec.structs.replace(row, status=ApprovalStatus.CANCELLED, decided_at=event.at)
        if rows != before:  # else the log has it already
            self._log(event)
            for key, notice in self.notices.items():
                if rows[key[0]].status != ApprovalStatus.PENDING:
                    self.notices[key] = closed(notice)

    def shown_request(self, row: ApprovalRow) -> ApprovalRow:
        """A request with who was told of it."""
        if not row.request.channels:
            return row
        found = [each for _, each in sorted(self.notices.items()) if each.approval == row.id]
        return msgspec.structs.replace(row, notices=tuple(found))

    def change_notice(self, seen: Notice, then: Notice, more: Sequence[Notice]) -> bool:
        """Put a notice in the place of one that was looked at, unless somebody was faster."""
        there = self.notices.get(seen.key)
        if (after := changed(there, seen, then)) is None:
            return False
        self.notices[seen.key] = after
        if after.outcome is not None and after.outcome != seen.outcome:
            self._log(after.outcome)
        for each in more if there == seen else ():
            self.notices.setdefault(each.key, each)
        return True

    def _log(self, event: Event) -> None:
        self.audit.append(next_entry(self._sealed_by, self.row.id, head_of(self.audit), _CODEC.encode(event)))
