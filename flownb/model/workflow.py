"""The definition of a workflow: plain frozen data, the same for code, canvas, REST and file.

Field docs stand beside the fields; the JSON form is `document.py`'s. Everything here is hashable by content through
`fingerprint.py`, and nothing here knows a node type.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from flownb.model.ports import AFTER, MAIN, ConnectionType
from flownb.model.status import OnCrash, OnError, Visibility, Where, WorkflowStatus

#: The version of the document format that this code writes.
FORMAT: Final = 1


class RetryPolicy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How often and how fast a failed attempt is repeated; validation errors never are."""

    #: Attempts in all, the first included.
    attempts: int = 3
    #: Seconds before the second attempt.
    delay: float = 1.0
    #: What each further delay is multiplied by.
    backoff: float = 2.0
    #: The longest delay, in seconds.
    max_delay: float = 300.0
    #: The share of the delay that is random, 0 to 1, so that many don't come back at once.
    jitter: float = 0.1
    #: Names of exceptions or error classes to repeat for; empty means all.
    on: tuple[str, ...] = ()


class JoinCount(msgspec.Struct, frozen=True):
    """Start when so many of the gates and orders are live."""

    count: int


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a node may use; memory and CPU hold only where it runs in a process of its own."""

    memory_mb: int | None = None
    cpu_seconds: float | None = None
    #: Named resources that it takes while it runs, as `{"gpu": 1}`.
    resources: dict[str, int] = {}


class Cache(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Reuse of an earlier output of equal code, config and inputs."""

    enabled: bool = False
    #: Seconds that an entry holds; None means for ever.
    ttl: float | None = None


class Node(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One node of a workflow."""

    #: A Python identifier, unique in the workflow.
    id: str
    #: `family.name`, or `python` for a function.
    type: str
    type_version: int = 1
    #: What people read; the id where empty.
    name: str = ""
    config: dict[str, Any] = {}
    #: The loop or group that it is inside.
    parent: str | None = None
    #: `all`, `any`, or a count, over gates and orders together.
    join: str | JoinCount = "all"
    retry: RetryPolicy | None = None
    #: Seconds for one attempt, waiting excluded.
    timeout: float | None = None
    on_error: OnError = OnError.STOP
    #: The value that a node with `on_error = fallback` completes with.
    fallback: Any = None
    #: None takes the default of the node's type.
    on_crash: OnCrash | None = None
    where: Where | None = None
    cache: Cache | None = None
    limits: Limits | None = None
    disabled: bool = False
    notes: str = ""
    pinned: Any = msgspec.UNSET

    @property
    def title(self) -> str:
        """What people read."""
        return self.name or self.id


class Edge(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A wire from a node to a parameter or port of another, or an order between them.

    An `after` edge without `source_port` is an order; with a port or a condition it is a gate.
    """

    source: str
    target: str
    source_port: str | None = None
    target_port: str = MAIN
    type: ConnectionType = ConnectionType.MAIN
    #: An expression over the source's output; evaluated once, when the source commits.
    condition: str | None = None

    @property
    def id(self) -> str:
        """`load.main->total.load`: unique, because two equal edges are one."""
        return f"{self.source}.{self.source_port or MAIN}->{self.target}.{self.target_port}"

    @property
    def is_data(self) -> bool:
        """Whether it carries a value."""
        return self.target_port != AFTER

    @property
    def is_gate(self) -> bool:
        """Whether it carries no value but a choice."""
        return self.target_port == AFTER and (self.source_port is not None or self.condition is not None)


class Variable(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An input of the workflow, or a variable that nodes may set while it runs."""

    name: str
    #: A port type's name.
    type: str = "any"
    default: Any = msgspec.UNSET
    #: Its value is a reference like `secret://name`, never the secret.
    secret: bool = False
    description: str = ""

    @property
    def required(self) -> bool:
        """Whether a run must be given a value."""
        return self.default is msgspec.UNSET


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What may start a run by itself."""

    id: str
    type: str
    config: dict[str, Any] = {}
    enabled: bool = True


class ErrorHandler(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is done about failures of one class in the whole workflow."""

    error: str
    strategy: OnError = OnError.STOP
    target: str | None = None


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Settings of every run of a workflow."""

    #: Nodes alive at once; the rest waits in the ready queue.
    concurrency: int = 256
    #: Seconds for the whole run, waiting excluded.
    timeout: float | None = None
    #: What a trigger does while a run is unfinished: block, queue, allow or replace.
    overlap: str = "block"
    #: IANA name; the machine's where empty.
    time_zone: str = ""
    #: Money or tokens that a run may spend, by name.
    budget: dict[str, float] = {}


class Template(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a gallery shows of a workflow that others may copy."""

    category: str = "other"
    complexity: str = "beginner"
    featured: bool = False
    downloads: int = 0
    rating: float | None = None
    badge: str = ""


class Workflow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A definition, complete: what `run` needs and what a file keeps."""

    id: str = ""
    name: str = ""
    description: str = ""
    version: int = 1
    status: WorkflowStatus = WorkflowStatus.DRAFT
    tags: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    created_by: str = ""
    owner: str = ""
    workspace: str = ""
    template: Template | None = None
    variables: tuple[Variable, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    error_handlers: tuple[ErrorHandler, ...] = ()
    settings: Settings = Settings()
    #: Where the canvas draws each node, apart from what it does, so that moving one diffs in one line.
    positions: dict[str, tuple[float, float]] = {}

    def node(self, node_id: str) -> Node | None:
        """The node of that id."""
        return next((node for node in self.nodes if node.id == node_id), None)
