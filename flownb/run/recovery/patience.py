"""What happens to runs while their store can't be written: a full disk, a lock that lasts.

Nothing is given up at once. What has happened since stays in memory and nothing more starts; the store is tried again,
and when it takes the events, they are published and the runs go on. When that takes too long, the runs are let go: they
go on where their journals stand, by `flownb resume`.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from typing import TYPE_CHECKING, Final, TypeVar

from flownb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Store

_log: Final = logging.getLogger("flownb.engine")
T = TypeVar("T")

#: Seconds before the first try after a failed one, and the most between two.
_FIRST: Final = 0.1
_MOST: Final = 5.0
_SHOWN: Final = 3
#: How long a store is tried, in seconds; the variable sets it.
PATIENCE_SECONDS: Final = 60.0
VARIABLE: Final = "FLOWNB_PATIENCE_SECONDS"


@functools.cache
def patience_seconds() -> float:
    """How long a store that can't be written is tried before its runs are let go."""
    try:
        return max(0.0, float(os.environ.get(VARIABLE) or PATIENCE_SECONDS))
    except ValueError:
        return PATIENCE_SECONDS


class _Stall:
    """A store that can't be written for the moment."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.delay = _FIRST


class Patience:
    """Which stores of an engine can't be written, and since when; on its loop only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stalls: dict[int, _Stall] = {}

    def __bool__(self) -> bool:
        return bool(self._stalls)

    def wait(self, store: Store, runs: list[Execution], error: StoreError) -> float | None:
        """Seconds until a commit that failed is tried again; None where it was tried for long enough."""
        now = self._engine.loop.time()
        stall = self._stalls.get(id(store))
        if stall is None:
            stall = self._stalls[id(store)] = _Stall(now)
            names = ", ".join(each.run_id for each in runs[:_SHOWN]) + (" and others" if len(runs) > _SHOWN else "")
            left = patience_seconds()
            _log.warning("%s Until then nothing more of run %s starts; it is tried for %g s.", error, names, left)
        if now - stall.since >= patience_seconds():
            del self._stalls[id(store)]
            return None
        delay, stall.delay = stall.delay, min(stall.delay * 2, _MOST)
        return delay

    def end(self, store: Store) -> None:
        """A commit went through."""
        if self._stalls.pop(id(store), None) is not None:
            _log.warning("%s can be written again; its runs go on.", store.url)


def written_after_all(execution: Execution) -> int:
    """How many of the events that seemed not to be written are: of some commits only the acknowledgement is lost."""
    first = execution.state.seq - len(execution.out)
    try:
        row = execution.store.row(execution.run_id)
        if row is None or row.fence != execution.lease.fence or row.seq <= first:
            return 0
        there = [record.event for record in execution.store.events(execution.run_id, first)]
    except StoreError:
        return 0
    return len(there) if there == execution.out[: len(there)] else 0


# --- artifacts: on the thread where a value is stored -----------------------------------------------------------------


def patiently(execution: Execution, work: Callable[[], T], error: StoreError) -> T:
    """`work()`, which failed with `error`, tried again while the disk is full; for threads that may stand still.

    Raises:
        StoreError: whatever `work` raises at last.
    """
    idle, left, delay = threading.Event(), patience_seconds(), _FIRST
    if not error.passes or threading.get_ident() == execution.engine.thread_id:
        raise error  # on the loop, which all runs share, nobody waits
    _log.warning("%s Run %s waits with a value for at most %g s.", error, execution.run_id, left)
    while left > 0 and not execution.over:
        idle.wait(min(delay, left))
        left, delay = left - delay, min(delay * 2, _MOST)
        try:
            return work()
        except StoreError as again:
            error = again
            if not error.passes:
                break
    raise error
