"""Finished runs leave memory: handles on them read from the store from then on, and hold nothing."""

from __future__ import annotations

import math
import threading
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from flownb.run.engine import Engine
    from flownb.run.handles.view import RunView

#: Handles leave in groups, so many in the time that each of them stays.
_GROUPS: Final = 20
_LEAST_SECONDS: Final = 0.05


class Departures:
    """Handles on finished runs, by the time when they leave; a handle that nobody holds is not kept for that."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: By the loop's time, rounded up.
        self._groups: dict[float, weakref.WeakSet[RunView]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf

    def expect(self, run: RunView, seconds: float) -> None:
        """Let a handle leave in so many seconds; from any thread."""
        if threading.get_ident() == self._engine.thread_id:
            self._add(weakref.ref(run), seconds)
        else:
            self._engine.call(self._add, weakref.ref(run), seconds)

    def _add(self, reference: weakref.ref[RunView], seconds: float) -> None:
        run = reference()
        if run is None:
            return
        grain = max(_LEAST_SECONDS, seconds / _GROUPS)
        due = math.ceil((self._engine.loop.time() + seconds) / grain) * grain
        group = self._groups.get(due)
        if group is None:
            self._groups[due] = group = weakref.WeakSet()
        group.add(run)
        if due < self._due:
            self._arm(due)

    def _arm(self, due: float) -> None:
        home = self._engine
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = home.loop.call_at(due, self._leave, context=home.base_context)

    def _leave(self) -> None:
        self._timer, self._due = None, math.inf
        now = self._engine.loop.time()
        for due in [due for due in self._groups if due <= now]:
            for run in list(self._groups.pop(due)):
                run.leave()
        if self._groups:
            self._arm(min(self._groups))
