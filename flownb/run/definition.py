"""A definition made ready to run: compiled once, when the flow is made or changed, and shared by its runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flownb.graph.conversions import apply, between_ports
from flownb.graph.references import ROUND_NAMES, complete
from flownb.graph.registry import registry as default_registry
from flownb.model.document import to_json
from flownb.model.fingerprint import definition_hash
from flownb.model.ports import MAIN, DataType
from flownb.model.status import Where
from flownb.model.topology import DATA, Topology
from flownb.nodes.function import FunctionNode
from flownb.run.body import Body, body_of
from flownb.run.mapping import InputMapping
from flownb.run.resources import needs_of
from flownb.run.secrets import refuse_in_definition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.graph.conversions import Conversion
    from flownb.graph.registry import Registry
    from flownb.graph.schemas.crossing import Crossing
    from flownb.model.bodies import Brought
    from flownb.model.ports import NodePorts
    from flownb.model.topology import Argument
    from flownb.model.workflow import Edge, Node, Workflow


class Definition:
    """A workflow, its compiled graph, and a body for each node.

    `functions` holds what the bodies of `python` nodes (and callable conditions) are in this process; a node of a
    module or a JSON document that is missing there is imported by its recorded name.
    """

    def __init__(
        self,
        workflow: Workflow,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        registry: Registry | None = None,
        flows: Mapping[str, Any] | None = None,
    ) -> None:
        self.registry = registry or default_registry
        #: The flows that subflows run, by node, where they are at hand.
        self.flows = dict(flows or {})
        self.workflow = workflow = complete(workflow, self.registry)
        self.functions = dict(functions or {})
        self.ports: dict[str, NodePorts] = {node.id: self.registry.ports_of(node) for node in workflow.nodes}
        self.topology = Topology(workflow, self.ports)
        self.document = to_json(workflow)  # first: it says with the place what is no JSON
        refuse_in_definition(workflow.name, self.document)
        self.hash = definition_hash(workflow)
        #: What is declared of inputs and variables, by name.
        self.declared = {variable.name: variable for variable in workflow.variables}
        #: Whether any node asks for its earlier results.
        self.caches = any(node.cache is not None and node.cache.enabled for node in workflow.nodes)
        self._data_into: dict[str, list[Edge]] = {}
        for edge in workflow.edges:
            if edge.is_data:
                self._data_into.setdefault(edge.target, []).append(edge)
        variables = frozenset(variable.name for variable in workflow.variables)
        arguments = self.topology.arguments
        self.bodies = [
            self._body(number, node, variables, {each.name for each in arguments[number]})
            for number, node in enumerate(self.topology.nodes)
        ]
        #: Of the nodes inside loops, by id; their instances are made of these.
        self.inside: dict[str, Body] = {
            node.id: self._body(-1, node, variables, {each.name for each in planned}, brought=brought)
            for body in self.topology.all_bodies()
            for node, planned, brought in zip(body.members, body.arguments, body.brought, strict=True)
        }

        #: Whether a node wants the main thread.
        self.wants_main = any(body.node.where is Where.MAIN for body in (*self.bodies, *self.inside.values()))
        #: Whether a node may read variables, so that a run has to know those of its workflow when it begins.
        self.reads_variables = any(body.reads_variables for body in (*self.bodies, *self.inside.values()))
        #: Whether the output of a node becomes variables.
        self.maps_output = any(body.maps_output is not None for body in (*self.bodies, *self.inside.values()))
        #: Whether a node takes named resources.
        self.takes = any(needs_of(body.node) for body in (*self.bodies, *self.inside.values()))
        #: Whether a node asks people.
        self.asks = any(node.type.startswith("human.") for node in workflow.nodes)

    def bodies_of(self, topology: Topology) -> list[Body]:
        """The bodies of a graph that may have grown; a list that only one run has, where it can grow."""
        if not self.inside:
            return self.bodies
        grown = enumerate(zip(topology.nodes[self.topology.flat :], topology.paths[self.topology.flat :], strict=True))
        return [
            *self.bodies,
            *(self.inside[node.id].instance(self.topology.flat + place, path) for place, (node, path) in grown),
        ]

    def body(self, topology: Topology, number: int) -> Body:
        """The body of one node of a graph that may have grown."""
        return self.bodies[number] if number < self.topology.flat else self.inside[topology.nodes[number].id]

    def _crossings(self, node: Node, function: Callable[..., Any] | None) -> dict[str, Crossing] | None:
        """What is done with a value on its way in, by parameter: converted if it is of another type, and looked at."""
        found: dict[str, Crossing] = {name: partial(apply, each) for name, each in self._conversions(node).items()}
        if node.input_schema:
            from flownb.graph.schemas.crossing import entering  # few nodes have a schema

            ports = {port.name: port for port in self.ports[node.id].inputs}
            for name, look in entering(node, ports, function).items():
                found[name] = _then(found[name], look) if name in found else look
        return found or None

    def _conversions(self, node: Node) -> dict[str, Conversion]:
        """Of each parameter whose one edge comes from a port of another type: how its value is converted."""
        found: dict[str, Conversion] = {}
        for edge in self._data_into.get(node.id, ()):
            entering = self.ports[node.id].input(edge.target_port)
            source = self.ports.get(edge.source)
            leaving = source.output(edge.source_port or MAIN) if source is not None else None
            if entering is None or leaving is None or entering.many or edge.target_port in node.input_mapping:
                continue
            if DataType.ANY in (entering.type, leaving.type) or entering.type is leaving.type:
                continue
            conversion = between_ports(leaving.type, entering.type)
            if conversion is not None:
                found[edge.target_port] = conversion
        return found

    def _body(
        self,
        number: int,
        node: Node,
        variables: frozenset[str],
        wired: set[str],
        *,
        brought: tuple[Brought, ...] | None = None,
    ) -> Body:
        """The body of one node; `brought` is given for those inside others."""
        cls = self.registry.get(node.type)
        function = self.functions.get(node.id)
        if function is None and "function" in node.config and issubclass(cls, FunctionNode):
            function = cls.function_of(node)
        made = cls.body_of(node) if function is None else None
        body = body_of(number, node, cls, function or made, plain=made is not None)
        if brought:
            wired = wired | {each.parameter for each in brought}
            body.brought = brought
        names = [port.name for port in self.ports[node.id].inputs if port.name not in wired]
        inside = brought is not None
        if inside:
            body.from_round = tuple(name for name in names if name in ROUND_NAMES)
        body.from_inputs = tuple(name for name in names if name in variables and name not in body.from_round)
        body.crossings = self._crossings(node, function)
        if node.output_schema:
            from flownb.graph.schemas.crossing import leaving  # few nodes have a schema

            body.leaving = leaving(node, function)
        if node.input_mapping:
            body.mapping = InputMapping(node, self.ports[node.id])
            body.crossings = body.crossings or {}  # what is mapped is made where values are loaded
            body.from_inputs = tuple(name for name in body.from_inputs if name not in node.input_mapping)
        if not inside and not body.from_inputs and body.crossings is None:
            body.sources = _sources(self.topology.arguments[number])
        return body


def _then(first: Crossing, second: Crossing) -> Crossing:
    return lambda value: second(first(value))


def _sources(arguments: tuple[Argument, ...]) -> tuple[tuple[str, int], ...] | None:
    """Where each argument comes from, if all are the whole value of one node."""
    wires = [argument.wires[0] for argument in arguments]
    if any(argument.many for argument in arguments) or any(w.port is not None or w.group != DATA for w in wires):
        return None
    return tuple((argument.name, wire.source) for argument, wire in zip(arguments, wires, strict=True))


def shape_of(workflow: Workflow, registry: Registry | None = None) -> Topology:
    """The compiled graph alone, for reading a run whose functions and node types need not be at hand.

    A plugin that is not installed here counts as having a `main` on both sides; what is recorded stays as it is.
    """
    known = registry or default_registry
    completed = complete(workflow, known)
    return Topology(completed, known.ports(completed))
