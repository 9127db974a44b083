"""Starting a run, or finding the one that has its key or its place in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb import faults
from flownb.errors import Conflict, InvalidInput
from flownb.model.fingerprint import digest_of
from flownb.model.state import RunState
from flownb.run.engine import engine
from flownb.run.handles.handle import Run
from flownb.run.in_session import start_in_session
from flownb.run.joining import Continuation, first_events, follow, goes_on, join, new_run, resume
from flownb.run.partial import check_part
from flownb.run.recovery.check import check_drift
from flownb.run.recovery.recover import read_state, require_row
from flownb.store import values

if TYPE_CHECKING:
    from flownb.run.request import Request
    from flownb.run.session import Session
    from flownb.store.contract import Lease, RunRow


def start(request: Request) -> Run:
    """Start a run, or attach to the one that this start was before: by key, or by its place in a notebook."""
    session: Session | None = request.session
    if request.definition.pinned:  # what the code pins comes before what the definition does
        request.pins = {**request.definition.pinned, **request.pins}
    check_part(request)
    if request.key is not None and not isinstance(request.key, str):
        raise InvalidInput(f"The key of a run is text, not {request.key!r:.60}.", name="key")
    if session is not None:
        return start_in_session(request, session)
    plain = {name: values.store(value, request.store.artifacts).plain for name, value in request.inputs.items()}
    digest = digest_of([request.target or request.definition.workflow.name, plain])
    if request.key is not None and (row := request.store.find_key(request.key)) is not None:
        return by_key(request, row, digest)
    new = new_run(request, request.run_id or engine().new_id(), digest)
    owner = engine().owner(request.store)
    if request.soon and new.key is None:
        return _begin(request, new.id, request.store.announce_run(new, owner), plain)
    with engine().arrivals.beginning(request.store, new.id):
        row, lease = request.store.create_run(new, owner)
        if lease is not None:
            faults.reach("run.created")
            return _begin(request, row.id, lease, plain)
    return by_key(request, row, digest)


def _begin(request: Request, run_id: str, lease: Lease, plain: dict[str, Any]) -> Run:
    state = RunState(request.definition.topology, run_id)
    return join(request, Run(request.store, state), lease, first_events(request, state, plain))


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
        run.continuation = Continuation(request)
        run.join(local)
        return run
    run = Run(request.store, read_state(request.store, row, request.definition.topology))
    run.continuation = Continuation(request)
    if not goes_on(run, retry=retry):
        run.settle()
        return run
    request.moves = migrate and request.program not in ("", row.program)
    check_drift(request, row, migrate=migrate)
    with engine().arrivals.claiming(request.store, row.id) as lease:
        if lease is None:
            follow(request, run)
            return run
        row = require_row(request.store, row.id)
        run._state = read_state(request.store, row, request.definition.topology)  # noqa: SLF001
        if not goes_on(run, retry=retry):  # it ended, or was paused, between the look and the claim
            request.store.release(lease)
            run.settle()
            return run
        return resume(request, run, lease, retry=retry)
