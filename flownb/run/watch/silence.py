"""An attempt that has to be heard of now and then, or it counts as stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import NodeTimeout

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from flownb.run.attempt import Attempt


class Silence:
    """Fails an attempt of which nothing has been heard for so many seconds: no heartbeat, status, progress or step."""

    def __init__(self, attempt: Attempt, seconds: float, beside: TimerHandle | None) -> None:
        """Begin to listen.

        Args:
            attempt: whom to.
            seconds: the longest silence.
            beside: a timer that is cancelled with this.
        """
        self._attempt = attempt
        self._seconds = seconds
        self._beside = beside
        self._timer = self._look_again(seconds)

    def cancel(self) -> None:
        """The attempt is over."""
        self._timer.cancel()
        if self._beside is not None:
            self._beside.cancel()

    def _look_again(self, seconds: float) -> TimerHandle:
        home = self._attempt.execution.engine
        return home.loop.call_later(seconds, self._look, context=home.base_context)

    def _look(self) -> None:
        attempt = self._attempt
        left = attempt.speaker().heard + self._seconds - attempt.execution.engine.loop.time()
        if left > 0:
            self._timer = self._look_again(left)
            return
        attempt.cut(
            NodeTimeout(
                f"{attempt.path} has not been heard of for {self._seconds:g} s, its heartbeat: no ctx.heartbeat(), "
                "status, progress or step came from it.",
                node=attempt.path,
                timeout=self._seconds,
            )
        )
