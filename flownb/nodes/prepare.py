"""From a node's record to the instance that runs: expressions evaluated, inputs laid over the config, all checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.nodes.scope import scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context, NodeType
    from flownb.model.workflow import Node

_TEMPLATE: Final = "{{"


def prepare(cls: type[NodeType], node: Node, ctx: Context, inputs: Mapping[str, Any]) -> NodeType:
    """The instance for one run of a node.

    A text that is nothing but `{{ x }}` becomes that value as it is, inside other text it becomes text. Bare
    expressions are left to the type. An input that has the name of a field takes the field's place.

    Raises:
        ExpressionError: an expression can't be evaluated.
        InvalidInput: what comes out is not what the type takes.
    """
    config = node.config
    kept = {*cls.verbatim, *cls.expressions}
    if any(name not in kept and _has_template(value) for name, value in config.items()):
        names = scope(ctx, inputs)
        config = {name: value if name in kept else _evaluate(value, names) for name, value in config.items()}
    if cls.Config is not None:
        over = {name: inputs[name] for name in cls.Config.model_fields if name in inputs}
        config = {**config, **over} if over else config
    return cls.make(config)


def _has_template(value: Any) -> bool:
    if isinstance(value, str):
        return _TEMPLATE in value
    if isinstance(value, dict):
        return any(_has_template(each) for each in value.values())
    return isinstance(value, list | tuple) and any(_has_template(each) for each in value)


def _evaluate(value: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        if _TEMPLATE not in value:
            return value
        from flownb.expr import compile_template

        return compile_template(value).evaluate(names)
    if isinstance(value, dict):
        return {name: _evaluate(each, names) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_evaluate(each, names) for each in value]
    return value
