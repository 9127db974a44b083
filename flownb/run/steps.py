"""Steps: parts of a node whose results are remembered, so that a later attempt doesn't do them again.

A step is done, its result is journaled and committed, and only then the node goes on. After a crash, a retry or a
resume the recorded result comes back and the part is not called. What a step gives must have a stored form, because
there is nothing else to give back.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from flownb import faults
from flownb.errors import InternalError, InvalidInput, RunError
from flownb.ids import step_key
from flownb.model.events import NodeStep
from flownb.run.outcome import is_small
from flownb.run.output.capture import writable
from flownb.run.secrets import masked_step
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from flownb.run.attempt import Attempt
    from flownb.run.executor import Execution

_MOST_NAME: Final = 200
_NOTHING: Final = object()


class Steps:
    """The steps of one attempt; made with the first of them, and safe from any thread."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._lock = threading.Lock()
        #: All that were begun, and those that have not come to an end, with what would have to be awaited.
        self._begun: set[str] = set()
        self._open: dict[str, Coroutine[Any, Any, Any] | None] = {}

    def do(self, name: str, part: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Do a step, or give what it gave before: at once, or where a loop runs in this thread, something to await."""
        name = self.begin(name)
        if not callable(part):
            self.end(name)
            raise InvalidInput(f"{self._at(name)} takes a function and its arguments, not {part!r:.80}.", name=name)
        if self._blocks():
            return self._now(name, part, args, kwargs)
        self._open[name] = coroutine = self._awaited(name, part, args, kwargs)
        return coroutine

    def key(self, name: str) -> str:
        """The idempotency key of a step: the same over retries and crashes."""
        return step_key(self._attempt.execution.run_id, self._attempt.path, self._checked(name))

    # --- the parts, for those who do the work elsewhere ---------------------------------------------------------------

    def begin(self, name: str) -> str:
        """Take a name for a step of this attempt; comes back as it will be recorded.

        Raises:
            InvalidInput: it is no name, or this attempt has used it.
        """
        name = self._checked(name)
        with self._lock:
            if name in self._begun:
                raise InvalidInput(
                    f"{self._at(name)} was begun twice in one attempt. Its name is what it is remembered by: give each "
                    f'step its own, in a loop as f"{name} {{number}}".',
                    name=name,
                )
            self._begun.add(name)
            self._open[name] = None
        self._live()
        return name

    def recorded(self, name: str) -> Any:
        """What the step gave in an earlier attempt, in plain form; `Steps.NOTHING` if it has not been done."""
        steps = self._attempt.execution.state.steps.get(self._attempt.number)
        return self.NOTHING if steps is None else steps.get(name, self.NOTHING)

    NOTHING: Final = _NOTHING

    def load(self, plain: Any) -> Any:
        """The value of a recorded step."""
        return values.load(plain, self._attempt.execution.store.artifacts)

    def keep(self, name: str, value: Any) -> Future[None]:
        """Record what a step gave; done when that is committed.

        Raises:
            InvalidInput: it has no stored form.
        """
        stored = values.store(value, self._attempt.execution.store.artifacts)
        if stored.transient:
            reason = stored.plain["$transient"].get("reason", "")
            raise InvalidInput(
                f"{self._at(name)} was done and can't be remembered: it gave a {type(value).__name__}, which has no "
                f"stored form{f' ({reason})' if reason else ''}. Return plain data, a frame or an array from a step, "
                "and make what lives only in memory outside of it.",
                name=name,
            )
        self._live()
        faults.reach("step.done")
        promise: Future[None] = Future()
        promise.set_running_or_notify_cancel()  # from here on it is done or failed, whoever stops waiting for it
        engine = self._attempt.execution.engine
        if threading.get_ident() == engine.thread_id:
            self._record(name, stored.plain, promise)
        else:
            engine.call(self._record, name, stored.plain, promise)
        return promise

    def _live(self) -> None:
        """A step is a sign of life."""
        if self._attempt.voice is not None:
            self._attempt.voice.hear()

    def close(self) -> None:
        """The body has returned.

        Raises:
            InvalidInput: a step was begun and has not ended; most often an `await` is missing.
        """
        with self._lock:
            left, self._open = self._open, {}
        if not left:
            return
        for coroutine in left.values():
            if coroutine is not None and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()
        name = next(iter(left))
        raise InvalidInput(
            f"{self._at(name)} was begun and had not ended when the node returned: write `await ctx.step(…)` in an "
            "async function; a plain function in which a step shall block runs on a thread.",
            name=name,
        )

    # --- doing it -----------------------------------------------------------------------------------------------------

    def _blocks(self) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return True
        # A plain function on the kernel's main thread is called from the loop there and can't await.
        return loop is not self._attempt.execution.engine.loop and asyncio.current_task(loop) is None

    def _now(self, name: str, part: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        try:
            plain = self.recorded(name)
            if plain is not self.NOTHING:
                return self.load(plain)
            self._check_that_it_counts(name)
            value = part(*args, **kwargs)
            if inspect.iscoroutine(value):
                value.close()
                raise InvalidInput(
                    f"{self._at(name)}: {part!r:.80} is async and {self._attempt.path} is a plain function; write "
                    "`async def` and `await ctx.step(…)`, or give it a plain function.",
                    name=name,
                )
            value = masked_step(self._attempt, name, value)
            self.keep(name, value).result()
            return value
        finally:
            self.end(name)

    async def _awaited(
        self, name: str, part: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        try:
            plain = self.recorded(name)
            if plain is not self.NOTHING:
                return self.load(plain) if values.artifact_of(plain) is None else await self._aside(self.load, plain)
            self._check_that_it_counts(name)
            if inspect.iscoroutinefunction(part):
                value = await part(*args, **kwargs)
            else:  # on a thread, as the function of a node would be: no sync function stops the loop
                value = await self._aside(lambda: part(*args, **kwargs))
                if inspect.isawaitable(value):
                    value = await value
            value = masked_step(self._attempt, name, value)
            promise = self.keep(name, value) if is_small(value) else await self._aside(self.keep, name, value)
            await asyncio.wrap_future(promise)
            return value
        finally:
            self.end(name)

    async def _aside(self, work: Callable[..., Any], *args: Any) -> Any:
        engine = self._attempt.execution.engine
        if asyncio.get_running_loop() is engine.loop:
            return await engine.on_thread(lambda: work(*args))
        return await asyncio.to_thread(work, *args)

    def end(self, name: str) -> None:
        """The step came to its end, well or not."""
        with self._lock:
            self._open.pop(name, None)

    # --- on the engine's loop -----------------------------------------------------------------------------------------

    def _record(self, name: str, plain: Any, promise: Future[None]) -> None:
        attempt, execution = self._attempt, self._attempt.execution
        if not self._counts():
            promise.set_exception(self._refusal(name))
            return
        if execution.promises is None:
            execution.promises = Promises(execution)
        execution.record(NodeStep(at=execution.engine.now(), node=attempt.path, name=name, output=plain))
        execution.promises.add(promise)

    # --- words --------------------------------------------------------------------------------------------------------

    def _checked(self, name: str) -> str:
        if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME:
            raise InvalidInput(
                f"The name of a step of {self._attempt.path} is a text of 1 to {_MOST_NAME} characters, "
                f"not {name!r:.80}.",
                name="name",
            )
        return writable(name)

    def _check_that_it_counts(self, name: str) -> None:
        """What was given up does nothing more.

        Raises:
            RunError: the attempt is over.
        """
        if not self._counts():
            raise self._refusal(name)

    def _counts(self) -> bool:
        execution = self._attempt.execution
        return not execution.over and execution.alive.get(self._attempt.number) is self._attempt

    def _refusal(self, name: str) -> RunError:
        return RunError(f"{self._at(name)} doesn't count any more: this attempt of the node was ended before it.")

    def _at(self, name: str) -> str:
        return f"The step {name!r:.80} of {self._attempt.path}"


class Promises:
    """Those who wait until what was recorded is committed; one of a run, made when the first waits."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._waiting: deque[tuple[int, Future[None]]] = deque()
        execution.listeners = (*execution.listeners, self._heard)

    def add(self, promise: Future[None]) -> None:
        """Keep it when the event that was recorded last is committed."""
        self._waiting.append((self._execution.state.seq, promise))

    def _heard(self, happened: Sequence[Any] | None) -> None:
        execution, waiting = self._execution, self._waiting
        if happened is None:  # the run is over for this process
            error = execution.lost or InternalError(f"Run {execution.run_id} ended before a step was committed.")
            while waiting:
                waiting.popleft()[1].set_exception(error)
            return
        # What is recorded and not in `out` is committed: a commit of this run that still waits for the disk would keep
        # its next one, and this call, waiting.
        committed = execution.state.seq - len(execution.out)
        while waiting and waiting[0][0] <= committed:
            waiting.popleft()[1].set_result(None)
