"""From a node's record to the instance that runs: expressions evaluated, inputs laid over the config, all checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import ExpressionError
from flownb.graph.references import references_of
from flownb.nodes.function import FunctionNode
from flownb.nodes.scope import scope, why_no_link
from flownb.services.secrets import has_reference, is_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from flownb.graph.nodetype import Context, NodeType
    from flownb.model.workflow import Node

_TEMPLATE: Final = "{{"


def prepare(
    cls: type[NodeType],
    node: Node,
    ctx: Context,
    inputs: Mapping[str, Any],
    function: Callable[..., Any] | None = None,
    *,
    secret: Callable[[str], str] | None = None,
) -> NodeType:
    """The instance for one run of a node.

    A text that is nothing but `{{ x }}` becomes that value as it is, inside other text it becomes text. What the type
    evaluates by itself is left to it. An input that has the name of a field takes the field's place, unless it is there
    because an expression names it.

    Args:
        cls: the node's type.
        node: its record.
        ctx: what it may know and do.
        inputs: its live values by port.
        function: the live function of a node that has one, where it is at hand.
        secret: gives the value of a secret; None where the config refers to none.

    References to secrets become their values: those that the config holds, and inputs that expressions read. What a
    node before this one returned is data, and `secret://…` in it is text.

    Raises:
        ExpressionError: an expression can't be evaluated.
        NotFound: there is no such secret.
        InvalidInput: what comes out is not what the type takes.
    """
    config = node.config
    kept = {*cls.verbatim, *(each.place for each in cls.expressions_in(config))}
    marks: dict[str, str] = {}
    if secret is not None and has_reference(config):
        from flownb.services.references import put_in, take_out

        config = take_out(config, kept, marks)
    if any(name not in kept and _has_template(value) for name, value in config.items()):
        names = scope(ctx, inputs)
        try:
            config = {name: _evaluate(value, names, name, kept) for name, value in config.items()}
        except ExpressionError as error:
            raise why_no_link(ctx, error) from error.__cause__
    if cls.Config is not None:
        over = {name: inputs[name] for name in cls.Config.model_fields if name in inputs}
        if secret is not None:
            over = {n: secret(each) if n in ctx.references and is_reference(each) else each for n, each in over.items()}
        if over:
            named = references_of(node, cls).names
            config = {**config, **{name: value for name, value in over.items() if name not in named}}
    if marks and secret is not None:
        config = put_in(config, {mark: secret(name) for mark, name in marks.items()})
    instance = cls.make(config)
    if function is not None and isinstance(instance, FunctionNode):
        instance.function = function
    return instance


def _has_template(value: Any) -> bool:
    if isinstance(value, str):
        return _TEMPLATE in value
    if isinstance(value, dict):
        return any(_has_template(each) for each in value.values())
    return isinstance(value, list | tuple) and any(_has_template(each) for each in value)


def _evaluate(value: Any, names: Mapping[str, Any], place: str, kept: AbstractSet[str]) -> Any:
    """The value with its templates evaluated, but for those at a place that is kept."""
    if place in kept:
        return value
    if isinstance(value, str):
        if _TEMPLATE not in value:
            return value
        from flownb.expr import compile_template

        return compile_template(value).evaluate(names)
    if isinstance(value, dict):
        return {name: _evaluate(each, names, f"{place}.{name}", kept) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_evaluate(each, names, f"{place}[{number}]", kept) for number, each in enumerate(value)]
    return value
