"""The nodes that steer a flow: where it starts and ends, which way it goes, when it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flownb.errors import ExpressionError
from flownb.graph.configs import check_config
from flownb.graph.function import function_ports
from flownb.graph.nodetype import NodeType, Output, Suspend
from flownb.graph.references import references_of
from flownb.model.ports import MAIN, DataType, InputPort, NodePorts, OutputPort
from flownb.model.status import Category
from flownb.nodes.durations import Duration
from flownb.nodes.function import FunctionNode
from flownb.nodes.scope import scope

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context
    from flownb.model.problem import Problem
    from flownb.model.workflow import Node

#: What these nodes pass through: it need not be wired, and several branches may come together in it.
PASSING = InputPort(MAIN, many=True, unwired=True, help="passed on as it is")


def passing(inputs: Mapping[str, Any], otherwise: Any = None) -> Any:
    """What came in at `main`: the value itself where one edge was live, the list where several were."""
    values = inputs.get(MAIN, ())
    return values[0] if len(values) == 1 else list(values) if values else otherwise


class Start(NodeType):
    """Where a run begins; its output is a table of the run's inputs."""

    type: ClassVar[str] = "control.start"
    title: ClassVar[str] = "Start"
    category: ClassVar[Category] = Category.TRIGGER
    instant: ClassVar[bool] = True
    ports: ClassVar[NodePorts] = NodePorts((), (OutputPort(MAIN, DataType.OBJECT, help="the inputs of the run"),))

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give the inputs by name."""
        del inputs
        return dict(ctx.inputs)


class OutputNode(NodeType):
    """A result of the run: what comes in at `main`, by source where several came; inputs of other names by name."""

    type: ClassVar[str] = "control.output"
    title: ClassVar[str] = "Output"
    category: ClassVar[Category] = Category.RESULT
    instant: ClassVar[bool] = True
    ports: ClassVar[NodePorts] = NodePorts((InputPort(MAIN, many=True, unwired=True),), (), open=True)

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Give the value; a table where it has several parts or named ones."""
        named = {name: value for name, value in inputs.items() if name != MAIN}
        values = inputs.get(MAIN, [])
        if not named and len(values) == 1:
            return values[0]
        table: dict[str, Any] = {}
        for source, value in zip(ctx.sources.get(MAIN, ()), values, strict=True):
            table[_free_name(source, table)] = value
        return {**table, **named}


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """`load`, or `load_2` where two ports of one node came."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


class ConditionConfig(BaseModel):
    """The config of a condition that is an expression."""

    model_config = ConfigDict(extra="forbid")

    test: str | dict[str, Any] = Field(
        description="What is asked: an expression as `total.amount > 1000`, or a condition as an object."
    )


class Condition(FunctionNode):
    """Asks a question and fires `true` or `false`, exactly one; its own output is the answer.

    What comes in at `main` leaves by the port that fires; without it, the answer does.
    """

    type: ClassVar[str] = "control.condition"
    title: ClassVar[str] = "Condition"
    category: ClassVar[Category] = Category.LOGIC
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = ConditionConfig
    expressions: ClassVar[tuple[str, ...]] = ("test",)
    ports: ClassVar[NodePorts] = NodePorts(
        (PASSING,),
        (
            OutputPort(MAIN, DataType.BOOLEAN, help="the answer"),
            OutputPort("true", help="fires when the answer is yes"),
            OutputPort("false", help="fires when the answer is no"),
        ),
    )

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """Those of every condition, and the parameters of a function."""
        if "function" not in node.config:
            return cls.ports
        of_function = function_ports(node.config)
        own = tuple(port for port in cls.ports.inputs if of_function.input(port.name) is None)
        return NodePorts(of_function.inputs + own, cls.ports.outputs, of_function.open)

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, be it an expression or a function."""
        return super().check(node) if "function" in node.config else check_config(ConditionConfig, node)

    @classmethod
    def dead_ports(cls, node: Node) -> tuple[str, ...]:
        """The answer that can't be, where the test doesn't depend on anything."""
        test = node.config.get("test")
        if not isinstance(test, str | dict) or "(" in str(test):  # what calls a function may depend on the clock
            return ()
        used = references_of(node, cls)
        if used.names or used.problems:
            return ()
        try:
            return ("false",) if _ask(test, {}) else ("true",)
        except ExpressionError:
            return ()

    @classmethod
    def choices(cls, node: Node) -> tuple[str, ...]:
        """Yes or no."""
        del node
        return ("true", "false")

    def outcome(self, value: Any, inputs: Mapping[str, Any]) -> Output:
        """The port that the answer opens, with what passes through it."""
        answer = _yes_or_no(value)
        port = "true" if answer else "false"
        return Output(answer, ports=(port,), values={port: passing(inputs, answer)})

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Ask."""
        if not isinstance(self.config, ConditionConfig):
            return await super().execute(ctx, inputs)
        return self.outcome(_ask(self.config.test, scope(ctx, inputs)), inputs)


def _ask(test: str | dict[str, Any], names: Mapping[str, Any]) -> Any:
    from flownb.expr import compile_condition

    return compile_condition(test).evaluate(names)


def _yes_or_no(value: Any) -> bool:
    try:
        return bool(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"A condition answers yes or no; its test gave a {type(value).__name__}, which is neither: {error}"
        ) from error


class DelayConfig(BaseModel):
    """The config of a delay."""

    model_config = ConfigDict(extra="forbid")

    seconds: Duration | None = Field(None, ge=0, allow_inf_nan=False, description="How long to wait.")
    until: datetime | None = Field(
        None, description="The moment to wait for; without an offset it is the machine's local time."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("a delay takes seconds or until, one of them")
        return self


class Delay(NodeType):
    """Waits for a while or for a moment, and passes on what came in; the run costs nothing meanwhile."""

    type: ClassVar[str] = "control.delay"
    title: ClassVar[str] = "Delay"
    category: ClassVar[Category] = Category.LOGIC
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = DelayConfig
    ports: ClassVar[NodePorts] = NodePorts((PASSING,))

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Be parked until the time has come, then give what came in."""
        config: DelayConfig = self.config
        if ctx.resumed is None:
            now = ctx.now()
            until = config.until.timestamp() if config.until is not None else now + (config.seconds or 0)
            if until > now:
                return Suspend(waits_for="timer", until=until)
        return passing(inputs)
