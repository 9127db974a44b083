"""Which sync nodes compute: by the CPU time that the system says their threads had, and by where their code is."""

from __future__ import annotations

import sys
import time
from opcode import opmap
from typing import TYPE_CHECKING, Final

from flownb.run.where import thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine

#: Seconds between two looks at the loop.
LOOK: Final = 0.05
#: What blocks the loop for a quarter of a second is told of; the question may be one look late.
BLOCKED: Final = 0.25 - LOOK
#: The share of a core below which a thread rests, and the seconds of CPU from which on it is told of.
_RESTS: Final = 0.05
_COMPUTED: Final = 2.0
#: It computes most of the time: by its share of a core, or, where others take the cores away, by the share of looks in
#: which it was interrupted.
_COMPUTES: Final = 0.3
#: The share of looks in which a thread was interrupted, if it computes in Python; one that is in a call which lets
#: others in by itself, as of numpy, is found there.
_INTERRUPTED: Final = 0.05
#: Where the interpreter lets others in: at the start of a function, and at the end of a loop.
_LETS_IN: Final = frozenset(code for name, code in opmap.items() if name == "RESUME" or "JUMP_BACKWARD" in name)

_BODY: Final = thread.run.__code__


class Computing:
    """Which threads compute: by the time that the system says they had, and by where their code is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: By thread: its CPU seconds at the last look.
        self._used: dict[int, float] = {}
        #: By thread that computes: in which attempt, since when, and what it had used then.
        self._since: dict[int, tuple[Attempt, float, float]] = {}
        #: By thread that computes: how often it was seen, and how often it had been interrupted.
        self._seen: dict[int, tuple[int, int]] = {}
        self._last = 0.0
        self._engine_used = 0.0

    def sample(self) -> None:
        """See where those that compute are."""
        if self._since:
            frames = sys._current_frames()  # noqa: SLF001  as above
            for number in self._since:
                frame = frames.get(number)
                if frame is not None:
                    seen, interrupted = self._seen.get(number, (0, 0))
                    lets_in = frame.f_code.co_code[frame.f_lasti] in _LETS_IN
                    self._seen[number] = (seen + 1, interrupted + lets_in)

    def engine_computed(self, seconds: float) -> bool:
        """Whether the engine's thread computed for most of the last seconds, in which nobody could look."""
        used = cpu_seconds(self._engine.clock)
        before, self._engine_used = self._engine_used, used
        return seconds >= BLOCKED and used - before >= seconds * _COMPUTES

    def look(self, now: float, late: float) -> list[tuple[Attempt, float]]:
        """The attempts that have computed long, and how many seconds of CPU they had; once a second."""
        passed, self._last = now - self._last, now
        self._engine_used = cpu_seconds(self._engine.clock)
        clocks = dict(self._engine.workers.clocks)
        frames: dict[int, FrameType] | None = None
        for number, clock in clocks.items():
            used = cpu_seconds(clock)
            before = self._used.get(number, used)
            self._used[number] = used
            attempt = None
            if used - before >= passed * _RESTS:
                frames = frames or sys._current_frames()  # noqa: SLF001  as above
                attempt = working(frames.get(number))
            kept = self._since.get(number)
            if attempt is None:
                self._forget(number)
            elif kept is None or kept[0] is not attempt:
                self._seen.pop(number, None)
                self._since[number] = (attempt, now - passed, before)
        for number in self._used.keys() - clocks.keys():
            del self._used[number]
            self._forget(number)
        return list(self._long(now, late))

    def _long(self, now: float, late: float) -> Iterator[tuple[Attempt, float]]:
        for number, (attempt, since, before) in self._since.items():
            seconds = self._used[number] - before
            seen, interrupted = self._seen.get(number, (0, 0))
            in_python = interrupted > seen * _INTERRUPTED or late >= BLOCKED
            most = max(seconds / (now - since), interrupted / seen if seen else 0.0)
            if seconds >= _COMPUTED and most >= _COMPUTES and in_python:
                yield attempt, seconds

    def rest(self) -> None:
        """No run is at work: keep nothing of those that were."""
        self._since.clear()
        self._seen.clear()

    def _forget(self, number: int) -> None:
        self._since.pop(number, None)
        self._seen.pop(number, None)


def cpu_seconds(clock: int | None) -> float:
    """What a thread's clock says; 0 where there is none, or its thread is gone."""
    try:
        return time.clock_gettime(clock) if clock is not None else 0.0
    except OSError:
        return 0.0


def working(frame: FrameType | None) -> Attempt | None:
    """The attempt whose sync function a stack is in."""
    while frame is not None:
        if frame.f_code is _BODY:
            attempt: Attempt = frame.f_locals["attempt"]
            return attempt
        frame = frame.f_back
    return None
