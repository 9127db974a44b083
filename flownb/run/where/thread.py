"""Bodies on threads: sync functions."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.run.inputs import loaded
from flownb.run.outcome import Outcome, checked_outcome
from flownb.run.output.capture import writing_into
from flownb.run.where.call import call, outcome_of_type

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt

#: Seconds between SIGTERM and SIGKILL, for what the thread of a cancelled node has started.
_GRACE_SECONDS: Final = 2.0
#: Held while a thread leaves a body, so that nobody takes its next one for it; one for all, as it is held for moments.
_leaving: Final = threading.Lock()


def start(attempt: Attempt) -> None:
    """Hand the body to a worker thread."""
    inputs = attempt.arguments()
    if inputs is None:
        return
    attempt.running = body = OnThread(attempt, inputs)
    attempt.execution.engine.workers.submit(body.run, attempt.end, writing_into(attempt.buffer))


class OnThread:
    """A body that a thread runs. A thread can't be stopped, but what it waits for in another process can."""

    __slots__ = ("_attempt", "_inputs", "ended", "thread")

    def __init__(self, attempt: Attempt, inputs: dict[str, Any]) -> None:
        self._attempt = attempt
        self._inputs = inputs
        #: While it runs.
        self.thread: int | None = None
        self.ended = False

    def run(self) -> Outcome:
        """Call the function, on a worker thread."""
        self.thread = threading.get_ident()
        serving = self._attempt.execution.engine.workers.serving
        serving[self.thread] = self._attempt
        inputs, self._inputs = self._inputs, {}  # a large one must not wait for the collector: attempts are in circles
        try:
            return run(self._attempt, inputs)
        finally:
            serving.pop(self.thread, None)
            with _leaving:
                self.ended = True
                self.thread = None

    def done(self) -> bool:
        """Whether it has ended."""
        return self.ended

    def cancel(self) -> None:
        """End the processes that the thread has started and perhaps waits for; those in a session of their own stay."""
        execution = self._attempt.execution
        home = execution.engine
        with _leaving:
            if self.thread is None:
                return
            since = home.now() - execution.state.node_started[self._attempt.number]
            started = _started_by(self.thread, max(0.0, since))
        if started:
            _send(started, signal.SIGTERM)
            home.loop.call_later(_GRACE_SECONDS, _send, started, signal.SIGKILL, context=home.base_context)


def run(attempt: Attempt, inputs: dict[str, Any]) -> Outcome:
    """Call the function of a node on the thread where this is called, and make the stored form of its value."""
    inputs = loaded(inputs)
    value = call(attempt, inputs)
    if type(value) is CoroutineType:
        value.close()
        raise InvalidInput(
            f"{attempt.path} is a plain function that returned a coroutine; write `async def` so that it is awaited."
        )
    return checked_outcome(attempt, value if attempt.body.plain else outcome_of_type(attempt.body, value, inputs))


def _started_by(ident: int, seconds: float) -> dict[int, int]:
    """The processes that one thread has started in so many seconds, and all below them: when each began, by id."""
    from flownb.run.child import tree  # only when somebody cancels

    number = next((each.native_id for each in threading.enumerate() if each.ident == ident), None)
    children = tree.children_of_thread(number) if number is not None else []
    if not children:
        return {}
    own, first = os.getsid(0), tree.ticks_ago(seconds) - 1
    births = {pid: tree.birth(pid) for child in children for pid in (child, *tree.below(child))}
    return {
        pid: birth for pid, birth in births.items() if birth is not None and birth >= first and tree.session(pid) == own
    }


def _send(births: dict[int, int], number: int) -> None:
    from flownb.run.child import tree

    for pid, birth in births.items():
        if tree.birth(pid) == birth:
            with suppress(OSError):
                os.kill(pid, number)
