"""Starting a run, or finding the one that has its key or its place in a notebook, and joining a handle to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import Conflict, DefinitionDrift, InvalidInput, RunError
from flownb.graph.nodetype import Output
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.fingerprint import digest_of
from flownb.model.state import RunState, apply
from flownb.model.status import ASKS, PauseReason, RunStatus
from flownb.run.context import Services
from flownb.run.engine import engine
from flownb.run.executor import Execution
from flownb.run.handles.follow import Follower
from flownb.run.handles.handle import Run
from flownb.run.partial import check_part, shortcuts, uses_pins
from flownb.run.recovery.drift import difference
from flownb.run.recovery.migrate import obstacles
from flownb.run.recovery.recover import read_state, require_row, resumption
from flownb.run.secrets import references_of
from flownb.run.waiting.halts import halts_left
from flownb.run.waiting.news import has_news
from flownb.services import masking
from flownb.store import values
from flownb.store.contract import NewRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.definition import Definition
    from flownb.run.request import Request
    from flownb.run.session import Session
    from flownb.store.contract import Lease, RunRow


def start(request: Request) -> Run:
    """Start a run, or attach to the one that this start was before: by key, or by its place in a notebook."""
    session: Session | None = request.session
    check_part(request)
    if request.key is not None and not isinstance(request.key, str):
        raise InvalidInput(f"The key of a run is text, not {request.key!r:.60}.", name="key")
    if session is not None:
        return _start_in_session(request, session)
    plain = {name: values.store(value, request.store.artifacts).plain for name, value in request.inputs.items()}
    digest = digest_of([request.target or request.definition.workflow.name, plain])
    if request.key is not None and (row := request.store.find_key(request.key)) is not None:
        return by_key(request, row, digest)
    new = _new_run(request, request.run_id or engine().new_id(), digest)
    owner = engine().owner(request.store)
    if request.soon and new.key is None:
        return _begin(request, new.id, request.store.announce_run(new, owner), plain)
    with engine().arrivals.beginning(request.store, new.id):
        row, lease = request.store.create_run(new, owner)
        if lease is not None:
            faults.reach("run.created")
            return _begin(request, row.id, lease, plain)
    return by_key(request, row, digest)


def _new_run(request: Request, run_id: str, digest: str, group: str | None = None) -> NewRun:
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


def _begin(request: Request, run_id: str, lease: Lease, plain: dict[str, Any]) -> Run:
    state = RunState(request.definition.topology, run_id)
    return _join(request, Run(request.store, state), lease, _first_events(request, state, plain))


def _first_events(request: Request, state: RunState, plain: dict[str, Any]) -> list[ev.Event]:
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
    )
    return [started, *shortcuts(request, state, plain, started.at)]


def _join(
    request: Request,
    run: Run,
    lease: Lease,
    first: list[ev.Event],
    *,
    hold: bool = False,
    previous: Any = None,
    steps: int | None = None,
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
            execution.values.keep(state.topology.index[path], value if isinstance(value, Output) else Output(value))
    join = run.join_all if state.seq else run.join  # a new run has no other handles
    if masking.known is not None:
        first = [masking.known.struct(event) for event in first]
    for event in first:
        apply(state, event)
    execution.out += first
    execution.references = references_of(request.definition.workflow, state)
    run._continue = _continuation(request)  # noqa: SLF001  the handle is made here
    join(execution)
    home.arrivals.hand(execution)
    return run


def _continuation(request: Request) -> Callable[[Run, bool, str], None]:
    def go_on(run: Run, retry: bool, cause: str) -> None:
        row = require_row(request.store, run.id)
        previous = run._execution or run._left  # noqa: SLF001
        with engine().arrivals.claiming(request.store, run.id) as lease:
            if lease is None:
                local = engine().arrivals.at_work(request.store, run.id)
                if local is not None:  # who asked at the same time was faster
                    run.join(local)
                else:
                    _follow(request, run)
                return
            state = read_state(request.store, row, request.definition.topology)
            run._state = state  # noqa: SLF001  read afresh: others may have written since
            if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
                request.store.release(lease)
                run.settle()
                return
            _resume(request, run, lease, retry=retry, cause=cause, previous=previous)

    return go_on


#: Commands that have had their effect when a run goes on; a pause was meant for an owner who is gone.
_OBEYED: Final = (
    cmd.SkipNode | cmd.Pause | cmd.Resume | cmd.RetryNode | cmd.Decide | cmd.Step | cmd.SetBreakpoint
    | cmd.ClearBreakpoint
)  # fmt: skip


def _resume(
    request: Request, run: Run, lease: Lease, *, retry: bool, cause: str = "", previous: Any = None, hold: bool = False
) -> Run:
    state = run.state
    if not state.definition:  # its process died, or its notebook ended, before the first event of a flow
        plain = {name: values.store(value, request.store.artifacts).plain for name, value in request.inputs.items()}
        begins = _first_events(request, state, plain)
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
        return _join(request, run, lease, begins, hold=hold)
    if previous is not None:
        previous.values.rebase(state)
    left = [message.command for message in request.store.receive([run.id])]
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
    first += halts_left(left, first[0].at)
    steps = 1 if any(isinstance(command, cmd.Step) for command in left) else None
    joined = _join(request, run, lease, first, hold=hold, previous=previous, steps=steps)
    for command in left:
        # A pause that was meant for an owner who is gone has had its effect; answers are taken with the first tick.
        if not isinstance(command, _OBEYED):
            joined.send(command)
    return joined


def _moved_program(request: Request) -> str:
    return request.program if request.moves else ""


def _went_over(request: Request, recorded: str) -> ev.SystemInfo:
    from flownb.run.recovery.drift import difference  # rarely needed

    text = difference(request.store.definition(recorded) or "", request.definition.document)
    return ev.SystemInfo(at=engine().now(), message=f"The run went over to another definition:\n{text}")


# --- the run that is there already ------------------------------------------------------------------------------------


def by_key(request: Request, row: RunRow, digest: str) -> Run:
    """What a start with a key does when the key is in use (the table of DESIGN §15).

    Raises:
        Conflict: the key belongs to another target or other inputs.
    """
    if row.request and row.request != digest:
        raise Conflict(
            f"The key {request.key!r} belongs to run {row.id} of {row.workflow}, which was started with another target "
            f"or other inputs. Choose another key, or look at that run with `flownb show {row.id}`.",
            run=row.id,
        )
    return attach(request, row, retry=request.retry)


def attach(request: Request, row: RunRow, *, retry: bool = False, migrate: bool = False) -> Run:
    """A handle on a recorded run whose program is at hand: it goes on here if nobody has it and nothing is missing.

    Args:
        request: the program, and what a start would need.
        row: the run.
        retry: resume it even where it waits for a command, or has failed.
        migrate: go on although the definition is another one now.
    """
    local = engine().arrivals.at_work(request.store, row.id)
    if local is not None:
        run = Run(request.store, local.state)
        run._continue = _continuation(request)  # noqa: SLF001
        run.join(local)
        return run
    run = Run(request.store, read_state(request.store, row, request.definition.topology))
    run._continue = _continuation(request)  # noqa: SLF001
    if not _goes_on(run, retry=retry):
        run.settle()
        return run
    request.moves = migrate and request.program not in ("", row.program)
    check_drift(request, row, migrate=migrate)
    with engine().arrivals.claiming(request.store, row.id) as lease:
        if lease is None:
            _follow(request, run)
            return run
        row = require_row(request.store, row.id)
        run._state = read_state(request.store, row, request.definition.topology)  # noqa: SLF001
        if not _goes_on(run, retry=retry):  # it ended, or was paused, between the look and the claim
            request.store.release(lease)
            run.settle()
            return run
        return _resume(request, run, lease, retry=retry)


def _goes_on(run: Run, *, retry: bool) -> bool:
    """Whether a start with its key lets the run go on."""
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
        return has_news(run.store, state) or _is_due(state)
    return retry


def _is_due(state: RunState) -> bool:
    """Whether the time of a waiting node has come."""
    due = [wait.until for wait in state.waits.values() if wait.until is not None]
    return bool(due) and min(due) <= engine().now()


def check_drift(request: Request, row: RunRow, *, migrate: bool) -> None:
    """The program must be the one that the run was started with.

    Raises:
        DefinitionDrift: it is not, and `migrate` is off, or what changed can't be moved; with the difference.
    """
    definition: Definition = request.definition
    if row.definition in ("", definition.hash):
        return
    recorded = request.store.definition(row.definition)
    text = difference(recorded or "", definition.document)
    if not migrate:
        raise DefinitionDrift(
            f"{row.workflow} is not what run {row.id} was started with:\n{text}\n"
            f"`flownb resume {row.id} --migrate` goes on with it as it is now; or put it back.",
            run=row.id,
            difference=text,
        )
    found = obstacles(read_state(request.store, row), definition)
    if found:
        listed = "\n".join(f"- {each}" for each in found)
        raise DefinitionDrift(
            f"Run {row.id} can't go over to {row.workflow} as it is now; nothing was changed:\n{listed}\n"
            f"What has changed:\n{text}\n"
            f"Put back what is named first, or go on as it was with `flownb resume {row.id}`.",
            run=row.id,
            difference=text,
            obstacles=found,
        )
    request.store.put_definition(definition.hash, definition.document)
    request.moves = True


def _follow(request: Request, run: Run) -> None:
    def orphaned() -> None:
        try:
            if not _goes_on(run, retry=False):  # its owner let go of it: it waits for a command
                return
            with engine().arrivals.claiming(request.store, run.id) as lease:
                if lease is None:
                    return
                row = require_row(request.store, run.id)
                run._state = read_state(request.store, row, request.definition.topology)  # noqa: SLF001
                if not _goes_on(run, retry=False):  # as in `attach`
                    request.store.release(lease)
                    run.let_go()
                    return
                _resume(request, run, lease, retry=False)
        except RunError as error:
            run.fail(error)

    run.follow(Follower(request.store, run.state, run.followed, orphaned))


# --- in a notebook that is executed headless --------------------------------------------------------------------------


def _start_in_session(request: Request, session: Session) -> Run:
    run_id = session.next_id()
    first = run_id == session.run_id
    if session.call is not None and not first:
        return _recorded(request, session, run_id)
    request.mode, request.trigger = session.mode, session.trigger
    request.program = session.program
    request.headless = True
    if first:
        request.until = session.until or request.until
        check_part(request)
        request.parent, request.parent_node = session.parent, session.parent_node
    row = request.store.row(run_id)
    lease: Lease | None
    if row is None:
        group = session.run_id
        row, lease = request.store.create_run(_new_run(request, run_id, "", group), engine().owner(request.store))
    else:
        lease = _claim_in_session(request, row, session)
    state = read_state(request.store, row, request.definition.topology)
    if state.definition:  # else no flow of it has started yet
        session.check_same_flow(run_id, state.workflow, request.definition.workflow.name)
        check_drift(request, row, migrate=session.migrate)
    request.moves = request.moves or (session.migrate and row.program != session.program)
    run = Run(request.store, state)
    run._continue = _continuation(request)  # noqa: SLF001
    session.add(run)
    if lease is None:
        if state.status.ended:
            run.settle()
        else:
            _follow(request, run)
        return run
    request.store.put_definition(request.definition.hash, request.definition.document)
    if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        request.store.release(lease)
        run.settle()
        return run
    return _resume(request, run, lease, retry=session.retry, hold=first and session.call is None)


def _recorded(request: Request, session: Session, run_id: str) -> Run:
    """What a call of a replayed kernel started at the time: it is looked at, and nothing starts.

    Raises:
        Conflict: nothing is recorded of it.
    """
    row = request.store.row(run_id) if run_id else None
    if row is None:
        raise Conflict(
            f"The cells that are executed again for run {session.run_id} start {request.definition.workflow.name!r} "
            f"here, which they did not do when they were recorded; nothing was started."
        )
    run = Run(request.store, read_state(request.store, row))
    run.settle()
    return run


def _claim_in_session(request: Request, row: RunRow, session: Session) -> Lease | None:
    from flownb.store.contract import Lease as StoreLease

    expect = None
    if row.id == session.run_id and row.owner == session.owner:
        expect = StoreLease(run=row.id, owner=session.owner, fence=session.fence)
    lease: Lease | None = request.store.claim(row.id, engine().owner(request.store), expect=expect)
    return lease
