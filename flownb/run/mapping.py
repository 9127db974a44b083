"""Mappings of a node: what its inputs are made of, and which variables its output becomes.

They are compiled with the definition; a node without any is not touched by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.nodetype import Output
    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Node
    from flownb.run.inputs import Values


class InputMapping:
    """What the inputs of a node are made of, by an expression for each."""

    def __init__(self, node: Node, ports: NodePorts) -> None:
        self._node = node
        self._many = {port.name for port in ports.inputs if port.many}
        compiled = {name: _compiled(each) for name, each in node.input_mapping.items()}
        self._compiled = compiled
        used = {name for each in compiled.values() if each is not None for name in (*each.names, *each.optional)}
        #: What expressions name and a function does not take.
        self._only_named = used - set(node.config.get("params", ())) if "function" in node.config else frozenset[str]()

    def apply(self, values: Values, number: int, found: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of the node.

        Args:
            values: of the run.
            number: of the node, or its instance.
            found: what edges and inputs of the run bring.

        Raises:
            ExpressionError: one can't be evaluated.
        """
        names = {**values.around(number), **found}
        made = {name: each for name, each in found.items() if name not in self._only_named}
        for name, given in self._node.input_mapping.items():
            value = _evaluate(self._compiled[name], given, names, f"{self._node.id}: input_mapping.{name}")
            made[name] = [value] if name in self._many else value
        return made


class OutputMapping:
    """Which variables of the run the output of a node becomes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._compiled = {name: _compiled(each) for name, each in node.output_mapping.items()}

    def variables(self, values: Values, number: int, output: Output) -> dict[str, Any]:
        """The values by name; `output` is what the node gives.

        Raises:
            ExpressionError: one can't be evaluated.
        """
        names = {**values.around(number), self._node.id: output.value, "output": output.value}
        return {
            name: _evaluate(self._compiled[name], given, names, f"{self._node.id}: output_mapping.{name}")
            for name, given in self._node.output_mapping.items()
        }


def _compiled(given: Any) -> Any:
    """An expression, bare or in `{{ }}`; None for a value that is none."""
    if not isinstance(given, str):
        return None
    from flownb.expr import compile_expression, compile_template

    return compile_template(given) if "{{" in given else compile_expression(given)


def _evaluate(compiled: Any, given: Any, names: Mapping[str, Any], place: str) -> Any:
    if compiled is None:
        return given
    try:
        return compiled.evaluate(names)
    except ExpressionError as error:
        raise ExpressionError(f"{place}: {error.message}", text=error.text, position=error.position) from error
