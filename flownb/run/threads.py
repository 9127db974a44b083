"""Threads for sync functions: own ones, because an executor's queue costs fifty times as much per call.

Threads are made when all are busy and end after a while without work. Results come back through one deque with one
wake-up of the loop for many, so that 3,000 short functions cost 3,000 appends and not 3,000 wake-ups.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Callable

_IDLE_SECONDS: Final = 30.0


class Workers:
    """A growing set of daemon threads; `most` bounds how many."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int = 512) -> None:
        self._loop = loop
        self._most = most
        self._jobs: queue.SimpleQueue[tuple[contextvars.Context, Callable[[], Any], Callable[..., None]]] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._threads = 0
        #: Threads that wait for a job, and jobs that no thread has taken.
        self._waiting = 0
        self._queued = 0
        self._results: deque[tuple[Callable[..., None], Any, BaseException | None]] = deque()
        self._armed = False
        #: By thread, the clock of the CPU time that it has had; see `thread_clock`.
        self.clocks: dict[int, int] = {}
        #: By thread, the attempt that it works for.
        self.serving: dict[int, Any] = {}

    @property
    def busy(self) -> bool:
        """Whether a thread is at work, or has something to tell."""
        with self._lock:
            return self._threads > self._waiting or bool(self._queued or self._results)

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None], context: contextvars.Context
    ) -> None:
        """Run `work()` on a thread in `context`; then `done(value, error)` on the loop."""
        self._jobs.put((context, work, done))
        with self._lock:
            self._queued += 1
            if self._queued <= self._waiting or self._threads >= self._most:
                return
            self._threads += 1
            number = self._threads
        try:
            threading.Thread(target=self._serve, name=f"flownb-worker-{number}", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            with self._lock:
                self._threads -= 1
                alone = self._threads == 0
            if alone:
                raise
            # Those that there are do it when they are done with theirs.

    def _serve(self) -> None:
        if (clock := thread_clock()) is not None:
            self.clocks[threading.get_ident()] = clock
        try:
            self._work()
        finally:
            self.clocks.pop(threading.get_ident(), None)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._waiting += 1
            try:
                context, work, done = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    self._waiting -= 1
                    if self._queued:  # put between the timeout and here
                        continue
                    self._threads -= 1
                return
            with self._lock:
                self._waiting -= 1
                self._queued -= 1
            value, error = None, None
            try:
                value = context.run(work)
            except BaseException as caught:  # noqa: BLE001  SystemExit of a node must not end the thread silently
                error = caught
            self._results.append((done, value, error))
            del context, work, done, value, error
            with self._lock:
                wake, self._armed = not self._armed, True
            if wake:
                try:
                    self._loop.call_soon_threadsafe(self._drain)
                except RuntimeError:  # the loop is closed: the process is ending
                    return

    def _drain(self) -> None:
        with self._lock:
            self._armed = False
        while self._results:
            done, value, error = self._results.popleft()
            try:
                done(value, error)
            except BaseException:
                # One that goes wrong must not keep back those behind it.
                self._loop.call_soon(self._drain)
                raise


def thread_clock() -> int | None:
    """The clock of the CPU time of this thread, for `time.clock_gettime` of any thread; None where there is none."""
    # Asked for by the thread itself: of a thread that has ended, it would crash the process.
    make = getattr(time, "pthread_getcpuclockid", None)
    clock: int | None = make(threading.get_ident()) if make is not None else None
    return clock
