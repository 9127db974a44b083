"""From definitions as they were written to edges and inputs: names are resolved here, all at once.

The order of definition doesn't matter, so nothing is resolved before everything is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from flownb.errors import FlownbError
from flownb.graph.function import Parameter, plain_default
from flownb.graph.references import ROUND_NAMES, implied_edges
from flownb.graph.refs import Source
from flownb.model.ports import AFTER, MAIN, ConnectionType, DataType, NodePorts
from flownb.model.problem import Problem, Severity
from flownb.model.workflow import Edge, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flownb.graph.registry import Registry
    from flownb.graph.spec import Spec


class Link(NamedTuple):
    """An edge that was asked for, by `>>` or `edge`; where it ends may be left to the target's ports."""

    source: Source
    target: str
    target_port: str | None = None
    condition: str | None = None
    type: ConnectionType = ConnectionType.MAIN


class Wired(NamedTuple):
    """What the definitions come to."""

    edges: tuple[Edge, ...]
    variables: tuple[Variable, ...]
    #: The live defaults of the inputs; a variable shows them in plain form. What differs is left to the functions.
    defaults: dict[str, Any]
    problems: tuple[Problem, ...]


def wire(specs: Sequence[Spec], links: Sequence[Link], variables: Mapping[str, Variable], registry: Registry) -> Wired:
    """Resolve.

    Args:
        specs: the nodes, in the order of definition.
        links: the edges that were asked for, in order.
        variables: the inputs that were declared by name.
        registry: the node types, for their ports.
    """
    wiring = _Wiring(specs, variables, registry)
    for spec in specs:
        for port, feeding in spec.inputs.items():
            for source in feeding:
                wiring.connect(Link(source, spec.node.id, port))
    wiring.reserve(links)
    for each in links:
        wiring.connect(each if each.target_port else each._replace(target_port=wiring.place_for(each)))
    for spec in specs:
        wiring.connect_names(spec)
        for source in spec.after:
            wiring.connect(Link(source, spec.node.id, AFTER))
    implied = implied_edges([spec.node for spec in specs], wiring.edges, registry)
    edges = wiring.ordered((*_first_of_branches(specs, (*wiring.edges, *implied)), *wiring.edges, *implied))
    inputs = _Inputs(variables)
    fed = {(edge.target, edge.target_port) for edge in edges}
    for spec in specs:
        for parameter in spec.signature.parameters if spec.signature else ():
            of_round = spec.node.parent is not None and parameter.name in ROUND_NAMES
            mapped = parameter.name in spec.node.input_mapping
            if (spec.node.id, parameter.name) not in fed and not of_round and not mapped:
                inputs.use(spec.node.id, parameter)
    return Wired(edges, tuple(inputs.variables.values()), inputs.shared_defaults(), tuple(inputs.problems))


def _first_of_branches(specs: Sequence[Spec], edges: Sequence[Edge]) -> list[Edge]:
    """The edges from a parallel to the nodes of its branches that no other there comes before."""
    branches = {spec.node.id: spec.branch for spec in specs if spec.branch}
    if not branches:
        return []
    led = {
        edge.target
        for edge in edges
        if (here := branches.get(edge.target)) and (edge.source == here.node or branches.get(edge.source) == here)
    }
    return [
        Edge(source=branch.node, source_port=branch.port, target=name, target_port=AFTER)
        for name, branch in branches.items()
        if name not in led
    ]


