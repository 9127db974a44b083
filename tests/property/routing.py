"""The rules of the design for when a node runs, told once more from the definition and from how its sources ended.

It shares nothing with the engine's own counters but the definition: `check` holds the end of a run against it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flownb.model.ports import NodePorts
from flownb.model.status import NodeStatus
from flownb.model.workflow import JoinCount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flownb.model.state import RunState
    from flownb.model.workflow import Edge, Node

ENDED = (NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED)
BY_EDGES = ("data", "gate", "order", "join")


def check(state: RunState, ports: Mapping[str, NodePorts]) -> None:
    """Every node ended, and those that began, and no others, are those that the rules let begin."""
    nodes = {node.id: node for node in state.topology.workflow.nodes}
    entering: dict[str, list[Edge]] = {}
    for edge in state.topology.workflow.edges:
        entering.setdefault(edge.target, []).append(edge)
    for number, path in enumerate(state.topology.paths):
        node = nodes[state.topology.nodes[number].id]
        status = state.status_of(path)
        assert status in ENDED, f"{path} is {status}"
        reason = state.reasons.get(number)
        group = reason.group if reason is not None else ""
        edges = list(_seen(state, path, node, entering.get(node.id, [])))
        wanted = verdict(state, node, edges, ports.get(node.id) or NodePorts())
        if status in (NodeStatus.COMPLETED, NodeStatus.FAILED):
            assert not wanted, f"{path} began, though {wanted} is against it"
        elif status is NodeStatus.SKIPPED and group in BY_EDGES:
            assert group == wanted, f"{path} was skipped because of {group} ({reason}), and {wanted or 'nothing'} is so"
        elif status is NodeStatus.SKIPPED:
            assert group in ("error", "command"), f"{path}: {reason}"
        else:
            assert group in ("run", "branch"), f"{path}: {reason}"


def _seen(state: RunState, path: str, node: Node, edges: list[Edge]) -> Iterator[tuple[Edge, str]]:
    """The edges into a node, each with the path of its source as this instance sees it; not those of its own round."""
    around = path[: len(path) - len(node.id)]
    for edge in edges:
        prefix = around
        while prefix and prefix + edge.source not in state.topology.index:
            prefix = re.sub(r"\w+\[\w+\]\.$", "", prefix)
        source = prefix + edge.source
        if not around.startswith(f"{source}["):
            yield edge, source


def verdict(state: RunState, node: Node, edges: list[tuple[Edge, str]], ports: NodePorts) -> str:
    """The group because of which a node is skipped; empty where it starts."""
    data: dict[str, list[bool]] = {}
    controls: dict[str, list[bool]] = {"gate": [], "order": []}
    for edge, source in edges:
        live = is_live(state, edge, source)
        if edge.is_data:
            data.setdefault(edge.target_port, []).append(live)
        else:
            controls["gate" if edge.is_gate else "order"].append(live)
    every = controls["gate"] + controls["order"]
    early = node.join != "all" and bool(every)
    wanted = node.join.count if isinstance(node.join, JoinCount) else 1
    if early and sum(every) < wanted:
        return "join"
    for name, found in data.items():
        port = ports.input(name)
        required = port.required if port is not None else True
        many = port.many if port is not None else len(found) > 1
        if required and not (any(found) if many else all(found)):
            return "data"
    if not early:
        for group, found in controls.items():
            if found and not any(found):
                return group
    return ""


def is_live(state: RunState, edge: Edge, source: str) -> bool:
    """Whether an edge carries, by how its source ended."""
    number = state.topology.index[source]
    status = state.status_of(source)
    port = None if edge.source_port == "main" else edge.source_port
    if status is NodeStatus.COMPLETED:
        fires = port is None or port in state.ports.get(number, ())
        verdicts = state.verdicts.get(number, {})
    elif status is NodeStatus.FAILED and state.failures[number].port:
        fires, verdicts = port == "error", state.failures[number].verdicts
    else:
        return False
    return fires and (edge.condition is None or verdicts.get(edge.id, False))
