"""What a node type is: a class with a config, named ports, and one coroutine that does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

import msgspec

from flownb.graph.configs import check_config, read_config
from flownb.model.ports import NodePorts
from flownb.model.problem import Problem
from flownb.model.status import Category, OnCrash, VariableScope, Where

if TYPE_CHECKING:
    import builtins
    import logging
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from flownb.model.workflow import Node


class Expression(NamedTuple):
    """An expression in a config that the node type evaluates by itself."""

    #: Where in the config, as `test` or `cases[0].when`.
    place: str
    #: The text, or a condition as an object.
    text: str | dict[str, Any]
    #: Whether it is an expression as a whole, and not text with `{{ }}` in it.
    bare: bool = True
    #: The names that the type gives to it, as `item`; any other names a node or an input.
    own: frozenset[str] = frozenset()


class Ending(msgspec.Struct, frozen=True):
    """How a node ends the whole run."""

    #: Whether it ends well; else it fails.
    well: bool = True
    message: str = ""
    #: Whether what completed nodes did is undone first, by their compensations.
    undo: bool = False


class Output(msgspec.Struct, frozen=True):
    """What a node returns when it chooses ports; any other return value is the value of `main`."""

    value: Any = None
    #: The ports that fire beside `main`; all others are dead. None for a node that has only `main`.
    ports: tuple[str, ...] | None = None
    #: Values of single ports, where they differ from `value`.
    values: dict[str, Any] = {}
    #: Variables that get a value with it.
    variables: dict[str, Any] = {}
    #: Whose variables they are: of this run, or of its workflow as well, whose later runs then begin with them.
    scope: VariableScope = VariableScope.RUN
    #: Ends the run: nothing more starts, and what is in flight is asked to stop.
    ending: Ending | None = None


class Preview(NamedTuple):
    """One thing that is shown beside a question."""

    name: str
    value: Any
    #: `value`, or `diff`: the value is the text of a unified diff.
    kind: str = "value"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked."""

    #: `confirmation`, `input`, `decision` or `review`.
    kind: str
    question: str
    #: The answers there are, the usual one first.
    ports: tuple[str, ...]
    details: str = ""
    preview: tuple[Preview, ...] = ()
    #: What comes with an answer, as JSON schema.
    form: dict[str, Any] | None = None
    #: Names of users and groups who may answer; empty for everybody.
    approvers: tuple[str, ...] = ()
    approvals_needed: int = 1
    rejections_needed: int = 1
    #: The port that fires when `until` has come without an answer; empty where the node fails then.
    expiry_port: str = "expired"
    #: What comes with an automatic answer.
    default: Any = None
    #: Whether who started the run may answer.
    self_approval: bool = True
    #: What the data may be changed to, as JSON schema; None where they may not be.
    edits: dict[str, Any] | None = None
    #: When an answer is due, seconds since 1970, and the seconds between two reminders from then on.
    due_at: float | None = None
    remind: float | None = None
    #: Through which of the operator's channels people are told, and who, where that is not all approvers.
    channels: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    #: Who is told, and may answer, from a moment on that nobody has answered until.
    escalate_to: tuple[str, ...] = ()
    escalate_at: float | None = None


class Suspend(msgspec.Struct, frozen=True, kw_only=True):
    """What a node returns to be parked until a person, a time or an event comes.

    When it has come, `execute` is called again with `ctx.resumed` set to what came: for a timer that is the time, for
    an event a table of `name` and `value`, for a person one of `approval` (the id), `port`, `data`, `comment`, `by`,
    `at`, and `action` (`decided`, or what the expiry did).
    """

    #: `human`, `timer` or `event`.
    waits_for: str
    #: When a timer fires, or when waiting is over: seconds since 1970.
    until: float | None = None
    #: The name of the event.
    name: str = ""
    #: What the node wants to find in `ctx.resume_data`; plain data.
    data: Any = None
    #: What a person is asked; with `human` only.
    ask: Ask | None = None


class Round(msgspec.Struct, gc=False):
    """One round of a loop, as its node sees it.

    Nothing that it holds leads back to it, so the collector has no need to look at it.
    """

    #: From 0.
    index: int
    item: Any
    #: The result; None before the end, and where there is none.
    value: Any = None
    #: What is recorded of its failure: `node`, `type`, `message`, `class`.
    error: dict[str, Any] | None = None
    #: Whether it is over, and whether it came to a result: a node that no other in it waits for has completed.
    ended: bool = False
    came: bool = False


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A run beneath a node's own, as it rests."""

    run: str
    workflow: str
    #: A `RunStatus`.
    status: str
    outputs: dict[str, Any] = {}
    #: Of one that failed, `ValueError: no` and the node.
    error: str = ""
    node: str = ""
    #: Of one that is paused: for what, until when at most, and what people are told.
    pause_reason: str | None = None
    until: float | None = None
    message: str = ""


