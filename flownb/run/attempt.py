"""One attempt of one node: it is started where its body runs, watched, and its end is handed back once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from flownb import faults
from flownb.errors import NodeTimeout
from flownb.model.events import NodeOutput
from flownb.run.body import Body
from flownb.run.outcome import is_small, outcome_of
from flownb.run.output.capture import MOST_RECORD, Buffer, writing_into
from flownb.run.output.voice import Voice
from flownb.run.watch.leftovers import watch
from flownb.run.watch.silence import Silence

if TYPE_CHECKING:
    from flownb.run.executor import Execution  # noqa: TC004  it makes attempts; a struct's hints are read by coders only
    from flownb.run.outcome import Outcome
    from flownb.run.steps import Steps  # noqa: TC004  as above


class Running(Protocol):
    """A body that has not ended and can be asked to stop, as a task is.

    One that has the attribute `is_certain` ends in any case, as a process does, and its attempt waits for that.
    """

    def cancel(self) -> object:
        """Ask it to stop; it may take its time, or never do so."""
        ...

    def done(self) -> bool:
        """Whether it has ended."""
        ...


# A struct, as there is one for every node of every run: it is made five times as quickly as other objects.


class Attempt(msgspec.Struct, eq=False):
    """From start to end; whoever comes second (result, timeout, cancellation) is ignored."""

    execution: Execution
    body: Body
    number: int
    path: str
    number_of_try: int
    buffer: Buffer

    #: What can be asked to stop; None until the body has suspended.
    running: Running | None = None
    timer: asyncio.TimerHandle | Silence | None = None
    asked_to_stop: bool = False
    #: Why its own end doesn't count: it took too long.
    cut_short: BaseException | None = None
    ended: bool = False
    resumed: Any = None
    resume_data: Any = None
    #: What the body says of itself; None until it does.
    voice: Voice | None = None
    #: The steps that the body has taken by name; None until there is one.
    steps: Steps | None = None

    def start(self) -> None:
        """Call the body; in a tick, after the commit of the event that says so. May end at once."""
        if faults.armed:
            faults.reach("node.before_body")
        body = self.body
        if body.is_timed:
            self._set_timer()
        body.start(self)

    def arguments(self) -> dict[str, Any] | None:
        """What the body is called with; None where that can't be had, which ends the attempt."""
        try:
            return self.execution.values.arguments(self.body)
        except Exception as error:  # noqa: BLE001  an input that can't be loaded is the node's failure
            self.end(None, error)
            return None

    def _set_timer(self) -> None:
        node, home = self.body.node, self.execution.engine
        timer = None
        if node.timeout:
            timer = home.loop.call_later(node.timeout, self._time_out, node.timeout, context=home.base_context)
        if node.heartbeat:
            self.speaker()  # its clock begins here
            self.timer = Silence(self, node.heartbeat, timer)
        else:
            self.timer = timer

    # --- end -------------------------------------------------------------------------------------------------

    def task_ended(self, task: asyncio.Task[Any]) -> None:
        """The task in which the body ran is done."""
        if task.cancelled():
            self.end(None, asyncio.CancelledError())
            return
        error = task.exception()
        self.end(None if error else task.result(), error)

    def task_returned(self, task: asyncio.Task[Any]) -> None:
        """The task is done, and what it returned is the node's output as it is."""
        if task.cancelled():
            self.end(None, asyncio.CancelledError())
            return
        error = task.exception()
        if error is not None or self.ended:
            self.end(None, error)
            return
        value = task.result()
        if is_small(value):
            try:
                outcome = outcome_of(self, value)
            except Exception as refused:  # noqa: BLE001  a value that can't be kept is the node's failure
                self.end(None, refused)
            else:
                self.end(outcome, None)
            return
        # Writing parquet takes seconds: not on the loop that all runs share.
        home = self.execution.engine
        home.workers.submit(lambda: outcome_of(self, value), self.end, writing_into(self.buffer))

    def _time_out(self, seconds: float) -> None:
        message = f"{self.path} took longer than its timeout of {seconds:g} s."
        self.cut(NodeTimeout(message, node=self.path, timeout=seconds))

    def cut(self, error: BaseException) -> None:
        """End it with an error, whatever its body comes to."""
        self.cut_short = error
        self.stop()
        if not getattr(self.running, "is_certain", False):
            # A thread can't be stopped, and a task may swallow its cancellation: the late result is refused.
            watch(self)
            self.end(None, self.cut_short)

    def stop(self) -> None:
        """Ask the body to stop; it may take its time, or never do so."""
        self.asked_to_stop = True
        if self.running is not None:
            self.running.cancel()

    def end(self, outcome: Outcome | None, error: BaseException | None) -> None:
        """The body ended, or was given up; the first call counts."""
        if self.ended:
            return
        self.ended = True
        if self.timer is not None:
            self.timer.cancel()
        if self.cut_short is not None:
            outcome, error = None, self.cut_short
        self.execution.attempt_ended(self, outcome, error)

    # --- what it says ----------------------------------------------------------------------------------------

    def speaker(self) -> Voice:
        """What the body says of itself, from any thread."""
        if self.voice is None:
            with _making:
                self.voice = self.voice or Voice(self)
        return self.voice

    def flush(self, most: int = MOST_RECORD, *, last: bool = False) -> None:
        """Record what the body wrote and said since the last time; `buffer.pending` tells whether there is more.

        Args:
            most: characters of its output.
            last: the attempt is over: all that is left.
        """
        buffer = self.buffer
        if last:
            buffer.closed = True
        execution = self.execution
        if not buffer.pending or execution.over:  # behind the end of a run nothing is recorded
            return
        buffer.pending = False
        now = execution.engine.loop.time()
        if self.voice is not None:
            for event in self.voice.take(now, last=last):
                execution.record(event)
        if buffer.parts is not None or buffer.held is not None:
            at = execution.engine.now()
            for stream, text, data in buffer.take(now, most, last=last):
                execution.record(NodeOutput(at=at, node=self.path, stream=stream, text=text, data=data))
        if self.voice is not None and not last and self.voice.waits():
            buffer.pending = True


#: Two threads of one node may say something first.
_making: Final = threading.Lock()
