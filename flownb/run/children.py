"""Runs that nodes begin beneath their own: begun once by the attempt's key, paused and cancelled with it.

A child is a run like any other, in the same store and, where it is at work here, in the same engine. The node that
began it waits for it as an attempt in flight, or parked while the child is paused. What becomes of the node decides
what becomes of the child, once that is committed: where it ended for good, so does the child; where it may be taken up
again, so may the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final, TypeVar

from flownb.errors import FlownbError, StoreError, UsageError
from flownb.ids import attempt_key
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.state import SKIPPED, WAITING
from flownb.model.status import RunStatus
from flownb.run.calls import answer_soon, says_call, with_call
from flownb.run.outcome import NotKept
from flownb.run.recovery.patience import patience_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.graph.nodetype import Child
    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.run.handles.handle import Run
    from flownb.run.request import Request
    from flownb.store.contract import Store

T = TypeVar("T")
_log: Final = logging.getLogger("flownb.engine")
#: Seconds until a store that failed is asked again.
_AGAIN: Final = 0.5
#: So many runs may lie beneath one another.
MOST_DEEP: Final = 20
#: In an `ev.Reason`, what ends a node for good though its run goes on.
_FOR_GOOD: Final = "branch"


class Children:
    """The children of one run in this process; on the engine's loop only."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        execution.listeners = (*execution.listeners, self._heard)

    @classmethod
    def of(cls, execution: Execution) -> Children:
        """Those of a run; made when it has its first."""
        if execution.children is None:
            execution.children = cls(execution)
        return execution.children

    def began(self, attempt: Attempt, run: str, workflow: str) -> None:
        """A node has a child: it is recorded, once."""
        execution = self._execution
        if execution.state.children.get(attempt.number) != run and execution.alive.get(attempt.number) is attempt:
            execution.record(ev.ChildStarted(at=execution.engine.now(), node=attempt.path, run=run, workflow=workflow))

    def take_up(self) -> None:
        """The run goes on: nodes that are parked with a child which is not go on as well."""
        from flownb.run.waiting.news import awaiting

        for number in awaiting(self._execution.state):
            self.look_again(number, asked=True)

    def look_again(self, number: int, *, asked: bool = False) -> None:
        """Attempt a parked node again if its child has moved, or waits for nothing but a command and one was given."""
        execution = self._execution
        state = execution.state
        child = state.children.get(number)
        waits = state.node_status[number] == WAITING and not execution.over
        if child is None or not waits or execution.stopping is not None or execution.pausing:
            return
        try:
            goes_on = _goes_on(execution.store, child, execution.engine.now(), asked=asked)
        except StoreError:  # it is locked for a moment, or gone: a commit meets the same fault and says it
            home = execution.engine
            home.loop.call_later(_AGAIN, lambda: self.look_again(number, asked=asked), context=home.base_context)
            return
        if goes_on:
            execution.timers.drop(number)
            execution.attempt(number, state.attempts[number])

    def pause(self) -> None:
        """The run is about to pause: so are the children that its nodes in flight wait for."""
        state = self._execution.state
        for number, child in state.children.items():
            if number in self._execution.alive:
                self._tell(child, cmd.Pause())

    def forsake(self, number: int, child: str) -> None:
        """The node of a child at work is asked to stop, or has ended: so is the child, as far as it must."""
        state = self._execution.state
        reason = state.reasons.get(number)
        over = isinstance(self._execution.stopping, ev.RunCancelledEvent) or state.status is RunStatus.CANCELLED
        if over or state.node_status[number] == SKIPPED or (reason is not None and reason.group == _FOR_GOOD):
            self._cancel(child)
        else:
            self._tell(child, cmd.Pause())

    def _heard(self, happened: Sequence[ev.Event] | None) -> None:
        """What was committed; the end of a node is felt by its child."""
        if not happened:
            return
        index, children = self._execution.state.topology.index, self._execution.state.children
        over = any(isinstance(event, ev.RunCancelledEvent) for event in happened)
        for event in happened:
            if not isinstance(event, ev.NodeCancelled | ev.NodeSkipped | ev.NodeFailedEvent):
                continue
            child = children.get(index[event.node])
            if child is None:
                continue
            if over or (not isinstance(event, ev.NodeFailedEvent) and _is_final(event)):
                self._cancel(child)
            else:
                self._tell(child, cmd.Pause())

    def _tell(self, child: str, command: cmd.Command) -> None:
        from flownb.run.control import obey

        execution = self._execution
        local = execution.engine.arrivals.at_work(execution.store, child)
        if local is not None and local.state.parent == execution.run_id:
            obey(local, command)

    def _cancel(self, child: str) -> None:
        execution = self._execution
        if execution.engine.arrivals.at_work(execution.store, child) is not None:
            self._tell(child, cmd.Cancel(by=f"run {execution.run_id}"))
            return
        engine, store = execution.engine, execution.store
        engine.workers.submit(
            lambda: cancel_at_rest(engine, store, child, execution.run_id),
            lambda _value, _error: None,
            engine.base_context.copy(),
        )


