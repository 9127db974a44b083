"""A look at the engine's loop every 50 ms while runs are at work: who blocks it, and who computes beside it.

A thread of its own asks the loop for an answer and sees how long that takes. While there is none, it looks whose task
the loop is in: that node blocks all others, and its run gets a warning with the line where it was. Once a second it
looks at which sync nodes compute in Python without a break, since all threads share one lock, and at what takes longer
or more than the flow's settings say.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flownb.model.events import SystemWarning
from flownb.run.output.capture import OUTPUT
from flownb.run.watch.computing import BLOCKED, LOOK, Computing
from flownb.run.watch.lags import Lags
from flownb.run.watch.stacks import innermost, stack_of
from flownb.run.watch.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.executor import Execution

#: Seconds after the last run in which it still looks, so that many short runs don't wake it each time.
_LINGER: Final = 1.0
#: Seconds between two looks at who computes, and at what takes long or much.
_LONG_LOOK: Final = 1.0


class Watchdog:
    """Of one engine that has a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: How late the loop has answered lately.
        self.lags = Lags()
        #: What was found and nobody has recorded yet.
        self.found: deque[tuple[Execution, str | None, str]] = deque()
        self._thread: threading.Thread | None = None
        self._work = threading.Event()
        self._active = False
        self._asleep = True
        self._told: weakref.WeakKeyDictionary[Execution, set[tuple[str, str | None]]] = weakref.WeakKeyDictionary()
        self._asked: float | None = None
        self._answered: float | None = None
        #: The node that stands on the loop while it doesn't answer (its run, path and attempt); how often it was seen.
        self._suspect: tuple[weakref.ref[Execution], str, int] | None = None
        self._seen = 0
        self._place = ""
        #: Of the tasks that nodes have made, whose output is theirs.
        self._children: weakref.WeakKeyDictionary[asyncio.Task[Any], Any] = weakref.WeakKeyDictionary()
        self._next_long_look = 0.0
        self._computing = Computing(engine)
        self._thresholds = Thresholds(engine)

    # --- on the loop --------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Runs are at work."""
        self._active = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="flownb-watchdog", daemon=True)
            self._thread.start()
        if self._asleep:
            self._work.set()

    def rest(self) -> None:
        """None is."""
        self._active = False

    def tell(self) -> None:
        """Record what was found."""
        while self.found:
            execution, node, message = self.found.popleft()
            if not execution.over:
                execution.record(SystemWarning(at=execution.engine.now(), message=message, node=node))

    def _answer(self) -> None:
        self._answered = time.monotonic()

    # --- on its own thread --------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        active = 0.0
        while True:
            now = time.monotonic()
            if self._active:
                active = now
            elif now - active > _LINGER:
                self._asleep = True
                self._asked = self._suspect = None
                self._computing.rest()
                if not self._active:
                    self._work.wait()
                self._work.clear()
                self._asleep = False
                continue
            time.sleep(LOOK)
            with contextlib.suppress(Exception):  # a frame or a run that is gone while it is looked at
                self._look(time.monotonic(), time.monotonic() - now - LOOK)

    def _look(self, now: float, late: float) -> None:
        """Ask, or see what became of the last question; `late` is how much later than it should this look comes."""
        if self._asked is not None and self._answered is None:
            self._suspicion()
            waited = now - self._asked
            if waited >= BLOCKED:
                self._accuse(late)
        else:
            if self._asked is not None and self._answered is not None:
                lag = self._answered - self._asked
                self.lags.add(lag)
                if lag >= BLOCKED:
                    self._accuse(0.0)
            self._suspect, self._seen = None, 0
            self._asked, self._answered = now, None
            try:
                self._engine.loop.call_soon_threadsafe(self._answer, context=self._engine.base_context)
            except RuntimeError:  # it is closed: the process ends
                self._active = False
        if now >= self._next_long_look:
            self._next_long_look = now + _LONG_LOOK
            for attempt, seconds in self._computing.look(now, late, self.lags):
                self._say_that_it_computes(attempt, seconds)
            for execution, node, kind, text in self._thresholds.look(now):
                self._note(execution, node, kind, text)

    def _suspicion(self) -> None:
        attempt = self._on_the_loop()
        if attempt is None:
            self._suspect, self._seen = None, 0
            return
        suspect = (weakref.ref(attempt.execution), attempt.path, attempt.number_of_try)
        self._seen = self._seen + 1 if suspect == self._suspect else 1
        self._suspect = suspect
        file = getattr(getattr(attempt.body.call, "__code__", None), "co_filename", None)
        line = innermost(stack_of(self._engine.thread_id), file)
        self._place = str(line) if line is not None else "a place that can't be seen"

    def _on_the_loop(self) -> Attempt | None:
        """The attempt whose task, or a task that it has made, takes a step on the loop."""
        task = asyncio.current_task(self._engine.loop)
        if task is None:
            return None
        buffer = self._children.get(task)
        if buffer is not None:
            return self._engine.recording.attempt_with(buffer)
        for execution in list(self._engine.executions.values()):
            for attempt in list(execution.alive.values()):
                if attempt.running is task or (attempt.running is None and attempt.path == task.get_name()):
                    return attempt
        return None

    def make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        """The loop's task factory: remembers of which node a task is that the node makes."""
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
        if (buffer := OUTPUT.get()) is not None:
            self._children[task] = buffer
        return task

    def _accuse(self, late: float) -> None:
        """A node that was seen twice blocks; once is enough where nobody could look, because it held Python's lock."""
        if self._suspect is None or not (self._seen > 1 or self._computing.engine_computed(late)):
            return
        run, path, _ = self._suspect
        execution = run()
        if execution is not None:
            self._note(execution, path, "blocks", partial(_blocked, path, self._place))

    def _say_that_it_computes(self, attempt: Attempt, seconds: float) -> None:
        others = sum(len(execution.alive) for execution in list(self._engine.executions.values())) - 1
        if others < 1:
            return
        late = self.lags.share(0.99) * 1000
        beside = f"{others} other node{'s' if others > 1 else ''}"
        self._note(
            attempt.execution,
            attempt.path,
            "computes",
            lambda: (
                f"{attempt.path} has computed for {seconds:.0f} s without a break beside {beside}, and Python lets one "
                f"thread compute at a time: the engine's loop answers up to {late:.0f} ms late. "
                'where="process" gives it a core of its own.'
            ),
        )

    def _note(self, execution: Execution, node: str | None, kind: str, text: Callable[[], str]) -> None:
        """Tell of each kind once a node and run."""
        told = self._told.setdefault(execution, set())
        if (kind, node) not in told:
            told.add((kind, node))
            self.found.append((execution, node, text()))
            self._engine.call(self.tell)


def _blocked(path: str, place: str) -> str:
    return (
        f"{path} blocked the engine's loop for more than 250 ms, at {place}: no other async node went on meanwhile. "
        "Await what takes time (asyncio.sleep, an async client), or write a plain `def`, which runs on a thread, or "
        'with where="process" in a process of its own.'
    )