class Context(Protocol):
    """What a node gets to know and may do while it runs; a function gets it as a parameter named `ctx`."""

    run_id: str
    #: The node's path.
    path: str
    #: From 1.
    attempt: int
    #: The same over retries and crashes; hand it to receivers that can tell a repetition.
    idempotency_key: str
    #: The services given on the flow or by `run(services=…)`; an unknown name raises a KeyError that lists them.
    services: Mapping[str, Any]
    #: The node's config before expressions were evaluated.
    raw: Mapping[str, Any]
    #: The inputs of the run, by name.
    inputs: Mapping[str, Any]
    #: The variables: what the run has set, what its workflow had when it began, and its inputs for the rest.
    variables: Mapping[str, Any]
    #: Inside a loop: `item` and `index`; else empty.
    round: Mapping[str, Any]
    #: What started the run, as `manual` or `schedule`.
    trigger: str
    #: How it was asked for, a `RunMode`: a node with effects outside can keep them to itself in a `test`.
    mode: str
    #: What the trigger says of why it did; None where somebody started it.
    payload: Any
    #: The inputs that are references to secrets: where an expression reads one, it gets the value.
    references: frozenset[str]
    #: What came, when the node was parked; else None.
    resumed: Any
    resume_data: Any
    #: Of a compensation, a fallback and a handler: the failure because of which it runs; else None.
    error: Mapping[str, Any] | None
    #: Whether nobody is in front of a notebook.
    headless: bool
    #: Whether an expression of the node names `run.resume_url`.
    names_link: bool

    @property
    def resume_url(self) -> str:
        """The signed link to the run's page, where whoever holds it sees what it asks, and answers."""
        ...

    def now(self) -> float:
        """Seconds since 1970, by the run's clock."""
        ...

    def step(self, name: str, part: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do a part of the node once: after a crash, a retry or a resume its recorded result comes back.

        Where a loop runs, as in an async function, it must be awaited; elsewhere it blocks and returns the value.
        """
        ...

    def step_key(self, name: str) -> str:
        """The idempotency key of a step: the node's, with the name behind it."""
        ...

    def status(self, text: str) -> None:
        """Show a short text beside the node, as `page 3/12`."""
        ...

    def progress(self, share: float) -> None:
        """Show how far the node is, 0 to 1; NaN where that isn't known."""
        ...

    def heartbeat(self, detail: Any = None) -> None:
        """Say that the node lives, and from where an attempt after this one could go on: a small storable value."""
        ...

    @property
    def last_heartbeat(self) -> Any:
        """The newest `detail` that an attempt before this one gave; None if none did."""
        ...

    def secret(self, name: str) -> str:
        """The value of a secret, by its name or its reference `secret://name`; it is masked from then on.

        Raises:
            NotFound: there is none of that name.
        """
        ...

    @property
    def sources(self) -> Mapping[str, Sequence[str]]:
        """Of each port that is `many`, the ids of the nodes that its values came from, in the order of the values."""
        ...

    @property
    def wired_ports(self) -> frozenset[str]:
        """The names of the ports that edges leave from."""
        ...

    async def iterate(
        self,
        begin: Callable[[Sequence[Round]], Iterator[Any]],
        width: int | None,
        *,
        fail_fast: bool,
        enough: Callable[[Sequence[Round]], bool] | None = None,
        let_go_on: bool = False,
    ) -> list[Round]:
        """Do the rounds of a loop or the branches of a parallel, and give them in order; for their nodes only.

        Args:
            begin: given the rounds that an earlier life of the run began, gives the items of those that follow. The
                list goes on growing, and the newest of them has its value once it has ended.
            width: rounds at once; None for as many as the run has room for.
            fail_fast: whether no round begins after one has failed.
            enough: asked after each round, whether what has come of them will do; those at work are then ended.
            let_go_on: whether they go on instead, though nobody waits for them.
        """
        ...

    async def beneath(self, make: Callable[[Any], Any]) -> Child:
        """Begin a run beneath this one, or go on with the one that an attempt before has begun; once it rests.

        It has the attempt's idempotency key, so a node has one at most.

        Args:
            make: given the store, the request of the run as `flownb.run.request` has it; called on a thread.
        """
        ...

    def began(self, run: str, workflow: str) -> None:
        """Say which run the node has begun by other means; from any thread."""
        ...

    @property
    def logger(self) -> logging.Logger:
        """What it logs is part of the node's output."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the node was asked to stop; sync functions that run long should look at it."""
        ...


class NodeType:
    """The base of every node type.

    A subclass sets the class variables and implements `execute`. It is made anew for each run of the node, with the
    checked config; it must not keep anything from one run to the next.
    """

    #: `family.name`.
    type: ClassVar[str]
    #: Raise it when an old config no longer means the same.
    version: ClassVar[int] = 1
    title: ClassVar[str] = ""
    category: ClassVar[Category] = Category.ACTION
    #: What to do with a node that was in flight when its process died; `ASK` for all that writes outside.
    on_crash: ClassVar[OnCrash] = OnCrash.RERUN
    #: Whether `execute` returns at once without awaiting anything, so that the engine may call it in the tick.
    instant: ClassVar[bool] = False
    ports: ClassVar[NodePorts] = NodePorts()
    #: The pydantic model of the config; None for a type without config.
    Config: ClassVar[builtins.type[BaseModel] | None] = None
    #: Fields of the config that hold bare expressions (conditions, `over`, `preview`) and not templates.
    expressions: ClassVar[tuple[str, ...]] = ()
    #: Whether references to secrets stay what they are, in config and inputs: for a type that hands them on to a run
    #: of its own. For all others, `secret://name` becomes the value just before `execute`.
    passes_references: ClassVar[bool] = False
    #: Fields of the config whose text is taken as it is, `{{` or not, as the source of a function.
    verbatim: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Any = None) -> None:
        #: An instance of `Config`, or None.
        self.config = config

    @classmethod
    def make(cls, config: Mapping[str, Any]) -> Self:
        """An instance for one run of a node.

        Args:
            config: its config, expressions evaluated.

        Raises:
            InvalidInput: the config is not what the type takes; the message lists all faults.
        """
        return cls(None if cls.Config is None else read_config(cls.Config, config, cls.type))

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterable[Expression]:
        """What the type evaluates by itself: the fields that `expressions` names; override it where others lie deeper.

        Args:
            config: as it was written, so that nothing is certain of it.
        """
        return [Expression(name, config[name]) for name in cls.expressions if isinstance(config.get(name), str | dict)]

    @classmethod
    def names_of(cls, config: Mapping[str, Any]) -> frozenset[str]:
        """The nodes and inputs that the config names otherwise than in expressions, as code does."""
        del config
        return frozenset()

    @classmethod
    def takes_context(cls, config: Mapping[str, Any]) -> bool:
        """Whether the function that does the node's work wants `ctx`."""
        return bool(config.get("context"))

    @classmethod
    def body_of(cls, node: Node) -> Callable[..., Any] | None:
        """The plain function that does the node's work in place of `execute`, where its config makes one.

        It gets the node's inputs by name, runs where the node says, and what it returns is the node's output.
        """
        del node
        return None

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """The ports of one node; override it where the config makes them."""
        del node
        return cls.ports

    @classmethod
    def where_of(cls, node: Node) -> Where:
        """Where one node runs, before the node's own `where`; override it where the body is not `execute`."""
        del node
        return Where.LOOP

    @classmethod
    def dead_ports(cls, node: Node) -> tuple[str, ...]:
        """Ports that can never fire, whatever comes; override it where the config can decide that."""
        del node
        return ()

    @classmethod
    def choices(cls, node: Node) -> tuple[str, ...]:
        """Ports of which one run fires exactly one; override it for a type that chooses."""
        del node
        return ()

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of one node's config, all at once, with their place from `config` on.

        Override it for rules over several fields.
        """
        if cls.Config is None:
            return [
                Problem(
                    f"{node.id} ({cls.type}) has no field {name!r}.",
                    node=node.id,
                    place=f"config.{name}",
                    code="bad_config",
                )
                for name in node.config
            ]
        return check_config(cls.Config, node)

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output | Suspend | Any:
        """Do the work.

        Args:
            ctx: what the node may know and do.
            inputs: the live values by port; a port that is `many` has a list, a dead optional one is absent.

        Returns the value of `main`, an `Output` that chooses ports, or a `Suspend`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement execute().")
