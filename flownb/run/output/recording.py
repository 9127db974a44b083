"""What nodes in flight have written is recorded: at most five times a second, never so much that the loop stalls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.run.output.capture import MOST_RECORD

if TYPE_CHECKING:
    import asyncio

    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.output.capture import Buffer

_SECONDS: Final = 0.2
#: Characters in all that are recorded at once, and at least of each node.
_MOST: Final = 1_000_000
_LEAST: Final = 2_000


class Recording:
    """Of one engine, for all of its runs; on the loop only, but for `attempt_with`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """A node has said something: record it soon."""
        if self._timer is None:
            home = self._engine
            self._timer = home.loop.call_later(_SECONDS, self._record, context=home.base_context)

    def _record(self) -> None:
        self._timer = None
        writers = [attempt for attempt in self._alive() if attempt.buffer.pending]
        if not writers:
            return
        most = min(MOST_RECORD, max(_LEAST, _MOST // len(writers)))
        for attempt in writers:
            attempt.flush(most)
        if any(attempt.buffer.pending for attempt in writers):
            self.arm()

    def _alive(self) -> list[Attempt]:
        return [each for execution in self._engine.executions.values() for each in execution.alive.values()]

    def attempt_with(self, buffer: Buffer) -> Attempt | None:
        """The attempt that writes into a buffer, while it is alive; from any thread."""
        for execution in list(self._engine.executions.values()):
            for attempt in list(execution.alive.values()):
                if attempt.buffer is buffer:
                    return attempt
        return None
