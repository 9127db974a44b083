"""Every run of a workflow that was left unfinished and can go on: by a process that has nothing but its program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.status import RunStatus
from flownb.run.handles.handle import Run
from flownb.run.joining import Continuation, goes_on
from flownb.run.recovery.recover import state_of
from flownb.run.together import by_run, take_up

if TYPE_CHECKING:
    from flownb.run.request import Request

#: As many runs are read at once.
_AT_ONCE: Final = 1_000
_UNFINISHED: Final = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED)


def resume_all(request: Request) -> list[Run]:
    """Go on with every run of a workflow that can, and that was started with the same definition.

    Args:
        request: the program, and what a start would need; all of them share it.
    """
    store, definition = request.store, request.definition
    found = store.rows(status=_UNFINISHED, workflow=definition.workflow.name)
    rows = [row for row in found if row.definition == definition.hash and row.parent is None]
    going: list[Run] = []
    alive: dict[str, bool] = {}
    for start in range(0, len(rows), _AT_ONCE):
        some = {row.id: row for row in rows[start : start + _AT_ONCE]}
        journals, left = store.journals(some), store.waiting()
        answers = by_run(store.approvals(runs=some, pending=False))
        for row in some.values():
            if row.owner is not None:
                if row.owner not in alive:
                    holder = store.owner_of(row.id)
                    alive[row.owner] = holder is not None and holder[1]
                if alive[row.owner]:
                    continue
            run = Run(store, state_of(definition.topology, row.id, row.workflow, journals.get(row.id, ())))
            if goes_on(run, retry=False, rows=answers.get(row.id, []), left=left):
                run.continuation = Continuation(request)
                run.came_to_rest(row)
                going.append(run)
    take_up(store, going, cause="")
    return going
