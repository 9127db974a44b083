"""The wall clock of this process's engine, moved by a test: what is due then comes now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from flownb.run.engine import engine
from flownb.run.waiting.deliveries import deliveries

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeClock:
    """Time as runs of this process see it: it goes on, and jumps where a test says so."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._engine = engine()
        self._real: Callable[[], float] = self._engine.now
        self._engine.now = lambda: self._real() + self._ahead

    def advance(self, seconds: float) -> None:
        """Set the clock forward, or back, by so many seconds; what is due then is noticed within a moment."""
        self._ahead += seconds
        deliveries().look()

    def now(self) -> float:
        """Seconds since 1970, as runs see it."""
        return self._engine.now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.now = self._real


def fake_clock() -> FakeClock:
    """Let a test move the time of the runs in this process.

    ```python
    with fake_clock() as clock:
        run = flow.run()                    # asks, with a timeout of a day
        clock.advance(86_400)
        run.result()                        # nobody had answered
    ```

    Executions take the clock when they begin: begin the block before the run.
    """
    return FakeClock()