def _goes_on(store: Store, child: str, now: float, *, asked: bool) -> bool:
    from flownb.run.waiting.news import has_moved

    row = store.row(child)
    by_command = asked and row is not None and row.pause_reason in ("manual", "breakpoint", "budget", "error")
    return by_command or has_moved(store, child, now)


def _is_final(event: ev.NodeCancelled | ev.NodeSkipped) -> bool:
    return isinstance(event, ev.NodeSkipped) or event.reason.group == _FOR_GOOD


# --- beginning one ----------------------------------------------------------------------------------------------------


async def conduct(attempt: Attempt, make: Callable[[], Request]) -> Child:
    """Begin the child of a node, or go on with the one that it has; returns when that rests.

    Args:
        attempt: of the node.
        make: what the child is; called on a thread. Its key, its parents and its store are set here.

    Raises:
        UsageError: too many runs lie beneath one another.
        FlownbError: whatever starting a run raises.
    """
    from flownb.run.start import start

    execution = attempt.execution
    home = execution.engine
    request = await _patiently(home, lambda: _requested(attempt, make))
    children = Children.of(execution)
    request.run_id = request.run_id or home.new_id()
    children.began(attempt, request.run_id, request.definition.workflow.name)
    begun = asyncio.ensure_future(_patiently(home, lambda: start(request)))
    rests = asyncio.ensure_future(_until_it_rests(begun))
    try:
        run = await asyncio.shield(rests)
    except asyncio.CancelledError:
        if execution.lost is None:  # else whoever goes on with this run goes on with the child
            begun.add_done_callback(lambda done: _forsake(children, attempt, done))
        if execution.alive.get(attempt.number) is attempt and execution.stopping is not None:
            with contextlib.suppress(FlownbError):  # the process may end with its run: first the child
                await rests
        raise
    children.began(attempt, run.id, run.workflow)  # its key may have had one that the journal did not know yet
    return await _patiently(home, lambda: _as_it_rests(run))


async def _patiently(home: Engine, work: Callable[[], T]) -> T:
    """What `work` gives, on a thread; tried again while the store can't be written for the moment.

    Raises:
        NotKept: it can't be for longer: that is no failure of the node.
    """
    until = home.loop.time() + patience_seconds()
    while True:
        try:
            found: T = await home.on_thread(work)
        except StoreError as error:
            if not error.passes or home.loop.time() >= until:
                raise NotKept(error) from error
            await asyncio.sleep(_AGAIN)
        else:
            return found


async def _until_it_rests(begun: asyncio.Future[Run]) -> Run:
    run = await begun
    rested = asyncio.Event()

    def look(_: object) -> None:
        if run.resting:
            rested.set()

    forget = run.watch(look)
    try:
        look(None)
        await rested.wait()
    finally:
        forget()
    return run


