"""The body of a loop, compiled: what each iteration adds to the graph of a run.

The nodes inside a loop are no nodes of the run's graph; their *instances* are, as `each[3].clean`. An iteration appends
one instance of each node of the body, with the edges between them. An edge that comes into a body from outside is
*captured* by the loop: the loop waits for it, whatever becomes of it, and the instances look at how it ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from flownb.model.ports import ERROR
from flownb.model.wires import DATA, GATE, ORDER, Argument, JoinRule, Wire, capturing, wire_of
from flownb.model.workflow import JoinCount, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flownb.model.ports import NodePorts
    from flownb.model.topology import Topology
    from flownb.model.workflow import Edge

#: The type of the nodes that have a body.
LOOP: Final = "control.loop"


class Captured(NamedTuple):
    """An edge that leads from outside into a body."""

    #: The place of its target in the body.
    target: int
    #: As it was written; its number and its source are those of the edge that the loop waits for.
    wire: Wire


class Source(NamedTuple):
    """Where an argument of an instance comes from: an edge inside the body, or one that the loop captured."""

    #: The number of the edge inside the body; -1 for a captured one.
    inner: int
    #: The captured edge, as it was written.
    outer: Wire | None = None


class ArgumentPlan(NamedTuple):
    """An argument before its edges have numbers."""

    name: str
    sources: tuple[Source, ...]
    many: bool
    required: bool


class LoopBody(msgspec.Struct):
    """The nodes and edges that each iteration of one loop gets instances of; all numbers begin at 0."""

    members: list[Node]
    wires: list[Wire]
    captured: list[Captured]
    arguments: list[tuple[ArgumentPlan, ...]]
    #: By place: targets, edges that leave and enter, how many edges inside the body it waits for.
    succ: list[list[int]]
    leaving: list[list[int]]
    entering: list[list[int]]
    need: list[int]
    #: Bodies of the loops inside, by place.
    inside: dict[int, LoopBody]
    #: Places of the nodes whose outputs are the result of an iteration.
    sinks: list[int]
    #: Places of nodes with an edge from their error port.
    has_error_port: list[int]


class Block(msgspec.Struct):
    """One iteration in a run: the instances that it has, which lie side by side."""

    #: The number of the loop's node.
    loop: int
    index: int
    #: The number of the first instance, and how many there are.
    base: int
    count: int
    #: The plain form of what the iteration is about.
    item: object
    #: Instances that have not ended.
    left: int

    @property
    def numbers(self) -> range:
        """The numbers of its instances."""
        return range(self.base, self.base + self.count)


class Scopes:
    """Which nodes of a definition lie at the top and which in which body; only asked where there are bodies."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._node = {node.id: node for node in nodes}
        self._scope: dict[str, str | None] = {}
        for node_id in self._node:
            if node_id not in self._scope:
                self._find(node_id)
        self.members: dict[str | None, list[Node]] = {None: []}
        for node in self._node.values():
            self.members.setdefault(self._scope[node.id], []).append(node)

    def of(self, node_id: str) -> str | None:
        """The loop whose body a node lies in; None at the top, and where its parents make a circle."""
        return self._scope[node_id]

    def _find(self, node_id: str) -> None:
        path: dict[str, None] = {}
        around: str | None = node_id
        while around in self._node and around not in path and around not in self._scope:
            path[around] = None
            around = self._node[around].parent
        circle = around in path
        for each in reversed(path):
            parent = self._node[each].parent
            if circle or parent not in self._node:
                self._scope[each] = None
            else:
                self._scope[each] = parent if self._node[parent].type == LOOP else self._scope[parent]

    def meet(self, edge: Edge) -> str | None:
        """The node at the level of an edge's source that is its target or has it inside.

        None where there is no such node: the edge leaves a body, or leads from a loop into its own.
        """
        if edge.source not in self._node or edge.target not in self._node:
            return None
        level = self.of(edge.source)
        around: str | None = edge.target
        while around is not None and self.of(around) != level:
            around = self.of(around)
        return None if around == edge.source else around

    def sorted(self, edges: Iterable[Edge]) -> SortedEdges:
        """The edges that can be, by the body in which they begin, and by the one into which they lead."""
        found = SortedEdges(self, {}, {})
        seen: set[str] = set()
        for edge in edges:
            meets = self.meet(edge)
            if meets is None or edge.id in seen:
                continue
            seen.add(edge.id)
            found.beginning.setdefault(self.of(edge.source), []).append((edge, meets))
            if meets != edge.target:
                found.leading_into.setdefault(self.of(edge.target), []).append(edge)
        return found


class SortedEdges(NamedTuple):
    """The edges of a definition by bodies; None is the top level."""

    scopes: Scopes
    #: With the node at its own level that each of them meets.
    beginning: dict[str | None, list[tuple[Edge, str]]]
    leading_into: dict[str | None, list[Edge]]