class _Wiring:
    """The edges while they are found."""

    def __init__(self, specs: Sequence[Spec], variables: Mapping[str, Variable], registry: Registry) -> None:
        self._specs = {spec.node.id: spec for spec in specs}
        self._order = {spec.node.id: number for number, spec in enumerate(specs)}
        self._declared = variables
        self._registry = registry
        #: A set that keeps its order.
        self.edges: dict[Edge, None] = {}
        self._fed: set[tuple[str, str]] = set()

    def reserve(self, links: Sequence[Link]) -> None:
        """Keep the inputs that links name from being taken by those that leave it open."""
        self._fed |= {(link.target, link.target_port) for link in links if link.target_port}
        self._fed |= {(name, port) for name, spec in self._specs.items() for port in spec.node.input_mapping}

    def connect(self, link: Link) -> None:
        """Add an edge; two equal ones are one."""
        port = link.target_port or AFTER
        edge = Edge(
            source=link.source.node,
            source_port=link.source.port,
            target=link.target,
            target_port=port,
            condition=link.condition,
            type=link.type,
        )
        self.edges[edge] = None
        self._fed.add((link.target, port))

    def connect_names(self, spec: Spec) -> None:
        """An edge for each parameter that names a node and that nothing else feeds."""
        for parameter in spec.signature.parameters if spec.signature else ():
            name = parameter.name
            if name in self._specs and (spec.node.id, name) not in self._fed:
                self.connect(Link(Source(name), spec.node.id, name))

    def place_for(self, link: Link) -> str:
        """Where `a >> b` ends: the input called like `a`, else the only free one that `b` needs, else in an order."""
        ports = self._ports(link.target)
        if ports is None:
            return AFTER
        name = link.source.node
        if ports.input(name) or ports.open:
            return name
        free = [port.name for port in ports.inputs if port.required and not port.unwired and self._is_free(link, port)]
        if len(free) == 1:
            return free[0]
        main = ports.input(MAIN)
        return MAIN if main and self._is_free(link, main) else AFTER

    def _is_free(self, link: Link, port: Any) -> bool:
        return bool(port.many) or not (
            port.name in self._specs or port.name in self._declared or (link.target, port.name) in self._fed
        )

    def _ports(self, node_id: str) -> NodePorts | None:
        """The ports of a node without those that only its expressions make; None where they can't be known."""
        spec = self._specs.get(node_id)
        if spec is None:
            return None
        try:
            return self._registry.get(spec.node.type).ports_of(spec.node)
        except FlownbError:
            return None

    def ordered(self, edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
        """Edges by target in the order of definition; those of one target as they came."""
        last = len(self._order)
        return tuple(sorted(edges, key=lambda edge: self._order.get(edge.target, last)))


class _Inputs:
    """The inputs of the flow while they are found."""

    def __init__(self, declared: Mapping[str, Variable]) -> None:
        self.variables: dict[str, Variable] = dict(declared)
        self.defaults: dict[str, Any] = {name: each.default for name, each in declared.items() if not each.required}
        self.problems: list[Problem] = []
        self._declared = declared
        #: Who gave an input its type, and who its default.
        self._typed_by: dict[str, str] = {}
        self._default_by: dict[str, str] = {}
        #: Inputs whose defaults differ, and inputs that a node can't do without.
        self._differing: set[str] = set()
        self._required: set[str] = set()

    def shared_defaults(self) -> dict[str, Any]:
        """The defaults that a run records; where functions differ and none needs a value, each has its own."""
        return {
            name: each for name, each in self.defaults.items() if name not in self._differing or name in self._required
        }

    def use(self, node_id: str, parameter: Parameter) -> None:
        """One more node takes an input."""
        name = parameter.name
        self._agree_on_type(node_id, parameter)
        if parameter.required:
            self._required.add(name)
        if parameter.required or name in self._declared:
            return
        if name not in self.defaults:
            self.defaults[name] = parameter.default
            self._default_by[name] = node_id
            self.variables[name] = msgspec.structs.replace(
                self.variables[name], default=plain_default(parameter.default)
            )
        elif not _equal(self.defaults[name], parameter.default):
            self._differing.add(name)
            self.problems.append(
                Problem(
                    f"The input {name!r} has the default {self.defaults[name]!r:.60} in {self._default_by[name]} and "
                    f"{parameter.default!r:.60} in {node_id}.",
                    severity=Severity.WARNING,
                    node=node_id,
                    port=name,
                    hint="Give it to every run, give both the same default, or rename one parameter.",
                    code="input_default",
                )
            )

    def _agree_on_type(self, node_id: str, parameter: Parameter) -> None:
        name, new = parameter.name, parameter.input_type
        old = self.variables.get(name)
        if old is None:
            self.variables[name] = Variable(name=name, type=new.value)
        elif new is DataType.ANY or new.value == old.type:
            return
        elif old.type == DataType.ANY and name not in self._declared:
            self.variables[name] = msgspec.structs.replace(old, type=new.value)
        elif old.type != DataType.ANY:
            first = self._typed_by.get(name, "its declaration")
            self.problems.append(
                Problem(
                    f"The input {name!r} is {old.type} for {first} and {new.value} for {node_id}.",
                    node=node_id,
                    port=name,
                    hint="One input has one type: give both parameters the same hint, or rename one of them.",
                    code="input_type",
                )
            )
            return
        self._typed_by[name] = node_id


def _equal(one: Any, other: Any) -> bool:
    """Whether two defaults are the same; what can't be compared with a yes or no counts as different."""
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001  a user's class, or an array, may raise anything when compared
        return False
