"""Many runs that go on at once: one transaction claims them, one takes what was left for them, one read what was said.

A thousand answers that come together would else be three thousand transactions before the first node starts.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flownb import faults
from flownb.errors import FlownbError, StoreError
from flownb.model.status import RunStatus
from flownb.run.engine import engine
from flownb.run.joining import resume
from flownb.run.recovery.recover import state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flownb.model.events import Record
    from flownb.model.state import RunState
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Inbox, Lease, Store
    from flownb.store.requests import ApprovalRow

_log: Final = logging.getLogger("flownb.engine")
T = TypeVar("T", bound="Inbox | ApprovalRow")


def take_up(store: Store, runs: Sequence[Run], *, cause: str = "decided") -> None:
    """Let runs that rest, and whose program is at hand, go on; what can't is said in the log and rests on.

    Args:
        store: where all of them are.
        runs: a handle on each.
        cause: for the record.
    """
    by_id = {run.id: run for run in runs}
    taken: set[str] = set()
    try:
        with engine().arrivals.claiming_free(store, by_id) as leases:
            taken.update(lease.run for lease in leases)
            if leases:
                faults.reach("runs.claimed")
                _go_on(store, by_id, leases, cause)
    except StoreError as error:
        if error.passes:
            for run in runs:
                run.rest_on(again=True)
            return
        taken.clear()  # one of them can't be read, perhaps: the others are not to suffer
    for run in runs:
        if run.id not in taken and not run.is_at_work_here:  # else somebody has it: to be followed, or dead
            try:
                run.go_on(cause=cause)
            except FlownbError as error:
                _say(run, error)
                run.rest_on(again=False)


def _go_on(store: Store, by_id: dict[str, Run], leases: Sequence[Lease], cause: str) -> None:
    names = [lease.run for lease in leases]
    left = by_run(store.receive(names))
    answers = by_run(store.approvals(runs=names, pending=False))
    journals = store.journals([lease.run for lease in leases if not by_id[lease.run].knows(lease)])
    for lease in leases:
        run = by_id[lease.run]
        try:
            state = _state(run, journals.get(run.id))
            if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
                store.release(lease)
                run.settle()
                continue
            assert run.continuation is not None
            resume(
                run.continuation.request,
                run,
                lease,
                retry=False,
                cause=cause,
                previous=run.left_behind,
                left=[message.command for message in left.get(run.id, ())],
                answers=answers.get(run.id, []),
            )
        except FlownbError as error:
            store.release(lease)
            _say(run, error)
            run.rest_on(again=False)


def _state(run: Run, records: Iterable[Record] | None) -> RunState:
    """The state of a run that was claimed: as it was left, or read afresh where others may have written since."""
    if records is None:
        return run.state
    assert run.continuation is not None
    state: Any = state_of(run.continuation.request.definition.topology, run.id, run.workflow, records)
    run.read_afresh(state)
    return run.state


def by_run(found: Iterable[T]) -> dict[str, list[T]]:
    """What was read of many runs, by run."""
    grouped: dict[str, list[T]] = {}
    for each in found:
        grouped.setdefault(each.run, []).append(each)
    return grouped


def _say(run: Run, error: FlownbError) -> None:
    _log.warning("Run %s was answered and can't go on here: %s", run.id, error)
