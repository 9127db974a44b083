"""`Run`: what people hold of a run. It reads events and sends commands, and holds no truth of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import (
    InternalError,
    RunCancelled,
    RunError,
    RunFailed,
    RunPaused,
    StoreError,
    UsageError,
)
from flownb.model.status import ASKS, FailurePolicy, PauseReason, RunStatus
from flownb.run.ending import settle
from flownb.run.engine import engine
from flownb.run.failure import all_together
from flownb.run.handles.asking import Asking
from flownb.run.handles.follow import Follower
from flownb.run.handles.resting import RESTING
from flownb.run.house import Rest
from flownb.run.latch import Latch
from flownb.run.recovery.recover import read_state
from flownb.run.together import take_up
from flownb.run.watch.interrupts import AwaitInterrupted, interrupts, result_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from flownb.model.events import Event, Failure
    from flownb.model.state import RunState
    from flownb.run.executor import Execution
    from flownb.run.joining import Continuation
    from flownb.store.contract import Store

#: Seconds between two looks at the clock while a cell awaits a run, so that ■ is felt.
_TICK: Final = 0.05
#: Pauses that `result()` waits through: somebody else ends them.
_WAITED: Final = frozenset({PauseReason.HUMAN, PauseReason.EVENT})


#: The same where nodes may want the main thread, which waits.
_MAIN_TICK: Final = 0.01


def _serve_main() -> bool:
    """Run the nodes that wait for the main thread, if this is it and such nodes have been seen in this process."""
    main = sys.modules.get("flownb.run.where.main")
    if main is None or threading.current_thread() is not threading.main_thread():
        return False
    main.queue.serve()
    return True


class Run(Asking):
    """A run, wherever it is at work: in this process, in another, or only in the store."""

    def __init__(self, store: Store, state: RunState) -> None:
        """A handle on a recorded run; `run/joining.py` joins it to its execution."""
        super().__init__(store, state)
        self._follower: Follower | None = None
        self._settled = Latch()
        self._lost: BaseException | None = None
        self._watchers: list[Callable[[list[Event]], None]] = []
        #: The questions that were printed.
        self._told: set[str] = set()

    @property
    def status(self) -> RunStatus:
        """Where the run is; an end or a pause counts once it is committed."""
        status = self._state.status
        rests = status.ended or status is RunStatus.PAUSED
        return RunStatus.RUNNING if rests and not self._settled.is_set() and self._lost is None else status

    @property
    def lost(self) -> BaseException | None:
        """Why it can't go on in this process, where it was at work here; None where nothing is wrong."""
        return self._lost

    @property
    def resting(self) -> bool:
        """Whether nothing of it is at work: it ended, it is paused, or it can't be followed any more."""
        return self._settled.is_set()

    # --- waiting ------------------------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        return self._wait().__await__()

    async def _wait(self) -> dict[str, Any]:
        from flownb.run.session import current

        session = current()
        with interrupts() as interrupted:
            try:
                while not self._done():
                    self._check_that_somebody_has_it()
                    if self._paused():
                        if session is not None and not session.wait:
                            raise RunPaused(self._pause_sentence(), run=self.id, reason=self.pause_reason)
                        self._tell_questions()
                        self.look_for_it()
                    _serve_main()
                    await self._tick()
            except (asyncio.CancelledError, KeyboardInterrupt):
                if interrupted():
                    raise AwaitInterrupted(self._pause_for_interrupt()) from None
                raise
        return self._outcome()

    async def _tick(self) -> None:
        """Wait until something happened, 50 ms at most: an idle loop would feel ■ only with its next message."""
        loop = asyncio.get_running_loop()
        happened = asyncio.Event()

        def look(_: list[Event]) -> None:
            if self._settled.is_set():
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(happened.set)

        self._watchers.append(look)
        try:
            if self._settled.is_set() and self._done():
                return
            async with asyncio.timeout(_TICK):
                await happened.wait()
        except TimeoutError:
            return
        finally:
            self._watchers.remove(look)

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait for the end and return the outputs by node id; for scripts, it blocks.

        Ctrl-C pauses the run, and `flownb resume` goes on with it.

        Args:
            timeout: seconds to wait at most; the run goes on all the same.

        Raises:
            RunFailed: a node failed and nothing handled it.
            RunCancelled: somebody cancelled the run.
            RunPaused: it waits for something that does not come by itself.
            TimeoutError: not ended in time.
        """
        from flownb.run.session import current

        session = current()
        waited = _WAITED if session is None or session.wait else frozenset()
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not self._done():
                self._check_that_somebody_has_it()
                if self._paused() and self.pause_reason not in waited and not self._moved():
                    raise RunPaused(self._pause_sentence(), run=self.id, reason=self.pause_reason)
                if threading.get_ident() == engine().thread_id:
                    raise UsageError("result() would block the engine's own loop; use `await run` in an async node.")
                left = _TICK if end is None else min(_TICK, end - time.monotonic())
                if left <= 0:
                    raise TimeoutError(f"Run {self.id} has not ended within {timeout:g} s; it goes on.")
                serves = _serve_main()
                if self._settled.is_set():
                    self._tell_questions()
                    self.look_for_it()
                    time.sleep(min(left, _MAIN_TICK) if serves else left)
                elif serves:
                    self._settled.wait(min(left, _MAIN_TICK))
                else:
                    self._settled.wait(left if end is not None else 1.0)
        except KeyboardInterrupt:
            raise result_interrupted(self._pause_for_interrupt()) from None
        return self._outcome()

    def _done(self) -> bool:
        if self._lost is not None:
            return True
        if not self._settled.is_set():
            return False  # the state is ahead of the journal until its events are committed; a kill would undo them
        execution = self._execution
        held = execution is not None and execution.hold
        return self._state.status.ended or (held and not self._paused())

    def _paused(self) -> bool:
        return self._state.status is RunStatus.PAUSED and self._settled.is_set()

    def _check_that_somebody_has_it(self) -> None:
        """A run whose process died ends for nobody who only waits.

        Raises:
            RunPaused: nobody has it.
        """
        nobody = self._execution is None and self._follower is None and self._settled.is_set()
        if nobody and self._state.status in (RunStatus.PENDING, RunStatus.RUNNING):
            raise RunPaused(
                f"Run {self.id} is at work nowhere: its process is gone. "
                f"It goes on with run.resume() or `flownb resume {self.id}`.",
                run=self.id,
                reason=None,
            )

    def look_for_it(self) -> None:
        """Another process may resume a paused run that this handle waits for."""
        if self._follower is None:
            self.follow(Follower(self._store, self._state, self.followed, lambda: None))

    def _tell_questions(self) -> None:
        """Print what a paused run that somebody waits for asks, and the lines that answer: once a question."""
        if self.pause_reason is PauseReason.HUMAN and self._state.approvals.keys() - self._told:
            self._told.update(name for name, each in self._state.approvals.items() if each["status"] != "pending")
            for each in self.approvals.pending:
                if each.id not in self._told:
                    self._told.add(each.id)
                    print(each.text(), flush=True)  # noqa: T201  whoever waits has to know for what

    def _moved(self) -> bool:
        """Whether a run that this handle knows as paused was resumed in another process; it is followed from then."""
        row = self._store.row(self.id)
        if self._follower is not None or row is None or row.status == RunStatus.PAUSED:
            return False
        self._state = read_state(self._store, row, self._state.topology)
        self.followed([])
        self.follow(Follower(self._store, self._state, self.followed, lambda: None))
        return True

    def _pause_sentence(self) -> str:
        return (
            f"Run {self.id} is paused ({self.pause_reason}). {self._state.message} "
            f"It goes on with run.resume() or `flownb resume {self.id}`."
        ).replace("  ", " ")

    def _pause_for_interrupt(self) -> str:
        self.pause()
        return f"Run {self.id} pauses; `run.resume()` or `flownb resume {self.id}` goes on."

    def _outcome(self) -> dict[str, Any]:
        if self._lost is not None:
            raise self._lost
        state = self._state
        if state.status is RunStatus.CANCELLED:
            by = f" by {state.message}" if state.message else ""
            raise RunCancelled(f"Run {self.id} of {self.workflow} was cancelled{by}.", run=self.id, by=state.message)
        failure = self.error
        unhandled = failure is not None and state.unhandled and state.status is not RunStatus.COMPLETED
        if state.status is RunStatus.FAILED or unhandled:
            raise self._failed(failure)
        return self.outputs

    def _failed(self, failure: Failure | None) -> RunError:
        state = self._state
        number = next(iter(sorted(state.unhandled)), None)
        node = state.error_node or (state.topology.paths[number] if number is not None else None)
        what = failure.text if failure else "it has no recorded error"
        where = f" at {node}" if node else ""
        failed = self.errors
        others = [f"{path}: {each.type}: {each.message}" for path, each in failed.items() if path != node]
        more = f"\nand {len(others)} more failed: " + "; ".join(others[:10]) if others else ""
        error = RunFailed(
            f"Run {self.id} of {self.workflow} failed{where}: {what}{more}", run=self.id, node=node, error=failure
        )
        execution = self._execution
        causes = execution.causes if execution is not None else {}
        if failed and state.topology.workflow.settings.failures == FailurePolicy.COLLECT:
            error.__cause__ = all_together(failed, {state.topology.paths[each]: causes[each] for each in causes})
        elif number is not None:
            error.__cause__ = causes.get(number)
        return error

    # --- for those who join it to its execution -----------------------------------------------------------------------

    def watch(self, watcher: Callable[[list[Event]], None]) -> Callable[[], None]:
        """Call `watcher(events)` on the engine's thread after each commit; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def join_all(self, execution: Execution) -> None:
        """The run, which rested, is at work in this process from now on, for all handles on it."""
        for each in {self, *RESTING.take(self)}:
            each.join(execution)

    def join(self, execution: Execution) -> None:
        """The run is at work in this process from now on."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        self._execution, self._left = execution, None
        self._state = execution.state
        self._lost = None
        self._settled.clear()
        execution.listeners = (*execution.listeners, self._heard)
        if execution.gone:  # its last word came before this handle listened
            self._heard(None)

    def _heard(self, happened: Sequence[Event] | None) -> None:
        execution = self._execution
        if happened is None:
            if execution is not None and execution.lost is not None:
                self._read_again()  # first: who waits looks as soon as the run is lost
                self._lost = execution.lost
            self._rest()
        elif not happened:
            self._settled.set()  # held: nothing left to do until the notebook ends
        if self._watchers:
            for watcher in list(self._watchers):
                watcher(list(happened or ()))

    def _read_again(self) -> None:
        """What was folded and could not be written never happened."""
        with contextlib.suppress(StoreError):
            row = self._store.row(self.id)
            if row is not None:
                self._state = read_state(self._store, row, self._state.topology)

    def follow(self, follower: Follower, *, begins: bool = False) -> None:
        """The run is at work in another process, or `begins` to be; `follower` keeps the state up to date."""
        if self._follower is not None:
            self._follower.stop()
        self._follower = follower
        follower.moved = self._move_to
        if begins:
            self._settled.clear()

    def _move_to(self, state: RunState) -> None:
        self._state = state

    def let_go(self) -> None:
        """Whoever had it has it no more: it rests as it is recorded."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        self._settled.set()
        for watcher in list(self._watchers):
            watcher([])

    def followed(self, happened: list[Event]) -> None:
        """News from another process."""
        status = self._state.status
        if status.ended or status is RunStatus.PAUSED:
            self._settled.set()
            if status.ended and self._follower is not None:
                self._follower.stop()
        else:
            self._settled.clear()
        for watcher in list(self._watchers):
            watcher(happened)

    def settle_held(self, end: Event) -> bool:
        """Write the end of a run that is held, and wait until it is written; False where it isn't held here."""
        execution = self._execution
        if execution is None or not self.held:
            return False
        written = threading.Event()
        execution.listeners = (*execution.listeners, lambda happened: written.set() if happened is None else None)
        execution.engine.call(settle, execution, end)
        written.wait()
        return True

    def settle(self) -> None:
        """The run rests and nothing of it is at work anywhere."""
        self._rest()

    def continues_by(self, continuation: Continuation | None) -> None:
        """The run rests; this carries it on here."""
        super().continues_by(continuation)
        self._rest()

    def _rest(self) -> None:
        state = self._state
        if state.status.ended:
            self._expect_to_leave(state)
        elif state.status is RunStatus.PAUSED:
            self.park()
        if state.status not in (RunStatus.COMPLETED, RunStatus.CANCELLED):
            RESTING.add(self)
        self._rest_in_house()
        self._settled.set()

    def _rest_in_house(self) -> None:
        """Go on as soon as there is an answer, where that is possible here."""
        if self.continuation is not None and self._state.pause_reason in ASKS and _stays():
            until = [wait.until for wait in self._state.waits.values() if wait.until is not None]
            engine().house.rest(Rest(self, min(until, default=None)))

    def expect_news(self) -> None:
        """The run, which rests, is about to go on, for all handles on it."""
        for each in {self, *RESTING.of(self)}:
            each._settled.clear()  # noqa: SLF001  of our own kind

    def rest_on(self, *, again: bool) -> None:
        """It could not go on: it rests as it did; `again` says that it is worth another try."""
        for each in {self, *RESTING.of(self)}:
            each._settled.set()  # noqa: SLF001  of our own kind
        if again:
            self._rest_in_house()

    def take_up(self, runs: Sequence[Run]) -> None:
        """Let runs that rest here go on together."""
        take_up(self._store, runs)

    def read_afresh(self, state: RunState) -> None:
        """The run as its journal tells it now: others may have written since."""
        self._state = state

    def fail(self, error: BaseException) -> None:
        """It can't be followed or continued."""
        self._lost = error if isinstance(error, Exception) else InternalError(repr(error))
        self._settled.set()


def _stays() -> bool:
    """Whether a run of this process goes on in it after a pause: a headless notebook ends there, unless it waits."""
    from flownb.run.session import current

    session = current()
    return session is None or session.wait
