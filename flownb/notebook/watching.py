"""Watching a run from another process: its journal, and those beneath it, read as they grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import StoreError

if TYPE_CHECKING:
    from flownb.model.events import Record
    from flownb.store.contract import Store


class Watcher:
    """Hands out each event once, in the order of its run."""

    def __init__(self, store: Store, run_id: str, *, after: int = 0) -> None:
        self._store = store
        self._run = run_id
        self._after: dict[str, int] = {run_id: after}
        self._version: Any = None

    def news(self) -> list[Record]:
        """What has happened since the last call; empty where the store is locked for the moment."""
        try:
            version = self._store.version()
            if version == self._version:
                return []
            self._version = version
            found: list[Record] = []
            for run in [self._run, *(row.id for row in self._store.rows(group=self._run))]:
                records = self._store.events(run, self._after.get(run, 0))
                if records:
                    self._after[run] = records[-1].seq
                    found += records
        except StoreError:
            self._version = None
            return []
        return found
