"""Nodes that need two answers of one question at once, of which only one is given: no run comes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from flownb.graph.cycles import topological_order
from flownb.model.ports import NodePorts
from flownb.model.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flownb.model.workflow import Edge, Node

#: Of the nodes that choose, which ports may have fired for a node to run.
Needs: TypeAlias = "dict[str, frozenset[str]]"

#: With more nodes that choose than these the look is not worth its time.
_MOST_CHOOSERS: Final = 200


def find_contradictions(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    succ: Sequence[Sequence[int]],
    choices: Mapping[str, tuple[str, ...]],
    ports: Mapping[str, NodePorts],
) -> Iterator[Problem]:
    """A warning for each node that waits for several ports of which one run fires only one.

    Args:
        nodes: all of them.
        edges: those between known nodes.
        succ: the same by number.
        choices: of the nodes that fire exactly one of some ports, these ports.
        ports: of each node whose type is known.
    """
    if not choices or len(choices) > _MOST_CHOOSERS:
        return
    entering: dict[str, list[Edge]] = {}
    for edge in edges:
        entering.setdefault(edge.target, []).append(edge)
    known: dict[str, Needs] = {}
    for number in topological_order(succ):
        node = nodes[number]
        needs: Needs = {}
        for group in _groups(node, entering.get(node.id, ()), ports.get(node.id, _UNKNOWN)):
            of_group = _any(_of_edge(edge, known, choices) for edge in group)
            for chooser, allowed in of_group.items():
                both = needs.get(chooser, allowed) & allowed
                if not both:
                    yield _problem(node, chooser, needs[chooser], allowed)
                needs[chooser] = both or allowed  # told once; what follows is looked at as if it could run
        known[node.id] = needs


def _problem(node: Node, chooser: str, one: frozenset[str], other: frozenset[str]) -> Problem:
    first, second = (" or ".join(f"{chooser}.{port}" for port in sorted(each)) for each in (one, other))
    return Problem(
        f"{node.id} can never run: it needs what comes by {first} and what comes by {second}, and only one port of "
        f"{chooser} fires.",
        severity=Severity.WARNING,
        node=node.id,
        hint="Bring the two ways together in a merge, or give the parameters defaults.",
        code="unreachable",
    )


def _of_edge(edge: Edge, known: Mapping[str, Needs], choices: Mapping[str, tuple[str, ...]]) -> Needs:
    needs = dict(known.get(edge.source, {}))
    if edge.source_port in choices.get(edge.source, ()):
        needs[edge.source] = frozenset({str(edge.source_port)})
    return needs


def _any(ways: Iterator[Needs]) -> Needs:
    """What all of several ways need, of which one is enough."""
    found = next(ways)
    for way in ways:
        found = {chooser: allowed | way[chooser] for chooser, allowed in found.items() if chooser in way}
    return found


def _groups(node: Node, entering: Sequence[Edge], ports: NodePorts) -> Iterator[list[Edge]]:
    """The sets of edges of which one each must be live."""
    many: dict[str, list[Edge]] = {}
    controls: dict[bool, list[Edge]] = {}
    for edge in entering:
        if not edge.is_data:
            controls.setdefault(edge.is_gate or node.join != "all", []).append(edge)
            continue
        port = ports.input(edge.target_port)
        if port is None or port.required:
            if port is not None and port.many:
                many.setdefault(edge.target_port, []).append(edge)
            else:
                yield [edge]
    yield from many.values()
    if node.join == "any":
        yield from filter(None, [[each for group in controls.values() for each in group]])
    elif node.join == "all":
        yield from controls.values()


_UNKNOWN: Final = NodePorts()
