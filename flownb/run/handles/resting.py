"""Handles on runs that rest and may go on in this process."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store


class RestingHandles:
    """Handles on runs that rest and may go on: the one that resumes its run takes the others along."""

    def __init__(self) -> None:
        #: Most runs have one handle: a tuple of references is a tenth of a set of them.
        self._by_run: dict[str, tuple[weakref.ref[Run], ...]] = {}
        self._lock = threading.Lock()
        #: So many runs may be known before those are forgotten whose handles are all gone.
        self._most = 100

    def add(self, run: Run) -> None:
        """A handle rests."""
        with self._lock:
            known = self._by_run.get(run.id, ())
            if not any(each() is run for each in known):
                self._by_run[run.id] = (*(each for each in known if each() is not None), weakref.ref(run))
            if len(self._by_run) > self._most:
                self._by_run = {name: refs for name, refs in self._by_run.items() if any(each() for each in refs)}
                self._most = 2 * len(self._by_run) + 100

    def of(self, run: Run) -> set[Run]:
        """The handles on the same run."""
        found = {each() for each in self._by_run.get(run.id, ())}
        return {each for each in found if each is not None and each.store is run.store}

    def take(self, run: Run) -> set[Run]:
        """The handles on the same run, which rest no more."""
        with self._lock:
            same = self.of(run)
            rest = tuple(each for each in self._by_run.pop(run.id, ()) if each() is not None and each() not in same)
            if rest:
                self._by_run[run.id] = rest
            return same

    def at_hand(self, store: Store, run: str) -> Run | None:
        """A handle on a run that rests, and that can go on in this process."""
        for reference in self._by_run.get(run, ()):
            each = reference()
            if each is not None and each.store is store and each.continues_here:
                return each
        return None


RESTING: Final = RestingHandles()


def at_hand(store: Store, run: str) -> Run | None:
    """A handle on a run that rests, and whose program is at hand in this process; None where there is none."""
    return RESTING.at_hand(store, run)
