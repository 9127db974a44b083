"""How late something was, lately: the newest thousand, and their quantiles."""

from __future__ import annotations

from collections import deque
from typing import Final

_MOST: Final = 1_000


class Lags:
    """Seconds, as they come; written by one thread."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=_MOST)

    def add(self, seconds: float) -> None:
        """One more."""
        self._newest.append(seconds)

    def share(self, share: float) -> float:
        """The value that this share of them does not exceed, as 0.99; 0 where there are none."""
        values = sorted(self._newest.copy())
        return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0
