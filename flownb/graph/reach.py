"""Which nodes no run can come to: islands beside the start, and what lies behind a port that never fires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.graph.cycles import topological_order
from flownb.model.ports import MAIN, NodePorts
from flownb.model.problem import Problem, Severity
from flownb.model.remedies import HANDLER
from flownb.model.workflow import JoinCount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flownb.model.workflow import Edge, Node


def find_islands(nodes: Sequence[Node], succ: Sequence[Sequence[int]]) -> Iterator[Problem]:
    """A warning for each node that no chain of edges, in either direction, ties to a start; none without a start."""
    starts = [number for number, node in enumerate(nodes) if _is_start(node)]
    if not starts:
        return
    kept = {name for node in nodes for name in (node.compensation, node.fallback_node)}
    begun = [number for number, node in enumerate(nodes) if node.id in kept or node.type == HANDLER]
    around: list[list[int]] = [list(targets) for targets in succ]
    for source, targets in enumerate(succ):
        for target in targets:
            around[target].append(source)
    seen = {*starts, *begun}
    queue = [*starts, *begun]
    while queue:
        for number in around[queue.pop()]:
            if number not in seen:
                seen.add(number)
                queue.append(number)
    named = nodes[starts[0]].id
    for number, node in enumerate(nodes):
        if number not in seen:
            yield Problem(
                f"{node.id} is not tied to the start {named}: no chain of edges leads to it or from it.",
                severity=Severity.WARNING,
                node=node.id,
                hint=f"Wire it, or remove it; as it is, it runs beside {named} as soon as a run begins.",
                code="unreachable",
            )


def _is_start(node: Node) -> bool:
    return node.type == "control.start" or node.type.startswith("trigger.")


def find_dead(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    succ: Sequence[Sequence[int]],
    dead_ports: Mapping[str, tuple[str, ...]],
    ports: Mapping[str, NodePorts],
) -> Iterator[Problem]:
    """A warning for each node that every run will skip.

    Args:
        nodes: all of them.
        edges: those between known nodes.
        succ: the same by number.
        dead_ports: of the nodes that have some, the ports that can never fire.
        ports: of each node whose type is known.
    """
    if not dead_ports:
        return
    entering: dict[str, list[Edge]] = {}
    for edge in edges:
        entering.setdefault(edge.target, []).append(edge)
    dead: dict[str, Edge] = {}
    for number in topological_order(succ):
        node = nodes[number]
        lost = {
            edge
            for edge in entering.get(node.id, ())
            if edge.source in dead or (edge.source_port or MAIN) in dead_ports.get(edge.source, ())
        }
        cause = _fatal(node, entering[node.id], lost, ports.get(node.id, _UNKNOWN)) if lost else None
        if cause is None:
            continue
        dead[node.id] = cause
        source = f"{cause.source}.{cause.source_port}" if cause.source_port else cause.source
        yield Problem(
            f"{node.id} can never run: it waits for {source}, which no run comes to.",
            severity=Severity.WARNING,
            node=node.id,
            hint="Look at the condition: its answer does not depend on anything.",
            code="unreachable",
        )


def _fatal(node: Node, entering: list[Edge], lost: set[Edge], ports: NodePorts) -> Edge | None:
    """The dead edge for which the node is always skipped, or None."""
    groups: dict[tuple[str, str], list[Edge]] = {}
    for edge in entering:
        if edge.is_data:
            port = ports.input(edge.target_port)
            if port is None or port.required:
                one_is_enough = port is not None and port.many
                groups.setdefault(("data", edge.target_port if one_is_enough else edge.id), []).append(edge)
        elif node.join == "all":
            groups.setdefault(("gate" if edge.is_gate else "order", ""), []).append(edge)
        else:
            groups.setdefault(("join", ""), []).append(edge)
    for (kind, _), group in groups.items():
        live = sum(edge not in lost for edge in group)
        needed = node.join.count if kind == "join" and isinstance(node.join, JoinCount) else 1
        if live < needed:
            return next(edge for edge in group if edge in lost)
    return None


_UNKNOWN: Final = NodePorts()
