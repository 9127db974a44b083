"""The mappings of a node: whether what they name is there."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from flownb.errors import ExpressionError, near_names
from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flownb.graph.nodetype import NodeType
    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Node


def names_in_mapping(node: Node) -> Iterator[tuple[str, str]]:
    """Each expression of the input mapping, with its place; bare ones and templates."""
    for name, each in node.input_mapping.items():
        if isinstance(each, str):
            yield f"input_mapping.{name}", each


def check_mappings(
    node: Node, cls: type[NodeType] | None, ports: NodePorts | None, known: Collection[str]
) -> Iterator[Problem]:
    """The problems of both mappings.

    Args:
        node: the node.
        cls: its type, where it is known.
        ports: its ports, where they are known.
        known: the inputs of the workflow, and what every expression knows.
    """
    if node.input_mapping and ports is not None and not ports.open:
        fields = cls.Config.model_fields if cls is not None and cls.Config is not None else ()
        there = {port.name for port in ports.inputs} | set(fields)
        for name in node.input_mapping:
            if name not in there:
                message = f"{node.id} has no input {name!r} to map to.{near_names(name, there)}"
                yield Problem(message, node=node.id, place=f"input_mapping.{name}", code="wrong_port")
    for name, given in node.output_mapping.items():
        yield from _check_output(node, name, given, known)


def _check_output(node: Node, name: str, given: Any, known: Collection[str]) -> Iterator[Problem]:
    from flownb.graph.references import names_in

    place = f"output_mapping.{name}"
    if not name.isidentifier() or keyword.iskeyword(name):
        yield Problem(f"{node.id} can't set the variable {name!r}: that is no name.", node=node.id, place=place)
    if not isinstance(given, str):
        return
    try:
        names, optional = names_in(given, bare="{{" not in given)
    except ExpressionError as error:
        yield Problem(f"{node.id}: {error.message}", node=node.id, place=place, code="bad_expression")
        return
    own = {"output", node.id}
    for unknown in sorted(names - optional - own - set(known)):
        yield Problem(
            f"The output mapping of {node.id} names {unknown!r}: it can use its own output as `output`, inputs and "
            f"variables.{near_names(unknown, own | set(known))}",
            node=node.id,
            place=place,
            code="unknown_name",
        )
