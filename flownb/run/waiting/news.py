"""Whether a run that waits can go on: somebody answered, left a command, or a run beneath it has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model.status import ASKS, RunStatus
from flownb.run.recovery.recover import read_state
from flownb.run.waiting.decisions import answered

if TYPE_CHECKING:
    from collections.abc import Collection

    from flownb.model.state import RunState
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow


def has_news(
    store: Store,
    state: RunState,
    now: float | None = None,
    *,
    rows: list[ApprovalRow] | None = None,
    left: Collection[str] | None = None,
) -> bool:
    """Whether there is what a run that waits for somebody can go on with, or it has waited long enough.

    Args:
        store: where the run is.
        state: the run.
        now: seconds since 1970, where it counts that it has waited long enough.
        rows: its requests, where somebody has read them.
        left: the runs for which commands were left, likewise.
    """
    if now is not None and any(wait.until is not None and wait.until <= now for wait in state.waits.values()):
        return True
    if answered(store, state, rows) or state.run_id in (store.waiting() if left is None else left):
        return True
    return bool(state.children) and any(has_moved(store, state.children[number], now) for number in awaiting(state))


def awaiting(state: RunState) -> list[int]:
    """The nodes that wait for a run beneath theirs."""
    waits = state.waits
    return [number for number, child in state.children.items() if number in waits and waits[number].request == child]


def has_moved(store: Store, child: str, now: float | None = None) -> bool:
    """Whether a run beneath another does not simply rest any more: it ended, is at work, or could be by `now`."""
    row = store.row(child)
    if row is None or row.status != RunStatus.PAUSED:
        return True
    return row.pause_reason in ASKS and has_news(store, read_state(store, row), now)
