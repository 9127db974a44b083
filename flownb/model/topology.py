"""A definition compiled to integers, once, and shared by all its runs: who waits for whom.

Nodes and edges are numbered in the order of the definition. The fold (`state.py`) and the engine touch only lists of
integers; names are looked up at the border.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.ports import AFTER, ERROR, MAIN, NodePorts
from flownb.model.workflow import JoinCount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.workflow import Edge, Node, Workflow

DATA: Final = 0
GATE: Final = 1
ORDER: Final = 2
GROUP_NAMES: Final = ("data", "gate", "order")


class Wire(msgspec.Struct, frozen=True):
    """An edge in numbers."""

    number: int
    source: int
    target: int
    #: DATA, GATE or ORDER.
    group: int
    #: The source's port that must fire, or None where the completion of the source is enough.
    port: str | None
    #: The parameter of the target, for data.
    parameter: str
    condition: str | None
    id: str


class Argument(msgspec.Struct, frozen=True):
    """Where one parameter of a node gets its value from."""

    name: str
    #: The data edges into it; more than one only where `many`.
    wires: tuple[Wire, ...]
    many: bool
    #: Whether a dead edge is fatal; else the parameter's own default applies.
    required: bool


class JoinRule(msgspec.Struct, frozen=True):
    """For a node that starts before all of its edges are settled."""

    count: int
    data_edges: int
    control_edges: int


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
        self.nodes: list[Node] = list(workflow.nodes)
        self.paths: list[str] = [node.id for node in self.nodes]
        self.index: dict[str, int] = {path: number for number, path in enumerate(self.paths)}
        count = len(self.nodes)
        self.succ: list[list[int]] = [[] for _ in range(count)]
        self.leaving: list[list[Wire]] = [[] for _ in range(count)]
        self.entering: list[list[Wire]] = [[] for _ in range(count)]
        self.wires: dict[int, list[Wire]] = {}
        self.need: list[int] = [0] * count
        self.has_error_port: set[int] = set()
        self._connect(workflow.edges)
        self.arguments: list[tuple[Argument, ...]] = [
            self._arguments(number, ports.get(path, _UNKNOWN)) for number, path in enumerate(self.paths)
        ]
        self.joins: dict[int, JoinRule] = self._joins()
        self._ports = ports

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def _connect(self, edges: tuple[Edge, ...]) -> None:
        seen: set[str] = set()
        number = 0
        for edge in edges:
            source, target = self.index.get(edge.source), self.index.get(edge.target)
            if source is None or target is None or edge.id in seen:
                continue
            seen.add(edge.id)
            group = DATA if edge.is_data else GATE if edge.is_gate else ORDER
            wire = Wire(
                number=number,
                source=source,
                target=target,
                group=group,
                port=None if edge.source_port == MAIN else edge.source_port,
                parameter="" if edge.target_port == AFTER else edge.target_port,
                condition=edge.condition,
                id=edge.id,
            )
            number += 1
            self.succ[source].append(target)
            self.leaving[source].append(wire)
            self.entering[target].append(wire)
            self.need[target] += 1
            if wire.port == ERROR:
                self.has_error_port.add(source)
        self.edge_count = number
        for source, leaving in enumerate(self.leaving):
            if any(wire.port is not None or wire.condition is not None for wire in leaving):
                self.wires[source] = leaving

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

    def _joins(self) -> dict[int, JoinRule]:
        joins: dict[int, JoinRule] = {}
        for number, node in enumerate(self.nodes):
            if node.join == "all":
                continue
            control = sum(wire.group != DATA for wire in self.entering[number])
            if not control:
                continue
            wanted = node.join.count if isinstance(node.join, JoinCount) else 1
            for wire in self.entering[number]:
                self.wires[wire.source] = self.leaving[wire.source]
            joins[number] = JoinRule(
                count=wanted, data_edges=len(self.entering[number]) - control, control_edges=control
            )
        return joins

    def from_inputs(self, number: int) -> list[str]:
        """The parameters of a node that are inputs of the run, because no edge leads to them."""
        ports = self._ports.get(self.paths[number])
        if ports is None:
            return []
        wired = {argument.name for argument in self.arguments[number]}
        inputs = {variable.name for variable in self.workflow.variables}
        return [port.name for port in ports.inputs if port.name not in wired and port.name in inputs]

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
        return [number for number, leaving in enumerate(self.leaving) if all(wire.port == ERROR for wire in leaving)]


_UNKNOWN: Final = NodePorts()
