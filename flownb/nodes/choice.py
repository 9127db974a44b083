"""The node that goes one of many ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import ExpressionError
from flownb.graph.nodetype import Expression, NodeType, Output
from flownb.model.ports import AFTER, ERROR, MAIN, InputPort, NodePorts, OutputPort
from flownb.model.status import Category
from flownb.nodes.control import passing
from flownb.nodes.scope import scope

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node

#: The port that fires when no case does.
DEFAULT: Final = "default"

_TAKEN: Final = (MAIN, ERROR, AFTER, DEFAULT)
_IN: Final = (InputPort(MAIN, many=True, unwired=True, help="leaves by the ports that fire"),)
_OUT: Final = (
    OutputPort(MAIN, help="the name of the port that fired; with mode `all`, the list of them"),
    OutputPort(DEFAULT, help="fires when no case does"),
)


class Case(BaseModel):
    """One case: its port, and when it fires."""

    model_config = ConfigDict(extra="forbid")

    port: str = Field(description="The name of its port.")
    when: str | dict[str, Any] | None = Field(
        None, description="An expression as `total.amount > 1000`, or a condition as an object."
    )
    equals: Any = Field(None, description="What the value must be.")
    one_of: list[Any] | None = Field(None, description="What the value may be.")

    @field_validator("port")
    @classmethod
    def _free_identifier(cls, port: str) -> str:
        if not port.isidentifier():
            raise ValueError("a port is called like a variable: letters, digits and _")
        if port in _TAKEN:
            raise ValueError(f"no case can be called {', '.join(_TAKEN)}")
        return port

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if len(self.model_fields_set & {"when", "equals", "one_of"}) != 1:
            raise ValueError(f"the case {self.port!r} takes one of when, equals and one_of")
        return self


class SwitchConfig(BaseModel):
    """The config of a switch."""

    model_config = ConfigDict(extra="forbid")

    cases: list[Case] = Field(min_length=1, description="The cases, in the order in which they are tried.")
    value: Any = Field(
        None,
        description="What `equals` and `one_of` are compared with, as `{{ order.tier }}`; by default what comes in at "
        "`main`.",
    )
    mode: Literal["first", "all"] = Field(
        "first", description="Whether the first case that holds fires, or every one that does."
    )

    @model_validator(mode="after")
    def _ports_once(self) -> Self:
        ports = [case.port for case in self.cases]
        for number, port in enumerate(ports):
            if port in ports[:number]:
                raise ValueError(f"there are two cases {port!r}: put their conditions into one, by `or`")
        return self


class Switch(NodeType):
    """Fires the port of the first case that holds, or of each that does; `default` if none.

    What comes in at `main` leaves by the ports that fire; without it, their name does. Values are equal as in an
    expression: 1 and 1.0 are, 1 and "1" are not.
    """

    type: ClassVar[str] = "control.switch"
    title: ClassVar[str] = "Switch"
    category: ClassVar[Category] = Category.LOGIC
    instant: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = SwitchConfig
    ports: ClassVar[NodePorts] = NodePorts(_IN, _OUT)

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """A port for each case, `default` last."""
        cases = [case.get("port") for _, case in _cases(node.config)]
        names = dict.fromkeys(name for name in cases if isinstance(name, str) and name not in _TAKEN)
        return NodePorts(_IN, (_OUT[0], *(OutputPort(name) for name in names), _OUT[1]))

    @classmethod
    def choices(cls, node: Node) -> tuple[str, ...]:
        """The cases and `default`, where the first that holds fires alone."""
        return () if node.config.get("mode") == "all" else tuple(port.name for port in cls.ports_of(node).outputs[1:])

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterator[Expression]:
        """The conditions of the cases."""
        for number, case in _cases(config):
            if isinstance(case.get("when"), str | dict):
                yield Expression(f"cases[{number}].when", case["when"])

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output:
        """Try the cases."""
        config: SwitchConfig = self.config
        names = scope(ctx, inputs)
        value = config.value if "value" in config.model_fields_set else passing(inputs)
        fired = []
        for case in config.cases:
            try:
                holds = _holds(case, value, names)
            except ExpressionError as error:
                message = f"{ctx.path}, case {case.port!r}: {error.message}"
                raise ExpressionError(message, text=error.text, position=error.position) from error
            if holds:
                fired.append(case.port)
                if config.mode == "first":
                    break
        ports = tuple(fired) or (DEFAULT,)
        answer: Any = ports[0] if config.mode == "first" else list(ports)
        return Output(answer, ports=ports, values={port: passing(inputs, port) for port in ports})


def _cases(config: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The cases of a config that may be anything, with their numbers."""
    cases = config.get("cases")
    return [(n, case) for n, case in enumerate(cases) if isinstance(case, dict)] if isinstance(cases, list) else []


def _holds(case: Case, value: Any, names: Mapping[str, Any]) -> bool:
    from flownb.expr import compile_condition

    if case.when is not None:
        return compile_condition(case.when).evaluate(names)
    if case.one_of is not None:
        return compile_condition("value in options").evaluate({"value": value, "options": case.one_of})
    return compile_condition("value == other").evaluate({"value": value, "other": case.equals})
