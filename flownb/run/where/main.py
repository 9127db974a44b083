"""Bodies on the main thread: for what works nowhere else, as windows, signal handlers and the like.

They wait in a queue that the main thread serves whenever it can: while it waits in `run.result()` or `await run`, and
between two cells of a notebook, where the kernel's loop is idle. Nobody interrupts what the main thread does.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from flownb.model.events import SystemWarning
from flownb.run.hooks import hook
from flownb.run.output.capture import writing_into
from flownb.run.where import thread

if TYPE_CHECKING:
    from contextvars import Context

    from flownb.run.attempt import Attempt

#: Seconds that a node waits for the main thread until a warning says what it waits for.
PATIENCE: Final = 5.0


def start(attempt: Attempt) -> None:
    """Put the body in the queue of the main thread."""
    inputs = attempt.arguments()
    if inputs is None:
        return
    attempt.running = body = OnMain(attempt, inputs, writing_into(attempt.buffer))
    queue.put(body)
    home = attempt.execution.engine
    home.loop.call_later(PATIENCE, body.tell_that_it_waits, context=home.base_context)


class OnMain:
    """A body that the main thread runs, or will."""

    is_main: Final = True

    def __init__(self, attempt: Attempt, inputs: dict[str, Any], context: Context) -> None:
        self._attempt = attempt
        self._inputs = inputs
        self._context = context
        #: While it runs.
        self.thread: int | None = None
        self.begun = self.ended = False

    def run(self) -> None:
        """Call the function, on the main thread."""
        attempt, self.begun = self._attempt, True
        engine = attempt.execution.engine
        if attempt.ended:
            return
        self.thread = threading.get_ident()
        outcome, error = None, None
        try:
            outcome = self._context.run(thread.run, attempt, self._inputs)
        except BaseException as caught:  # noqa: BLE001  sys.exit and Ctrl-C in a node end the node, not the program
            error = caught
        self.thread, self.ended = None, True
        engine.call(attempt.end, outcome, error)

    def done(self) -> bool:
        """Whether it has ended."""
        return self.ended

    def cancel(self) -> None:
        """One that has not begun never will; one that runs can't be stopped."""
        if queue.take_back(self):
            self.ended = True
            self._attempt.end(None, asyncio.CancelledError())

    def tell_that_it_waits(self) -> None:
        """Record that nobody serves the main thread, if that is so."""
        attempt = self._attempt
        execution = attempt.execution
        if self.begun or self.ended or attempt.ended or execution.over:
            return
        message = (
            f"{attempt.path} waits for the main thread, which is busy or serves nobody. It runs while the main thread "
            "waits in run.result() or `await run`, and between the cells of a notebook."
        )
        execution.record(SystemWarning(at=execution.engine.now(), message=message, node=attempt.path))


class MainQueue:
    """What waits for the main thread. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._bodies: deque[OnMain] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def remember_loop(self) -> None:
        """The loop that runs on the main thread now, as that of a kernel in a cell, serves from now on."""
        if threading.current_thread() is threading.main_thread():
            with contextlib.suppress(RuntimeError):
                self._loop = asyncio.get_running_loop()

    def put(self, body: OnMain) -> None:
        """Let a body be run soon."""
        self._bodies.append(body)
        loop = self._loop
        if loop is None or loop.is_closed() or not loop.is_running():
            find = hook("main_loop")
            loop = find() if find is not None else None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed in this moment
                loop.call_soon_threadsafe(self.serve)

    def take_back(self, body: OnMain) -> bool:
        """Whether it was still waiting; it is not any more then."""
        try:
            self._bodies.remove(body)
        except ValueError:
            return False
        return True

    def serve(self) -> None:
        """Run what waits, if this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        while True:
            try:
                body = self._bodies.popleft()
            except IndexError:
                return
            body.run()


#: One a process, as there is one main thread.
queue: Final = MainQueue()
