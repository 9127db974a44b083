"""The body of a loop or a parallel, compiled: what each iteration adds to the graph of a run.

The nodes inside a loop are no nodes of the run's graph; their *instances* are, as `each[3].clean`. An iteration appends
one instance of each node of the body, with the edges between them. An edge that comes into a body from outside is
*captured* by the loop: the loop waits for it, whatever becomes of it, and the instances look at how it ended. An edge
from a port of the loop itself brings what the iteration is about.

A parallel has a body for each of its branches, and one iteration of each, as `offers[north].ask`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from flownb.model.ports import ERROR
from flownb.model.scopes import INDEX, ITEM, PARALLEL, WITH_BODY, find_branches
from flownb.model.wires import DATA, GATE, ORDER, Argument, JoinRule, Wire, capturing, wire_of
from flownb.model.workflow import JoinCount, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.ports import NodePorts
    from flownb.model.scopes import SortedEdges
    from flownb.model.topology import Topology


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


class Brought(NamedTuple):
    """A parameter that gets what a round is about."""

    parameter: str
    #: `item` or `index`.
    what: str
    #: Whether it takes a list of values.
    many: bool


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
    #: By place: whether no edge leads to the node or from it, and it is no loop.
    alone: list[bool]
    #: By place: the parameters that an edge brings the item of the round to, or its number.
    brought: list[tuple[Brought, ...]]
    #: Of a parallel, its branches by name; the lists above are then empty.
    branches: dict[str, LoopBody] = {}

    def of_round(self, index: int) -> tuple[str, LoopBody]:
        """What stands in brackets in the paths of an iteration, and what it has instances of."""
        return list(self.branches.items())[index] if self.branches else (str(index), self)

    def for_round(self, index: int) -> LoopBody:
        """What an iteration has instances of."""
        return list(self.branches.values())[index] if self.branches else self


class Block(msgspec.Struct, gc=False):
    """One iteration in a run: the instances that it has, which lie side by side.

    Nothing that it holds leads back to it, so the collector has no need to look at it.
    """

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


def compile_body(owner: Node, edges: SortedEdges, ports: Mapping[str, NodePorts]) -> LoopBody:
    """The body of a loop, or those of a parallel.

    Args:
        owner: its node.
        edges: all of the definition.
        ports: the ports of each node by id.
    """
    if owner.type != PARALLEL:
        return _compiled(owner, edges.scopes.members.get(owner.id, []), edges, ports)
    body = _empty([])
    found = find_branches(owner, edges).members
    body.branches = {name: _compiled(owner, members, edges, ports) for name, members in found.items()}
    return body


def _empty(members: list[Node]) -> LoopBody:
    return LoopBody(
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
        alone=[],
        brought=[],
    )


def _compiled(owner: Node, members: list[Node], edges: SortedEdges, ports: Mapping[str, NodePorts]) -> LoopBody:
    place = {node.id: number for number, node in enumerate(members)}
    body = _empty(members)
    for edge, meets in edges.beginning.get(owner.id, ()):
        if edge.source in place:
            wire = wire_of(edge, len(body.wires), place[edge.source], place[meets])
            _connect(body, wire if meets == edge.target else capturing(wire))
    leading = [edge for edge in edges.leading_into.get(owner.id, ()) if edge.target in place]
    body.captured = [Captured(place[edge.target], wire_of(edge)) for edge in leading]
    body.has_error_port = [
        number for number, leaving in enumerate(body.leaving) if any(body.wires[each].port == ERROR for each in leaving)
    ]
    body.sinks = [
        number for number, leaving in enumerate(body.leaving) if all(body.wires[each].port == ERROR for each in leaving)
    ]
    body.arguments = [_arguments(body, number, ports.get(node.id)) for number, node in enumerate(members)]
    for number, node in enumerate(members):
        if node.type in WITH_BODY:
            body.inside[number] = compile_body(node, edges, ports)
    body.brought = [_brought(owner, node, edges, ports.get(node.id)) for node in members]
    captures = {each.target for each in body.captured}
    body.alone = [
        not (body.entering[number] or body.leaving[number] or number in captures or number in body.inside)
        for number in range(len(members))
    ]
    return body


def _brought(owner: Node, node: Node, edges: SortedEdges, ports: NodePorts | None) -> tuple[Brought, ...]:
    found: dict[str, Brought] = {}
    for edge in edges.entering.get(owner.id, ()):
        if edge.target == node.id and edge.is_data:
            port = ports.input(edge.target_port) if ports else None
            what = INDEX if edge.source_port == INDEX and owner.type != PARALLEL else ITEM
            found[edge.target_port] = Brought(edge.target_port, what, many=port.many if port else False)
    return tuple(found.values())


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


#: Shared by the instances that no edge touches; nobody changes them.
_NO_TARGETS: Final[list[int]] = []
_NO_WIRES: Final[list[Wire]] = []


def grow(topology: Topology, loop: int, index: int, item: object) -> Block:
    """Append the instances of one iteration to a graph that nobody shares.

    Args:
        topology: of one run.
        loop: the number of the loop's node.
        index: which iteration, from 0.
        item: the plain form of what it is about.
    """
    (label, body), frame = topology.bodies[loop].of_round(index), topology.frames[loop]
    base, first = len(topology.paths), topology.edge_count
    prefix = f"{topology.paths[loop]}[{label}]."
    wires = body.wires and [
        msgspec.structs.replace(each, number=first + each.number, source=base + each.source, target=base + each.target)
        for each in body.wires
    ]
    topology.edge_count += len(wires)
    if len(body.members) == 1 and body.alone[0]:
        _append_alone(topology, body, base, prefix)
        return Block(loop, index, base, 1, item, 1)
    for place, node in enumerate(body.members):
        path = prefix + node.id
        topology.index[path] = base + place
        topology.paths.append(path)
        topology.nodes.append(node)
        topology.need.append(body.need[place])
        if body.alone[place]:  # most bodies are one node that needs only its item: nothing is made for it
            topology.succ.append(_NO_TARGETS)
            topology.leaving.append(_NO_WIRES)
            topology.entering.append(_NO_WIRES)
            topology.arguments.append(())
        else:
            topology.succ.append([base + target for target in body.succ[place]])
            topology.leaving.append([wires[each] for each in body.leaving[place]])
            _lead_in(topology, body, place, wires, frame)
        if body.brought[place]:
            topology.brought[base + place] = body.brought[place]
    if wires:
        topology.has_error_port.update(base + place for place in body.has_error_port)
        topology.settle_singly(range(base, base + len(body.members)))
    return Block(loop, index, base, len(body.members), item, len(body.members))


def _append_alone(topology: Topology, body: LoopBody, number: int, prefix: str) -> None:
    """The same for the body of most loops, one node that needs only its item: nothing is made for it."""
    (node,) = body.members
    path = prefix + node.id
    topology.index[path] = number
    topology.paths.append(path)
    topology.nodes.append(node)
    topology.need.append(0)
    topology.succ.append(_NO_TARGETS)
    topology.leaving.append(_NO_WIRES)
    topology.entering.append(_NO_WIRES)
    topology.arguments.append(())
    if body.brought[0]:
        topology.brought[number] = body.brought[0]


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
