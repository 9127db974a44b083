"""How long a run is expected to take: as its workflow's last completed runs did, each node and the whole."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.model.state import COMPLETED
from flownb.model.status import RunStatus
from flownb.run.recovery.recover import read_state

if TYPE_CHECKING:
    from flownb.model.state import RunState
    from flownb.run.handles.handle import Run
    from flownb.store.contract import RunRow

#: Earlier runs that are looked at, of the newest; those with longer journals are left out, because reading costs.
_MOST_RUNS: Final = 5
_MOST_ROWS: Final = 50
_MOST_EVENTS: Final = 5_000
#: Nodes that wait for people or times say nothing of the next run.
_WAITING: Final = ("human.", "control.delay", "control.wait_for_event")


def expected_of(run: Run) -> dict[str, Any]:
    """`seconds` at work, and `nodes`: the seconds of each node of the top level; empty where nothing is known."""
    state = run.state
    earlier = [each for each in (_state(run, row) for row in _rows(run)) if each is not None]
    if not earlier:
        return {}
    wholes = [each.active_seconds for each in earlier]
    times: dict[str, list[float]] = {}
    for each in earlier:
        for number, path in enumerate(each.topology.paths[: each.flat]):
            if each.node_status[number] == COMPLETED and number not in each.sources:
                times.setdefault(path, []).append(each.node_finished[number] - each.node_started[number])
    known = state.topology.paths[: state.flat]
    waits = {node.id for node in state.topology.workflow.nodes if node.type.startswith(_WAITING)}
    return {
        "seconds": round(statistics.median(wholes), 3),
        "nodes": {
            path: round(max(0.0, statistics.median(times[path])), 3)
            for path in known
            if path in times and path not in waits
        },
    }


def _rows(run: Run) -> list[RunRow]:
    """The newest completed runs of the same workflow: of the same definition, if there are any."""
    try:
        found = list(run.store.rows(status=(RunStatus.COMPLETED,), workflow=run.workflow, limit=_MOST_ROWS))
    except FlownbError:
        return []
    found = [each for each in found if each.id != run.id and each.kind == "flow" and each.seq <= _MOST_EVENTS]
    same = [each for each in found if each.definition == run.state.definition]
    return (same or found)[:_MOST_RUNS]


def _state(run: Run, row: RunRow) -> RunState | None:
    shape = run.state.topology.origin if row.definition == run.state.definition else None
    try:
        return read_state(run.store, row, shape)
    except FlownbError:
        return None
