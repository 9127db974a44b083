"""The node that computes values over items: counts, sums, means, by group or over all."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import near_names
from flownb.expr.access import describe
from flownb.graph.schemas.kinds import is_missing, plain_cell
from flownb.nodes.cell import Unordered, extreme
from flownb.nodes.data import ItemsNode
from flownb.nodes.group import GroupConfig, groups_of
from flownb.nodes.items import FrameItems

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable

    from flownb.graph.nodetype import Context
    from flownb.nodes.items import Items

Function = Literal["count", "sum", "mean", "min", "max", "first", "last", "list"]

_CALL: Final = re.compile(r"\s*(\w+)\s*(?:\(\s*(.*?)\s*\))?\s*", re.DOTALL)


class Computation(BaseModel):
    """One value of each group."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="What the value is called.")
    function: Function = Field(description="What is computed.")
    field: str | None = Field(None, description="Of which field; by default of the items themselves.")


class AggregateConfig(GroupConfig):
    """The config of an aggregate."""

    compute: list[Computation] = Field(
        min_length=1,
        description="What comes out, in this order. A table of name → `count`, `sum(amount)`, `mean(amount)`, "
        "`min(…)`, `max(…)`, `first(…)`, `last(…)` or `list(…)` is taken as well, in the order of the names, because "
        "a JSON table keeps no other.",
    )

    @field_validator("compute", mode="before")
    @classmethod
    def _of_table(cls, compute: Any) -> Any:
        if isinstance(compute, Mapping):
            return [_computation(str(name), compute[name]) for name in sorted(compute, key=str)]
        return compute

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [each.name for each in self.compute]
        for number, name in enumerate(names):
            if name in self.keys or name in names[:number]:
                raise ValueError(f"there would be two fields {name!r} in what comes out")
        return self


def _computation(name: str, text: Any) -> dict[str, Any]:
    """`sum(amount)` in parts.

    Raises:
        ValueError: it isn't of this form.
    """
    match = _CALL.fullmatch(text) if isinstance(text, str) else None
    known = get_args(Function)
    if match is None:
        raise ValueError(f"{name!r} is {text!r:.60}, and not of the form sum(field)")
    if match[1] not in known:
        near = near_names(match[1][:60], known).rstrip(".")
        raise ValueError(f"there is no function {match[1]!r:.60} for {name!r}.{near}")
    return {"name": name, "function": match[1], "field": match[2] or None}


class Aggregate(ItemsNode):
    """Computes values over all items, or over each group of them.

    Without `by` it gives one table (dict); with `by`, a list of tables or a DataFrame, as what came in, with the
    groups in the order in which they first appear. Empty values (None, NaN) don't count, but in `list` and in `count`
    without a field.
    """

    type: ClassVar[str] = "control.aggregate"
    title: ClassVar[str] = "Aggregate"
    Config: ClassVar[builtins.type[BaseModel] | None] = AggregateConfig

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Group and compute."""
        del ctx, inputs
        config: AggregateConfig = self.config
        if not config.keys:
            everything = list(range(len(items)))
            return {each.name: _compute(each, items, self._values(each, items), everything) for each in config.compute}
        groups = groups_of(items, config.keys, lenient=config.allow_missing)
        keys = {name: [key[number] for key, _ in groups] for number, name in enumerate(config.keys)}
        computed: dict[str, list[Any]] = {}
        for each in config.compute:
            values = self._values(each, items)
            computed[each.name] = [_compute(each, items, values, positions) for _, positions in groups]
        if isinstance(items, FrameItems):
            return items.grouped([positions[0] for _, positions in groups], keys, computed)
        columns = {**keys, **computed}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _values(self, computation: Computation, items: Items) -> list[Any]:
        config: AggregateConfig = self.config
        if computation.field is None:
            return [plain_cell(each) for each in items]
        if not len(items) and not isinstance(items, FrameItems):
            return []
        return items.field(computation.field, lenient=config.allow_missing)


def _compute(computation: Computation, items: Items, values: list[Any], positions: list[int]) -> Any:
    function, field = computation.function, computation.field
    if function == "list":
        return [values[each] for each in positions]
    if function == "count" and field is None:
        return len(positions)
    try:
        return _FUNCTIONS[function](values, positions)
    except Unordered as error:
        what = f"{function}({field})" if field else function
        raise items.refuse(f"{what} can't be computed: {error}.") from None


def _there(values: list[Any], positions: list[int]) -> list[int]:
    return [each for each in positions if not is_missing(values[each])]


def _count(values: list[Any], positions: list[int]) -> int:
    return len(_there(values, positions))


def _end(index: int) -> Callable[[list[Any], list[int]], Any]:
    def end(values: list[Any], positions: list[int]) -> Any:
        there = _there(values, positions)
        return values[there[index]] if there else None

    return end


_SUMMABLE: Final = (int, float, Decimal, Fraction, timedelta)


def _sum(values: list[Any], positions: list[int]) -> Any:
    """The sum: exact for whole numbers, correctly rounded for floats; 0 for nothing."""
    there = _there(values, positions)
    for each in there:
        if not isinstance(values[each], _SUMMABLE):
            way_out = "; number(…) in a transform makes one of it" if isinstance(values[each], str) else ""
            raise Unordered(f"item {each} has {describe(values[each])} there, which is no number{way_out}")
    summands = [values[each] for each in there]
    if not summands:
        return 0
    try:
        if any(isinstance(each, float) for each in summands):
            return _sum_floats(summands)
        return reduce(operator.add, summands)
    except (TypeError, ArithmeticError) as error:
        kinds = " and ".join(sorted({type(each).__name__ for each in summands}))
        raise Unordered(f"values of the kinds {kinds} have no sum ({error})") from None


def _sum_floats(summands: list[Any]) -> float:
    try:
        return math.fsum(summands)
    except (OverflowError, ValueError):  # infinities of both signs, or a sum beyond what a float holds
        total: float = reduce(operator.add, summands)
        return total


def _mean(values: list[Any], positions: list[int]) -> Any:
    """The mean; None for nothing."""
    count = _count(values, positions)
    total = _sum(values, positions)
    try:
        return total / count if count else None
    except ArithmeticError as error:
        raise Unordered(f"the mean is too large for a number ({error})") from None


_FUNCTIONS: Final[dict[str, Callable[[list[Any], list[int]], Any]]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "min": lambda values, positions: extreme(values, positions, min),
    "max": lambda values, positions: extreme(values, positions, max),
    "first": _end(0),
    "last": _end(-1),
}
