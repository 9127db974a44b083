"""Results that may be used again: a key leads to the event that holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.events import Record
from flownb.store.sqlite import meaning
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from flownb.model.events import ResultCached
    from flownb.store.sqlite.transaction import Cursor

_KEEP: Final = "INSERT OR REPLACE INTO cached_results (key, run_id, node, seq) VALUES (?, ?, ?, ?)"
_FIND: Final = """
SELECT events.run_id, events.seq, body FROM cached_results
JOIN events ON events.run_id = cached_results.run_id AND events.seq = cached_results.seq
WHERE key = ?
"""
_FORGET: Final = """
DELETE FROM cached_results WHERE (?2 IS NULL OR node = ?2)
    AND (?1 IS NULL OR run_id IN (SELECT id FROM runs WHERE workflow = ?1))
"""


def keep(cursor: Cursor, run: str, event: ResultCached) -> None:
    """Note where a result lies; in the transaction that writes the event."""
    cursor.execute(_KEEP, (event.key, run, event.node, event.seq))


class CachedResults(Table):
    """Finding and forgetting them."""

    def cached(self, key: str) -> Record | None:
        """The newest `node_completed` whose result was cached under a key."""
        with self._db.reading() as cursor:
            rows = cursor.execute(_FIND, (key,)).fetchall()
        if not rows:
            return None
        run, seq, body = rows[0]
        try:
            return Record(run, seq, self._codec.decode(body))
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"event {seq} of run {run} can't be read: {error}") from error

    def forget_cached(self, workflow: str | None = None, node: str | None = None) -> int:
        """Let cached results be used no more: of a workflow, of a node, or all of them; returns how many."""
        with self._db.writing() as cursor:
            return len(cursor.execute(_FORGET.rstrip() + " RETURNING key", (workflow, node)).fetchall())
