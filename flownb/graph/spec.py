"""One definition as it was written: the node's record, and what its wires will be made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict, TypeVar

import msgspec

from flownb.errors import InvalidInput, UsageError, near_names
from flownb.graph.function import Signature
from flownb.graph.hints import may_have_forms
from flownb.graph.refs import NodeRef, Source
from flownb.graph.strategies import handlers_of
from flownb.ids import slug
from flownb.model.durations import FORM, as_seconds, seconds_in, timed
from flownb.model.ports import MAIN
from flownb.model.status import OnCrash, OnError, Where
from flownb.model.workflow import Cache, JoinCount, Limits, Node, RetryPolicy

if TYPE_CHECKING:
    from flownb.graph.refs import PortRef, Sources

Choice = TypeVar("Choice", bound=Enum)
Record = TypeVar("Record", bound=msgspec.Struct)


class Origin(NamedTuple):
    """Where a definition was made: which execution of which cell of a notebook."""

    cell: str
    execution: int
    #: What to call the cell in messages.
    label: str = ""

    def __str__(self) -> str:
        return self.label or f"cell {self.cell}"


class NodeOptions(TypedDict, total=False):
    """What every builder of a node takes besides what its type needs."""

    #: What people read, where it is not the id.
    name: str
    #: Of an input, an expression that makes it: `{"limit": "load.rows * 2"}`.
    input_mapping: Mapping[str, Any] | None
    #: Of a variable of the run, an expression that makes it of the node's output: `{"total": "output.amount"}`.
    output_mapping: Mapping[str, Any] | None
    #: What must have happened before: nodes (an order), ports (a gate), ids, and lists of them mixed.
    after: Sources
    #: Of a parameter that is not called like its node: the node or port that feeds it, or a list for `many`.
    inputs: Mapping[str, Any]
    #: Attempts in all, or a whole policy.
    retry: int | RetryPolicy | Mapping[str, Any] | None
    #: Seconds for one attempt; here and below also a text as `1h 30m`.
    timeout: float | str | timedelta | None
    #: The longest silence of one attempt.
    heartbeat: float | str | timedelta | None
    on_error: str | OnError | None
    #: What the node completes with when it has failed, a value or what a node or function gives that then runs in its
    #: place; implies `on_error="fallback"`.
    fallback: Any
    #: The node, or the function, that undoes what this one did when a run is undone.
    compensation: NodeRef | Callable[..., Any] | str | None
    #: What is done about single errors, by class of error or exception: a strategy, a dict of it, or a list of them.
    strategies: Any
    on_crash: str | OnCrash | None
    #: Of a plain function: `thread`, `process` or `main`.
    where: str | Where | None
    #: How many gates and orders must be live: `"all"`, `"any"`, or a number.
    join: str | int | Mapping[str, int] | JoinCount | None
    #: True, seconds that an entry holds, or a whole policy.
    cache: float | Cache | Mapping[str, Any] | None
    #: `memory_mb` and `cpu_seconds` of a node in a process, and `resources` by name.
    limits: Limits | Mapping[str, Any] | None
    #: Passes its input through instead of running.
    #: What inputs must look like, by their names: pydantic models, dataclasses, TypedDicts, JSON Schema, `DataSchema`.
    input_schema: Mapping[str, Any]
    #: The same for what comes out at `main`; or a dict by the names of ports.
    output_schema: Any
    disabled: bool
    notes: str
    #: The loop or the branch that it lies in, where it is not defined in a `with` of that.
    parent: NodeRef | PortRef | str | None


#: The keywords of `add` that belong to the node; all others are its config.
OPTION_NAMES: Final = frozenset(NodeOptions.__annotations__)


class Spec(msgspec.Struct, frozen=True):
    """A node and its wires, not yet resolved: names are looked up when the flow is built."""

    node: Node
    after: tuple[Source, ...] = ()
    inputs: dict[str, tuple[Source, ...]] = {}
    signature: Signature | None = None
    function: Callable[..., Any] | None = None
    origin: Origin | None = None
    #: The branch of a parallel that it was defined in.
    branch: Source | None = None
    #: The flow that it runs, of a subflow that was given one.
    flow: Any = None

    @property
    def place(self) -> str:
        """Where its function stands in a file, as `flow.py:12`; empty where there is none."""
        code = getattr(self.function, "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


def node_record(node_id: str, options: NodeOptions) -> dict[str, Any]:
    """The fields of `Node` that the options set.

    Raises:
        UsageError: an option is unknown, or its value is none that it can have.
    """
    for unknown in options.keys() - OPTION_NAMES:
        raise UsageError(f"{node_id}: a node has no option {unknown!r}.{near_names(unknown, OPTION_NAMES)}")
    read = _Options(node_id)
    fallback = options.get("fallback")
    on_error = options.get("on_error")
    if on_error is None:
        on_error = OnError.FALLBACK if "fallback" in options else OnError.STOP
    return {
        "retry": read.retry(options.get("retry")),
        "timeout": read.seconds("timeout", options.get("timeout")),
        "heartbeat": read.seconds("heartbeat", options.get("heartbeat")),
        "on_error": read.choice(OnError, "on_error", on_error),
        "fallback": None if isinstance(fallback, NodeRef) else fallback,
        "fallback_node": fallback.id if isinstance(fallback, NodeRef) else None,
        "compensation": read.node_name("compensation", options.get("compensation")),
        "strategies": handlers_of(node_id, options.get("strategies")),
        "on_crash": read.maybe(OnCrash, "on_crash", options.get("on_crash")),
        "where": read.maybe(Where, "where", options.get("where")),
        "join": read.join(options.get("join")),
        "cache": read.cache(options.get("cache")),
        "limits": record_of(Limits, node_id, "limits", options.get("limits")),
        "input_schema": read.schemas("input_schema", options.get("input_schema")),
        "output_schema": read.schemas("output_schema", options.get("output_schema"), alone=MAIN),
        "disabled": bool(options.get("disabled", False)),
        "input_mapping": read.table("input_mapping", options.get("input_mapping")),
        "output_mapping": read.table("output_mapping", options.get("output_mapping")),
    }


def with_forms(function: Callable[..., Any], options: NodeOptions) -> NodeOptions:
    """The options of a function's node, with the schemas that its annotations stand for."""
    if not may_have_forms(function):
        return options
    from flownb.graph.schemas.annotations import forms_of, is_form  # few nodes have any

    takes, gives = forms_of(function)
    if not takes and not gives:
        return options
    given = options.get("output_schema")
    alone = given is not None and (is_form(given) or not isinstance(given, Mapping))
    return {
        **options,
        "input_schema": {**takes, **(options.get("input_schema") or {})},
        "output_schema": given if alone else {**gives, **(given or {})},
    }


