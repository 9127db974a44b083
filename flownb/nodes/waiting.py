"""The node that waits for an event from outside: a signal that somebody hands to the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from flownb.errors import NodeTimeout
from flownb.graph.nodetype import NodeType, Output, Suspend
from flownb.model.ports import MAIN, InputPort, NodePorts, OutputPort
from flownb.model.status import Category, PauseReason
from flownb.nodes.durations import Duration

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context

_RECEIVED: Final = "received"
_TIMEOUT: Final = "timeout"


class WaitForEventConfig(BaseModel):
    """The config of a node that waits for an event."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    event: str = Field(
        min_length=1,
        validation_alias=AliasChoices("event", "event_type"),
        description="The name of the signal, as `paid`; or one of many, as `paid-{{ order.id }}`.",
    )
    timeout: Duration | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Seconds to wait; then the port `timeout` fires, or the node fails.",
    )


class WaitForEvent(NodeType):
    """Waits for `run.signal(name, value)` or `flownb signal RUN NAME VALUE`, and gives the value.

    The run costs nothing meanwhile. A signal that came before anybody waited for it is kept.
    """

    type: ClassVar[str] = "control.wait_for_event"
    title: ClassVar[str] = "Wait for event"
    category: ClassVar[Category] = Category.LOGIC
    Config: ClassVar[builtins.type[BaseModel] | None] = WaitForEventConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (InputPort(MAIN, many=True, unwired=True, help="what expressions call `main`"),),
        (
            OutputPort(MAIN, help="the value that came with the signal"),
            OutputPort(_RECEIVED, help="fires when the signal came"),
            OutputPort(_TIMEOUT, help="fires when it did not come in time"),
        ),
    )

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Be parked until the signal comes.

        Raises:
            NodeTimeout: it did not come in time, and no edge leaves the port `timeout`.
        """
        del inputs
        config: WaitForEventConfig = self.config
        if ctx.resumed is None:
            until = None if config.timeout is None else ctx.now() + config.timeout
            return Suspend(waits_for=PauseReason.EVENT, name=config.event, until=until)
        if isinstance(ctx.resumed, Mapping):
            value = ctx.resumed.get("value")
            return Output(value, ports=(_RECEIVED,), values={_RECEIVED: value})
        if _TIMEOUT in ctx.wired_ports:
            return Output(None, ports=(_TIMEOUT,))
        raise NodeTimeout(
            f"The event {config.event!r} did not come within {config.timeout:g} s. Wire the port `timeout` to go on "
            "without it.",
            node=ctx.path,
            timeout=config.timeout,
        )
