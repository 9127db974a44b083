"""The definition of a workflow: plain frozen data, the same for code, canvas, REST and file.

Field docs stand beside the fields; the JSON form is `document.py`'s. Everything here is hashable by content through
`fingerprint.py`, and nothing here knows a node type. Limits stand in the annotations, where the checker of documents
reads them; making a value in Python checks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from flownb.model.durations import MARK
from flownb.model.ports import AFTER, MAIN, ConnectionType
from flownb.model.status import (
    Complexity,
    FailurePolicy,
    OnCrash,
    OnError,
    Strategy,
    TemplateCategory,
    Visibility,
    Where,
    WorkflowStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The version of the document format that this code writes.
FORMAT: Final = 1

#: A name that Python takes as one; checked by `extra`, which msgspec leaves to us.
Identifier = Annotated[str, msgspec.Meta(max_length=200, extra={"identifier": True})]
#: What is read in one line: names, types, tags.
Line = Annotated[str, msgspec.Meta(max_length=1_000)]
#: What may go over many lines: descriptions, notes, expressions.
Prose = Annotated[str, msgspec.Meta(max_length=100_000)]
#: Counts from 1.
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
#: A length of time; where it is read, a text as `1h 30m` will do as well.
Seconds = Annotated[float, msgspec.Meta(ge=0, extra=MARK)]
Minutes = Annotated[float, msgspec.Meta(ge=0)]
#: Which of several words a field may be, where no enumeration has them.
Join = Annotated[str, msgspec.Meta(extra={"one_of": ("all", "any")})]
Overlap = Annotated[str, msgspec.Meta(extra={"one_of": ("block", "queue", "allow", "replace")})]


class RetryPolicy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How often and how fast a failed attempt is repeated; validation errors never are."""

    #: Attempts in all, the first included.
    attempts: Count = 3
    #: Seconds before the second attempt.
    delay: Seconds = 1.0
    #: What each further delay is multiplied by.
    backoff: Annotated[float, msgspec.Meta(ge=1)] = 2.0
    #: The longest delay, in seconds.
    max_delay: Seconds = 300.0
    #: The share of the delay that is random, 0 to 1, so that many don't come back at once.
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    #: Names of exceptions or error classes to repeat for; empty means all.
    on: tuple[Line, ...] = ()


class JoinCount(msgspec.Struct, frozen=True):
    """Start when so many of the gates and orders are live."""

    count: Count


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a node may use; memory and CPU hold only where it runs in a process of its own."""

    #: For its process and all that it starts together, the interpreter included.
    memory_mb: Count | None = None
    #: Of CPU time, for its process and all that it starts together; one attempt.
    cpu_seconds: Seconds | None = None
    #: Named resources that it takes while it runs, as `{"gpu": 1}`; how many there are, `Settings.resources` says.
    resources: dict[str, Count] = {}


class Cache(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Reuse of an earlier output of equal code, config and inputs."""

    enabled: bool = False
    #: Seconds that an entry holds; None means for ever.
    ttl: Seconds | None = None


