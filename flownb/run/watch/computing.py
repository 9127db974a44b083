"""Which sync nodes compute in Python: by the CPU time that their threads had while the loop answered late."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.watch.lags import Lags

#: Seconds between two looks at the loop.
LOOK: Final = 0.05
#: What blocks the loop for a quarter of a second is told of; the question may be one look late.
BLOCKED: Final = 0.25 - LOOK
#: The share of a core below which a thread rests, and the seconds of CPU from which on it is told of.
_RESTS: Final = 0.05
_COMPUTED: Final = 2.0
#: It computes all the time, by its share of a core; low, because other processes may want the cores as well.
_COMPUTES: Final = 0.15
#: Seconds that the loop's answer takes, at worst of a hundred, where somebody may hold Python's lock; what computes
#: in a call that lets others in, as of numpy, holds up nobody.
_HELD_UP: Final = 0.002


class Computing:
    """Which threads compute: by the time that the system says they had."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: By thread: its CPU seconds at the last look.
        self._used: dict[int, float] = {}
        #: By thread that computes: in which attempt, since when, and what it had used then.
        self._since: dict[int, tuple[Attempt, float, float]] = {}
        self._last = 0.0
        self._engine_used = 0.0

    def engine_computed(self, seconds: float) -> bool:
        """Whether the engine's thread computed for most of the last seconds, in which nobody could look."""
        used = cpu_seconds(self._engine.clock)
        before, self._engine_used = self._engine_used, used
        return seconds >= BLOCKED and used - before >= seconds * _COMPUTES

    def look(self, now: float, late: float, lags: Lags) -> list[tuple[Attempt, float]]:
        """The attempts that have computed long, and how many seconds of CPU they had; once a second."""
        passed, self._last = now - self._last, now
        self._engine_used = cpu_seconds(self._engine.clock)
        clocks = dict(self._engine.workers.clocks)
        for number, clock in clocks.items():
            used = cpu_seconds(clock)
            before = self._used.get(number, used)
            self._used[number] = used
            attempt = None
            if used - before >= passed * _RESTS:
                attempt = self._engine.workers.serving.get(number)
            kept = self._since.get(number)
            if attempt is None:
                self._forget(number)
            elif kept is None or kept[0] is not attempt:
                self._since[number] = (attempt, now - passed, before)
        for number in self._used.keys() - clocks.keys():
            del self._used[number]
            self._forget(number)
        return list(self._long(now, late >= BLOCKED or lags.share(0.99) >= _HELD_UP))

    def _long(self, now: float, held_up: bool) -> Iterator[tuple[Attempt, float]]:
        for number, (attempt, since, before) in self._since.items():
            seconds = self._used[number] - before
            if held_up and seconds >= _COMPUTED and seconds / (now - since) >= _COMPUTES:
                yield attempt, seconds

    def rest(self) -> None:
        """No run is at work: keep nothing of those that were."""
        self._since.clear()

    def _forget(self, number: int) -> None:
        self._since.pop(number, None)


def cpu_seconds(clock: int | None) -> float:
    """What a thread's clock says; 0 where there is none, or its thread is gone."""
    try:
        return time.clock_gettime(clock) if clock is not None else 0.0
    except OSError:
        return 0.0