def record_of(cls: type[Record], owner: str, option: str, value: object) -> Record | None:
    """A record given as itself, as a dict of its fields, or not at all.

    Raises:
        UsageError: it is something else, or one of its fields is; the message begins with `owner`.
    """
    if value is None or isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise UsageError(f"{owner}: {option} takes a {cls.__name__} or a dict of its fields, not {value!r:.80}.")
    for unknown in value.keys() - set(cls.__struct_fields__):
        near = near_names(str(unknown), cls.__struct_fields__)
        raise UsageError(f"{owner}: {option} has no field {unknown!r}.{near}")
    try:
        return msgspec.convert(
            {key: as_seconds(each) if key in timed(cls) else each for key, each in value.items()}, cls
        )
    except InvalidInput as error:
        raise UsageError(f"{owner}: {option}: {error}") from error
    except msgspec.ValidationError as error:
        raise UsageError(f"{owner}: {option}: {error}.") from error


class _Options:
    """Reads the options of one node, and names it in every message."""

    def __init__(self, node_id: str) -> None:
        self.node = node_id

    def choice(self, enum: type[Choice], option: str, value: object) -> Choice:
        try:
            return enum(value)
        except ValueError:
            known = [each.value for each in enum]
            near = near_names(str(value), known)
            raise UsageError(f"{self.node}: {option}={value!r} is not one of {', '.join(known)}.{near}") from None

    def maybe(self, enum: type[Choice], option: str, value: object) -> Choice | None:
        return None if value is None else self.choice(enum, option, value)

    def node_name(self, option: str, value: object) -> str | None:
        match value:
            case None:
                return None
            case NodeRef():
                return value.id
            case str():
                return slug(value)
        raise UsageError(f"{self.node}: {option} takes a node, its id or a function, not {value!r:.80}.")

    def table(self, option: str, value: object) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise UsageError(f"{self.node}: {option} takes a dict of expressions by name, not {value!r:.80}.")
        return dict(value)

    def retry(self, value: object) -> RetryPolicy | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return RetryPolicy(attempts=value)
        if isinstance(value, Mapping) and "on" in value:
            on = (
                value["on"] if isinstance(value["on"], Sequence) and not isinstance(value["on"], str) else [value["on"]]
            )
            value = {**value, "on": [each.__name__ if isinstance(each, type) else each for each in on]}
        return record_of(RetryPolicy, self.node, "retry", value)

    def seconds(self, option: str, value: object) -> float | None:
        match value:
            case None:
                return None
            case timedelta():
                return value.total_seconds()
            case str():
                try:
                    return seconds_in(value)
                except InvalidInput as error:
                    raise UsageError(f"{self.node}: {option}: {error}") from error
            case int() | float() if not isinstance(value, bool):
                return float(value)
        raise UsageError(f"{self.node}: {option} takes {FORM} or a timedelta, not {value!r:.80}.")

    def join(self, value: object) -> str | JoinCount:
        match value:
            case None | "all":
                return "all"
            case "any":
                return "any"
            case JoinCount():
                return value
            case {"count": int(count), **rest} if not rest:
                return JoinCount(count)
            case int() if not isinstance(value, bool):
                return JoinCount(value)
        raise UsageError(f"{self.node}: join is 'all', 'any', or a number of gates and orders, not {value!r:.80}.")

    def schemas(self, option: str, value: Any, *, alone: str = "") -> dict[str, Any]:
        """Schemas by port; with `alone`, one that stands for itself is of that port."""
        if value is None or value == {}:
            return {}
        from flownb.graph.schemas.annotations import is_form, schema_of  # few nodes have any

        if alone and (is_form(value) or not isinstance(value, Mapping)):
            value = {alone: value}
        if not isinstance(value, Mapping):
            raise UsageError(f"{self.node}: {option} takes a dict by the names of inputs, not {value!r:.80}.")
        try:
            return {str(port): schema_of(each) for port, each in value.items()}
        except UsageError as error:
            raise UsageError(f"{self.node}: {option}: {error}") from error

    def cache(self, value: object) -> Cache | None:
        match value:
            case bool():
                return Cache(enabled=value)
            case int() | float():
                return Cache(enabled=True, ttl=float(value))
        return record_of(Cache, self.node, "cache", value)
