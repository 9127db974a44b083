"""The state of a run in the form that other tools of this kind have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.model.state import COMPLETED, STATUSES
from flownb.model.times import maybe_iso

if TYPE_CHECKING:
    from flownb.model.state import RunState


def execution_state(state: RunState) -> dict[str, Any]:
    """`global` (the inputs), `nodes` (output and meta of each), `variables` and `trigger`, in plain form."""
    return {
        "global": dict(state.inputs),
        "nodes": {path: _node(state, number) for number, path in enumerate(state.topology.paths)},
        "variables": {**state.inputs, **state.variables},
        "trigger": {"type": state.trigger, "payload": dict(state.inputs), "timestamp": maybe_iso(state.started_at)},
    }


def _node(state: RunState, number: int) -> dict[str, Any]:
    failed = state.failures.get(number)
    return {
        "output": state.output[number] if state.node_status[number] == COMPLETED else None,
        "meta": {
            "status": str(STATUSES[state.node_status[number]]),
            "startedAt": maybe_iso(state.node_started[number]),
            "completedAt": maybe_iso(state.node_finished[number]),
            "error": None if failed is None else failed.error.message,
        },
    }
