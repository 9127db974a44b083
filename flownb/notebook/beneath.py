"""What nodes that run something else have in common: how the end of the child is theirs, and whose program it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import RunFailed
from flownb.graph.nodetype import Suspend
from flownb.model.status import RunStatus

if TYPE_CHECKING:
    from flownb.graph.nodetype import Child
    from flownb.store.contract import RunRow, Store


def value_of(name: str, child: Child) -> Any:
    """The results of a run beneath a node; a `Suspend` where it is paused.

    Args:
        name: what was run, for people.
        child: as it rests.

    Raises:
        RunFailed: it did not complete; the message says why, and which run it is.
    """
    if child.status == RunStatus.COMPLETED:
        return dict(child.outputs)
    if child.status == RunStatus.PAUSED and child.pause_reason is not None:
        return Suspend(waits_for=child.pause_reason, until=child.until, name=child.run)
    if child.status == RunStatus.CANCELLED:
        raise RunFailed(f"{name} was cancelled, which is final (its run is {child.run})", run=child.run)
    where = f" at {child.node}" if child.node else ""
    raise RunFailed(f"{name} failed{where}: {child.error or child.status} (its run is {child.run})", run=child.run)


def holder_of(store: Store, row: RunRow) -> RunRow:
    """The run whose program carries a run on: itself, the notebook that it belongs to, or the flow that began it."""
    seen: set[str] = set()
    while row.id not in seen:
        seen.add(row.id)
        above = row.group if row.group not in (None, row.id) else row.parent if not row.program else None
        found = store.row(above) if above is not None else None
        if found is None:
            break
        row = found
    return row