def _forsake(children: Children, attempt: Attempt, begun: asyncio.Future[Run]) -> None:
    if not begun.cancelled() and begun.exception() is None:
        children.forsake(attempt.number, begun.result().id)


def _requested(attempt: Attempt, make: Callable[[], Request]) -> Request:
    execution = attempt.execution
    _check_depth(execution.store, execution.run_id, attempt.path)
    request = make()
    request.store = execution.store
    request.key = attempt_key(execution.run_id, attempt.path)
    request.parent, request.parent_node, request.trigger = execution.run_id, attempt.path, "flow"
    request.mode, request.headless = execution.state.mode, execution.headless
    request.services = {**(request.services or {}), **execution.services}
    request.power = execution.power
    request.retry = True
    known = execution.state.children.get(attempt.number, "")
    row = execution.store.row(known) if known else None
    if row is None or row.key == request.key:  # else it is that of the run from which this one was forked
        request.run_id = known
    return request


def _check_depth(store: Store, run: str, path: str) -> None:
    row, deep = store.row(run), 1
    while row is not None and row.parent is not None:
        row, deep = store.row(row.parent), deep + 1
    if deep > MOST_DEEP:
        raise UsageError(
            f"{path}: {MOST_DEEP} runs lie beneath one another already. A flow that runs itself must come to an end, "
            "by a condition before the node."
        )


def _as_it_rests(run: Run) -> Child:
    from flownb.graph.nodetype import Child

    if run.lost is not None:
        raise run.lost
    state = run.state
    due = [wait.until for wait in state.waits.values() if wait.until is not None]
    completed = run.status is RunStatus.COMPLETED
    return Child(
        run=run.id,
        workflow=run.workflow,
        status=str(run.status),
        outputs=run.outputs if completed else {},
        error=f"{run.error.type}: {run.error.message}" if run.error is not None else "",
        node=state.error_node or "",
        pause_reason=str(state.pause_reason) if state.pause_reason is not None else None,
        until=min(due, default=None),
        message=state.message,
    )


# --- ending one -------------------------------------------------------------------------------------------------------


def child_rests(engine: Engine, child: Execution) -> None:
    """A child has left the engine: where it ended, the parked node of its parent goes on."""
    state = child.state
    if not state.status.ended or state.parent is None:
        return
    parent = engine.arrivals.at_work(child.store, state.parent)
    if parent is None:
        rests = engine.house.take_rest(child.store, state.parent)
        if rests is not None:
            engine.house.wake(rests)
        return
    number = parent.state.topology.index.get(state.parent_node or "")
    if number is not None and parent.children is not None:
        parent.children.look_again(number)


def cancel_at_rest(engine: Engine, store: Store, run_id: str, parent: str) -> None:
    """Write the end of a run that nobody works on, without its program; the runs beneath it end as well.

    Where somebody has it, that owner is asked.
    """
    from flownb.run.plan import unfinished
    from flownb.run.recovery.recover import read_state
    from flownb.store.contract import Write

    row = store.row(run_id)
    if row is None or row.parent != parent or row.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        return
    by = f"run {parent}"
    with engine.arrivals.claiming(store, run_id) as lease:
        if lease is None:
            store.send(run_id, cmd.Cancel(by=by))
            return
        state, now = read_state(store, row), engine.now()
        reason = ev.Reason(group="run", message="the run was cancelled")
        ends: list[ev.Event] = [
            ev.NodeCancelled(at=now, node=state.topology.paths[number], reason=reason) for number in unfinished(state)
        ]
        ends.append(with_call(ev.RunCancelledEvent(at=now, by=by), state))
        store.commit([Write(run=run_id, fence=lease.fence, first=state.seq + 1, events=ends, release=True)])
        if says_call(ends[-1]):
            answer_soon(engine, store)
    for child in state.children.values():
        cancel_at_rest(engine, store, child, run_id)
