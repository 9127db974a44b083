"""Following a run that another process owns: its journal is read as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import StoreError
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.run.recovery.recover import apply_known, read_state, require_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.state import RunState
    from flownb.store.contract import Store


class Follower:
    """Folds another process's events into a state, on the engine's loop, until it is told to stop."""

    def __init__(
        self,
        store: Store,
        state: RunState,
        changed: Callable[[list[ev.Event]], None],
        orphaned: Callable[[], None],
    ) -> None:
        """Begin to follow.

        Args:
            store: where the run is.
            state: what is known so far; new events are folded into it.
            changed: called with new events.
            orphaned: called when the run is unfinished and its owner is dead; at most once a second.
        """
        self._store = store
        self._state = state
        self._changed = changed
        self._orphaned = orphaned
        #: Called with another state, where the run went over to another definition.
        self.moved: Callable[[RunState], None] = lambda _: None
        self._stopped = False
        #: Whether a look found the store locked: the next one must read, although nothing has changed since.
        self._missed = False
        self._end = engine().house.watch(store, self._look)

    def stop(self) -> None:
        """Follow no more; from any thread."""
        self._stopped = True
        self._end()

    def _look(self, changed: bool) -> None:
        if self._stopped:
            return
        try:
            if changed or self._missed:
                self._missed = True
                self._read()
                self._missed = False
            elif not self._stopped:
                owner = self._store.owner_of(self._state.run_id)
                if owner is None or not owner[1]:
                    self._read()
                    self._orphaned()
        except StoreError:
            return  # locked for a moment; the next look tries again

    def _read(self) -> None:
        records = self._store.events(self._state.run_id, after=self._state.seq)
        happened = [record.event for record in records]
        if any(isinstance(event, ev.RunResumed) and self._moves(event) for event in happened):
            row = require_row(self._store, self._state.run_id)
            self._state = read_state(self._store, row)
            self.moved(self._state)
        else:
            for event in happened:
                apply_known(self._state, event)
        if happened:
            self._changed(happened)

    def _moves(self, event: ev.RunResumed) -> bool:
        return event.definition not in ("", self._state.definition)
