"""The node that takes things apart: into items, entries, groups or batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, Field, model_validator

from flownb.errors import InvalidInput, near_names
from flownb.expr.access import describe
from flownb.nodes.data import ItemsNode
from flownb.nodes.group import GroupConfig, groups_of
from flownb.nodes.items import ListItems

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context
    from flownb.nodes.items import Items


class SplitConfig(GroupConfig):
    """The config of a split."""

    field: str | None = Field(None, description="The field with a list in it, whose entries come out one by one.")
    keep: bool | list[str] = Field(
        False, description="With `field`: which other fields each entry gets: true for all, or their names."
    )
    size: int | None = Field(None, ge=1, description="Make batches of so many items.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("field", "by", "size") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"it takes one of field, by and size, and has {' and '.join(ways)}")
        if self.keep and not self.field:
            raise ValueError("keep says what goes with the entries of a field, and no field is named")
        return self


class Split(ItemsNode):
    """Makes a list to go through, of one of four kinds.

    As it is: the rows of a DataFrame as tables (dicts). `field`: the entries of a list that lies in a table, or in each
    item. `by`: for each group a table with `key` and `items`. `size`: batches, each of the kind that came in.
    """

    type: ClassVar[str] = "control.split"
    title: ClassVar[str] = "Split out"
    Config: ClassVar[builtins.type[BaseModel] | None] = SplitConfig

    def given(self, ctx: Context, inputs: Mapping[str, Any]) -> Any:
        """Of a single table, a list with it, where a field of it is split out."""
        value = super().given(ctx, inputs)
        return [value] if self.config.field and isinstance(value, Mapping) else value

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> list[Any]:
        """Split."""
        del ctx, inputs
        config: SplitConfig = self.config
        if config.field is not None:
            return self._entries(items, config.field)
        if config.keys:
            return [
                {"key": dict(zip(config.keys, key, strict=True)), "items": items.take(positions)}
                for key, positions in groups_of(items, config.keys, lenient=config.allow_missing)
            ]
        if config.size is not None:
            size = config.size
            return [items.take(range(at, min(at + size, len(items)))) for at in range(0, len(items), size)]
        return list(items)

    def _entries(self, items: Items, field: str) -> list[Any]:
        config: SplitConfig = self.config
        plain = ListItems(list(items), items.owner)
        if not len(plain):
            return []
        made: list[Any] = []
        for number, (item, entries) in enumerate(
            zip(plain, plain.field(field, lenient=config.allow_missing), strict=True)
        ):
            if entries is None:
                continue
            if not isinstance(entries, list | tuple):
                raise items.refuse(f"{field!r} of {items.noun} {number} is {describe(entries)}, and no list.")
            beside = self._beside(items, number, item, field)
            made += [_joined(entry, beside, field, items, number) for entry in entries] if beside else entries
        return made

    def _beside(self, items: Items, number: int, item: Any, field: str) -> dict[str, Any]:
        """The fields of an item that go with each of its entries."""
        keep = self.config.keep
        if keep is False:
            return {}
        if keep is True:
            return {name: value for name, value in item.items() if name != field.partition(".")[0]}
        for name in keep:
            if name not in item:
                raise items.refuse(f"{items.noun} {number} has no field {name!r}.{near_names(name, list(item))}")
        return {name: item[name] for name in keep}


def _joined(entry: Any, beside: dict[str, Any], field: str, items: Items, number: int) -> dict[str, Any]:
    own = dict(entry) if isinstance(entry, Mapping) else {field: entry}
    if twice := sorted(own.keys() & beside.keys(), key=str):
        raise InvalidInput(
            f"{items.owner}: an entry of {field!r} of {items.noun} {number} has the field {twice[0]!r} as the item "
            "itself has: name what to keep without it.",
            name="main",
        )
    return {**beside, **own}