class ErrorHandler(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is done about failures of one class: of a node, or in the whole workflow."""

    #: An error class, the name of an exception, or `any`.
    error: Line
    strategy: Strategy = Strategy.STOP
    #: Attempts in all, and seconds before the second one, for `retry`.
    attempts: Count | None = None
    delay: Seconds | None = None
    #: What people are told beside the error.
    message: Prose = ""
    #: Of a workflow's: the node that is started when the run is about to fail with such an error.
    target: Line | None = None


class Node(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One node of a workflow."""

    #: A Python identifier, unique in the workflow.
    id: Identifier
    #: `family.name`, or `python` for a function.
    type: Line
    type_version: Count = 1
    #: What people read; the id where empty.
    name: Line = ""
    config: dict[str, Any] = {}
    #: What its inputs are made of, by an expression for each, as `load.rows[0]`; they come before edges.
    input_mapping: dict[Line, Any] = {}
    #: The variables of the run that its output becomes, by an expression for each, as `output.total`.
    output_mapping: dict[Line, Any] = {}
    #: The loop or group that it is inside.
    parent: Line | None = None
    #: `all`, `any`, or a count, over gates and orders together.
    join: Join | JoinCount = "all"
    retry: RetryPolicy | None = None
    #: Seconds for one attempt, waiting excluded.
    timeout: Seconds | None = None
    #: The longest time in which an attempt may say nothing (`ctx.heartbeat`, status, progress, step) before it counts
    #: as stuck and fails.
    heartbeat: Seconds | None = None
    on_error: OnError = OnError.STOP
    #: The value that a node with `on_error = fallback` completes with.
    fallback: Any = None
    #: The node that runs in its place when it has failed, and whose output it completes with.
    fallback_node: Line | None = None
    #: The node that undoes what this one did, when a run fails that has to be undone.
    compensation: Line | None = None
    #: What is done about single classes of errors, before `retry` and `on_error`; the first that fits.
    strategies: tuple[ErrorHandler, ...] = ()
    #: None takes the default of the node's type.
    on_crash: OnCrash | None = None
    where: Where | None = None
    cache: Cache | None = None
    limits: Limits | None = None
    #: What a value must look like to come in at a port, or go out at one, by the port's name: JSON Schema, and beside
    #: that `columns` of a DataFrame.
    input_schema: dict[str, Any] = {}
    output_schema: dict[str, Any] = {}
    disabled: bool = False
    notes: Prose = ""
    #: An output that takes the place of running it.
    pinned: Any = msgspec.UNSET

    @property
    def title(self) -> str:
        """What people read."""
        return self.name or self.id


class Edge(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A wire from a node to a parameter or port of another, or an order between them.

    An `after` edge without `source_port` is an order; with a port or a condition it is a gate.
    """

    source: Line
    target: Line
    source_port: Line | None = None
    target_port: Line = MAIN
    type: ConnectionType = ConnectionType.MAIN
    #: An expression over the source's output; evaluated once, when the source commits.
    condition: Prose | None = None

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

    name: Identifier
    #: A port type's name.
    type: Line = "any"
    default: Any = msgspec.UNSET
    #: Its value is a reference like `secret://name`, never the secret.
    secret: bool = False
    description: Prose = ""

    @property
    def required(self) -> bool:
        """Whether a run must be given a value."""
        return self.default is msgspec.UNSET


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What may start a run by itself."""

    id: Line
    type: Line
    config: dict[str, Any] = {}
    enabled: bool = True


class Watch(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """From what on a run gets a warning with advice; None for never."""

    #: Seconds that one attempt takes.
    node_seconds: Seconds | None = 30.0
    #: Seconds that a run is at work, pauses excluded.
    run_seconds: Seconds | None = 300.0
    #: Megabytes by which the memory of the process has grown since the run went to work.
    memory_mb: Count | None = 500


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Settings of every run of a workflow."""

    #: Nodes alive at once; the rest waits in the ready queue.
    concurrency: Count = 256
    #: Seconds for the whole run, waiting excluded: a pause, for whatever reason, stops its clock.
    timeout: Seconds | None = None
    #: What the others do when a node has failed and its `on_error` is stop.
    failures: FailurePolicy = FailurePolicy.FAIL_FAST
    #: How much there is of each resource that nodes take (`limits.resources`), for all runs of a process together; 1 of
    #: each that is not named, and one a processor of `process`, which nodes with where="process" take. Where runs of
    #: one process differ, the smaller number holds while nodes of both are at work.
    resources: dict[Line, Count] = {}
    #: The workflow that is started when a run has failed: `module:flow` or a workflow file; `flow:name` for one that
    #: only this process knows.
    error_workflow: Line = ""
    #: The workflows that are started when a run is now `completed`, `failed`, `cancelled` or `paused`, by status; named
    #: as `error_workflow` is.
    on_status: dict[Line, Line] = {}
    #: What a trigger does while a run is unfinished.
    overlap: Overlap = "block"
    #: IANA name; the machine's where empty.
    time_zone: Line = ""
    #: Minutes that a finished run stays in the memory of its process; the store keeps it, and it is read from there.
    memory_minutes: Minutes = 5.0
    #: Days after its end that `flownb gc` keeps a run; None means for ever.
    keep_days: Annotated[float, msgspec.Meta(ge=0)] | None = None
    #: How many of its ended runs `flownb gc` keeps, the newest; None means all.
    keep_runs: Annotated[int, msgspec.Meta(ge=0)] | None = None
    #: Money or tokens that a run may spend, by name.
    budget: dict[str, Annotated[float, msgspec.Meta(ge=0)]] = {}
    #: When a run is told that something takes long or much.
    watch: Watch = Watch()


class Template(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a gallery shows of a workflow that others may copy."""

    category: TemplateCategory = TemplateCategory.OTHER
    complexity: Complexity = Complexity.BEGINNER
    featured: bool = False
    downloads: Annotated[int, msgspec.Meta(ge=0)] = 0
    rating: float | None = None
    badge: Line = ""


class Workflow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A definition, complete: what `run` needs and what a file keeps."""

    id: Line = ""
    name: Line = ""
    description: Prose = ""
    version: Annotated[int, msgspec.Meta(ge=0)] = 1
    status: WorkflowStatus = WorkflowStatus.DRAFT
    tags: tuple[Line, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    created_by: Line = ""
    owner: Line = ""
    workspace: Line = ""
    template: Template | None = None
    variables: tuple[Variable, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    nodes: Annotated[tuple[Node, ...], msgspec.Meta(max_length=100_000)] = ()
    edges: Annotated[tuple[Edge, ...], msgspec.Meta(max_length=1_000_000)] = ()
    error_handlers: tuple[ErrorHandler, ...] = ()
    settings: Settings = Settings()
    #: Where the canvas draws each node, apart from what it does, so that moving one diffs in one line.
    positions: dict[str, tuple[float, float]] = {}

    def node(self, node_id: str) -> Node | None:
        """The node of that id."""
        return next((node for node in self.nodes if node.id == node_id), None)

    @classmethod
    def from_json(cls, source: str | bytes | Path | Mapping[str, Any]) -> Workflow:
        """The workflow of a document: its text, the path of its file, or its plain data.

        Raises:
            InvalidWorkflow: the document has problems; `.problems` has all of them.
            NotFound: no such file.
        """
        from flownb.model import document  # reads what is defined here

        return document.from_json(source)

    def to_json(self) -> str:
        """The document: sorted, indented, the same text for the same workflow.

        Raises:
            InvalidWorkflow: something in it has no place in a document; `.problems` says what and where.
        """
        from flownb.model import document

        return document.encode(self)
