"""The node that repeats a part of a flow: its body gets instances of its nodes, once a round."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from flownb.errors import InvalidInput, NodeFailed
from flownb.graph.nodetype import Expression, NodeType, Output, Round
from flownb.model.ports import ERROR, MAIN, DataType, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem
from flownb.model.scopes import INDEX, ITEM
from flownb.model.status import Category
from flownb.nodes.items import items_of
from flownb.nodes.scope import scope

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node
    from flownb.nodes.items import Items

#: What the expressions of a loop know besides: the value and the number of the round, and the results before it.
_OWN: Final = frozenset({"item", "index", "results"})
_NOTHING: Final = object()
#: Rounds of a `while` that nobody bounded, and of any other loop.
_MOST_ROUNDS: Final = 1_000
_MOST_ITEMS: Final = 100_000


class LoopConfig(BaseModel):
    """The config of a loop."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Literal["for_each", "while", "count"] = Field(
        "for_each",
        validation_alias=AliasChoices("kind", "loop_type"),
        description="`for_each` item of a list, `while` a condition holds, or so often as `count` says.",
    )
    over: Any = Field(
        None,
        validation_alias=AliasChoices("over", "array_source"),
        description="What to go through: an expression as `load.rows`, or a list.",
    )
    condition: str | dict[str, Any] | None = Field(
        None,
        description="Asked before each round of a `while`: an expression that also knows `item` (the result of the "
        "round before), `index` and `results`.",
    )
    count: int | str | None = Field(None, description="How many rounds: a number, or an expression.")
    first: Any = Field(None, description="The `item` of the first round of a `while`.")
    concurrency: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Rounds at once; by default as many as the run has room for, of a `while` one.",
    )
    max_iterations: int | None = Field(
        None, ge=1, description="The loop fails beyond so many rounds; by default 100,000, of a `while` 1,000."
    )
    errors: Literal["fail", "collect"] | None = Field(
        None,
        description="When a round fails: `fail` begins no more and fails the loop; `collect` does the rest, gives None "
        "for the failed ones, and fires `error` with the list of them. By default `collect` where `error` is wired.",
    )

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needs = {"for_each": "over", "while": "condition", "count": "count"}[self.kind]
        if getattr(self, needs) is None:
            raise ValueError(f"a loop of the kind {self.kind!r} needs {needs!r}")
        if self.kind == "while" and self.concurrency not in (None, 1):
            raise ValueError("the rounds of a `while` come one after another: it takes no concurrency")
        return self


class Loop(NodeType):
    """Runs the nodes inside it once a round, as `each[3].clean`; their results come out in order.

    The result of a round is that of the node of the body that no other waits for; a table by node where there are
    several. Nodes inside know `item` and `index`, and everything outside.
    """

    type: ClassVar[str] = "control.loop"
    title: ClassVar[str] = "Loop"
    category: ClassVar[Category] = Category.LOGIC
    Config: ClassVar[builtins.type[BaseModel] | None] = LoopConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (InputPort(MAIN, many=True, unwired=True, help="what expressions call `main`"),),
        (
            OutputPort(MAIN, DataType.ARRAY, help="the results, in the order of the rounds"),
            OutputPort(ITEM, help="for the nodes inside: what their round is about"),
            OutputPort(INDEX, DataType.NUMBER, help="for the nodes inside: the number of their round, from 0"),
        ),
        error=OutputPort(ERROR, DataType.ARRAY, help="what is recorded of the rounds that failed"),
    )

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterable[Expression]:
        """What is gone through, the condition, the count."""
        for name in ("over", "array_source", "count", "condition"):
            if isinstance(config.get(name), str) or (name == "condition" and isinstance(config.get(name), dict)):
                yield Expression(name, config[name], own=_OWN if name == "condition" else frozenset())

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, and of what a loop can't have."""
        problems = super().check(node)
        for place, value in (("retry", node.retry), ("cache", node.cache)):
            if value is not None:
                message = f"{node.id} is a loop: {place} belongs to the nodes inside it."
                problems.append(Problem(message, node=node.id, place=place, code="loop_option"))
        return problems

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Do the rounds, and give their results.

        Raises:
            NodeFailed: a round failed, or there were too many.
            InvalidInput: what is to be gone through is no list.
        """
        config: LoopConfig = self.config
        collect = config.errors == "collect" or (config.errors is None and ERROR in ctx.wired_ports)
        begin = self._rounds(ctx, inputs)
        width = 1 if config.kind == "while" else config.concurrency
        rounds = await ctx.iterate(begin, width, fail_fast=not collect)
        failed = [each for each in rounds if each.error is not None]
        if failed and not collect:
            raise _failure(ctx, failed, len(rounds))
        results = [each.value for each in rounds]
        if not failed:
            return results
        faults = [{"index": each.index, "item": each.item, **(each.error or {})} for each in failed]
        return Output(results, ports=(ERROR,), values={ERROR: faults})

    def _rounds(self, ctx: Context, inputs: Mapping[str, Any]) -> Callable[[Sequence[Round]], Iterator[Any]]:
        """What makes the items of the rounds, given those that were begun by an earlier life of the run."""
        config: LoopConfig = self.config
        names = scope(ctx, inputs)
        most = config.max_iterations or (_MOST_ROUNDS if config.kind == "while" else _MOST_ITEMS)

        def bounded(rounds: Sequence[Round], items: Iterator[Any]) -> Iterator[Any]:
            for item in items:
                if len(rounds) >= most:
                    raise NodeFailed(
                        f"{ctx.path} did not end within {most:,} rounds. Look at its condition, or raise "
                        "max_iterations.",
                        node=ctx.path,
                    )
                yield item

        def begin(rounds: Sequence[Round]) -> Iterator[Any]:
            if config.kind == "while":
                return bounded(rounds, self._while(rounds, ctx, inputs))
            items = self._items(ctx, names)
            if len(items) > most:
                raise NodeFailed(
                    f"{ctx.path} would do {len(items):,} rounds, and {most:,} are allowed. Each round has its nodes in "
                    "the run, with events of their own: let a function work on the whole, or go through parts of it; "
                    "or raise max_iterations.",
                    node=ctx.path,
                )
            return islice(iter(items), len(rounds), None)

        return begin

    def _items(self, ctx: Context, names: Mapping[str, Any]) -> range | Items:
        config: LoopConfig = self.config
        if config.kind == "count":
            count = _evaluate(config.count, names)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise InvalidInput(f"{ctx.path}: count is {count!r:.60}; it must be a number from 0 on.", name="count")
            return range(count)
        return items_of(_evaluate(config.over, names), ctx.path)

    def _while(self, rounds: Sequence[Round], ctx: Context, inputs: Mapping[str, Any]) -> Iterator[Any]:
        from flownb.expr import compile_condition

        config: LoopConfig = self.config
        assert config.condition is not None
        holds = compile_condition(config.condition).evaluate
        while True:
            item = rounds[-1].value if rounds else config.first
            own = {"item": item, "index": len(rounds), "results": [each.value for each in rounds]}
            if not holds(scope(ctx, inputs, own)):
                return
            yield item


def _evaluate(value: Any, names: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    from flownb.expr import compile_expression, compile_template

    return (compile_template(value) if "{{" in value else compile_expression(value)).evaluate(names)


def _failure(ctx: Context, failed: Sequence[Round], rounds: int) -> NodeFailed:
    first = failed[0].error or {}
    return NodeFailed(
        f"{len(failed)} of {rounds} rounds of {ctx.path} failed; the first: {first.get('node')}: "
        f"{first.get('type')}: {first.get('message')}",
        node=ctx.path,
    )
