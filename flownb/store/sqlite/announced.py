"""Runs that were announced and not yet written: they ride with the next transaction of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Owner
    from flownb.store.sqlite.transaction import Cursor

CREATE: Final = """
INSERT INTO runs (id, workflow, kind, status, key, request, mode, "trigger", parent, "group", definition, program,
    created_at, owner, fence)
VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: An id that is taken leaves the row as it is; the first event under the lease is then refused for its number.
_CREATE_NEW: Final = f"{CREATE} ON CONFLICT DO NOTHING"


class Announced:
    """The queue: any thread adds to it, and each transaction takes along what is there."""

    def __init__(self, stamp: Callable[[Cursor, Owner], None]) -> None:
        """An empty queue.

        Args:
            stamp: writes an owner down with a fresh lease.
        """
        self._stamp = stamp
        self._rows: list[tuple[Any, ...]] = []
        self._owners: list[Owner] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: tuple[Any, ...], owner: Owner) -> None:
        """Have a run written with the next transaction."""
        self._owners.append(owner)  # first: whoever takes the row takes its owner as well
        self._rows.append(row)

    def write(self, cursor: Cursor) -> int:
        """Write what is there; how many of them `written` takes off once that is committed."""
        rows = self._rows[:]
        for owner in set(self._owners[: len(rows)]):
            self._stamp(cursor, owner)
        cursor.executemany(_CREATE_NEW, rows)
        return len(rows)

    def written(self, count: int) -> None:
        """The first `count` are committed."""
        del self._rows[:count]
        del self._owners[:count]

    def forget(self) -> None:
        """They are another process's: this one was forked from it."""
        self._rows, self._owners = [], []
