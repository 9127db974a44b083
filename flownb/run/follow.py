"""Following a run that another process owns: its journal is read as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import StoreError
from flownb.model import events as ev
from flownb.model.state import apply
from flownb.run.engine import engine

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from flownb.model.state import RunState
    from flownb.store.contract import Store

_LOOK_SECONDS: Final = 0.1
_OWNER_LOOKS: Final = 10


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
        self._timer: asyncio.TimerHandle | None = None
        self._version: Any = None
        self._looks = 0
        self._stopped = False
        self._home = engine()
        self._home.call(self._look)

    def stop(self) -> None:
        """Follow no more; from any thread."""
        self._stopped = True

    def _look(self) -> None:
        if self._stopped:
            return
        home = self._home
        self._timer = home.loop.call_later(_LOOK_SECONDS, self._look, context=home.base_context)
        self._looks += 1
        try:
            version = self._store.version()
            if version != self._version:
                self._version = version
                self._read()
            if self._looks % _OWNER_LOOKS == 0 and not self._stopped:
                owner = self._store.owner_of(self._state.run_id)
                if owner is None or not owner[1]:
                    self._read()
                    self._orphaned()
        except StoreError:
            return  # locked for a moment; the next look tries again

    def _read(self) -> None:
        records = self._store.events(self._state.run_id, after=self._state.seq)
        for record in records:
            node = getattr(record.event, "node", None)
            if isinstance(record.event, ev.NodeEvent) and node not in self._state.topology.index:
                self._state.seq += 1
            else:
                apply(self._state, record.event)
        if records:
            self._changed([record.event for record in records])
