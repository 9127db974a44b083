"""From decided to visible: the events of a tick are committed, then published, then what they announced is started.

A commit that survives the process takes microseconds and is made on the loop's own thread. One that survives the plug
waits for the disk, so a thread makes it; what happens to runs of that store meanwhile goes out with the next one.
"""

from __future__ import annotations

from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Final

from flownb import faults
from flownb.errors import Fenced, FlownbError, InternalError, StoreError
from flownb.model.events import Record
from flownb.run import bus
from flownb.run.calls import answer_soon, says_call
from flownb.run.recovery.patience import written_after_all
from flownb.run.threads import Workers
from flownb.store.contract import Write

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Store

#: Stores that can wait for their disks at the same time.
_MOST_WRITERS: Final = 8


class Commits:
    """What one engine commits; called on its loop."""

    def __init__(self, engine: Engine, *, writers: Workers | None = None) -> None:
        """For an engine.

        Args:
            engine: whose runs they are.
            writers: the threads that wait for disks, if not its own; a simulation has others.
        """
        self._engine = engine
        self._writers = writers or Workers(engine.loop, _MOST_WRITERS)
        #: Stores that a thread is writing to, and their runs that something has happened to since.
        self.flying: dict[int, list[Execution]] = {}

    def free(self, batch: list[Execution]) -> list[Execution]:
        """The runs of a batch that can go on; those whose store is being written come again after that."""
        free = []
        for execution in batch:
            waiting = self.flying.get(id(execution.store))
            if waiting is None:
                free.append(execution)
            else:
                waiting.append(execution)  # it stays marked, so that it comes here once
        return free

    def take(self, batch: list[Execution], starts: list[Attempt]) -> None:
        """Commit what the runs of a batch have recorded, publish it, and start their attempts."""
        store = batch[0].store
        if all(execution.store is store for execution in batch):
            self._take_group(store, batch, starts)
            return
        groups: dict[int, list[Execution]] = {}
        for execution in batch:
            groups.setdefault(id(execution.store), []).append(execution)
        for group in groups.values():
            store = group[0].store
            self._take_group(store, group, [each for each in starts if each.execution.store is store])

    def _take_group(self, store: Store, group: list[Execution], starts: list[Attempt]) -> None:
        power = False
        writes: list[Write] = []
        written: list[Execution] = []
        for execution in group:
            if out := execution.out:
                first = execution.state.seq - len(out) + 1
                writes.append(Write(execution.run_id, execution.lease.fence, first, out, execution.over))
                written.append(execution)
                execution.out = []
                power = power or execution.power
        if not writes:
            self._start(starts)
            return
        if faults.armed:
            faults.reach("tick.before_commit")
        if power and store.durable:
            self._fly(store, written, writes, starts)
            return
        try:
            store.commit(writes, power=power)
        except Exception as error:  # noqa: BLE001  whatever it is, it must stop these runs and no others
            self._failed(written, writes, starts, error)
        else:
            self._committed(written, writes, starts)

    # --- by a thread --------------------------------------------------------------------------------------------------

    def _fly(self, store: Store, written: list[Execution], writes: list[Write], starts: list[Attempt]) -> None:
        home = self._engine
        self.flying[id(store)] = []

        def landed(_: None, error: BaseException | None) -> None:
            # What follows starts nodes, which inherit the context: it must be the engine's own.
            home.loop.call_soon(self._landed, store, written, writes, starts, error, context=home.base_context)

        self._writers.submit(partial(store.commit, writes, power=True), landed, Context())

    def _landed(
        self,
        store: Store,
        written: list[Execution],
        writes: list[Write],
        starts: list[Attempt],
        error: BaseException | None,
    ) -> None:
        self._free(store)
        if error is None:
            self._committed(written, writes, starts)
        else:
            self._failed(written, writes, starts, error)

    # --- after it -----------------------------------------------------------------------------------------------------

    def _failed(
        self, written: list[Execution], writes: list[Write], starts: list[Attempt], error: BaseException
    ) -> None:
        """Give up the runs that a failed commit is about; nothing of the others is written, so they try again."""
        if isinstance(error, StoreError) and error.passes:
            wait = self._engine.patience.wait(written[0].store, written, error)
            if wait is not None:
                self._hold(written, writes, starts, wait)
                return
        lost = {execution.run_id for execution in written}
        if isinstance(error, Fenced):
            lost = lost.intersection(getattr(error, "runs", ())) or lost
        elif not isinstance(error, FlownbError):
            fault = InternalError(f"A commit failed: {error!r}. Please report this.")
            fault.__cause__, error = error, fault
        for execution, write in zip(written, writes, strict=True):
            if execution.run_id in lost:
                self._engine.lose(execution, error)
            elif execution.lost is None:
                execution.out = [*write.events, *execution.out]
                self._engine.mark(execution)
        for attempt in reversed(starts):
            attempt.execution.starts.insert(0, attempt)

    def _hold(self, written: list[Execution], writes: list[Write], starts: list[Attempt], seconds: float) -> None:
        """The store can't be written now: nothing more of its runs is decided until it is tried again."""
        home, store = self._engine, written[0].store
        self.flying[id(store)] = held = []
        for execution, write in zip(written, writes, strict=True):
            execution.out = [*write.events, *execution.out]
            if not execution.marked:
                execution.marked = True
                held.append(execution)
        for attempt in reversed(starts):
            attempt.execution.starts.insert(0, attempt)
        home.loop.call_later(seconds, self._again, store, written, context=home.base_context)

    def _again(self, store: Store, held: list[Execution]) -> None:
        for execution in held:
            if execution.lost is None and (count := written_after_all(execution)):
                first = execution.state.seq - len(execution.out) + 1
                happened, execution.out = execution.out[:count], execution.out[count:]
                over = execution.over and not execution.out
                self._committed(
                    [execution], [Write(execution.run_id, execution.lease.fence, first, happened, over)], []
                )
        self._free(store)

    def _free(self, store: Store) -> None:
        for execution in self.flying.pop(id(store)):
            execution.marked = False
            self._engine.mark(execution)

    def _committed(self, written: list[Execution], writes: list[Write], starts: list[Attempt]) -> None:
        if faults.armed:
            faults.reach("tick.after_commit")
        if self._engine.patience:
            self._engine.patience.end(written[0].store)
        listened_to = bus.listened_to()
        for execution, write in zip(written, writes, strict=True):
            if execution.lost is not None:
                continue
            if listened_to:
                _publish(execution, write)
            execution.tell(write.events)
            if write.release:
                faults.reach("run.after_finish")
                self._engine.remove(execution)
                execution.tell(None)
                if says_call(write.events[-1]):
                    answer_soon(self._engine, execution.store)
        if faults.armed:
            faults.reach("tick.published")
        self._start(starts)

    def _start(self, starts: list[Attempt]) -> None:
        for attempt in starts:
            if attempt.execution.lost is None:
                try:
                    attempt.start()
                except Exception as error:  # noqa: BLE001  as where no thread can be had; the others still start
                    attempt.end(None, error)


def _publish(execution: Execution, write: Write) -> None:
    for seq, event in enumerate(write.events, write.first):
        bus.publish(Record(execution.run_id, seq, event), execution.state.workflow)
