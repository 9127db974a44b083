"""The engine: one thread with one event loop in a process, at work for all of its runs.

A *tick* is the only place where anything is committed: it lets every run that something happened to decide, commits
all their events in one transaction a store, publishes them, and starts the nodes that they announced. So a node's
end and its successors' starts are one commit, nothing runs that is not journaled, and nothing is shown that is not
committed.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import logging
import os
import random
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import Fenced, InternalError, StoreError
from flownb.ids import new_run_id
from flownb.run import ending
from flownb.run.children import child_rests
from flownb.run.commits import Commits
from flownb.run.eager import EagerTasks
from flownb.run.house import House
from flownb.run.output import installation
from flownb.run.output.recording import Recording
from flownb.run.recovery.arrivals import Arrivals
from flownb.run.recovery.departures import Departures
from flownb.run.recovery.patience import Patience
from flownb.run.resources import Pool
from flownb.run.threads import Workers, thread_clock
from flownb.run.watch.watchdog import Watchdog
from flownb.store import opening
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.attempt import Attempt
    from flownb.run.executor import Execution
    from flownb.store.contract import Owner, Store

_log = logging.getLogger("flownb.engine")
#: Seconds that one callback may take before it lets others in, a computing cell above all.
_BUDGET: Final = 0.008


class Engine:
    """One a process, by `engine()`. Methods marked so may be called from any thread; all others on the loop only."""

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        new_id: Callable[[], str] = new_run_id,
        workers: Workers | None = None,
        describe: Callable[[], Owner] = current_owner,
    ) -> None:
        """An engine at work.

        Args:
            loop: the loop that it works on, which the caller runs; by default one of its own, on its own thread. The
                rest is for those who bring a loop, as a simulation: everything that would differ between two runs.
            now: the time, in seconds since 1970.
            chance: a random number from 0 to 1.
            new_id: an id for a new run.
            workers: the threads for sync functions.
            describe: the process, as an owner in a store that it has not been in.
        """
        self.now = now
        self.chance = chance
        self.new_id = new_id
        self.describe = describe
        self.loop = loop or asyncio.new_event_loop()
        #: The clock by which a tick keeps within its budget; of the loop, if that may be another than the machine's.
        self._clock: Callable[[], float] = time.perf_counter if loop is None else loop.time
        self.owns_loop = loop is None
        self.base_context = contextvars.Context()
        self.tasks = EagerTasks(self.loop)
        self.workers = workers or Workers(self.loop)
        #: Named resources, which all runs share.
        self.pool = Pool()
        self.executions: dict[str, Execution] = {}
        #: What other threads want to have called, and whether the loop knows of it.
        self._calls: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._called = False
        #: Runs that something happened to, and whether a tick is about to look at them.
        self._marked: list[Execution] = []
        self._armed = False
        self._switch_interval = sys.getswitchinterval()
        self.house = House(self)
        self.departures = Departures(self)
        self.patience = Patience(self)
        self.recording = Recording(self)
        self.watchdog = Watchdog(self)
        if self.owns_loop:
            self.loop.set_task_factory(self.watchdog.make_task)
        #: The clock of the CPU time of the loop's thread.
        self.clock: int | None = None
        self.arrivals = Arrivals(self)
        self.commits = Commits(self, writers=workers)
        self._thread: threading.Thread | None = None
        if loop is not None:
            self.base_context.run(_given.set, self)
            return
        self._thread = threading.Thread(target=self._serve, name="flownb-engine", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.clock = thread_clock()
        while True:
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                # asyncio lets these two out of a callback or of a task that a node made: one node's `sys.exit()` is
                # no reason to end the engine, which all runs of this process share.
                if not self._is_a_bodys(error):
                    _log.error("Something that a node started on the engine's loop raised %r; runs go on.", error)
            else:
                return

    def _is_a_bodys(self, error: BaseException) -> bool:
        """Whether a body ended with this, so that its node fails with it and nothing else is to be said."""
        tasks = [attempt.running for execution in self.executions.values() for attempt in execution.alive.values()]
        return any(
            isinstance(task, asyncio.Task) and task.done() and not task.cancelled() and task.exception() is error
            for task in tasks
        )

    @property
    def thread_id(self) -> int | None:
        """The engine's thread, so that others can tell when they are on it; without one of its own, whoever asks."""
        return threading.get_ident() if self._thread is None else self._thread.ident

    # --- from any thread ----------------------------------------------------------------------------------------------

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the loop soon, in the order of the calls; from any thread."""
        self._calls.append((function, args))
        # One wake-up for many: it is a write to a socket, and half of what starting a small run costs.
        if not self._called:
            self._called = True
            self.loop.call_soon_threadsafe(self._make_calls, context=self.base_context)

    def _make_calls(self) -> None:
        self._called = False  # before the first is taken: who comes after this wakes the loop again
        try:
            while self._calls:
                function, args = self._calls.popleft()
                function(*args)
        finally:
            if self._calls:  # one raised, which the loop reports; the others are not to suffer
                self.loop.call_soon(self._make_calls, context=self.base_context)

    def owner(self, store: Store) -> Owner:
        """This engine as an owner in a store, registered with it; from any thread."""
        return self.house.owner(store)

    def adopt(self, store: Store, owner: Owner) -> None:
        """Be known in a store as `owner`, whom the caller describes: a headless kernel has a runner beside it."""
        self.house.adopt(store, owner)

    def retire(self, store: Store) -> None:
        """Let go of everything in a store; from any thread, when all is done."""
        self.house.retire(store)

    async def on_thread(self, work: Callable[[], Any]) -> Any:
        """The value of `work()`, done on a worker thread in the caller's context."""
        future: asyncio.Future[Any] = self.loop.create_future()

        def done(value: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)

        self.workers.submit(work, done, contextvars.copy_context())
        return await future

    def output_waits(self) -> None:
        """A node has written something; from any thread."""
        self.call(self.recording.arm)

    def leave(self, seconds: float = 2.0) -> None:
        """The process ends: what somebody asked to pause is paused, although its nodes in flight have not ended."""
        left = threading.Event()

        def all_leave() -> None:
            for execution in list(self.executions.values()):
                ending.leave(execution)
            leave_when_quiet()

        def leave_when_quiet() -> None:
            if self._marked or self.commits.flying:
                self.loop.call_later(0.001, leave_when_quiet, context=self.base_context)
            else:
                left.set()

        self.call(all_leave)
        left.wait(seconds)

    def close(self, seconds: float = 2.0) -> None:
        """End the thread in order, when the process does; bodies that are at work are left to end with the process."""
        self.leave(seconds)
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self.loop.call_soon_threadsafe(self._stop)
        thread.join(seconds)
        if not thread.is_alive() and not self.workers.busy:
            self.loop.close()

    def _stop(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            # Its run says `running` in the journal, and is recovered; that it did not end is no news for stderr.
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  as asyncio.gather does it
        self.loop.stop()

    # --- runs come and go ---------------------------------------------------------------------------------------------

    def add(self, execution: Execution) -> None:
        """Take a run in and begin."""
        if not self.executions:
            installation.enter()
            # A thread that gives the GIL away at every commit and takes it back at once starves a computing cell and
            # is starved by it at the default of 5 ms; half a millisecond is fair to both.
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(0.0005)
            if self._thread is not None:
                self.watchdog.wake()
        else:
            installation.renew()
        self.executions[execution.run_id] = execution
        self.arrivals.arrived(execution)
        try:
            execution.begin()
        except StoreError as error:  # what people answered can't be read
            self.lose(execution, error)
        except Exception as error:  # noqa: BLE001  else it would be nobody's, and here for ever
            self._fault(execution, error)
        else:
            self.house.enter(execution)

    def remove(self, execution: Execution) -> None:
        """A run has ended, rests, or was lost."""
        execution.gone = True
        if self.executions.get(execution.run_id) is execution:
            del self.executions[execution.run_id]
            self.house.leave(execution)
            if not self.executions:
                installation.leave()
                self.watchdog.rest()
                sys.setswitchinterval(self._switch_interval)
        if execution.state.parent_node:
            child_rests(self, execution)

    def forget(self) -> None:
        """Leave all runs as they are, and undo what having any changed here: a simulated process has died."""
        if self.executions:
            self.executions.clear()
            installation.leave()
            sys.setswitchinterval(self._switch_interval)

    def idle(self, execution: Execution) -> None:
        """A held run has nothing left to do; its listeners look at its state."""
        execution.tell([])

    # --- the tick -----------------------------------------------------------------------------------------------------

    def mark(self, execution: Execution) -> None:
        """Something happened to a run; a tick follows."""
        if not execution.marked:
            execution.marked = True
            self._marked.append(execution)
            if not self._armed:
                self._armed = True
                # With a context of its own: a tick that a node's task schedules would else run in that node's context.
                self.loop.call_soon(self._tick, context=self.base_context)

    def _tick(self) -> None:
        clock, commits = self._clock, self.commits
        end = clock() + _BUDGET
        batch: list[Execution] = []
        try:
            while self._marked:
                batch, self._marked = self._marked, []
                if commits.flying:
                    batch = commits.free(batch)
                    if not batch:
                        continue
                starts: list[Attempt] = []
                for execution in batch:
                    try:
                        starts += execution.advance()
                    except Exception as error:  # noqa: BLE001  a fault of ours in one run must not stop the others
                        self._fault(execution, error)
                    execution.marked = False
                commits.take(batch, starts)
                if clock() > end and self._marked:
                    self.loop.call_soon(self._tick, context=self.base_context)
                    return
        except BaseException:
            # Whatever went wrong, those that wait must have their tick: a silent engine helps nobody.
            for execution in batch:
                execution.marked = False
            self._armed = bool(self._marked)
            if self._armed:
                self.loop.call_soon(self._tick, context=self.base_context)
            raise
        self._armed = False

    def _fault(self, execution: Execution, error: Exception) -> None:
        fault = InternalError(f"The engine failed on run {execution.run_id}: {error!r}. Please report this.")
        fault.__cause__ = error
        self.lose(execution, fault)

    def lose(self, execution: Execution, error: BaseException) -> None:
        """The run is not ours any more, or can't be written: stop touching it and say so."""
        if execution.lost is not None:
            return
        execution.lost = error
        execution.over = True
        execution.out = []
        for attempt in list(execution.alive.values()):
            attempt.stop()
        execution.timers.end()
        if execution.claims is not None:
            execution.claims.end()
        self.remove(execution)
        if not isinstance(error, Fenced):
            self.house.let_go(execution)
        _log.warning("Run %s can't go on in this process: %s", execution.run_id, error, extra={"lost": True})
        execution.tell(None)


_engine: Engine | None = None
_engine_pid = 0
_engine_lock = threading.Lock()
#: The engine of a context that has another than its process.
_given: Final[contextvars.ContextVar[Engine | None]] = contextvars.ContextVar("flownb_engine", default=None)


def engine() -> Engine:
    """The engine of this process; started at the first call, and anew in a forked child."""
    global _engine, _engine_pid
    if (given := _given.get()) is not None:
        return given
    if _engine is None or _engine_pid != os.getpid():
        with _engine_lock:
            if _engine is None or _engine_pid != os.getpid():
                _engine, _engine_pid = Engine(), os.getpid()
    return _engine


@contextlib.contextmanager
def using(other: Engine) -> Iterator[None]:
    """Let `engine()` mean another one in this context and in all that is begun in it."""
    before = _given.set(other)
    try:
        yield
    finally:
        _given.reset(before)


def _leave() -> None:
    """The interpreter ends: nothing of ours may be inside SQLite while it does."""
    global _engine  # noqa: PLW0603  a process has one
    if _engine is not None and _engine_pid == os.getpid():
        _engine.close()
        _engine = None
    opening.close_all()


# After the import of `opening`, whose own handler would else come first and close the stores.
atexit.register(_leave)
