"""The audit log in its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.store.audit import Head, next_entry
from flownb.store.requests import AuditEntry

if TYPE_CHECKING:
    from flownb.store.keys import Keys
    from flownb.store.sqlite.transaction import Cursor

_LAST: Final = "SELECT place, seal FROM audit WHERE run_id = ? ORDER BY place DESC LIMIT 1"
_APPEND: Final = "INSERT INTO audit (run_id, place, key, previous, body, seal) VALUES (?, ?, ?, ?, ?, ?)"
_ENTRIES: Final = "SELECT run_id, place, key, previous, body, seal FROM audit WHERE run_id = ? ORDER BY place"


def append(cursor: Cursor, keys: Keys, run: str, body: bytes) -> None:
    """Write the next entry of a run's log."""
    found = cursor.execute(_LAST, (run,)).fetchall()
    entry = next_entry(keys, run, Head(*found[0]) if found else Head(0, ""), body)
    cursor.execute(_APPEND, (run, entry.place, entry.key, entry.previous, entry.body, entry.seal))


def entries(cursor: Cursor, run: str) -> list[AuditEntry]:
    """The log of a run, in order."""
    fields: tuple[str, ...] = AuditEntry.__struct_fields__
    found: list[Any] = cursor.execute(_ENTRIES, (run,)).fetchall()
    return [AuditEntry(**dict(zip(fields, each, strict=True))) for each in found]
