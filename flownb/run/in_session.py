"""Starts inside a notebook that is executed headless: each has its place there, and finds its run by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import Conflict
from flownb.model.status import RunStatus
from flownb.run.engine import engine
from flownb.run.handles.handle import Run
from flownb.run.joining import Continuation, follow, new_run, resume
from flownb.run.partial import check_part
from flownb.run.recovery.check import check_drift
from flownb.run.recovery.recover import read_state
from flownb.store.contract import Lease

if TYPE_CHECKING:
    from flownb.run.request import Request
    from flownb.run.session import Session
    from flownb.store.contract import RunRow


def start_in_session(request: Request, session: Session) -> Run:
    """Start the run of this call of the notebook, or attach to the one that it was before."""
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
    if row is None:
        group = session.run_id
        row, lease = request.store.create_run(new_run(request, run_id, "", group), engine().owner(request.store))
    else:
        lease = _claim(request, row, session)
    state = read_state(request.store, row, request.definition.topology)
    if state.definition:  # else no flow of it has started yet
        session.check_same_flow(run_id, state.workflow, request.definition.workflow.name)
        check_drift(request, row, migrate=session.migrate)
    request.moves = request.moves or (session.migrate and row.program != session.program)
    run = Run(request.store, state)
    run.continuation = Continuation(request)
    session.add(run)
    if lease is None:
        if state.status.ended:
            run.settle()
        else:
            follow(request, run)
        return run
    request.store.put_definition(request.definition.hash, request.definition.document)
    if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        request.store.release(lease)
        run.settle()
        return run
    return resume(request, run, lease, retry=session.retry, hold=first and session.call is None)


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


def _claim(request: Request, row: RunRow, session: Session) -> Lease | None:
    expect = None
    if row.id == session.run_id and row.owner == session.owner:
        expect = Lease(run=row.id, owner=session.owner, fence=session.fence)
    lease: Lease | None = request.store.claim(row.id, engine().owner(request.store), expect=expect)
    return lease
