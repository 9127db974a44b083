"""The node that runs Python text in a process of its own."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from flownb.graph.nodetype import NodeType
from flownb.model.ports import MAIN, InputPort, NodePorts
from flownb.model.problem import Problem
from flownb.model.status import Category, Where
from flownb.nodes import script

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Mapping

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node

_ROUND: tuple[str, ...] = ("item", "index")


class CodeConfig(BaseModel):
    """The config of a node that runs code."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        description="Python. Nodes and inputs that it names are there under their names, what is wired to `main` as "
        "`main`; `result`, or the value of its last line, is what comes out."
    )


class RunCode(NodeType):
    """Runs Python in a process of its own, which can be killed and held to limits of memory, CPU and time.

    The code sees nothing of the notebook: only the nodes and inputs that it names, and what it imports.
    """

    type: ClassVar[str] = "code.run"
    title: ClassVar[str] = "Run code"
    category: ClassVar[Category] = Category.ACTION
    Config: ClassVar[builtins.type[BaseModel] | None] = CodeConfig
    verbatim: ClassVar[tuple[str, ...]] = ("code",)

    @classmethod
    def names_of(cls, config: Mapping[str, Any]) -> frozenset[str]:
        """What the code takes from around it."""
        code = config.get("code")
        return script.names_in(code) - {MAIN, "ctx", *_ROUND} if isinstance(code, str) else frozenset()

    @classmethod
    def takes_context(cls, config: Mapping[str, Any]) -> bool:
        """Whether the code names `ctx`, or what is in it."""
        code = config.get("code")
        return isinstance(code, str) and bool(script.names_in(code) & script.CONTEXT_NAMES)

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """`main`, and inside a loop the item and the number of the round, if the code names them."""
        code = node.config.get("code")
        names = script.names_in(code) if isinstance(code, str) else frozenset()
        of_round = tuple(InputPort(name) for name in _ROUND if name in names)
        return NodePorts((InputPort(MAIN, unwired=True, help="what the code calls `main`"), *of_round))

    @classmethod
    def where_of(cls, node: Node) -> Where:
        """In a process of its own."""
        del node
        return Where.PROCESS

    @classmethod
    def body_of(cls, node: Node) -> Callable[..., Any] | None:
        """What runs the code."""
        return partial(script.run, str(node.config.get("code", "")), node.id)

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of its config, with the line of code that is no Python."""
        found = super().check(node)
        code = node.config.get("code")
        if isinstance(code, str) and (fault := script.fault_in(code)):
            message = f"{node.id} ({cls.type}): {fault}"
            found.append(Problem(message, node=node.id, place="config.code", code="bad_code"))
        return found

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Run the code on a thread: what a test does, as a run has it in a process."""
        config: CodeConfig = self.config
        return await asyncio.to_thread(partial(script.run, config.code, ctx.path, ctx=ctx, **inputs))
