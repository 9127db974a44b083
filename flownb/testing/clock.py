"""A clock that a test moves by hand."""

from __future__ import annotations


class VirtualClock:
    """Two clocks in seconds, as `flownb.store.lease.Clock` has them; both stand still until they are moved."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        """A clock at a moment.

        Args:
            wall: seconds since 1970.
        """
        self._monotonic = 0.0
        self._offset = wall

    def monotonic(self) -> float:
        """Seconds that have passed since the clock was made."""
        return self._monotonic

    def wall(self) -> float:
        """Seconds since 1970, UTC."""
        return self._offset + self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks.

        Raises:
            ValueError: time does not run backwards; `jump` sets the wall clock back.
        """
        if seconds < 0:
            raise ValueError(f"{seconds} s can't pass; jump() sets the wall clock.")
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as people and time servers do; no time passes."""
        self._offset += seconds
