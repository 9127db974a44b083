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
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flownb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Store

_log: Final = logging.getLogger("flownb.engine")
T = TypeVar("T")

#: Seconds before the first try after a failed one, and the most between two.
_FIRST: Final = 0.1
_MOST: Final = 5.0
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
    """A store that can't be written for the moment, and what waits for it."""

    def __init__(self, store: Store, since: float) -> None:
        self.store = store
        self.since = since
        self.delay = _FIRST
        self.failed = True
        self.runs: dict[Execution, None] = {}
        #: Announced in what is not committed.
        self.starts: list[Attempt] = []


class Patience:
    """The stalls of one engine; on its loop only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stalls: dict[int, _Stall] = {}

    def __bool__(self) -> bool:
        return bool(self._stalls)

    def runs_that_go_on(self, dirty: Iterable[Execution]) -> list[Execution]:
        """Those whose store can be written; the others start nothing until it can."""
        going = []
        for execution in dirty:
            stall = self._stalls.get(id(execution.store))
            if stall is None:
                going.append(execution)
            else:
                stall.runs[execution] = None
        return going

    def starts_that_may(self, starts: Iterable[Attempt]) -> list[Attempt]:
        """Attempts whose start is committed; the others wait until theirs is."""
        may = []
        for attempt in starts:
            stall = self._stalls.get(id(attempt.execution.store))
            if stall is None:
                may.append(attempt)
            else:
                stall.starts.append(attempt)
        return may

    def stall(self, group: list[Execution], error: StoreError) -> None:
        """A commit failed, and may go through later."""
        store = group[0].store
        now = self._engine.loop.time()
        stall = self._stalls.get(id(store))
        if stall is None:
            stall = self._stalls[id(store)] = _Stall(store, now)
            names = ", ".join(each.run_id for each in group[:3]) + (" and others" if len(group) > 3 else "")  # noqa: PLR2004  a sentence, not a list
            _log.warning(
                "%s Until then nothing more of run %s starts; it is tried again for %g s.",
                error,
                names,
                patience_seconds(),
            )
        stall.failed = True
        stall.runs.update(dict.fromkeys(group))
        if now - stall.since >= patience_seconds():
            self._give_up(stall, error)
            return
        home = self._engine
        home.loop.call_later(stall.delay, self._try_again, stall, context=home.base_context)
        stall.delay = min(stall.delay * 2, _MOST)

    def _give_up(self, stall: _Stall, error: StoreError) -> None:
        del self._stalls[id(stall.store)]
        for execution in stall.runs:
            self._engine.lose(execution, error)

    def _try_again(self, stall: _Stall) -> None:
        waiting = [each for each in stall.runs if each.lost is None and each.out]
        home = self._engine
        written = [each for each in waiting if _is_written(each)]
        stall.failed = False
        home.commit_again([each for each in waiting if each not in written], written)
        if stall.failed:
            return  # once more, or it is given up
        del self._stalls[id(stall.store)]
        _log.warning("%s can be written again; its runs go on.", stall.store.url)
        for execution in stall.runs:
            if execution.lost is None and not execution.over:
                home.mark(execution)
        home.start_all(stall.starts)


def _is_written(execution: Execution) -> bool:
    """Whether the commit that seemed to fail went through: only its acknowledgement was lost."""
    try:
        row = execution.store.row(execution.run_id)
        if row is None or row.fence != execution.lease.fence or row.seq != execution.state.seq:
            return False
        first = execution.state.seq - len(execution.out)
        there = [record.event for record in execution.store.events(execution.run_id, first)]
    except StoreError:
        return False
    return there == execution.out


# --- artifacts: on the thread where a value is stored -----------------------------------------------------------------


def patiently(execution: Execution, work: Callable[[], T]) -> T:
    """`work()`, tried again while the disk is full; for threads that may stand still.

    When that takes too long, the run is let go: its node was in flight, and nothing of it is recorded.

    Raises:
        StoreError: whatever `work` raises at last.
    """
    try:
        return work()
    except StoreError as error:
        if not error.passes:
            raise
        return _again(execution, work, error)


def _again(execution: Execution, work: Callable[[], T], error: StoreError) -> T:
    home = execution.engine
    idle, left, delay = threading.Event(), patience_seconds(), _FIRST
    if threading.get_ident() == home.thread_id:
        left = 0.0  # on the loop, which all runs share, nobody waits
    else:
        _log.warning("%s Run %s waits with a value for at most %g s.", error, execution.run_id, left)
    while left > 0 and not execution.over:
        idle.wait(min(delay, left))
        left, delay = left - delay, min(delay * 2, _MOST)
        try:
            return work()
        except StoreError as again:
            if not again.passes:
                raise
            error = again
    _let_go(home, execution, error)
    raise error


def _let_go(home: Engine, execution: Execution, error: StoreError) -> None:
    """First of all, so that the node's end finds the run gone and is not taken for the node's failure."""
    if threading.get_ident() == home.thread_id:
        home.lose(execution, error)
        return
    gone = threading.Event()

    def lose() -> Any:
        home.lose(execution, error)
        gone.set()

    home.call(lose)
    gone.wait()
