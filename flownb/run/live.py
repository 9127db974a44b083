"""Large live values of all runs of this process, within a bound.

What has a stored form need not stay in memory: it is let go of when it doesn't fit any more, and loaded again by
whoever still wants it. First go those whose readers have all ended, then the one that was used longest ago. The one
that was kept last stays until its readers have ended, however large it is: they are about to ask for it.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flownb.run.inputs import Values

#: How many megabytes of large values stay in memory, if the environment says so.
VARIABLE: Final = "FLOWNB_LIVE_MB"
_USUAL_MB: Final = 512


def usual_bytes() -> int:
    """The bound of this process: 512 MB, or what `FLOWNB_LIVE_MB` says."""
    try:
        megabytes = float(os.environ.get(VARIABLE) or _USUAL_MB)
    except ValueError:
        megabytes = _USUAL_MB
    return int(max(0.0, megabytes) * 1_000_000)


class Live:
    """Which large values are in memory, in the order in which they go; from any thread."""

    def __init__(self, most: int | None = None) -> None:
        self.most = usual_bytes() if most is None else most
        #: By the id of the run's values and the node's number: those values, and bytes.
        self._kept: OrderedDict[tuple[int, int], tuple[weakref.ref[Values], int]] = OrderedDict()
        self._total = 0
        self._lock = threading.RLock()  # a value may die, and be forgotten, while another is counted

    @property
    def total(self) -> int:
        """How many bytes are kept."""
        return self._total

    def add(self, values: Values, number: int, size: int) -> None:
        """Count a value that a run has in memory."""
        key = (id(values), number)
        with self._lock:
            self._take(key)
            self._kept[key] = (weakref.ref(values, lambda _: self._died(key)), size)
            self._total += size
            self._trim(key)

    def used(self, values: Values, number: int) -> None:
        """Somebody reads it."""
        with self._lock:
            if (id(values), number) in self._kept:
                self._kept.move_to_end((id(values), number))

    def done(self, values: Values, number: int) -> None:
        """All its readers have ended: it goes first."""
        with self._lock:
            if (id(values), number) in self._kept:
                self._kept.move_to_end((id(values), number), last=False)
                self._trim(None)

    def forget(self, values: Values) -> None:
        """Count nothing of this run any more."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == id(values)]:
                self._take(key)

    def _died(self, key: tuple[int, int]) -> None:
        with self._lock:
            if key in self._kept and self._kept[key][0]() is None:
                self._take(key)

    def _take(self, key: tuple[int, int]) -> Values | None:
        reference, size = self._kept.pop(key, (None, 0))
        self._total -= size
        return None if reference is None else reference()

    def _trim(self, newest: tuple[int, int] | None) -> None:
        while self._total > self.most and self._kept:
            key = next(iter(self._kept))
            if key == newest:
                return
            owner = self._take(key)
            if owner is not None and id(owner) == key[0]:
                owner.drop(key[1])


LIVE: Final = Live()


def weight_of(value: Any, stored: int) -> int:
    """About how many bytes a value takes in memory, at least as many as are stored of it."""
    cls = type(value)
    if cls in (str, bytes, bytearray):
        return sys.getsizeof(value)
    size = getattr(value, "nbytes", None) if cls.__module__.partition(".")[0] in ("numpy", "pandas") else None
    if type(size) is not int and hasattr(value, "memory_usage"):
        size = int(value.memory_usage(deep=False).sum())
    return max(stored, size) if type(size) is int else stored
