"""The base of the nodes that work on items: what comes in at `main`, or what their field `items` says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from flownb.errors import InvalidInput
from flownb.graph.nodetype import NodeType
from flownb.model.ports import MAIN, InputPort, NodePorts, OutputPort
from flownb.model.status import Category
from flownb.nodes.items import items_of
from flownb.nodes.scope import scope

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node
    from flownb.nodes.items import Items

#: What a node must get at `main`, and what it may get there.
NEEDED: Final = InputPort(MAIN, many=True, help="what to work on; of several branches the one that ran")
OPTIONAL: Final = InputPort(MAIN, many=True, unwired=True, help="what expressions call `main`")


def given(config: BaseModel, field: str, ctx: Context, inputs: Mapping[str, Any]) -> Any:
    """What a node works on: what the field of its config says, else the one value at `main`.

    Raises:
        InvalidInput: there is none, or there are several.
    """
    if field in config.model_fields_set:
        return getattr(config, field)
    values = inputs.get(MAIN, ())
    if len(values) == 1:
        return values[0]
    if not values:
        raise InvalidInput(f"{ctx.path} has nothing to work on: wire a node to it, or set `{field}`.", name=MAIN)
    sources = " and ".join(dict.fromkeys(ctx.sources.get(MAIN, ()))) or f"{len(values)} edges"
    raise InvalidInput(
        f"{ctx.path} works on one value, and several came in, from {sources}: bring them together in a merge.",
        name=MAIN,
    )


class ItemsConfig(BaseModel):
    """What every node that works on items takes."""

    model_config = ConfigDict(extra="forbid")

    items: Any = Field(None, description="What to work on, as `{{ load }}`; by default what comes in at `main`.")


class ItemsNode(NodeType):
    """Works on a list, a tuple, a Series or a DataFrame, away from the loop that all runs share.

    A subclass implements `work`.
    """

    category: ClassVar[Category] = Category.ACTION
    Config: ClassVar[builtins.type[BaseModel] | None] = ItemsConfig
    #: The output ports.
    outputs: ClassVar[tuple[OutputPort, ...]] = (OutputPort(MAIN),)
    ports: ClassVar[NodePorts] = NodePorts((NEEDED,))

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """`main` must be wired, unless `items` says what to work on."""
        return NodePorts((OPTIONAL if "items" in node.config else NEEDED,), cls.outputs_of(node.config))

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[OutputPort, ...]:
        """The output ports; override it where the config makes them."""
        del config
        return cls.outputs

    def given(self, ctx: Context, inputs: Mapping[str, Any]) -> Any:
        """What to work on: `items`, else the one value at `main`.

        Raises:
            InvalidInput: there is none, or there are several.
        """
        return given(self.config, "items", ctx, inputs)

    def names(self, ctx: Context, inputs: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
        """What the expressions of this node see; `main` is what it works on."""
        return scope(ctx, inputs, {MAIN: value})

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Do the work on a thread."""
        value = self.given(ctx, inputs)
        return await asyncio.to_thread(lambda: self.work(ctx, items_of(value, ctx.path), inputs))

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """What the node gives for these items; on a thread."""
        raise NotImplementedError(f"{type(self).__name__} must implement work().")
