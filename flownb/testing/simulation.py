"""Runs in virtual time: one seed owns the clock, the order of things and every random number."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
from typing import TYPE_CHECKING, Any, Final, Self

from flownb.model.journal import JsonCodec
from flownb.run.engine import Engine, using
from flownb.store.contract import Owner
from flownb.store.lease import LEASE_SECONDS, Liveness
from flownb.store.memory import MemoryStore
from flownb.store.owner import Here
from flownb.testing.clock import VirtualClock
from flownb.testing.crash import Crash, crash, watching
from flownb.testing.faulty_store import FaultyStore
from flownb.testing.stuck import Stuck, picture
from flownb.testing.virtual_loop import InlineWorkers, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from flownb.flow import Flow
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

_PLACE: Final = Here(host="simulation", boot="boot", pid_namespace="1")


class Worker:
    """A process of a simulation: an engine on a loop of its own. It lives until it crashes."""

    def __init__(self, number: int, clock: VirtualClock, chance: random.Random) -> None:
        self.number = number
        make: Any = VirtualLoop  # sockets and processes, which asyncio asks of a loop as well, are left out
        self.loop: VirtualLoop = make(clock, chance)
        self.engine = Engine(
            loop=self.loop,
            now=clock.wall,
            chance=chance.random,
            new_id=lambda: f"run{chance.randrange(10**12):012}",
            describe=lambda: Owner(id=f"worker{number}", **_PLACE._asdict(), pid=number, pid_started=1),
            workers=InlineWorkers(self.loop, chance),  # type: ignore[arg-type]  # it has what an engine asks for
        )
        self.dead = False
        #: Callbacks that it may still run before it crashes.
        self.left: int | None = None

    def __repr__(self) -> str:
        return f"<worker {self.number}{' (dead)' if self.dead else ''}>"


class Simulation:
    """Engines, a store and a clock in one thread, without real time; one seed gives one journal, byte for byte.

    ```python
    with Simulation(seed=7) as simulation:
        run = simulation.run(flow, path="x.csv")
        assert simulation.result(run) == {"total": 3}
    ```

    Nothing happens until `result`, `settle`, `until` or `step` lets it. Sleeps and timers take no real time: when
    nothing is ready the clock moves to the next one. Sync functions run inline, in turns of their own; `time.sleep` in
    them really sleeps. Subprocesses and sockets are not simulated.

    Workers are processes: `crash` kills the one at hand without a goodbye, `restart` begins another on the same
    store, `on(worker)` speaks for one of several. `store` is a `FaultyStore`, so that its calls can be made to fail.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        store: Callable[[Liveness], Store] | None = None,
        clock: VirtualClock | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """A simulation with one worker.

        Args:
            seed: decides all that is left to chance.
            store: makes the store; by default one in memory.
            clock: the clock, to be jumped; by default a new one.
            lease_seconds: how long a worker that can't be seen to be dead keeps its runs without saying that it lives.
        """
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311  for a game of dice, not a secret
        self.clock = clock or VirtualClock()
        liveness = Liveness(self.clock, lease_seconds=lease_seconds, place=_PLACE, gone=self._is_gone)
        self.store = FaultyStore((store or _memory)(liveness), guard=self._guard)
        self.store.durable = True  # it outlives the workers, which are the processes here
        self.workers: list[Worker] = []
        self._lease_seconds = lease_seconds
        self._current: Worker | None = None
        self._ghosts: list[Any] = []
        self._open = contextlib.ExitStack()
        self._inside = contextlib.ExitStack()
        self.steps = 0

    def __enter__(self) -> Self:
        self._open.enter_context(watching(self._died))
        self.restart()
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            if not worker.dead:
                self._bury(worker)
        self._inside.close()
        self._open.close()
        for task in self._ghosts:
            task._log_destroy_pending = False  # noqa: SLF001  a worker that died has tasks that never end
        self._ghosts.clear()

    # --- workers ------------------------------------------------------------------------------------------------------

    @property
    def worker(self) -> Worker:
        """The worker that is spoken for."""
        assert self._current is not None
        return self._current

    def restart(self) -> Worker:
        """Begin another worker and speak for it from now on; others go on."""
        worker = Worker(len(self.workers) + 1, self.clock, self.chance)
        worker.engine.house.lease_for(self._lease_seconds)
        self.workers.append(worker)
        self._inside.close()
        self._inside.enter_context(using(worker.engine))
        self._current = worker
        return worker

    @contextlib.contextmanager
    def on(self, worker: Worker) -> Iterator[Worker]:
        """Speak for another worker within a `with`."""
        before, self._current = self._current, worker
        try:
            with using(worker.engine):
                yield worker
        finally:
            self._current = before

    def crash(self, worker: Worker | None = None) -> None:
        """Kill a worker as SIGKILL does: none of its tasks, timers or handlers runs any more."""
        self._bury(worker or self.worker)

    def crash_after(self, steps: int) -> None:
        """Kill the worker that is spoken for once it has run so many callbacks more."""
        self.worker.left = steps

    def _is_gone(self, pid: int, started: int) -> bool:
        del started
        return self.workers[pid - 1].dead

    def _died(self) -> None:
        if self._current is not None:
            self._current.dead = True

    def _guard(self, name: str) -> None:
        if self._current is not None and self._current.dead:
            crash(f"{self._current} calls {name}")

    def _bury(self, worker: Worker) -> None:
        worker.dead = True
        left = asyncio.all_tasks(worker.loop)
        for task in left:
            coroutine = task.get_coro()
            if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()  # it never took a step, and is not to complain of that
        self._ghosts += left
        worker.loop.close()
        worker.engine.forget()

    # --- runs ---------------------------------------------------------------------------------------------------------

    def run(self, flow: Flow, *args: Any, **keywords: Any) -> Run:
        """`flow.run(…)` in the simulation's store."""
        return flow.run(*args, store=self.store, display=False, **keywords)

    def result(self, run: Run, seconds: float = 3600.0) -> dict[str, Any]:
        """Let time pass until the run has ended, and return or raise what `run.result()` does."""
        self.settle(run, seconds)
        return run.result(0)

    def settle(self, run: Run, seconds: float = 3600.0) -> None:
        """Let time pass until the run has ended or is paused.

        Raises:
            Stuck: that does not come within so many virtual seconds, or nothing can happen any more.
            Crash: the worker that is spoken for died.
        """
        self.until(lambda: run.resting, seconds)

    def journal(self, run: str) -> bytes:
        """The journal of a run as bytes, to be compared."""
        codec = JsonCodec()
        return b"\n".join(codec.encode(record.event) for record in self.store.events(run))

    # --- time ---------------------------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], Any], seconds: float = 3600.0) -> None:
        """Let things happen until a condition holds; `Stuck` and `Crash` as in `settle`."""
        end = self.clock.monotonic() + seconds
        mine = self.worker
        while not condition():
            if not self.step() or self.clock.monotonic() > end:
                raise Stuck(f"Stuck in the simulation of seed {self.seed}.\n{picture(self)}")
            if mine.dead:
                raise Crash(f"{mine} died.")

    def idle(self, seconds: float) -> None:
        """Let so many virtual seconds pass with all that happens in them."""
        end = self.clock.monotonic() + seconds
        while self._runnable() or self._next_timer() <= end:
            self.step()
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    def step(self) -> bool:
        """Run one callback of one worker, after moving the clock if nothing is ready; False where nothing is left."""
        ready = self._runnable()
        if not ready:
            due = self._next_timer()
            if due == float("inf"):
                return False
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            ready = self._runnable()
            if not ready:
                return True
        worker = ready[0] if len(ready) == 1 else self.chance.choice(ready)
        self.steps += 1
        with self.on(worker):
            try:
                worker.loop.step()
            except Crash:
                worker.dead = True
        if worker.left is not None:
            worker.left -= 1
            worker.dead = worker.dead or worker.left <= 0
        if worker.dead:
            self._bury(worker)
        elif worker.loop.errors:
            raise AssertionError(f"{worker} raised in a callback: {worker.loop.errors}") from worker.loop.errors[0].get(
                "exception"
            )
        return True

    def _runnable(self) -> list[Worker]:
        return [worker for worker in self.workers if not worker.dead and worker.loop.ready]

    def _next_timer(self) -> float:
        due = [worker.loop.next_timer for worker in self.workers if not worker.dead]
        return min((each for each in due if each is not None), default=float("inf"))


def _memory(liveness: Liveness) -> MemoryStore:
    return MemoryStore(liveness=liveness)
