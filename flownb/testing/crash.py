"""Dying at a named point: in a test's own process by an exception, in a child by SIGKILL."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from flownb import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Who wants to know of a crash before anything is unwound.
_watchers: Final[list[Callable[[], None]]] = []


class Crash(BaseException):
    """The process is taken to have died here.

    It is no `Exception`, so that nothing that handles errors handles it. In a `Simulation` it ends the worker in which
    it is raised, at once and without a farewell; elsewhere it only unwinds the call.
    """


def crash(where: str) -> NoReturn:
    """Die here: a `Simulation` takes its running worker for dead from now on, whatever catches the exception.

    Raises:
        Crash: always.
    """
    for died in _watchers:
        died()
    raise Crash(where)


class CrashPoint:
    """What `crash_at` gives: how often the point was reached, and whether it crashed."""

    def __init__(self, point: str, nth: int, how: str) -> None:
        self.point, self.nth, self.how = point, nth, how
        self.reached = 0

    @property
    def crashed(self) -> bool:
        """Whether the point was reached often enough."""
        return self.reached >= self.nth

    def reach(self) -> None:
        """The point is reached once more."""
        self.reached += 1
        if self.reached != self.nth:
            return
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        crash(f"{self.point}:{self.nth}")


@contextlib.contextmanager
def crash_at(point: str, nth: int = 1, how: Literal["raise", "kill"] = "raise") -> Iterator[CrashPoint]:
    """Die when a named point is reached for the `nth` time within this `with`.

    ```python
    with Simulation(seed=1) as simulation, crash_at("tick.after_commit", nth=3):
        ...
    ```

    A child process is killed at a point without any code of yours: set `FLOWNB_FAULT=tick.after_commit:3` in its
    environment.

    Args:
        point: a name from `flownb.faults.POINTS`, which says of each where it lies.
        nth: the how-manyeth time.
        how: `raise` raises `Crash`, for a simulation; `kill` sends SIGKILL to this process, which is for a child.

    Raises:
        ValueError: no such point, or there is no such time.
    """
    if nth < 1:
        raise ValueError(f"nth counts from 1; {nth} never comes.")
    if how not in ("raise", "kill"):
        raise ValueError(f"how is 'raise' or 'kill', not {how!r}.")
    place = CrashPoint(point, nth, how)
    faults.arm(point, place.reach)
    try:
        yield place
    finally:
        faults.disarm(point)


@contextlib.contextmanager
def watching(died: Callable[[], None]) -> Iterator[None]:
    """Call `died()` at each crash, before anything is unwound."""
    _watchers.append(died)
    try:
        yield
    finally:
        _watchers.remove(died)
