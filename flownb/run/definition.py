"""A definition made ready to run: compiled once, when the flow is made or changed, and shared by its runs."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any

from flownb.graph.registry import registry as default_registry
from flownb.model.document import to_json
from flownb.model.fingerprint import definition_hash
from flownb.model.ports import NodePorts
from flownb.model.status import OnCrash, Where
from flownb.model.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.graph.nodetype import NodeType
    from flownb.graph.registry import Registry
    from flownb.model.workflow import Node, Workflow


class Kind(Enum):
    """How the body of a node is called."""

    #: An async function of the user, on the engine's loop.
    ASYNC = 1
    #: A sync function of the user, on a thread.
    THREAD = 2
    #: `execute` of a node type, on the engine's loop.
    TYPE = 3


class Body:
    """What runs when a node runs."""

    __slots__ = (
        "call",
        "expressions",
        "from_inputs",
        "kind",
        "node",
        "number",
        "on_crash",
        "path",
        "takes_ctx",
        "type",
    )

    def __init__(self, number: int, node: Node, cls: type[NodeType], function: Callable[..., Any] | None) -> None:
        self.number = number
        self.node = node
        self.path = node.id
        self.type = cls
        self.on_crash: OnCrash = node.on_crash or cls.on_crash
        self.call = function
        self.takes_ctx = False
        #: Parameters that are inputs of the run, not edges.
        self.from_inputs: tuple[str, ...] = ()
        #: Whether some field of the config must be evaluated before the node runs.
        self.expressions = _has_template(node.config)
        if function is None:
            self.kind = Kind.TYPE
            return
        where = node.where or cls.where_of(node)
        self.kind = Kind.ASYNC if where is Where.LOOP or inspect.iscoroutinefunction(function) else Kind.THREAD


def _has_template(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any(_has_template(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_has_template(each) for each in value)
    return False


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
    ) -> None:
        self.workflow = workflow
        self.registry = registry or default_registry
        self.functions = dict(functions or {})
        self.types: list[type[NodeType]] = [self.registry.get(node.type) for node in workflow.nodes]
        self.ports: dict[str, NodePorts] = {
            node.id: cls.ports_of(node) for node, cls in zip(workflow.nodes, self.types, strict=True)
        }
        self.topology = Topology(workflow, self.ports)
        self.hash = definition_hash(workflow)
        self.document = to_json(workflow)
        self.bodies = [self._body(number, node) for number, node in enumerate(workflow.nodes)]

    def _body(self, number: int, node: Node) -> Body:
        cls = self.types[number]
        function = self.functions.get(node.id)
        if function is None and node.type == "python":
            function = cls.function_of(node)  # type: ignore[attr-defined]  # only the python type has functions
        body = Body(number, node, cls, function if node.type == "python" else None)
        if node.type != "python":
            body.call = function  # a callable that belongs to the config, as a condition's test
        wired = {argument.name for argument in self.topology.arguments[number]}
        variables = {variable.name for variable in self.workflow.variables}
        names = [port.name for port in self.ports[node.id].inputs]
        body.from_inputs = tuple(name for name in names if name not in wired and name in variables)
        body.takes_ctx = function is not None and "ctx" in _parameters(function)
        return body


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def shape_of(workflow: Workflow, registry: Registry | None = None) -> Topology:
    """The compiled graph alone, for reading a run whose functions and node types need not be at hand."""
    from flownb.errors import NotFound

    known = registry or default_registry
    ports: dict[str, NodePorts] = {}
    for node in workflow.nodes:
        try:
            ports[node.id] = known.get(node.type).ports_of(node)
        except NotFound:  # a plugin that is not installed here; its ports don't matter to what is recorded
            ports[node.id] = NodePorts()
    return Topology(workflow, ports)
