"""The nodes that choose among items or put them in order: filter, sort, dedupe, limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from flownb.graph.nodetype import Expression, Output
from flownb.graph.schemas.kinds import plain_cell
from flownb.model.ports import MAIN, OutputPort
from flownb.nodes.cell import Unordered, comparable, in_order
from flownb.nodes.data import ItemsConfig, ItemsNode
from flownb.nodes.each import ITEM_NAMES, each_value
from flownb.nodes.items import FrameItems

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context
    from flownb.nodes.items import Items


# --- filter -----------------------------------------------------------------------------------------------------------


class FilterConfig(ItemsConfig):
    """The config of a filter."""

    test: str | dict[str, Any] = Field(
        description="What an item must be, as `item.amount > 100`, or a condition as an object; "
        "`item` is the item, `index` its number from 0."
    )
    rest: bool = Field(False, description="Fire the port `rest` as well, with the items that were not kept.")


class Filter(ItemsNode):
    """Keeps the items for which the test holds, in their order; a list stays a list, a DataFrame a DataFrame.

    In the test, `main` is all that came in.
    """

    type: ClassVar[str] = "control.filter"
    title: ClassVar[str] = "Filter"
    Config: ClassVar[builtins.type[BaseModel] | None] = FilterConfig
    outputs: ClassVar[tuple[OutputPort, ...]] = (OutputPort(MAIN, help="the items that were kept"),)

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[OutputPort, ...]:
        """`rest` is there where it was asked for."""
        rest = (OutputPort("rest", help="the items that were not kept"),)
        return cls.outputs + (rest if config.get("rest") else ())

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> tuple[Expression, ...]:
        """The test, which knows `item` and `index`."""
        test = config.get("test")
        return (Expression("test", test, own=ITEM_NAMES),) if isinstance(test, str | dict) else ()

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Ask of each item."""
        from flownb.expr import compile_condition

        config: FilterConfig = self.config
        answers = each_value(compile_condition(config.test), items, ctx, self.names(ctx, inputs, items.value))
        kept = items.take([position for position, answer in enumerate(answers) if answer])
        if not config.rest:
            return kept
        rest = items.take([position for position, answer in enumerate(answers) if not answer])
        return Output(kept, ports=("rest",), values={"rest": rest})


# --- sort and dedupe --------------------------------------------------------------------------------------------------


class KeyConfig(ItemsConfig):
    """What items are compared by."""

    by: str | list[str] = Field(
        default_factory=list,
        description="The field that counts, or several, the first before the others; `customer.city` is a path. "
        "By default the item itself.",
    )
    key: str | None = Field(
        None, description="Instead of fields, an expression as `item.price * item.count` that gives what counts."
    )
    allow_missing: bool = Field(
        False, description="Let an item that lacks the field count as one where it is empty, instead of refusing it."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.by and self.key is not None:
            raise ValueError("it takes by or key, not both")
        return self

    @property
    def fields(self) -> list[str]:
        """The fields, in their order."""
        return [self.by] if isinstance(self.by, str) else self.by


class KeyNode(ItemsNode):
    """A node that compares items by fields or by an expression."""

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> tuple[Expression, ...]:
        """The key, which knows `item` and `index`."""
        key = config.get("key")
        return (Expression("key", key, own=ITEM_NAMES),) if isinstance(key, str) else ()

    def columns(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> list[list[Any]]:
        """What counts of the items: a list for each field."""
        config: KeyConfig = self.config
        if config.key is not None:
            from flownb.expr import compile_expression

            names = self.names(ctx, inputs, items.value)
            return [each_value(compile_expression(config.key), items, ctx, names)]
        fields = config.fields or (items.names if isinstance(items, FrameItems) else [])
        return (
            [items.field(name, lenient=config.allow_missing) for name in fields]
            if fields
            else [[*map(plain_cell, items)]]
        )


class SortConfig(KeyConfig):
    """The config of a sort."""

    descending: bool | list[bool] = Field(
        False, description="Whether the largest comes first: for all fields, or a list with a word for each."
    )

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        words = self.descending
        if isinstance(words, list) and len(words) != max(1, len(self.fields)):
            raise ValueError(f"descending has {len(words)} entries, and there are {max(1, len(self.fields))} fields")
        return self

    @property
    def directions(self) -> list[bool]:
        """For each field, whether it descends."""
        words = self.descending
        return words if isinstance(words, list) else [words] * max(1, len(self.fields))


class Sort(KeyNode):
    """Puts items in order; equal ones stay as they were, and those whose key is empty come last in both directions."""

    type: ClassVar[str] = "control.sort"
    title: ClassVar[str] = "Sort"
    Config: ClassVar[builtins.type[BaseModel] | None] = SortConfig

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Sort."""
        config: SortConfig = self.config
        if isinstance(items, FrameItems) and config.fields and config.key is None:
            try:
                return items.take(items.in_order(config.fields, config.directions))
            except (KeyError, TypeError):
                pass  # a path, or values without an order: what follows knows the way or the words
        if isinstance(items, FrameItems) and not config.fields and config.key is None:
            raise items.refuse("the rows of a DataFrame are sorted by a column: name it in `by`.")
        positions = list(range(len(items)))
        columns = self.columns(ctx, items, inputs)
        for number in reversed(range(len(columns))):
            try:
                positions = in_order(columns[number], positions, descending=config.directions[number])
            except Unordered as error:
                what = f"by {config.fields[number]!r}" if config.fields else "by their key" if config.key else ""
                raise items.refuse(f"these {items.noun}s can't be sorted{what and ' ' + what}: {error}.") from None
        return items.take(positions)


class DedupeConfig(KeyConfig):
    """The config of a dedupe."""

    keep: Literal["first", "last"] = Field("first", description="Which of the equal items stays.")


class Dedupe(KeyNode):
    """Leaves one of the items that are equal, or that agree in some fields; the order stays.

    Empty values (None, NaN) are equal to one another; 1 and 1.0 are equal, 1 and true are not.
    """

    type: ClassVar[str] = "control.dedupe"
    title: ClassVar[str] = "Remove duplicates"
    Config: ClassVar[builtins.type[BaseModel] | None] = DedupeConfig

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Leave one of each."""
        config: DedupeConfig = self.config
        columns = self.columns(ctx, items, inputs)
        order = range(len(items)) if config.keep == "first" else range(len(items) - 1, -1, -1)
        seen: set[Any] = set()
        kept = []
        for position in order:
            try:
                key = tuple(comparable(column[position]) for column in columns)
            except Unordered as error:
                raise items.refuse(f"{items.noun} {position} can't be compared: {error}.") from None
            if key not in seen:
                seen.add(key)
                kept.append(position)
        return items.take(kept if config.keep == "first" else kept[::-1])


# --- limit ------------------------------------------------------------------------------------------------------------


class LimitConfig(ItemsConfig):
    """The config of a limit."""

    count: int = Field(ge=0, description="How many items to keep at most.")
    skip: int = Field(0, ge=0, description="How many to pass over before.")
    last: bool = Field(False, description="Count from the end: keep the last ones.")


class Limit(ItemsNode):
    """Keeps the first or the last items, in their order."""

    type: ClassVar[str] = "control.limit"
    title: ClassVar[str] = "Limit"
    Config: ClassVar[builtins.type[BaseModel] | None] = LimitConfig

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Cut."""
        del ctx, inputs
        config: LimitConfig = self.config
        total = len(items)
        if config.last:
            end = max(0, total - config.skip)
            return items.take(range(max(0, end - config.count), end))
        return items.take(range(min(total, config.skip), min(total, config.skip + config.count)))
