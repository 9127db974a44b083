"""What the expressions of a node can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context


def scope(ctx: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The names of an expression, nearest last: those of every run, its inputs, those of a round, the node's inputs.

    Of every run are `run`, `trigger` and `variables`; of a round, inside a loop, `item` and `index`.

    Args:
        ctx: of the node that runs.
        inputs: its live values by port; a node that an expression names comes in at the port of its id.
    """
    return {
        "run": {"id": ctx.run_id},
        "trigger": {"type": ctx.trigger},
        "variables": ctx.variables,
        **ctx.inputs,
        **ctx.round,
        **inputs,
    }
