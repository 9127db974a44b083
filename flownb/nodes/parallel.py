"""The node that does several things at once, and goes on when enough of them have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import NodeFailed
from flownb.graph.nodetype import NodeType, Output, Round
from flownb.model.ports import AFTER, ERROR, MAIN, DataType, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem
from flownb.model.scopes import branch_names
from flownb.model.status import Category
from flownb.nodes.control import passing

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping, Sequence

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node

_TAKEN: Final = (MAIN, ERROR, AFTER, "item", "index")
_IN: Final = InputPort(MAIN, many=True, unwired=True, help="what a branch is about that has no item of its own")
_MAIN: Final = OutputPort(MAIN, DataType.OBJECT, help="the results of the branches that have come, by name")


class Branch(BaseModel):
    """One branch: its name, which is also its port, and what it is about."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field(description="Its name, and its port.")
    item: Any = Field(
        None,
        validation_alias=AliasChoices("item", "input_data"),
        description="What its nodes know as `item`; by default what comes in at `main`, else the item of the loop.",
    )

    @field_validator("name")
    @classmethod
    def _free_identifier(cls, name: str) -> str:
        if not name.isidentifier():
            raise ValueError("a branch is called like a variable: letters, digits and _")
        if name in _TAKEN:
            raise ValueError(f"no branch can be called {', '.join(_TAKEN)}")
        return name


class ParallelConfig(BaseModel):
    """The config of a parallel."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    branches: list[Branch] = Field(
        min_length=1, max_length=1_000, description="The branches; the nodes of each lie inside the parallel."
    )
    wait_for: Literal["all", "any", "count"] = Field(
        "all", description="When it goes on: `all` branches have ended, `any` has come, or so many as `count` says."
    )
    count: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("count", "required_count"),
        description="How many must come, with `wait_for: count`.",
    )
    losers: Literal["cancel", "let_go_on"] = Field(
        "cancel",
        description="What becomes of branches that it no longer waits for: they are cancelled, or go on to their end, "
        "which then changes nothing.",
    )

    @field_validator("branches", mode="before")
    @classmethod
    def _names_alone(cls, branches: Any) -> Any:
        if isinstance(branches, list | tuple):
            return [{"name": each} if isinstance(each, str) else each for each in branches]
        return branches

    @model_validator(mode="after")
    def _can_come(self) -> Self:
        names = [each.name for each in self.branches]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValueError(f"there are two branches {name!r}")
        if (self.wait_for == "count") != (self.count is not None):
            raise ValueError("`count` says how many branches must come, and goes with wait_for 'count' only")
        if self.count is not None and self.count > len(names):
            raise ValueError(f"{self.count} branches can't come: it has {len(names)}")
        return self


class Parallel(NodeType):
    """Does its branches at once, and goes on when all of them have ended, or when enough have come.

    A branch is the nodes inside that its port leads to, and what is wired to them. It has come when a last node of it
    has completed; its result is what that gave. The results come out at `main` as a table by branch, and each at the
    port of its branch; branches that did not come are absent there.
    """

    type: ClassVar[str] = "control.parallel"
    title: ClassVar[str] = "Parallel"
    category: ClassVar[Category] = Category.LOGIC
    Config: ClassVar[builtins.type[BaseModel] | None] = ParallelConfig
    ports: ClassVar[NodePorts] = NodePorts((_IN,), (_MAIN,))

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """A port for each branch."""
        names = [name for name in branch_names(node) if name not in _TAKEN]
        return NodePorts((_IN,), (_MAIN, *(OutputPort(name, help=f"what {name} gave, if it came") for name in names)))

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, and of what a parallel can't have."""
        problems = super().check(node)
        for place, value in (("retry", node.retry), ("cache", node.cache)):
            if value is not None:
                message = f"{node.id} is a parallel: {place} belongs to the nodes inside it."
                problems.append(Problem(message, node=node.id, place=place, code="loop_option"))
        return problems

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Output:
        """Begin the branches, and give what has come once that is enough.

        Raises:
            NodeFailed: so many failed that it can't be enough any more.
        """
        config: ParallelConfig = self.config
        otherwise = passing(inputs, ctx.round.get("item"))

        def begin(rounds: Sequence[Round]) -> Iterator[Any]:
            for branch in config.branches[len(rounds) :]:
                yield branch.item if "item" in branch.model_fields_set else otherwise

        rounds = await ctx.iterate(
            begin,
            len(config.branches),
            fail_fast=False,
            enough=self._is_settled,
            let_go_on=config.losers == "let_go_on",
        )
        by_name = dict(zip([each.name for each in config.branches], rounds, strict=True))
        if not self._has_enough(rounds):
            raise self._failure(ctx, by_name)
        came = {name: each.value for name, each in by_name.items() if each.came}
        return Output(came, ports=tuple(came), values=came)

    def _is_settled(self, rounds: Sequence[Round]) -> bool:
        """Whether it is certain already what comes of it."""
        config: ParallelConfig = self.config
        if len(rounds) < len(config.branches):
            return False
        if config.wait_for == "all":
            return any(each.error is not None for each in rounds)
        can_come = sum(each.came or not each.ended for each in rounds)
        return self._has_enough(rounds) or can_come < self._wanted

    def _has_enough(self, rounds: Sequence[Round]) -> bool:
        config: ParallelConfig = self.config
        if config.wait_for == "all":
            return all(each.error is None for each in rounds)
        return sum(each.came for each in rounds) >= self._wanted

    @property
    def _wanted(self) -> int:
        config: ParallelConfig = self.config
        return config.count or (1 if config.wait_for == "any" else len(config.branches))

    def _failure(self, ctx: Context, rounds: Mapping[str, Round]) -> NodeFailed:
        failed = [
            f"{each.error.get('node')}: {each.error.get('type')}: {each.error.get('message')}"
            for each in rounds.values()
            if each.error is not None
        ]
        told = "; ".join(failed) or f"no last node of {' or '.join(rounds)} completed"
        if self.config.wait_for == "all":
            return NodeFailed(f"A branch of {ctx.path} failed: {told}", node=ctx.path)
        return NodeFailed(
            f"{ctx.path} waits for {self._wanted} of {len(rounds)} branches, and so many can't come any more: {told}",
            node=ctx.path,
        )
