"""A definition compiled to integers, once, and shared by all its runs: who waits for whom.

Nodes and edges are numbered in the order of the definition. The fold (`fold.py`) and the engine touch only lists of
integers; names are looked up at the border.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Final

from flownb.model.bodies import Brought, LoopBody, compile_body
from flownb.model.ports import ERROR, NodePorts
from flownb.model.remedies import remedies_of
from flownb.model.scopes import WITH_BODY, Scopes, SortedEdges
from flownb.model.wires import CAPTURE, DATA, GATE, GROUP_NAMES, ORDER, Argument, JoinRule, Wire, capturing, wire_of
from flownb.model.workflow import JoinCount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flownb.model.workflow import Edge, Node, Workflow

__all__ = ["CAPTURE", "DATA", "GATE", "GROUP_NAMES", "ORDER", "Argument", "JoinRule", "Topology", "Wire"]


class Topology:
    """The compiled graph of one definition.

    `succ[i]` lists the target of each edge that leaves node `i`. For the few nodes in `wires` that isn't enough, and
    their edges are settled one by one: an edge may die although the node completed, or leads to an early join.
    """

    def __init__(self, workflow: Workflow, ports: Mapping[str, NodePorts]) -> None:
        """Compile. Edges to or from unknown nodes are left out: validation has reported them.

        Args:
            workflow: the definition.
            ports: the ports of each node by id; a node that is missing has a `main` on both sides.
        """
        self.workflow = workflow
        has_bodies = any(node.parent or node.type in WITH_BODY for node in workflow.nodes)
        scopes = Scopes(workflow.nodes) if has_bodies else None
        #: Those of the top level, and in a graph that grows the instances behind them.
        self.nodes: list[Node] = list(workflow.nodes) if scopes is None else scopes.members[None]
        self.paths: list[str] = [node.id for node in self.nodes]
        self.index: dict[str, int] = {path: number for number, path in enumerate(self.paths)}
        count = len(self.nodes)
        self.succ: list[list[int]] = [[] for _ in range(count)]
        self.leaving: list[list[Wire]] = [[] for _ in range(count)]
        self.entering: list[list[Wire]] = [[] for _ in range(count)]
        self.wires: dict[int, list[Wire]] = {}
        self.need: list[int] = [0] * count
        self.has_error_port: set[int] = set()
        self.edge_count = 0
        #: The body of each loop, and the edges that its instances see from outside, by the id of the edge.
        self.bodies: dict[int, LoopBody] = {}
        self.frames: dict[int, dict[str, Wire]] = {}
        #: Of the instances that have some, the parameters that get what their round is about by an edge.
        self.brought: dict[int, tuple[Brought, ...]] = {}
        #: How many nodes it had before it grew.
        self.flat = count
        self._connect(workflow.edges, scopes)
        #: What is kept for failures; None where there is nothing.
        self.remedies = remedies_of(workflow, self.index, self.succ)
        self._keep_remedies()
        if scopes is not None:
            self._open_bodies(scopes.sorted(workflow.edges), ports)
        self.arguments: list[tuple[Argument, ...]] = [
            self._arguments(number, ports.get(path, _UNKNOWN)) for number, path in enumerate(self.paths)
        ]
        self.joins: dict[int, JoinRule] = {}
        self.settle_early(range(count))
        self._ports = ports
        self._origin: Topology | None = None

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    @property
    def origin(self) -> Topology:
        """The graph as it was before it grew, which runs share."""
        return self._origin or self

    def private(self) -> Topology:
        """This graph for one run alone, so that it can grow."""
        if self._origin is not None:
            return self
        sinks = self._sinks
        own = self._copied()
        own._origin, own.__dict__["_sinks"] = self, sinks  # noqa: SLF001  it is the same class
        return own

    def private_copy(self) -> Topology:
        """This graph as it is now, whatever becomes of it: a copy, if it has grown."""
        return self if self._origin is None else self._copied()

    def _copied(self) -> Topology:
        own = copy.copy(self)
        for name in _GROWING:
            setattr(own, name, copy.copy(getattr(self, name)))
        return own

    def all_bodies(self) -> list[LoopBody]:
        """The bodies of all loops, those inside others included."""
        found = list(self.bodies.values())
        for body in found:  # grows while it is walked
            found += body.inside.values()
            found += body.branches.values()
        return found

    def _connect(self, edges: Iterable[Edge], scopes: Scopes | None) -> None:
        seen: set[str] = set()
        for edge in edges:
            meets = edge.target if scopes is None else scopes.meet(edge)
            source, target = self.index.get(edge.source), self.index.get(meets or "")
            if source is None or target is None or edge.id in seen:
                continue
            seen.add(edge.id)
            wire = wire_of(edge, self.edge_count, source, target)
            self._add(wire if meets == edge.target else capturing(wire))
        self.settle_singly(range(len(self.nodes)))

    def _add(self, wire: Wire) -> None:
        self.succ[wire.source].append(wire.target)
        self.leaving[wire.source].append(wire)
        self.entering[wire.target].append(wire)
        self.need[wire.target] += 1
        self.edge_count += 1
        if wire.port == ERROR:
            self.has_error_port.add(wire.source)

    def _open_bodies(self, edges: SortedEdges, ports: Mapping[str, NodePorts]) -> None:
        for number, node in enumerate(self.nodes):
            if node.type in WITH_BODY:
                self.bodies[number] = compile_body(node, edges, ports)
                self.frames[number] = {wire.id: wire for wire in self.entering[number]}

    def settle_singly(self, numbers: Iterable[int]) -> None:
        """Note those of these nodes whose edges may die although the node completed."""
        for source in numbers:
            leaving = self.leaving[source]
            if any(wire.port is not None or wire.condition is not None for wire in leaving):
                self.wires[source] = leaving

    def _keep_remedies(self) -> None:
        """What is kept for a failure waits for one more thing than its edges: that the engine starts it."""
        if self.remedies is None:
            return
        for number in self.remedies.roots:
            self.need[number] += 1
        for source in self.remedies.undo:  # in which order they completed is kept
            self.wires[source] = self.leaving[source]

    def settle_early(self, numbers: Iterable[int]) -> None:
        """Note those of these nodes that start before all of their edges are settled."""
        for number in numbers:
            node = self.nodes[number]
            if node.join == "all" or (self.remedies is not None and number in self.remedies.roots):
                continue
            entering = self.entering[number]
            control = sum(wire.group in (GATE, ORDER) for wire in entering)
            if not control:
                continue
            wanted = node.join.count if isinstance(node.join, JoinCount) else 1
            for wire in entering:
                self.wires[wire.source] = self.leaving[wire.source]
            self.joins[number] = JoinRule(count=wanted, data_edges=len(entering) - control, control_edges=control)

    def _arguments(self, number: int, ports: NodePorts) -> tuple[Argument, ...]:
        by_parameter: dict[str, list[Wire]] = {}
        for wire in self.entering[number]:
            if wire.group == DATA:
                by_parameter.setdefault(wire.parameter, []).append(wire)
        arguments = []
        for name, wires in by_parameter.items():
            port = ports.input(name)
            arguments.append(
                Argument(
                    name=name,
                    wires=tuple(wires),
                    many=port.many if port else len(wires) > 1,
                    required=port.required if port else True,
                )
            )
        return tuple(arguments)

    def from_inputs(self, number: int) -> list[str]:
        """The parameters of a node that are inputs of the run, because no edge leads to them."""
        inputs = {variable.name for variable in self.workflow.variables}
        return [name for name in self._unwired(number) if name in inputs]

    def from_round(self, number: int) -> list[str]:
        """The parameters of an instance that are the item or the number of its round."""
        return [name for name in self._unwired(number) if name in ("item", "index")] if number >= self.flat else []

    def _unwired(self, number: int) -> list[str]:
        ports = self._ports.get(self.nodes[number].id)
        wired = {argument.name for argument in self.arguments[number]}
        wired.update(each.parameter for each in self.brought.get(number, ()))
        return [port.name for port in ports.inputs if port.name not in wired] if ports is not None else []

    def sinks(self) -> list[int]:
        """The nodes whose output is the run's: the `control.output` nodes if there are any, else those without edges.

        A sink is a node that no edge leaves, apart from edges to nodes that only handle its error.
        """
        return self._sinks

    @functools.cached_property
    def _sinks(self) -> list[int]:
        outputs = [number for number, node in enumerate(self.nodes) if node.type == "control.output"]
        if outputs:
            return outputs
        kept = self.remedies.every if self.remedies is not None else frozenset()
        return [
            number
            for number, leaving in enumerate(self.leaving)
            if number not in kept and all(wire.port == ERROR or wire.target in kept for wire in leaving)
        ]


#: What a run's own graph has copies of.
_GROWING: Final = (
    "nodes", "paths", "index", "succ", "leaving", "entering", "wires", "need", "has_error_port", "arguments", "joins",
    "bodies", "frames", "brought",
)  # fmt: skip
_UNKNOWN: Final = NodePorts()
