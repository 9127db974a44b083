"""The checks of a definition: every problem at once, with its place and the way out.

Nothing is run, and nothing is imported but the node types that are used.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import ExpressionError, FlownbError, near_names
from flownb.graph.branches import check_branches, check_scopes
from flownb.graph.conversions import between_ports
from flownb.graph.cycles import find_cycles, topological_order
from flownb.graph.exclusive import find_contradictions
from flownb.graph.inputs import check_inputs, check_variables
from flownb.graph.mappings import check_mappings
from flownb.graph.near import NearNames
from flownb.graph.places import check_place, check_resources
from flownb.graph.policies import check_policies, check_settings
from flownb.graph.reach import find_dead, find_islands
from flownb.graph.references import (
    BODY_SCOPE,
    ROUND_NAMES,
    SCOPE,
    References,
    implied_edges,
    names_in,
    references_of,
    with_expression_ports,
)
from flownb.graph.registry import registry as shared_registry
from flownb.graph.remedies import check_remedies
from flownb.ids import slug
from flownb.model.ports import AFTER, ERROR, MAIN, InputPort, NodePorts
from flownb.model.problem import Problem, Severity
from flownb.model.scopes import PARALLEL, Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flownb.graph.nodetype import NodeType
    from flownb.graph.registry import Registry
    from flownb.model.workflow import Edge, Node, Workflow

#: No node may have these ids: the port of orders, and the parameter that is the context.
RESERVED: Final = (AFTER, "ctx")


def validate(
    workflow: Workflow, registry: Registry | None = None, *, inputs: Mapping[str, Any] | None = None
) -> list[Problem]:
    """All problems of a definition, in reading order: settings, inputs, nodes, edges, then the graph as a whole.

    Args:
        workflow: the definition; edges that follow from its expressions need not be there.
        registry: the node types; the shared ones by default.
        inputs: the inputs of a run to check as well; None leaves them open.
    """
    check = _Check(workflow, registry or shared_registry)
    problems = [
        *check_settings(workflow.settings),
        *check_variables(workflow),
        *check.nodes(),
        *check.edges(),
        *check.graph(),
        *check.remedies(),
    ]
    if inputs is not None:
        problems += check_inputs(workflow, inputs)
    return problems


class _Check:
    """One pass over one definition; what several checks need is found once."""

    def __init__(self, workflow: Workflow, registry: Registry) -> None:
        self._workflow = workflow
        self._parents = {node.parent for node in workflow.nodes}
        self._nodes = workflow.nodes
        self._registry = registry
        self._ids: dict[str, int] = {}
        for number, node in enumerate(self._nodes):
            self._ids.setdefault(node.id, number)
        self._inputs = {each.name for each in workflow.variables}
        self._near = NearNames(list(self._ids))
        self._types: dict[str, type[NodeType] | str] = {}
        self._classes = [self._class(node) for node in self._nodes]
        self._used = [references_of(node, cls) for node, cls in zip(self._nodes, self._classes, strict=True)]
        self._edges = [*workflow.edges, *implied_edges(workflow.nodes, workflow.edges, registry)]
        self._ports: dict[str, NodePorts] = {}
        #: The inputs that type and config make, without those that only expressions do.
        self._declared: dict[str, frozenset[str]] = {}
        #: Nodes whose chain of parents is known to end.
        self._rooted: set[str] = set()
        self._fed: dict[tuple[str, str], list[Edge]] = {}
        self._controls: dict[str, int] = {}
        self._errors_wired: set[str] = set()
        has_bodies = any(node.parent or node.type == PARALLEL for node in self._nodes)
        self._scopes = Scopes(self._nodes) if has_bodies else None
        self._sort_edges()

    def _sort_edges(self) -> None:
        unique = {edge.id: edge for edge in reversed(self._edges)}
        for edge in reversed(unique.values()):
            if edge.target_port == AFTER and self._scopes is not None and self._scopes.enters(edge):
                continue  # it is there from the start of its round
            if edge.target_port == AFTER:
                self._controls[edge.target] = self._controls.get(edge.target, 0) + 1
            else:
                self._fed.setdefault((edge.target, edge.target_port), []).append(edge)
            if edge.source_port == ERROR:
                self._errors_wired.add(edge.source)

    def _class(self, node: Node) -> type[NodeType] | None:
        """The class of a node's type, or None; why it is None is kept in `_types`."""
        found = self._types.get(node.type)
        if found is None:
            try:
                found = self._registry.get(node.type)
            except FlownbError as error:
                found = error.message
            self._types[node.type] = found
        return None if isinstance(found, str) else found

    # --- nodes --------------------------------------------------------------------------------------------------------

    def nodes(self) -> Iterator[Problem]:
        told: set[str] = set()
        for number, node in enumerate(self._nodes):
            for problem in self._check_node(number, node, told):
                place = f"nodes[{number}]{f'.{problem.place}' if problem.place else ''}"
                yield msgspec.structs.replace(problem, place=place)

    def _check_node(self, number: int, node: Node, told: set[str]) -> Iterator[Problem]:
        """The problems of one node; their places begin inside it."""
        if self._ids[node.id] != number and node.id not in told:
            told.add(node.id)
            hint = "Rename one of them, and the edges that mean it."
            yield Problem(f"Two nodes have the id {node.id!r}.", node=node.id, hint=hint, code="duplicate_id")
        yield from self._check_id(node)
        cls, used = self._classes[number], self._used[number]
        if cls is None:
            yield Problem(f"{node.id}: {self._types[node.type]}", node=node.id, place="type", code="unknown_type")
        else:
            yield from self._check_type(node, cls)
            ports = self._find_ports(node, cls, used)
            yield from self._check_fed(node, ports)
            if ports is not None and (node.input_schema or node.output_schema):
                yield from _check_schemas(node, self._ports[node.id])
            yield from check_place(node, cls)
        yield from used.problems
        yield from self._check_names(node, used)
        if node.input_mapping or node.output_mapping:
            known = self._inputs | (BODY_SCOPE if node.parent else SCOPE)
            yield from check_mappings(node, cls, self._ports.get(node.id), known)
        yield from self._check_parent(node)
        yield from check_policies(node, self._controls.get(node.id, 0), has_error_edge=node.id in self._errors_wired)
        yield from check_resources(node, self._workflow.settings, is_loop=node.id in self._parents)

    def _check_id(self, node: Node) -> Iterator[Problem]:
        if not node.id.isidentifier() or keyword.iskeyword(node.id):
            hint = f"Call it {slug(node.id)!r}, and keep the text as its name."
            message = f"The id {node.id!r:.80} is no Python identifier."
            yield Problem(message, node=node.id, place="id", hint=hint, code="bad_id")
        elif node.id in RESERVED:
            message = f"No node can have the id {node.id!r}: flownb uses that word itself."
            yield Problem(message, node=node.id, place="id", hint="Choose another one.", code="bad_id")

    def _check_type(self, node: Node, cls: type[NodeType]) -> Iterator[Problem]:
        if not 1 <= node.type_version <= cls.version:
            yield Problem(
                f"{node.id} is version {node.type_version} of {node.type}; this flownb has version {cls.version}.",
                node=node.id,
                place="type_version",
                hint="A newer flownb made it: upgrade.",
                code="type_version",
            )
            return
        try:
            yield from (each for each in cls.check(node) if not self._comes_in(node, each))
        except Exception as error:  # noqa: BLE001  a plug-in's check may raise anything; the others are still wanted
            message = f"The config of {node.id} can't be checked: {type(error).__name__}: {error}"
            yield Problem(message, node=node.id, place="config", code="bad_config")

    def _comes_in(self, node: Node, problem: Problem) -> bool:
        """Whether a problem is that a field is missing which an edge or a mapping brings."""
        field = (problem.place or "").removeprefix("config.")
        if field in node.config or "." in field or "needs the field" not in problem.message:
            return False
        return field in node.input_mapping or (node.id, field) in self._fed

    def _find_ports(self, node: Node, cls: type[NodeType], used: References) -> NodePorts | None:
        """The ports that type and config make; kept with those of its expressions, for the edges."""
        try:
            ports = cls.ports_of(node)
        except Exception:  # noqa: BLE001  as above; its check has the words for it
            return None
        self._declared[node.id] = frozenset(port.name for port in ports.inputs)
        self._ports[node.id] = with_expression_ports(ports, used, in_body=node.parent is not None)
        return ports

    def _check_fed(self, node: Node, ports: NodePorts | None) -> Iterator[Problem]:
        for port in ports.inputs if ports else ():
            feeding = self._fed.get((node.id, port.name), ())
            if len(feeding) > 1 and not port.many:
                sources = " and ".join(dict.fromkeys(f"{edge.source}.{edge.source_port or MAIN}" for edge in feeding))
                yield Problem(
                    f"{node.id}.{port.name} takes one edge and has {len(feeding)}, from {sources}.",
                    node=node.id,
                    port=port.name,
                    hint="Bring them together in a merge, or keep one.",
                    code="too_many_edges",
                )
            missing = port.required and not port.unwired and not feeding and port.name not in node.input_mapping
            if node.parent is not None and port.name in ROUND_NAMES:
                continue
            if missing and port.name not in self._inputs and port.name not in node.config:
                yield Problem(
                    f"{node.id} needs {port.name!r}, and nothing feeds it.",
                    node=node.id,
                    port=port.name,
                    hint="Wire a node to it, make it an input of the flow, or give it a default.",
                    code="missing_input",
                )

    def _check_names(self, node: Node, used: References) -> Iterator[Problem]:
        if not used.names:
            return
        declared = self._declared.get(node.id, frozenset())
        for name in sorted(used.names - used.optional):
            known = name in self._ids or name in self._inputs or name in declared or (node.id, name) in self._fed
            if name == node.id:
                message = f"An expression of {node.id} names the node itself."
                hint = "It can only use what came before it."
                yield Problem(message, node=node.id, place="config", hint=hint, code="self_edge")
            elif not known and name not in (BODY_SCOPE if node.parent else SCOPE):
                near = self._near(name) or near_names(name, self._inputs)
                yield Problem(
                    f"An expression of {node.id} names {name!r}, which is no node and no input.",
                    node=node.id,
                    place="config",
                    hint=f"{near} Write default({name}, …) where it may be missing.".strip(),
                    code="unknown_name",
                )

    def _check_parent(self, node: Node) -> Iterator[Problem]:
        if node.parent is None:
            return
        if node.parent not in self._ids:
            message = f"{node.id} is inside {node.parent!r}, and there is no such node.{self._near(node.parent)}"
            yield Problem(message, node=node.id, place="parent", code="unknown_parent")
            return
        chain: dict[str, None] = {}
        around: str | None = node.id
        while around in self._ids and around not in chain and around not in self._rooted:
            chain[around] = None
            around = self._nodes[self._ids[around]].parent
        if around not in chain:
            self._rooted.update(chain)
        elif around == node.id:
            message = f"{node.id} is inside itself, by way of {node.parent}."
            yield Problem(message, node=node.id, place="parent", code="parent_cycle")

    # --- edges --------------------------------------------------------------------------------------------------------

    def edges(self) -> Iterator[Problem]:
        seen: dict[str, Edge] = {}
        for number, edge in enumerate(self._edges):
            place = f"edges[{number}]"
            first = seen.setdefault(edge.id, edge)
            if first is not edge and first != edge:
                message = f"There are two edges {edge.id} that differ in condition or type; only one can count."
                yield Problem(message, node=edge.target, place=place, code="duplicate_edge")
            ends_known = True
            for name, message in (
                (edge.source, f"An edge to {edge.target} comes from {edge.source!r}, and there is no such node."),
                (edge.target, f"An edge from {edge.source} leads to {edge.target!r}, and there is no such node."),
            ):
                if name not in self._ids:
                    ends_known = False
                    known = next((end for end in (edge.target, edge.source) if end in self._ids), None)
                    hint = self._near(name).strip()
                    yield Problem(message, node=known, place=place, hint=hint, code="unknown_node")
            if edge.source == edge.target:
                message = f"{edge.source} is wired to itself."
                hint = "Repeat a part of a flow with a loop."
                yield Problem(message, node=edge.source, place=place, hint=hint, code="self_edge")
            elif ends_known:
                yield from self._check_scopes(edge, place)
                yield from self._check_ends(edge, place)
                yield from self._check_order(edge, place)
            if edge.condition is not None:
                yield from self._check_condition(edge, place)

    def _check_order(self, edge: Edge, place: str) -> Iterator[Problem]:
        """What merely follows a question to people runs after a no as well."""
        asks = self._nodes[self._ids[edge.source]].type.startswith("human.")
        if asks and not edge.is_data and edge.source_port in (None, MAIN) and edge.condition is None:
            ports = self._ports.get(edge.source)
            first = (
                next((each.name for each in ports.outputs if each.name != MAIN), "approved") if ports else "approved"
            )
            yield Problem(
                f"{edge.target} follows {edge.source} whatever the answer is.",
                severity=Severity.WARNING,
                node=edge.target,
                place=place,
                hint=f"Use after={edge.source}.{first} to let it run after that answer only.",
                code="any_answer",
            )

    def _check_scopes(self, edge: Edge, place: str) -> Iterator[Problem]:
        if self._scopes is not None:
            yield from check_scopes(edge, self._scopes, self._nodes[self._ids[edge.source]], place)

    def _check_ends(self, edge: Edge, place: str) -> Iterator[Problem]:
        source, target = self._ports.get(edge.source), self._ports.get(edge.target)
        port = edge.source_port or MAIN
        leaving = source.output(port) if source else None
        if source and leaving is None and (edge.is_data or edge.source_port):
            known = [each.name for each in source.outputs] + [ERROR]
            message = f"{edge.source} has no port {port!r}.{near_names(port, known)}"
            yield Problem(message, node=edge.source, port=port, place=place, code="wrong_port")
        if not edge.is_data or target is None:
            return
        entering = target.input(edge.target_port)
        if entering is None:
            if not target.open and not self._is_field(edge.target, edge.target_port):
                known = [each.name for each in target.inputs] + [AFTER]
                message = f"{edge.target} has no input {edge.target_port!r}.{near_names(edge.target_port, known)}"
                yield Problem(message, node=edge.target, port=edge.target_port, place=place, code="wrong_port")
        elif leaving is not None and edge.target_port not in self._nodes[self._ids[edge.target]].input_mapping:
            if not entering.type.accepts(leaving.type) and between_ports(leaving.type, entering.type) is None:
                yield Problem(
                    f"{edge.source}.{port} gives {leaving.type}, and {edge.target}.{entering.name} takes "
                    f"{entering.type}.",
                    node=edge.target,
                    port=entering.name,
                    place=place,
                    hint="Convert the value in a node between them, register a conversion, or correct the type hint.",
                    code="port_type",
                )
            yield from self._check_connection(edge, leaving.connection, entering, place)

    def _check_connection(self, edge: Edge, leaving: str, entering: InputPort, place: str) -> Iterator[Problem]:
        if leaving != edge.type or entering.connection != edge.type:
            yield Problem(
                f"The edge {edge.id} is of type {edge.type}; it leaves a port of type {leaving} and enters one of "
                f"type {entering.connection}.",
                node=edge.target,
                port=entering.name,
                place=place,
                code="wrong_connection",
            )

    def _is_field(self, node_id: str, name: str) -> bool:
        """Whether an edge may override a field of the config."""
        cls = self._classes[self._ids[node_id]]
        return cls is not None and cls.Config is not None and name in cls.Config.model_fields

    def _check_condition(self, edge: Edge, place: str) -> Iterator[Problem]:
        try:
            names_in(str(edge.condition), bare=True)
        except ExpressionError as error:
            where = f"{place}.condition"
            yield Problem(f"{edge.id}: {error.message}", node=edge.source, place=where, code="bad_expression")

    # --- the graph as a whole -----------------------------------------------------------------------------------------

    def graph(self) -> Iterator[Problem]:
        edges = [
            edge
            for edge in self._edges
            if edge.source != edge.target and edge.source in self._ids and edge.target in self._ids
        ]
        succ: list[list[int]] = [[] for _ in self._nodes]
        for edge in edges:
            succ[self._ids[edge.source]].append(self._ids[edge.target])
        order = topological_order(succ)
        if len(order) < len(self._nodes):
            for path, members in find_cycles(succ, set(range(len(self._nodes))) - set(order)):
                yield self._cycle(path, len(members))
        if self._scopes is not None:
            yield from check_branches(self._nodes, self._scopes.sorted(edges))
        yield from find_islands(self._nodes, succ)
        dead_ports = {
            node.id: dead
            for node, cls in zip(self._nodes, self._classes, strict=True)
            if cls is not None and (dead := cls.dead_ports(node))
        }
        yield from find_dead(self._nodes, edges, succ, dead_ports, self._ports)
        choices = {
            node.id: found
            for node, cls in zip(self._nodes, self._classes, strict=True)
            if cls is not None and (found := cls.choices(node))
        }
        yield from find_contradictions(self._nodes, edges, succ, choices, self._ports)

    def remedies(self) -> Iterator[Problem]:
        yield from check_remedies(self._workflow, self._edges)

    def _cycle(self, path: tuple[int, ...], members: int) -> Problem:
        names = [self._nodes[number].id for number in path]
        shown = names if len(names) <= 12 else [*names[:10], "…", names[-1]]  # noqa: PLR2004  what fits on a screen
        more = f" {members - len(path)} more are tied into it." if members > len(path) else ""
        return Problem(
            f"These {len(path)} nodes wait for one another: {' → '.join([*shown, names[0]])}.{more}",
            node=names[0],
            hint="Take one of these edges out; to repeat a part of a flow, use a loop.",
            code="cycle",
        )


def _check_schemas(node: Node, ports: NodePorts) -> Iterator[Problem]:
    from flownb.graph.schemas.check import check_schemas  # few nodes have any

    return check_schemas(node, ports)
