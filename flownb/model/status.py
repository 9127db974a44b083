"""Every status and every closed kind, each written once."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RunStatus(StrEnum):
    """Where a run is. Completed and cancelled are final; a failed run can be resumed."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing goes on by itself and nobody is waited for."""
        return self in _ENDED_RUNS


#: The statuses because of which another workflow can be started.
CALLING_STATUSES: Final = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.PAUSED)
_ENDED_RUNS: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})


class PauseReason(StrEnum):
    """What a paused run waits for."""

    HUMAN = "human"
    TIMER = "timer"
    EVENT = "event"
    BUDGET = "budget"
    BREAKPOINT = "breakpoint"
    MANUAL = "manual"
    ERROR = "error"
    IN_DOUBT = "in_doubt"


#: Reasons that somebody's answer ends, and not a time or a command.
ASKS: Final = frozenset({PauseReason.HUMAN, PauseReason.EVENT, PauseReason.IN_DOUBT})


class NodeStatus(StrEnum):
    """Where a node of a run is. `queued` is shown for ready nodes and never journaled."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the node's edges are settled."""
        return self in _ENDED_NODES


_ENDED_NODES: Final = frozenset({NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED})


class ApprovalStatus(StrEnum):
    """Where a request to a person is; the port says which answer it got."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


#: What the usual ports make of a request; any other answer is `answered`.
ANSWERS: Final[dict[str, ApprovalStatus]] = {
    "approved": ApprovalStatus.APPROVED,
    "rejected": ApprovalStatus.REJECTED,
}


class WorkflowStatus(StrEnum):
    """The life of a definition."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Visibility(StrEnum):
    """Who may see a definition."""

    PRIVATE = "private"
    TEAM = "team"
    PUBLIC = "public"


class TemplateCategory(StrEnum):
    """The shelves of the template gallery."""

    CUSTOMER_SUPPORT = "customer-support"
    DATA_ANALYSIS = "data-analysis"
    CONTENT_GENERATION = "content-generation"
    AUTOMATION = "automation"
    RESEARCH = "research"
    SALES = "sales"
    MARKETING = "marketing"
    OTHER = "other"


class Complexity(StrEnum):
    """For whom a template is."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Category(StrEnum):
    """The six groups of node types; they give the palette its order and the picture its icons."""

    TRIGGER = "trigger"
    CONFIG = "config"
    INTERFACE = "interface"
    ACTION = "action"
    LOGIC = "logic"
    RESULT = "result"


class OnError(StrEnum):
    """What happens when a node has failed and no attempt is left (DESIGN: errors)."""

    STOP = "stop"
    CONTINUE = "continue"
    SKIP = "skip"
    ERROR_PORT = "error_port"
    FALLBACK = "fallback"
    COMPENSATE = "compensate"
    PAUSE = "pause"


class Strategy(StrEnum):
    """What is done about failures of one class: another attempt, or what `OnError` has."""

    RETRY = "retry"
    STOP = "stop"
    CONTINUE = "continue"
    SKIP = "skip"
    ERROR_PORT = "error_port"
    FALLBACK = "fallback"
    COMPENSATE = "compensate"
    PAUSE = "pause"


class FailurePolicy(StrEnum):
    """What the other nodes of a run do when one has failed and its `on_error` stops the run."""

    #: They are cancelled and awaited.
    FAIL_FAST = "fail_fast"
    #: They end, and so do those that need none of what failed; then all errors are raised together.
    COLLECT = "collect"


class OnCrash(StrEnum):
    """What happens to a node that was in flight when its process died."""

    RERUN = "rerun"
    ASK = "ask"
    FAIL = "fail"


class ErrorClass(StrEnum):
    """The kinds of failure that a retry policy or a handler may name."""

    TIMEOUT = "timeout"
    VALIDATION = "validation"
    EXECUTION = "execution"
    DEPENDENCY = "dependency"


class RunMode(StrEnum):
    """How a run was asked for; pinned outputs count in no headless run."""

    TEST = "test"
    MANUAL = "manual"
    PRODUCTION = "production"


class VariableScope(StrEnum):
    """Whose a variable is: of one run, or of its workflow and so of the runs that start later as well."""

    RUN = "run"
    WORKFLOW = "workflow"


class Durability(StrEnum):
    """What a committed event survives: `process` a kill -9, `power` the plug as well."""

    PROCESS = "process"
    POWER = "power"


class Where(StrEnum):
    """Where the body of a node runs; async functions always run on the engine's loop."""

    LOOP = "loop"
    #: A thread of the engine's process: it shares everything, and can't be stopped from outside.
    THREAD = "thread"
    #: A process of its own: begun clean, limited, and ended with all that it has started.
    PROCESS = "process"
    #: The main thread of the engine's process.
    MAIN = "main"


#: Other words for the same thing, accepted at the border and nowhere else.
STATUS_ALIASES: Final[dict[str, str]] = {
    "new": "pending",
    "success": "completed",
    "error": "failed",
    "suspended": "paused",
    "started": "running",
}
