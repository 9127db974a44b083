"""One attempt of one node: its body is called, watched, and its end is handed back once."""

from __future__ import annotations

import asyncio
import inspect
from contextvars import copy_context
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

import msgspec

from flownb import faults
from flownb.errors import InvalidInput, NodeTimeout
from flownb.graph.nodetype import Output, Suspend
from flownb.model.events import NodeOutput, NodeProgress
from flownb.nodes.prepare import prepare
from flownb.run.capture import OUTPUT, Buffer, writable
from flownb.run.context import NodeContext
from flownb.run.definition import Body, Kind
from flownb.store import values
from flownb.store.values import Stored

if TYPE_CHECKING:
    from flownb.nodes.function import FunctionNode
    from flownb.run.executor import Execution  # noqa: TC004  it makes attempts; a struct's hints are read by coders only


# Structs, as there is one of each for every node of every run: they are made five times as quickly as other objects.


class Outcome(msgspec.Struct, frozen=True):
    """How a body ended well: what it returned, and the form that is stored of it."""

    output: Output
    stored: Stored | None = None
    #: Of single ports, where they differ from `stored`.
    ports: dict[str, Stored] | None = None
    suspend: Suspend | None = None


class Attempt(msgspec.Struct, eq=False):
    """From start to end; whoever comes second (result, timeout, cancellation) is ignored."""

    execution: Execution
    body: Body
    number: int
    path: str
    number_of_try: int
    buffer: Buffer

    #: Where the body is, once it has suspended.
    task: asyncio.Task[Any] | None = None
    timer: asyncio.TimerHandle | None = None
    asked_to_stop: bool = False
    timed_out: bool = False
    ended: bool = False
    resumed: Any = None
    resume_data: Any = None
    #: The newest status and progress, and what of them is in the journal.
    said: tuple[str, float | None] | None = None
    recorded: tuple[str, float | None] | None = None

    # --- start -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Call the body; in a tick, after the commit of the event that says so. May end at once."""
        faults.reach("node.before_body")
        execution, body = self.execution, self.body
        engine = execution.engine
        if timeout := body.node.timeout:
            self.timer = engine.loop.call_later(timeout, self._time_out, timeout, context=engine.base_context)
        if body.kind is Kind.THREAD:
            self._start_on_thread()
            return
        # A task copies the context that it is made in, which is the engine's own here; the variable is taken back at
        # once, so that nothing the engine does is taken for the node's. That costs a third of a context of our own.
        OUTPUT.set(self.buffer)
        try:
            task = engine.tasks.start(self._on_loop(), f"{execution.run_id}:{self.path}")
        finally:
            OUTPUT.set(None)
        if task.done():
            self._task_ended(task)
        else:
            self.task = task
            task.add_done_callback(self._task_ended, context=engine.base_context)

    def _start_on_thread(self) -> None:
        engine = self.execution.engine
        try:
            inputs = self.execution.arguments(self.body)
        except Exception as error:  # noqa: BLE001  an input that can't be loaded is the node's failure
            self.end(None, error)
            return
        OUTPUT.set(self.buffer)
        context = copy_context()
        OUTPUT.set(None)
        engine.workers.submit(lambda: self._on_thread(inputs), self.end, context)

    def _call(self, inputs: dict[str, Any]) -> Any:
        """Call the node's function; of an async one the coroutine comes back."""
        body = self.body
        assert body.call is not None
        given = inputs if body.plain else {name: each for name, each in inputs.items() if name in body.parameters}
        return body.call(**given, ctx=NodeContext(self)) if body.takes_ctx else body.call(**given)

    def _on_thread(self, inputs: dict[str, Any]) -> Outcome:
        value = self._call(inputs)
        if inspect.iscoroutine(value):
            value.close()
            raise InvalidInput(
                f"{self.path} is a plain function that returned a coroutine; write `async def` so that it is awaited."
            )
        return self._store(value if self.body.plain else self._outcome(value, inputs))

    async def _on_loop(self) -> Outcome | None:
        body = self.body
        try:
            inputs = self.execution.values.arguments(body)
            if body.kind is Kind.ASYNC:
                value = self._call(inputs)
                # A coroutine is what comes, and `isawaitable` takes a microsecond to say so.
                if type(value) is CoroutineType or inspect.isawaitable(value):
                    value = await value
                if not body.plain:
                    value = self._outcome(value, inputs)
            else:
                context = NodeContext(self)
                value = await prepare(body.type, body.node, context, inputs).execute(context, inputs)
            if _is_small(value):
                return self._store(value)
            # Writing parquet takes seconds: not on the loop that all runs share.
            stored: Outcome = await self.execution.engine.on_thread(lambda: self._store(value))
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets these two out of the task and through the loop: they would end the engine.
            self.end(None, error)
            return None
        return stored

    def _outcome(self, value: Any, inputs: dict[str, Any]) -> Any:
        """What a node that is more than its function returns when that returned `value`."""
        cls = cast("type[FunctionNode]", self.body.type)
        return cls.make(self.body.node.config).outcome(value, inputs)

    def _store(self, value: Any) -> Outcome:
        """Make the stored form beside the live value; on the thread where the body ran."""
        if isinstance(value, Suspend):
            return Outcome(Output(), suspend=value)
        output = value if isinstance(value, Output) else Output(value)
        artifacts = self.execution.store.artifacts
        ports: dict[str, Stored] | None = None
        if output.ports or output.values:
            self._check_ports(output)
            ports = {port: values.store(each, artifacts) for port, each in output.values.items()}
        outcome = Outcome(output, values.store(output.value, artifacts), ports)
        faults.reach("node.after_body")
        return outcome

    def _check_ports(self, output: Output) -> None:
        known = {port.name for port in self.execution.definition.ports[self.path].outputs}
        unknown = [port for port in (*(output.ports or ()), *output.values) if port not in known]
        if unknown:
            there = ", ".join(sorted(known))
            raise InvalidInput(f"{self.path} returned the port {unknown[0]!r}; it has {there}.")

    # --- end -------------------------------------------------------------------------------------------------

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.end(None, asyncio.CancelledError())
            return
        error = task.exception()
        self.end(None if error else task.result(), error)

    def _time_out(self, seconds: float) -> None:
        self.timed_out = True
        self.asked_to_stop = True
        error = NodeTimeout(
            f"{self.path} took longer than its timeout of {seconds:g} s.", node=self.path, timeout=seconds
        )
        if self.task is not None:
            self.task.cancel()
        # A thread can't be stopped, and a task may swallow its cancellation: the late result is refused.
        self.end(None, error)

    def stop(self) -> None:
        """Ask the body to stop; it may take its time, or never do so."""
        self.asked_to_stop = True
        if self.task is not None:
            self.task.cancel()

    def end(self, outcome: Outcome | None, error: BaseException | None) -> None:
        """The body ended, or was given up; the first call counts."""
        if self.ended:
            return
        self.ended = True
        if self.timer is not None:
            self.timer.cancel()
        self.execution.attempt_ended(self, outcome, error)

    # --- what it says ----------------------------------------------------------------------------------------

    def say(self, *, text: str | None = None, progress: float | None = None) -> None:
        """Note status or progress, from any thread; what is newest is recorded a few times a second."""
        before = self.said or ("", None)
        self.said = (before[0] if text is None else writable(text), before[1] if progress is None else progress)
        self.execution.engine.output_waits()

    def flush(self) -> None:
        """Record what the body wrote and said since the last time."""
        if self.said is None and self.buffer.parts is None:
            return
        now = self.execution.engine.now()
        if self.said != self.recorded and self.said is not None:
            self.recorded = self.said
            text, share = self.said
            self.execution.record(NodeProgress(at=now, node=self.path, text=text, progress=share))
        for stream, text in self.buffer.take():
            self.execution.record(NodeOutput(at=now, node=self.path, stream=stream, text=text))


_SHORT = frozenset({type(None), bool, int, float})
_SCALARS = _SHORT | {str, bytes}
_MOST_ITEMS = 100
_MOST_LETTERS = 10_000


def _is_small(value: Any) -> bool:
    """Whether its stored form is made in microseconds, as far as a glance can tell."""
    cls = type(value)
    if cls in _SHORT:
        return True
    if cls is str or cls is bytes:
        return len(value) <= _MOST_LETTERS
    if cls is Output:
        return _is_small(value.value) and not value.values
    if cls is Suspend:
        return True
    if cls is dict:
        items: Any = value.values()
    elif cls in (list, tuple):
        items = value
    else:
        return False
    return len(value) <= _MOST_ITEMS and all(type(each) in _SCALARS for each in items)
