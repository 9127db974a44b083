"""Notices to people, written with the requests that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.store.notices import LONGEST_CLAIM, Notice, changed, plans_of
from flownb.store.sqlite import audit
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.model import events as ev
    from flownb.model.journal import EventCodec
    from flownb.store.keys import Keys
    from flownb.store.requests import ApprovalRow
    from flownb.store.sqlite.transaction import Cursor

_COLUMNS: Final = "run_id, approval, kind, channel, recipient, round, next_at, attempts, claim, claimed_until, outcome"
_ADD: Final = f"INSERT OR IGNORE INTO notices ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  our own names
_CLOSE: Final = "UPDATE notices SET next_at = NULL WHERE run_id = ? AND approval = ? AND next_at IS NOT NULL"
_KEY: Final = "run_id = ? AND approval = ? AND kind = ? AND channel = ? AND recipient = ? AND round = ?"
_ONE: Final = f"SELECT {_COLUMNS} FROM notices WHERE {_KEY}"  # noqa: S608  as above
_CHANGE: Final = f"""
UPDATE notices SET next_at = ?, attempts = ?, claim = ?, claimed_until = ?, outcome = ? WHERE {_KEY}
"""  # noqa: S608  as above
_OF: Final = f"""
SELECT {_COLUMNS} FROM notices WHERE run_id = ? AND approval = ? ORDER BY kind, round, channel, recipient
"""  # noqa: S608  as above
_DUE: Final = f"""
SELECT {_COLUMNS} FROM notices
WHERE next_at <= ?1 AND NOT (claimed_until > ?1 AND claimed_until <= ?1 + ?2)
ORDER BY next_at, run_id, approval, kind, channel, recipient
"""  # noqa: S608  as above
_NEXT: Final = "SELECT min(next_at) FROM notices WHERE next_at IS NOT NULL"


def plan(cursor: Cursor, run: str, request: ev.ApprovalRequested) -> None:
    """Note what is to be told of a request; one that is made a second time is told of anew."""
    cursor.execute("DELETE FROM notices WHERE run_id = ? AND approval = ?", (run, request.approval))
    for each in plans_of(run, request):
        cursor.execute(_ADD, (*_key(each), each.next_at, 0, "", 0.0, None))


def close(cursor: Cursor, run: str, ended: Any) -> bool:
    """Nobody waits for an answer to these requests any more; whether there were any."""
    found = ended.fetchall()
    for (approval,) in found:
        cursor.execute(_CLOSE, (run, approval))
    return bool(found)


def with_notices(cursor: Cursor, codec: EventCodec, row: ApprovalRow) -> ApprovalRow:
    """A request with who was told of it."""
    found = cursor.execute(_OF, (row.run, row.id)).fetchall()
    return msgspec.structs.replace(row, notices=tuple(_notice(codec, each) for each in found))


def _key(notice: Notice) -> tuple[Any, ...]:
    return (notice.run, *notice.key)


def _notice(codec: EventCodec, columns: tuple[Any, ...]) -> Notice:
    run, approval, kind, channel, to, number, next_at, attempts, claim, until, outcome = columns
    decode: Any = codec.decode
    return Notice(
        run=run,
        approval=approval,
        kind=kind,
        channel=channel,
        to=to,
        round=number,
        next_at=next_at,
        attempts=attempts,
        claim=claim,
        claimed_until=until,
        outcome=None if outcome is None else decode(outcome),
    )


class Notices(Table):
    """Looking at them, and changing them one at a time."""

    keys: Keys

    def due_notices(self, now: float) -> list[Notice]:
        """Notices that are to be delivered by now and that nobody delivers, oldest first."""
        with self._db.reading() as cursor:
            found = cursor.execute(_DUE, (now, LONGEST_CLAIM)).fetchall()
        return [_notice(self._codec, each) for each in found]

    def next_notice(self) -> float | None:
        """When the next notice is to be delivered; None where there is none."""
        with self._db.reading() as cursor:
            found: float | None = cursor.execute(_NEXT).fetchall()[0][0]
        return found

    def change_notice(self, seen: Notice, then: Notice, *, more: Sequence[Notice] = ()) -> bool:
        """Put a notice in the place of one that was looked at, unless somebody was faster."""
        with self._db.writing() as cursor:
            found = cursor.execute(_ONE, _key(seen)).fetchall()
            there = _notice(self._codec, found[0]) if found else None
            if (after := changed(there, seen, then)) is None:
                return False
            outcome = None if after.outcome is None else self._codec.encode(after.outcome)
            values = (after.next_at, after.attempts, after.claim, after.claimed_until, outcome)
            cursor.execute(_CHANGE, (*values, *_key(seen)))
            if outcome is not None and after.outcome != seen.outcome:
                audit.append(cursor, self.keys, seen.run, outcome)
            for each in more if there == seen else ():
                cursor.execute(_ADD, (*_key(each), each.next_at, each.attempts, each.claim, each.claimed_until, None))
        return True
