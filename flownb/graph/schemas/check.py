"""Whether the schemas that a node says of its ports can be read, and whether it has such ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import near_names
from flownb.graph.schemas.words import parse
from flownb.model.ports import ERROR
from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Node


def check_schemas(node: Node, ports: NodePorts) -> Iterator[Problem]:
    """The problems of a node's schemas; with places from the node on."""
    outputs = [port.name for port in ports.outputs]
    inputs = [port.name for port in ports.inputs]
    for field, schemas, names, is_open in (
        ("input_schema", node.input_schema, inputs, ports.open),
        ("output_schema", node.output_schema, outputs, False),
    ):
        for name, schema in schemas.items():
            place = f"{field}.{name}"
            if name not in names and not is_open:
                what = "no input" if field == "input_schema" else "no port"
                if name == ERROR and field == "output_schema":
                    message = f"{node.id}: the port {ERROR} has no schema: what comes there is the failure."
                else:
                    message = f"{node.id} has {what} {name!r} that could have a schema.{near_names(name, names)}"
                yield Problem(message, node=node.id, port=name, place=place, code="bad_schema")
            for wrong in parse(schema)[1]:
                whole = f"{place}.{wrong.place}" if wrong.place else place
                yield Problem(
                    f"The schema of {node.id}.{name}{f', at {wrong.place}' if wrong.place else ''}: {wrong.why}",
                    node=node.id, port=name, place=whole, code="bad_schema",
                )  # fmt: skip
