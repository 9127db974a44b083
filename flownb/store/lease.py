"""When an owner counts as dead, so that its runs may be taken."""

from __future__ import annotations

import functools
import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from flownb.store.owner import Here, here, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Owner

#: How long after its last renewal a lease may be taken from an owner that can't be seen to be dead.
LEASE_SECONDS: Final = 15.0
#: Another time for all processes of a store, in seconds; tests make it short.
VARIABLE: Final = "FLOWNB_LEASE_SECONDS"
_LEAST: Final = 0.2


@functools.cache
def usual_seconds() -> float:
    """How long a lease lasts without renewal in this process: `LEASE_SECONDS`, or what the environment says."""
    try:
        return max(_LEAST, float(os.environ.get(VARIABLE) or LEASE_SECONDS))
    except ValueError:
        return LEASE_SECONDS


def renew_seconds() -> float:
    """How often a living owner renews its lease: three renewals may be missed."""
    return usual_seconds() / 4


class Clock(Protocol):
    """Two clocks, in seconds; tests move them by hand."""

    def monotonic(self) -> float:
        """Never goes back, stands still in suspend, and is one clock for all processes since the machine started."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, UTC; people and time servers set it."""
        ...


class SystemClock:
    """The clocks of this machine."""

    monotonic: Final = staticmethod(time.monotonic)
    wall: Final = staticmethod(time.time)


class Stamp(NamedTuple):
    """A moment on both clocks."""

    monotonic: float
    wall: float


class Liveness:
    """Judges owners: by their process where it can be seen from here, else by the age of their lease."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        lease_seconds: float | None = None,
        place: Here | None = None,
        gone: Callable[[int, int], bool] = is_gone,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.lease_seconds = usual_seconds() if lease_seconds is None else lease_seconds
        self._place = place or here()
        self._gone = gone

    def now(self) -> Stamp:
        """The stamp for a lease that is renewed now."""
        return Stamp(self.clock.monotonic(), self.clock.wall())

    def is_dead(self, owner: Owner, renewed: Stamp) -> bool:
        """Whether the runs of an owner may be taken."""
        return self._process_is_gone(owner) or self._has_lapsed(owner, renewed)

    def is_gone(self, owner: Owner) -> bool:
        """Whether its process can be seen to have ended."""
        return self._process_is_gone(owner)

    def _process_is_gone(self, owner: Owner) -> bool:
        place = self._place
        if not place.boot or (owner.host, owner.boot, owner.pid_namespace) != place:
            return False
        if self._gone(owner.pid, owner.pid_started):
            return True
        return bool(owner.partner_pid) and self._gone(owner.partner_pid, owner.partner_started)

    def _has_lapsed(self, owner: Owner, renewed: Stamp) -> bool:
        if owner.boot and owner.boot == self._place.boot:
            return self.clock.monotonic() - renewed.monotonic >= self.lease_seconds
        # Another boot, or another machine. A stamp from the far future comes from a clock that was wrong: it must not
        # hold a run until that time has come; the fence keeps the owner out if it lives after all.
        return abs(self.clock.wall() - renewed.wall) >= self.lease_seconds
