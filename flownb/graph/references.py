"""Which names the expressions of a definition use, and the edges that follow: naming a node waits for it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from flownb.errors import ExpressionError, FlownbError
from flownb.graph.mappings import names_in_mapping
from flownb.graph.nodetype import Expression
from flownb.model.ports import InputPort, NodePorts
from flownb.model.problem import Problem
from flownb.model.workflow import Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flownb.graph.nodetype import NodeType
    from flownb.graph.registry import Registry
    from flownb.model.workflow import Node, Workflow

#: Names that every expression knows, unless a node or an input has the name.
SCOPE: Final = frozenset({"variables", "trigger", "run"})
#: What it knows besides inside the body of a loop, and what functions there may have as parameters.
ROUND_NAMES: Final = frozenset({"item", "index"})
BODY_SCOPE: Final = SCOPE | ROUND_NAMES

_TEMPLATE: Final = "{{"


class References(NamedTuple):
    """The names that the config of one node uses in expressions."""

    names: frozenset[str] = frozenset()
    #: Those of them that are used inside `default(…)` only, and so may be missing.
    optional: frozenset[str] = frozenset()
    #: The expressions that can't be read.
    problems: tuple[Problem, ...] = ()


_NONE: Final = References()


def references_of(node: Node, cls: type[NodeType] | None) -> References:
    """What the expressions of a node name.

    Args:
        node: the node; any text in its config with `{{` in it is a template.
        cls: its type, which says what is a bare expression and what is taken verbatim; None where it is unknown.
    """
    required: set[str] = set()
    names: set[str] = set()
    problems: list[Problem] = []
    for place, text, bare, own in _expressions(node.config, cls):
        try:
            used, optional = names_in(text, bare=bare)
        except ExpressionError as error:
            problems.append(
                Problem(f"{node.id}: {error.message}", node=node.id, place=f"config.{place}", code="bad_expression")
            )
            continue
        names |= used - own
        required |= used - optional - own
    for place, text in names_in_mapping(node) if node.input_mapping else ():
        try:
            used, optional = names_in(text, bare=_TEMPLATE not in text)
        except ExpressionError as error:
            problems.append(Problem(f"{node.id}: {error.message}", node=node.id, place=place, code="bad_expression"))
            continue
        names |= used
        required |= used - optional
    if cls is not None and (named := cls.names_of(node.config)):
        names |= named
        required |= named
    if not names and not problems:
        return _NONE
    return References(frozenset(names), frozenset(names - required), tuple(problems))


def mentions(value: Any, word: str) -> bool:
    """Whether a word stands somewhere in the texts of plain data."""
    if isinstance(value, str):
        return word in value
    if isinstance(value, dict):
        return any(mentions(each, word) for each in value.values())
    return isinstance(value, list | tuple) and any(mentions(each, word) for each in value)


def names_in(text: str | dict[str, Any], *, bare: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The names that an expression uses, and those of them that may be missing.

    Args:
        text: a template, a bare expression, or a condition as an object.
        bare: whether it is an expression as a whole, with `{{ }}` or without.

    Raises:
        ExpressionError: it can't be read.
    """
    return _names_in_text(text, bare) if isinstance(text, str) else _names(text, bare=bare)


def _names(text: str | dict[str, Any], *, bare: bool) -> tuple[frozenset[str], frozenset[str]]:
    from flownb.expr import compile_condition, compile_template

    if isinstance(text, str):
        compiled = compile_condition(text) if bare else compile_template(text)
    else:
        compiled = compile_condition(text)
    return frozenset(compiled.names | compiled.optional), frozenset(compiled.optional)


@lru_cache(maxsize=65_536)
def _names_in_text(text: str, bare: bool) -> tuple[frozenset[str], frozenset[str]]:
    return _names(text, bare=bare)


def _expressions(config: dict[str, Any], cls: type[NodeType] | None) -> Iterator[Expression]:
    """Each expression in a config; in reading order, without recursion."""
    own = {each.place: each for each in cls.expressions_in(config)} if cls else {}
    verbatim = cls.verbatim if cls else ()
    stack: list[tuple[str, Any]] = [(name, config[name]) for name in reversed(config) if name not in verbatim]
    while stack:
        place, value = stack.pop()
        if place in own:
            yield own[place]
        elif isinstance(value, str):
            if _TEMPLATE in value:
                yield Expression(place, value, bare=False)
        elif isinstance(value, dict):
            stack.extend((f"{place}.{name}", value[name]) for name in reversed(value))
        elif isinstance(value, list | tuple):
            stack.extend((f"{place}[{number}]", value[number]) for number in reversed(range(len(value))))


def with_expression_ports(ports: NodePorts, used: References, *, in_body: bool = False) -> NodePorts:
    """The ports of a node and, beside them, one for each name in its expressions.

    Args:
        ports: what its type and config make.
        used: what its expressions name.
        in_body: whether it is inside a loop or group.
    """
    if not used.names:
        return ports
    known = {port.name for port in ports.inputs} | (BODY_SCOPE if in_body else SCOPE)
    new = tuple(
        InputPort(name, required=name not in used.optional, help="named in an expression")
        for name in sorted(used.names - known)
    )
    return msgspec.structs.replace(ports, inputs=ports.inputs + new)


def complete(workflow: Workflow, registry: Registry) -> Workflow:
    """The definition as the engine needs it; completing twice changes nothing more.

    Types go by our own names, and there is an edge for each node that an expression names and that was not wired
    there: it ends at the port that has the source node's id.
    """
    names = {name: registry.name_of(name) or name for name in {node.type for node in workflow.nodes}}
    if any(name != other for name, other in names.items()):
        nodes = tuple(msgspec.structs.replace(node, type=names[node.type]) for node in workflow.nodes)
        workflow = msgspec.structs.replace(workflow, nodes=nodes)
    edges = implied_edges(workflow.nodes, workflow.edges, registry)
    return msgspec.structs.replace(workflow, edges=workflow.edges + edges) if edges else workflow


def implied_edges(nodes: Sequence[Node], edges: Iterable[Edge], registry: Registry) -> tuple[Edge, ...]:
    """The edges that `complete` adds, in the order of the nodes, those of one node by name."""
    ids: set[str] | None = None
    wired: set[tuple[str, str]] = set()
    found: list[Edge] = []
    for node in nodes:
        used = references_of(node, _class_of(node, registry))
        if not used.names:
            continue
        if ids is None:
            ids = {each.id for each in nodes}
            wired = {(edge.target, edge.target_port) for edge in edges}
        found += [
            Edge(source=name, target=node.id, target_port=name)
            for name in sorted(used.names & ids)
            if name != node.id and (node.id, name) not in wired
        ]
    return tuple(found)


def _class_of(node: Node, registry: Registry) -> type[NodeType] | None:
    try:
        return registry.get(node.type)
    except FlownbError:
        return None
