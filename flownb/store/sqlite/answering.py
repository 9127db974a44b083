"""Votes and answers in their tables, each kept once, whoever tells of it first: who gave it, or the run's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model import events as ev
from flownb.store.sqlite import notices

if TYPE_CHECKING:
    from flownb.model.journal import EventCodec
    from flownb.store.sqlite.transaction import Cursor

_VOTES: Final = "SELECT body FROM approval_votes WHERE run_id = ? AND approval = ?"
_VOTE: Final = """
INSERT INTO approval_votes (run_id, approval, place, body)
SELECT run_id, id, ?3, ?4 FROM approvals WHERE run_id = ?1 AND id = ?2 RETURNING place
"""
_ANSWER: Final = """
UPDATE approvals SET status = ?3, decided_at = ?4, decided_by = ?5, port = ?6, decision = ?7
WHERE run_id = ?1 AND id = ?2 AND status = 'pending' RETURNING id
"""


def keep_vote(cursor: Cursor, codec: EventCodec, run: str, vote: ev.ApprovalVoted) -> bool:
    """Keep a vote; False where it is there already."""
    decode: Any = codec.decode
    there = [decode(body) for (body,) in cursor.execute(_VOTES, (run, vote.approval)).fetchall()]
    if any((each.by, each.at) == (vote.by, vote.at) for each in there):
        return False
    return bool(cursor.execute(_VOTE, (run, vote.approval, len(there), codec.encode(vote))).fetchall())


def keep_answer(
    cursor: Cursor, codec: EventCodec, run: str, answer: ev.ApprovalDecided | ev.ApprovalExpired, status: str | None
) -> bool:
    """End a request that is pending; False where it has ended."""
    by = answer.by if isinstance(answer, ev.ApprovalDecided) else None
    given = (status, answer.at, by, answer.port or None, codec.encode(answer))
    return notices.close(cursor, run, cursor.execute(_ANSWER, (run, answer.approval, *given)))
