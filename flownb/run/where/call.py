"""Calling the function of a node that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flownb.run.context import NodeContext
from flownb.run.secrets import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.nodes.function import FunctionNode
    from flownb.run.attempt import Attempt
    from flownb.run.body import Body


def call(attempt: Attempt, inputs: dict[str, Any]) -> Any:
    """Call the node's function; of an async one the coroutine comes back."""
    body = attempt.body
    assert body.call is not None
    if attempt.execution.references:
        inputs = filled(attempt, inputs)
    given = inputs if body.plain else {name: each for name, each in inputs.items() if name in body.parameters}
    return body.call(**given, ctx=NodeContext(attempt)) if body.takes_ctx else body.call(**given)


def outcome_of_type(body: Body, value: Any, inputs: Mapping[str, Any]) -> Any:
    """What a node that is more than its function returns when that returned `value`."""
    cls = cast("type[FunctionNode]", body.type)
    return cls.make(body.node.config).outcome(value, inputs)
