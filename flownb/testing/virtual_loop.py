"""An event loop without real time, whose order is chosen by a seed."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from flownb.testing.crash import Crash

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Coroutine, Generator

    from flownb.testing.clock import VirtualClock

_Given = TypeVarTuple("_Given")
_Value = TypeVar("_Value")


class _Handle(asyncio.Handle):
    def run(self) -> None:
        self._context.run(self._callback, *self._args)  # type: ignore[attr-defined]  # typeshed leaves out what loops use


class _TimerHandle(asyncio.TimerHandle):
    def run(self) -> None:
        self._context.run(self._callback, *self._args)  # type: ignore[attr-defined]  # as above


class VirtualLoop(asyncio.AbstractEventLoop):
    """Callbacks, timers, futures and tasks on a virtual clock; no sockets, no subprocesses.

    Whoever drives it calls `step()` while `ready`, and moves the clock to `next_timer` when nothing is. What is ready
    at the same time runs in an order that the seed chooses; a real loop's order depends on when threads, sockets and
    timers happen to come, and code that relies on one order is found so.
    """

    def __init__(self, clock: VirtualClock, chance: random.Random) -> None:
        self.clock = clock
        self._chance = chance
        self._ready: list[_Handle | _TimerHandle] = []
        self._timers: list[tuple[float, float, int, _TimerHandle]] = []
        self._made = 0
        self._running = self._closed = False
        #: What was raised in callbacks and never retrieved, as `call_exception_handler` got it.
        self.errors: list[dict[str, Any]] = []

    # --- driven from outside ------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether anything can run now."""
        self._wake_timers()
        while self._ready and self._ready[-1].cancelled():
            self._ready.pop()
        return bool(self._ready)

    @property
    def next_timer(self) -> float | None:
        """When, on the monotonic clock, the next timer is due."""
        while self._timers and self._timers[0][3].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def step(self) -> None:
        """Run one callback that is ready.

        Raises:
            Crash: the callback died.
        """
        self._wake_timers()
        place = self._chance.randrange(len(self._ready))
        self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
        handle = self._ready.pop()
        if handle.cancelled():
            return
        before = asyncio._get_running_loop()  # noqa: SLF001  documented for the authors of loops
        asyncio._set_running_loop(self)  # noqa: SLF001
        self._running = True
        try:
            handle.run()
        except (Crash, SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  as a loop does, it goes to the handler
            self.call_exception_handler({"message": f"Exception in {handle!r}", "exception": error})
        finally:
            self._running = False
            asyncio._set_running_loop(before)  # noqa: SLF001

    def _wake_timers(self) -> None:
        now = self.time()
        while self._timers and self._timers[0][0] <= now:
            handle = heapq.heappop(self._timers)[3]
            if not handle.cancelled():
                self._ready.append(handle)

    # --- what asyncio asks of a loop ----------------------------------------------------------------------------------

    def time(self) -> float:
        """The monotonic clock."""
        return self.clock.monotonic()

    def call_soon(
        self, callback: Callable[[*_Given], object], *args: *_Given, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Call it when its turn comes."""
        handle = _Handle(callback, args, self, context)
        if not self._closed:  # of a worker that died, nothing runs any more
            self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Given], object],
        *args: *_Given,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it after a delay."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Given], object],
        *args: *_Given,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it at a time of the monotonic clock."""
        handle = _TimerHandle(when, callback, args, self, context)
        self._made += 1
        if not self._closed:
            heapq.heappush(self._timers, (when, self._chance.random(), self._made, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Generator[Any, None, Any] | Coroutine[Any, Any, Any], **keywords: Any
    ) -> asyncio.Task[Any]:
        """A task of this loop."""
        keywords.pop("eager_start", None)
        return asyncio.Task(coro, loop=self, **keywords)

    def run_in_executor(
        self, executor: Any, func: Callable[[*_Given], _Value], *args: *_Given
    ) -> asyncio.Future[_Value]:
        """Call a function in a turn of its own; so `asyncio.to_thread` works, and has an end that the seed chooses."""
        del executor
        future = self.create_future()

        def done(value: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        InlineWorkers(self, self._chance).submit(lambda: func(*args), done, contextvars.copy_context())
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep it in `errors`."""
        self.errors.append(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep it in `errors`."""
        self.errors.append(context)

    def get_debug(self) -> bool:
        """Off."""
        return False

    def set_debug(self, enabled: bool) -> None:
        """Off it stays."""

    def is_running(self) -> bool:
        """Whether a callback is running."""
        return self._running

    def is_closed(self) -> bool:
        """Whether nothing will run on it any more."""
        return self._closed

    def stop(self) -> None:
        """Whoever drives it decides when it stops."""

    def close(self) -> None:
        """Forget all that was to run."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()


class InlineWorkers:
    """In place of threads: sync functions run on the loop, each in turns of its own that the seed places in time."""

    def __init__(self, loop: VirtualLoop, chance: random.Random) -> None:
        self._loop = loop
        self._chance = chance
        #: As of the workers of an engine: by thread, the attempt that it works for.
        self.serving: dict[int, Any] = {}

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None], context: contextvars.Context
    ) -> None:
        """Run `work()` in `context` a moment later, and tell `done` another moment later, as a thread would."""
        self._loop.call_later(self._moment(), self._run, work, done, context, context=contextvars.Context())

    def _moment(self) -> float:
        return self._chance.random() * 0.01

    def _run(
        self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None], context: contextvars.Context
    ) -> None:
        value, error = None, None
        try:
            value = context.run(work)
        except Crash:
            raise
        except BaseException as caught:  # noqa: BLE001  as on a thread, it is the function's end
            error = caught
        self._loop.call_later(self._moment(), done, value, error, context=contextvars.Context())
