"""The timers of a run at work: nodes between two attempts, and waiting nodes whose time is near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.status import PauseReason

if TYPE_CHECKING:
    import asyncio

    from flownb.run.executor import Execution

#: A timer due within so many seconds is awaited; a later one parks the run.
PARK_AFTER: Final = 60.0
#: What may be over by the clock alone.
_TIMED: Final = (PauseReason.TIMER, PauseReason.EVENT)


class Timers:
    """At most one a node; when it is due, the node is attempted."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._handles: dict[int, asyncio.TimerHandle] = {}
        #: Nodes whose time came while the run was about to pause, with the number of their attempt.
        self._held: dict[int, int] = {}
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
        if wait is None or wait.until is None or wait.waits_for not in _TIMED:
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

    def hold(self, number: int, number_of_try: int) -> None:
        """Attempt a node when the pause that the run is about to make is taken back."""
        self._held[number] = number_of_try

    def drop(self, number: int) -> None:
        """The node's timer, if it has one, is not due any more."""
        self._held.pop(number, None)
        if (handle := self._handles.pop(number, None)) is not None:
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
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
        self._held.clear()
