"""The nodes that stand for what started a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.graph.nodetype import NodeType
from flownb.model.ports import MAIN, DataType, NodePorts, OutputPort
from flownb.model.status import Category

if TYPE_CHECKING:
    from flownb.graph.nodetype import Context

#: What a run gets that somebody starts by hand, to see how it works.
EXAMPLE: Final = {
    "run": "example",
    "store": "",
    "workflow": "example",
    "error": {
        "type": "ValueError",
        "message": "an example of an error",
        "class": "execution",
        "recoverable": True,
        "traceback": "",
    },
    "last_node": "load",
    "retry_of": None,
    "key": None,
    "mode": "manual",
    "trigger": "manual",
    "failed_at": "2026-01-01T00:00:00Z",
}

#: The same for a status.
STATUS_EXAMPLE: Final = {
    "run": "example",
    "store": "",
    "workflow": "example",
    "status": "completed",
    "pause_reason": None,
    "until": None,
    "message": "",
    "outputs": {"total": 12.5},
    "previews": {"total": "12.5"},
    "key": None,
    "mode": "manual",
    "trigger": "manual",
    "started_at": "2026-01-01T00:00:00Z",
    "finished_at": "2026-01-01T00:00:01Z",
    "duration_ms": 1000,
}


class ErrorTrigger(NodeType):
    """Begins a workflow that is started because a run of another failed (`flow.on_failure`), and gives what is known.

    In a run that somebody starts by hand it gives an example.
    """

    type: ClassVar[str] = "trigger.error"
    title: ClassVar[str] = "Error trigger"
    category: ClassVar[Category] = Category.TRIGGER
    instant: ClassVar[bool] = True
    ports: ClassVar[NodePorts] = NodePorts(
        (),
        (OutputPort(MAIN, DataType.OBJECT, help="the failed run: run, workflow, error, last_node, retry_of, …"),),
    )

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give what is known of the failure."""
        del inputs
        return dict(ctx.payload or EXAMPLE)


class StatusTrigger(NodeType):
    """Begins a workflow that is started because a run of another is completed, failed, cancelled or paused now.

    The other one names it (`flow.on_status`). In a run that somebody starts by hand it gives an example.
    """

    type: ClassVar[str] = "trigger.status"
    title: ClassVar[str] = "Status trigger"
    category: ClassVar[Category] = Category.TRIGGER
    instant: ClassVar[bool] = True
    ports: ClassVar[NodePorts] = NodePorts(
        (),
        (OutputPort(MAIN, DataType.OBJECT, help="the run: run, workflow, status, pause_reason, outputs, …"),),
    )

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give what is known of the run."""
        del inputs
        return dict(ctx.payload or STATUS_EXAMPLE)
