"""What the panel shows of one edge: the value on it, how its condition was judged, and why it is as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.graph.drawing.words import clean
from flownb.model.ports import ERROR, MAIN
from flownb.model.state import COMPLETED, FAILED, STATUSES
from flownb.model.wires import DATA, GATE, ORDER
from flownb.run.handles.depict import edge_of
from flownb.widgets.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.state import RunState
    from flownb.model.wires import Wire
    from flownb.run.handles.view import RunView

_MOST_TEXT = 400


def edge_told(view: RunView, route: Mapping[str, Any], wire: Wire | None) -> dict[str, Any]:
    """All that the panel says of an edge.

    Args:
        view: the run, or a moment of it.
        route: the edge as it is drawn, from card to card.
        wire: the same in the run's graph, of the round that is shown; None where the box of a loop stands for it.
    """
    state = view.state
    told: dict[str, Any] = {
        "edge": route["edge"],
        "source": route["source"],
        "target": route["target"],
        "kind": route["kind"],
    }
    if wire is None:
        inner = "The loop hands each round its item here, or takes what the round gives."
        return told | {"state": "open", "why": inner if route["implied"] else "No round of the loop has begun."}
    ended = STATUSES[state.node_status[wire.source]].ended
    now = edge_of(state, wire)
    told |= {
        "source": state.topology.paths[wire.source],
        "port": wire.port or MAIN,
        "parameter": wire.parameter,
        "state": now,
        "why": _why(state, wire, route["target"], now)[:_MOST_TEXT],
    }
    if wire.condition is not None:
        told["condition"] = clean(wire.condition, _MOST_TEXT)
        if ended:
            told["verdict"] = _verdict(state, wire)
    if route["kind"] in ("data", "error", "part") and ended and state.edge_is_live(wire):
        ports = state.port_values.get(wire.source, {})
        plain = ports.get(wire.port or "", state.output[wire.source])
        told["value"] = shown(plain, view.store)
    return told


def _verdict(state: RunState, wire: Wire) -> bool | None:
    failed = state.failures.get(wire.source)
    verdicts = failed.verdicts if failed is not None else state.verdicts.get(wire.source, {})
    return verdicts.get(wire.id)


def _why(state: RunState, wire: Wire, target: str, now: str) -> str:
    source = state.topology.paths[wire.source]
    if now == "open":
        return (
            f"{source} is {STATUSES[state.node_status[wire.source]]}; what comes of this edge is decided when it ends."
        )
    if now == "dead":
        return f"{state.why_dead(wire)}; so nothing comes this way."
    fired = f"{source} fired {wire.port}" if wire.port else f"{source} completed"
    if wire.port == ERROR and state.node_status[wire.source] == FAILED:
        fired = f"{source} failed, and its error goes this way"
    if wire.group == DATA:
        return f"{fired}; {target} gets the value as {wire.parameter}."
    if wire.group == GATE:
        return f"{fired}; the way to {target} is open. No data go with it."
    if wire.group == ORDER and state.node_status[wire.source] == COMPLETED:
        return f"{fired}; {target} comes after it. No data go with it."
    return f"{fired}."
