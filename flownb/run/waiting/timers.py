"""The timers of a run at work: nodes between two attempts, and waiting nodes whose time is near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.status import PauseReason
from flownb.run.waiting.decisions import expire_due, take

if TYPE_CHECKING:
    import asyncio

    from flownb.run.executor import Execution

#: A timer due within so many seconds is awaited; a later one parks the run.
PARK_AFTER: Final = 60.0
#: Seconds until a request that could not be ended is looked at again.
_AGAIN: Final = 0.05
#: What may be over by the clock alone.
_TIMED: Final = (PauseReason.TIMER, PauseReason.EVENT)


class Timers:
    """At most one a node; when it is due, the node is attempted."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._handles: dict[int, asyncio.TimerHandle] = {}
        #: Nodes whose time came while the run was about to pause, with the number of their attempt.
        self._held: dict[int, int] = {}
        #: Nodes that wait for a person, but not for ever: that keeps no run from pausing.
        self._expiries: dict[int, asyncio.TimerHandle] = {}
        #: When nodes that were asked to stop are given up, and when the run as a whole has taken too long.
        self.deadline: asyncio.TimerHandle | None = None
        self.limit: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._handles) + len(self._held)

    def __contains__(self, number: int) -> bool:
        return number in self._handles or number in self._held

    def watch(self, number: int) -> None:
        """Await a waiting node's timer if it is near; a far one parks the run."""
        execution = self._execution
        wait = execution.state.waits.get(number)
        if wait is None or wait.until is None:
            return
        if wait.waits_for == PauseReason.HUMAN:
            self._expire_later(number, wait.until)
            return
        if wait.waits_for not in _TIMED:
            return
        left = wait.until - execution.engine.now()
        if left <= PARK_AFTER:
            self.later(number, left, execution.state.attempts[number])

    def later(self, number: int, seconds: float, number_of_try: int) -> None:
        """Attempt a node after so many seconds."""
        execution = self._execution

        def due() -> None:
            del self._handles[number]
            if execution.over or execution.stopping is not None:
                return
            if execution.pausing:
                self._held[number] = number_of_try
            else:
                execution.attempt(number, number_of_try)

        home = execution.engine
        self._handles[number] = home.loop.call_later(max(0.0, seconds), due, context=home.base_context)

    def _expire_later(self, number: int, until: float) -> None:
        """Look again when the time of a request is over; every minute, because clocks jump and machines sleep."""
        home = self._execution.engine
        self._look_in(number, min(max(0.0, until - home.now()), PARK_AFTER))

    def _look_in(self, number: int, seconds: float) -> None:
        execution = self._execution
        home = execution.engine

        def look() -> None:
            self._expiries.pop(number, None)
            wait = execution.state.waits.get(number)
            if execution.over or wait is None or wait.until is None:
                return
            if wait.until > home.now():
                self._expire_later(number, wait.until)
                return
            expire_due(execution)
            take(execution)
            if execution.children is not None:  # the question may be that of a run beneath
                execution.children.look_again(number)
            if number in execution.state.waits:  # the request is not committed yet, or the run is about to pause
                self._look_in(number, _AGAIN)

        self._expiries[number] = home.loop.call_later(seconds, look, context=home.base_context)

    def hold(self, number: int, number_of_try: int) -> None:
        """Attempt a node when the pause that the run is about to make is taken back."""
        self._held[number] = number_of_try

    def drop(self, number: int) -> None:
        """The node's timer, if it has one, is not due any more."""
        self._held.pop(number, None)
        for handles in (self._handles, self._expiries):
            if (handle := handles.pop(number, None)) is not None:
                handle.cancel()

    def go_on(self) -> None:
        """The pause was taken back before it was written: nodes whose time has come are attempted."""
        held, self._held = self._held, {}
        for number, number_of_try in held.items():
            self._execution.attempt(number, number_of_try)

    def end(self) -> None:
        """The run is over."""
        self.clear()
        for handle in (self.deadline, self.limit):
            if handle is not None:
                handle.cancel()

    def clear(self) -> None:
        """No node is due any more."""
        for handles in (self._handles, self._expiries):
            for handle in handles.values():
                handle.cancel()
            handles.clear()
        self._held.clear()
