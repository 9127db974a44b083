"""Answers to requests: one each, whoever races."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb import faults
from flownb.model import commands
from flownb.model import events as ev
from flownb.model.status import ApprovalStatus
from flownb.store import refusals
from flownb.store.projections import answered_request, approval_changes, wake_for
from flownb.store.sqlite import audit
from flownb.store.sqlite.answering import keep_answer, keep_vote
from flownb.store.sqlite.inbox import SEND, Commands
from flownb.store.sqlite.runs import Runs

if TYPE_CHECKING:
    from flownb.store.projections import ApprovalChange
    from flownb.store.requests import ApprovalRow, AuditEntry, Judge
    from flownb.store.sqlite.transaction import Cursor


class Answers(Commands, Runs):
    """The compare-and-swap of decisions, and the log of them."""

    def decide(self, run: str, decision: ev.ApprovalDecided) -> ApprovalRow:
        """Give a request to a person its one answer, by one compare-and-swap; the run's owner finds a command."""

        def judge(row: ApprovalRow) -> list[ev.Event]:
            if row.status != ApprovalStatus.PENDING:
                raise refusals.answered(row)
            return [decision]

        return self.answer(run, decision.approval, judge)

    def answer(self, run: str, approval: str, judge: Judge) -> ApprovalRow:
        """Let a judge decide about a request, and record what it says, in one transaction."""
        with self._db.writing() as cursor:
            row = self._one_request(cursor, run, approval)
            for event in judge(row):
                for change in self._record(cursor, run, event):
                    row = answered_request(row, change)
            faults.reach("answer.before_commit")
        faults.reach("answer.committed")
        return row

    def audit(self, run: str) -> list[AuditEntry]:
        """The audit log of a run, in order."""
        with self._db.reading() as cursor:
            return audit.entries(cursor, run)

    def _one_request(self, cursor: Cursor, run: str, approval: str) -> ApprovalRow:
        found = self._requests(cursor, "run_id = ? AND approvals.id = ?", (run, approval))
        if not found:
            raise refusals.no_such_request(self.url, run, approval)
        return found[0]

    def _record(self, cursor: Cursor, run: str, event: ev.Event) -> list[ApprovalChange]:
        """Write what is new; returns what it changes in the request."""
        codec: Any = self._codec
        changes = list(approval_changes([event]))
        match event:
            case ev.ApprovalVoted():
                kept = keep_vote(cursor, codec, run, event)
            case ev.ApprovalDecided() | ev.ApprovalExpired():
                kept = keep_answer(cursor, codec, run, event, changes[0].status)
                if kept:
                    body = commands.encode(wake_for(event))
                    cursor.execute(SEND, (run, self._liveness.clock.wall(), body)).fetchall()
            case _:
                kept = True
        if not kept:
            return []
        audit.append(cursor, self.keys, run, codec.encode(event))
        return changes
