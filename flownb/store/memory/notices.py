"""Notices to people, kept with the runs that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.store.memory.care import Care
from flownb.store.notices import is_due

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.store.notices import Notice


class Notices(Care):
    """Looking at them, and changing them one at a time."""

    def due_notices(self, now: float) -> list[Notice]:
        """Notices that are to be delivered by now and that nobody delivers, oldest first."""
        with self._lock:
            self._open()
            found = [each for kept in self._runs.values() for each in kept.notices.values() if is_due(each, now)]
        return sorted(found, key=lambda each: (each.next_at or 0.0, each.run, each.key))

    def next_notice(self) -> float | None:
        """When the next notice is to be delivered; None where there is none."""
        with self._lock:
            self._open()
            moments = (each.next_at for kept in self._runs.values() for each in kept.notices.values())
            return min((each for each in moments if each is not None), default=None)

    def change_notice(self, seen: Notice, then: Notice, *, more: Sequence[Notice] = ()) -> bool:
        """Put a notice in the place of one that was looked at, unless somebody was faster."""
        with self._lock:
            self._changing()
            kept = self._runs.get(seen.run)
            return kept is not None and kept.change_notice(seen, then, more)