def compile_body(loop: str, edges: SortedEdges, ports: Mapping[str, NodePorts]) -> LoopBody:
    """The body of a loop.

    Args:
        loop: the id of its node.
        edges: all of the definition.
        ports: the ports of each node by id.
    """
    members = edges.scopes.members.get(loop, [])
    place = {node.id: number for number, node in enumerate(members)}
    body = LoopBody(
        members=members,
        wires=[],
        captured=[],
        arguments=[],
        succ=[[] for _ in members],
        leaving=[[] for _ in members],
        entering=[[] for _ in members],
        need=[0] * len(members),
        inside={},
        sinks=[],
        has_error_port=[],
    )
    for edge, meets in edges.beginning.get(loop, ()):
        wire = wire_of(edge, len(body.wires), place[edge.source], place[meets])
        _connect(body, wire if meets == edge.target else capturing(wire))
    body.captured = [Captured(place[edge.target], wire_of(edge)) for edge in edges.leading_into.get(loop, ())]
    body.has_error_port = [
        number for number, leaving in enumerate(body.leaving) if any(body.wires[each].port == ERROR for each in leaving)
    ]
    body.sinks = [
        number for number, leaving in enumerate(body.leaving) if all(body.wires[each].port == ERROR for each in leaving)
    ]
    body.arguments = [_arguments(body, number, ports.get(node.id)) for number, node in enumerate(members)]
    for number, node in enumerate(members):
        if node.type == LOOP:
            body.inside[number] = compile_body(node.id, edges, ports)
    return body


def _connect(body: LoopBody, wire: Wire) -> None:
    body.wires.append(wire)
    body.succ[wire.source].append(wire.target)
    body.leaving[wire.source].append(wire.number)
    body.entering[wire.target].append(wire.number)
    body.need[wire.target] += 1


def _arguments(body: LoopBody, number: int, ports: NodePorts | None) -> tuple[ArgumentPlan, ...]:
    found: dict[str, list[Source]] = {}
    for inner in body.entering[number]:
        if body.wires[inner].group == DATA:
            found.setdefault(body.wires[inner].parameter, []).append(Source(inner))
    for each in body.captured:
        if each.target == number and each.wire.group == DATA:
            found.setdefault(each.wire.parameter, []).append(Source(-1, each.wire))
    plans = []
    for name, sources in found.items():
        port = ports.input(name) if ports else None
        plans.append(
            ArgumentPlan(
                name,
                tuple(sources),
                many=port.many if port else len(sources) > 1,
                required=port.required if port else True,
            )
        )
    return tuple(plans)


def grow(topology: Topology, loop: int, index: int, item: object) -> Block:
    """Append the instances of one iteration to a graph that nobody shares.

    Args:
        topology: of one run.
        loop: the number of the loop's node.
        index: which iteration, from 0.
        item: the plain form of what it is about.
    """
    body, frame = topology.bodies[loop], topology.frames[loop]
    base, first = len(topology.paths), topology.edge_count
    prefix = f"{topology.paths[loop]}[{index}]."
    wires = [
        msgspec.structs.replace(each, number=first + each.number, source=base + each.source, target=base + each.target)
        for each in body.wires
    ]
    topology.edge_count += len(wires)
    for place, node in enumerate(body.members):
        path = prefix + node.id
        topology.index[path] = base + place
        topology.paths.append(path)
        topology.nodes.append(node)
        topology.need.append(body.need[place])
        topology.succ.append([base + target for target in body.succ[place]])
        topology.leaving.append([wires[each] for each in body.leaving[place]])
        _lead_in(topology, body, place, wires, frame)
    topology.has_error_port.update(base + place for place in body.has_error_port)
    topology.settle_singly(range(base, base + len(body.members)))
    return Block(loop, index, base, len(body.members), item, len(body.members))


def _lead_in(topology: Topology, body: LoopBody, place: int, wires: list[Wire], frame: dict[str, Wire]) -> None:
    """What enters the newest instance."""
    number = len(topology.entering)
    inner = [wires[each] for each in body.entering[place]]
    outer = {
        each.wire.id: _outer(frame, each.wire, number) for each in body.captured if each.target == place
    }  # empty for most
    topology.entering.append([*inner, *outer.values()])
    topology.arguments.append(
        tuple(
            Argument(
                name=plan.name,
                wires=tuple(wires[each.inner] if each.outer is None else outer[each.outer.id] for each in plan.sources),
                many=plan.many,
                required=plan.required,
            )
            for plan in body.arguments[place]
        )
    )
    if place in body.inside:
        topology.bodies[number] = body.inside[place]
        topology.frames[number] = {**frame, **{wire.id: wire for wire in inner}}
    node = body.members[place]
    if node.join != "all" and any(wire.group in (GATE, ORDER) for wire in topology.entering[number]):
        control = sum(wire.group in (GATE, ORDER) for wire in inner)
        wanted = node.join.count if isinstance(node.join, JoinCount) else 1
        topology.joins[number] = JoinRule(count=wanted, data_edges=len(inner) - control, control_edges=control)
        for wire in inner:
            topology.wires[wire.source] = topology.leaving[wire.source]


def _outer(frame: Mapping[str, Wire], written: Wire, target: int) -> Wire:
    """A captured edge as one instance sees it: it ends as the edge does that the loop waited for."""
    waited = frame[written.id]
    return msgspec.structs.replace(written, number=waited.number, source=waited.source, target=target)
