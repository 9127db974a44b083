"""Answers to requests: one each, whoever races."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model import commands
from flownb.store import refusals
from flownb.store.projections import approval_changes, wake_for
from flownb.store.sqlite.inbox import SEND, Commands
from flownb.store.sqlite.runs import Runs

if TYPE_CHECKING:
    from flownb.model.events import ApprovalDecided
    from flownb.store.contract import ApprovalRow

_ANSWER: Final = """
UPDATE approvals SET status = ?3, decided_at = ?4, decided_by = ?5, port = ?6, decision = ?7
WHERE run_id = ?1 AND id = ?2 AND status = 'pending' RETURNING id
"""


class Answers(Commands, Runs):
    """The compare-and-swap of decisions."""

    def decide(self, run: str, decision: ApprovalDecided) -> ApprovalRow:
        """Give a request to a person its one answer, by one compare-and-swap; the run's owner finds a command."""
        (change,) = approval_changes([decision])
        codec: Any = self._codec
        answer = (change.status, decision.at, decision.by, decision.port, codec.encode(decision))
        body = commands.encode(wake_for(decision))
        with self._db.writing() as cursor:
            taken = cursor.execute(_ANSWER, (run, decision.approval, *answer)).fetchall()
            if taken:
                cursor.execute(SEND, (run, self._liveness.clock.wall(), body)).fetchall()
        row = next((each for each in self.approvals(run=run, pending=False) if each.id == decision.approval), None)
        if row is None:
            raise refusals.no_such_request(self.url, run, decision.approval)
        if not taken:
            raise refusals.answered(row)
        return row
