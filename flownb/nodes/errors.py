"""The nodes that act when something has failed: they are told of it, or undo what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from flownb.graph.nodetype import Ending, NodeType, Output
from flownb.graph.strategies import unknown_error
from flownb.model.ports import MAIN, DataType, NodePorts, OutputPort
from flownb.model.problem import Problem
from flownb.model.status import Category
from flownb.nodes.control import PASSING, passing

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node


class ErrorHandlerConfig(BaseModel):
    """The config of a handler."""

    model_config = ConfigDict(extra="forbid")

    errors: list[str] = Field(
        [], description="Classes of errors (timeout, validation, execution, dependency) or exceptions; all where empty."
    )
    nodes: list[str] = Field([], description="The nodes whose failures it handles; all where empty.")
    then: Literal["fail", "complete"] = Field(
        "fail", description="How the run ends after it: as failed, or as completed where this node was."
    )


class ErrorHandler(NodeType):
    """Starts when the run is about to fail, and gives the error; what follows from it runs before the end."""

    type: ClassVar[str] = "control.error_handler"
    title: ClassVar[str] = "Error handler"
    category: ClassVar[Category] = Category.LOGIC
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = ErrorHandlerConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (), (OutputPort(MAIN, DataType.OBJECT, help="the error: type, message, class, node, run, workflow"),)
    )

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, errors that there are none of included."""
        found = super().check(node)
        errors = node.config.get("errors")
        for number, name in enumerate(errors if isinstance(errors, list) else ()):
            if isinstance(name, str) and (near := unknown_error(name)) is not None:
                place = f"config.errors[{number}]"
                message = f"{node.id} handles {name!r}, which is no class of errors and no exception."
                found.append(Problem(message, node=node.id, place=place, hint=near, code="unknown_error"))
        return found

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give the error."""
        del inputs
        return dict(ctx.error or {})


class CompensateConfig(BaseModel):
    """The config of a node that undoes."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["completed", "failed"] = Field("failed", description="How the run ends.")
    message: str = Field("", description="Why, for people.")


class Compensate(NodeType):
    """Undoes what the run did, and ends it: the compensations of completed nodes run, the newest first."""

    type: ClassVar[str] = "control.compensate"
    title: ClassVar[str] = "Compensate"
    category: ClassVar[Category] = Category.RESULT
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = CompensateConfig
    ports: ClassVar[NodePorts] = NodePorts((PASSING,), (OutputPort(MAIN, help="what came in"),))

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output:
        """End it."""
        del ctx
        config: CompensateConfig = self.config
        return Output(passing(inputs), ending=Ending(config.status == "completed", config.message, undo=True))
