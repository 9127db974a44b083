"""The nodes that act on the run itself: they set its variables, or end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flownb.graph.nodetype import Ending, NodeType, Output
from flownb.model.ports import MAIN, NodePorts, OutputPort
from flownb.model.status import Category, VariableScope
from flownb.nodes.control import PASSING, passing

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context


class SetVariableConfig(BaseModel):
    """The config of a node that sets variables."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, description="The variable.")
    value: Any = Field(None, description="Its new value, as `{{ total.amount }}`.")
    values: dict[str, Any] | None = Field(None, description="Several variables at once, by name.")
    scope: VariableScope = Field(
        VariableScope.RUN,
        description="`run`, or `workflow`: the runs that start later begin with the value.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.name is None) == (not self.values):
            raise ValueError("give name and value, or values")
        return self


class SetVariable(NodeType):
    """Sets variables, which expressions see as `variables.name` and functions as `ctx.variables`.

    Those of the workflow outlive the run: they are written in the transaction that completes this node, a run that
    starts later begins with them, and of two runs the later commit counts.

    What comes in at `main` leaves as it is; without it, what was set does. A node that reads a variable has to come
    after this one: let it wait by `after=`.
    """

    type: ClassVar[str] = "control.set_variable"
    title: ClassVar[str] = "Set variable"
    category: ClassVar[Category] = Category.LOGIC
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = SetVariableConfig
    ports: ClassVar[NodePorts] = NodePorts((PASSING,))

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output:
        """Give the variables their values, with what passes through."""
        del ctx
        config: SetVariableConfig = self.config
        values = dict(config.values) if config.values else {str(config.name): config.value}
        value = passing(inputs, config.value if config.name is not None else values)
        return Output(value, variables=values, scope=config.scope)


class StopConfig(BaseModel):
    """The config of a node that ends the run."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["completed", "failed"] = Field("completed", description="How the run ends.")
    message: str = Field("", description="Why, for people.")


class Stop(NodeType):
    """Ends the run: nothing more starts, and what is in flight is asked to stop."""

    type: ClassVar[str] = "control.stop"
    title: ClassVar[str] = "Stop"
    category: ClassVar[Category] = Category.RESULT
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = StopConfig
    ports: ClassVar[NodePorts] = NodePorts((PASSING,), (OutputPort(MAIN, help="what came in"),))

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output:
        """End it."""
        del ctx
        config: StopConfig = self.config
        return Output(passing(inputs), ending=Ending(config.status == "completed", config.message))
