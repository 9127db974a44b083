"""Putting a run to work in this process, and joining a handle to it: one that begins, goes on, or is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import RunError
from flownb.graph.nodetype import Output
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.status import ASKS, PauseReason, RunStatus
from flownb.run.asks import heard, is_new
from flownb.run.context import Services
from flownb.run.engine import engine
from flownb.run.executor import Execution
from flownb.run.handles.follow import Follower
from flownb.run.partial import shortcuts, uses_pins
from flownb.run.recovery.drift import difference
from flownb.run.recovery.recover import read_state, require_row, resumption
from flownb.run.secrets import references_of
from flownb.run.variables import set_meanwhile, taken_over
from flownb.run.waiting.halts import halts_left
from flownb.run.waiting.news import has_news
from flownb.services import masking
from flownb.services.identity import user
from flownb.store import values
from flownb.store.contract import NewRun

if TYPE_CHECKING:
    from collections.abc import Collection

    from flownb.model.state import RunState
    from flownb.run.definition import Definition
    from flownb.run.handles.handle import Run
    from flownb.run.request import Request
    from flownb.store.contract import Lease
    from flownb.store.requests import ApprovalRow


def new_run(request: Request, run_id: str, digest: str, group: str | None = None) -> NewRun:
    """What is recorded of a run before its first event."""
    definition: Definition = request.definition
    request.store.put_definition(definition.hash, definition.document)
    return NewRun(
        id=run_id,
        workflow=definition.workflow.name,
        key=request.key,
        request=digest,
        mode=request.mode,
        trigger=request.trigger,
        parent=request.parent,
        group=group,
        definition=definition.hash,
        program=request.program,
        created_at=engine().now(),
    )


def first_events(request: Request, state: RunState, plain: dict[str, Any]) -> list[ev.Event]:
    """The events with which a run begins."""
    definition: Definition = request.definition
    started = ev.RunStarted(
        at=engine().now(),
        workflow=definition.workflow.name,
        definition=definition.hash,
        inputs=plain,
        mode=request.mode,
        trigger=request.trigger,
        parent=request.parent,
        parent_node=request.parent_node,
        by=user() if definition.asks else "",
        payload=request.payload,
    )
    return [started, *taken_over(request, started.at), *shortcuts(request, state, plain, started.at)]


def join(
    request: Request,
    run: Run,
    lease: Lease,
    first: list[ev.Event],
    *,
    hold: bool = False,
    previous: Any = None,
    steps: int | None = None,
    answers: list[ApprovalRow] | None = None,
) -> Run:
    """Put a run to work in this process: its first events are folded and go out with the first tick."""
    home = engine()
    state = run.state
    home.owner(request.store)
    if request.definition.wants_main:
        from flownb.run.where.main import queue

        queue.remember_loop()
    execution = Execution(
        home,
        request.definition,
        state,
        request.store,
        lease,
        services=Services(request.services or {}),
        values=previous.values if previous is not None else None,
        power=request.power,
        headless=request.headless,
        hold=hold,
        steps=steps,
    )
    execution.values.given = request.inputs
    if uses_pins(request):
        for path, value in request.pins.items():
            number = state.topology.index[path]
            if state.sources.get(number, "pinned") == "pinned":  # a fork may have been given another
                execution.values.keep(number, value if isinstance(value, Output) else Output(value))
    join = run.join_all if state.seq else run.join  # a new run has no other handles
    if masking.known is not None:
        first = [masking.known.struct(event) for event in first]
    for event in first:
        apply(state, event)
    execution.out += first
    execution.references = references_of(request.definition.workflow, state)
    if run.continuation is None or run.continuation.request is not request:
        run.continuation = Continuation(request)
    execution.answers = answers
    join(execution)
    home.arrivals.hand(execution)
    return run


class Continuation:
    """What carries a run on in this process: the program that it goes on with."""

    __slots__ = ("request",)

    def __init__(self, request: Request) -> None:
        self.request = request

    def go_on(self, run: Run, *, retry: bool, cause: str) -> None:
        """Let a run that rests go on here; where somebody else has it, the handle follows that one.

        Args:
            run: its handle.
            retry: whether failed nodes start again.
            cause: for the record.
        """
        request = self.request
        row = require_row(request.store, run.id)
        previous = run.left_behind
        with engine().arrivals.claiming(request.store, run.id) as lease:
            if lease is None:
                local = engine().arrivals.at_work(request.store, run.id)
                if local is not None:  # who asked at the same time was faster
                    run.join(local)
                else:
                    follow(request, run)
                return
            state = read_state(request.store, row, request.definition.topology)
            run._state = state  # noqa: SLF001  read afresh: others may have written since
            if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
                request.store.release(lease)
                run.settle()
                return
            resume(request, run, lease, retry=retry, cause=cause, previous=previous)


#: Commands that have had their effect when a run goes on; a pause was meant for an owner who is gone.
_OBEYED: Final = (
    cmd.SkipNode | cmd.Pause | cmd.Resume | cmd.RetryNode | cmd.Decide | cmd.Step | cmd.SetBreakpoint
    | cmd.ClearBreakpoint | cmd.SetVariable
)  # fmt: skip


def resume(
    request: Request,
    run: Run,
    lease: Lease,
    *,
    retry: bool,
    cause: str = "",
    previous: Any = None,
    hold: bool = False,
    left: list[cmd.Command] | None = None,
    answers: list[ApprovalRow] | None = None,
) -> Run:
    """Let a recorded run go on here, with what was left for it meanwhile; the lease is taken.

    Whoever takes up many runs at once has taken the commands that were `left` for this one, and read the `answers`.
    """
    state = run.state
    if not state.definition:  # its process died, or its notebook ended, before the first event of a flow
        plain = {name: values.store(value, request.store.artifacts).plain for name, value in request.inputs.items()}
        begins = first_events(request, state, plain)
        if state.started_at is not None:  # a run starts once: its flow begins with its resumption
            definition: Definition = request.definition
            begins[0] = ev.RunResumed(
                at=engine().now(),
                cause=cause or "command",
                workflow=definition.workflow.name,
                definition=definition.hash,
                program=_moved_program(request),
                inputs=plain,
            )
        return join(request, run, lease, begins, hold=hold)
    if previous is not None:
        previous.values.rebase(state)
    if left is None:
        left = [message.command for message in request.store.receive([run.id])]
    left = [command for command in left if is_new(state, command)]
    first = resumption(
        state,
        request.definition,
        engine().now(),
        retry=retry,
        cause=cause,
        skip=[command.node for command in left if isinstance(command, cmd.SkipNode)],
        again=[command.node for command in left if isinstance(command, cmd.RetryNode)],
        live=previous.values.is_live if previous is not None else None,
    )
    if request.moves:
        first[0] = msgspec.structs.replace(first[0], program=_moved_program(request))
        if state.definition != request.definition.hash:
            first.append(_went_over(request, state.definition))
    first += [heard(each, first[0].at) for each in left if each.ask and isinstance(each, _OBEYED)]
    first += [*halts_left(left, first[0].at), *set_meanwhile(left, first[0].at)]
    steps = 1 if any(isinstance(command, cmd.Step) for command in left) else None
    joined = join(request, run, lease, first, hold=hold, previous=previous, steps=steps, answers=answers)
    for command in left:
        # A pause that was meant for an owner who is gone has had its effect; answers are taken with the first tick.
        if not isinstance(command, _OBEYED):
            joined.send(command)
    return joined


def _moved_program(request: Request) -> str:
    return request.program if request.moves else ""


def _went_over(request: Request, recorded: str) -> ev.SystemInfo:
    text = difference(request.store.definition(recorded) or "", request.definition.document)
    return ev.SystemInfo(at=engine().now(), message=f"The run went over to another definition:\n{text}")


def goes_on(
    run: Run, *, retry: bool, rows: list[ApprovalRow] | None = None, left: Collection[str] | None = None
) -> bool:
    """Whether a start with its key lets the run go on; `rows` and `left` as of `has_news`."""
    state = run.state
    if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        return False
    if state.status is RunStatus.FAILED:
        return retry
    if state.status is not RunStatus.PAUSED:
        return True
    if state.pause_reason is PauseReason.TIMER:
        return _is_due(state)
    if state.pause_reason in ASKS:
        return has_news(run.store, state, engine().now(), rows=rows, left=left)
    return retry


def _is_due(state: RunState) -> bool:
    """Whether the time of a waiting node has come."""
    due = [wait.until for wait in state.waits.values() if wait.until is not None]
    return bool(due) and min(due) <= engine().now()


def follow(request: Request, run: Run) -> None:
    """Let a handle follow a run that another process has, and take it over if that one dies."""

    def orphaned() -> None:
        try:
            if not goes_on(run, retry=False):  # its owner let go of it: it waits for a command
                return
            with engine().arrivals.claiming(request.store, run.id) as lease:
                if lease is None:
                    return
                row = require_row(request.store, run.id)
                run._state = read_state(request.store, row, request.definition.topology)  # noqa: SLF001
                if not goes_on(run, retry=False):  # as in `attach`
                    request.store.release(lease)
                    run.let_go()
                    return
                resume(request, run, lease, retry=False)
        except RunError as error:
            run.fail(error)

    run.follow(Follower(request.store, run.state, run.followed, orphaned))
