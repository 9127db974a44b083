"""Items in groups: those that agree in some fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from flownb.nodes.cell import Unordered, comparable
from flownb.nodes.data import ItemsConfig

if TYPE_CHECKING:
    from flownb.nodes.items import Items


def groups_of(items: Items, by: list[str], *, lenient: bool) -> list[tuple[list[Any], list[int]]]:
    """The values and the positions of each group, in the order in which groups first appear.

    Items whose field is empty are a group like any other.

    Raises:
        InvalidInput: a field is missing, or its values can't be compared.
    """
    columns = [items.field(name, lenient=lenient) for name in by]
    found: dict[Any, list[int]] = {}
    for position in range(len(items)):
        try:
            key = tuple(comparable(column[position]) for column in columns)
        except Unordered as error:
            raise items.refuse(f"{items.noun} {position} can't be grouped: {error}.") from None
        found.setdefault(key, []).append(position)
    return [([column[positions[0]] for column in columns], positions) for positions in found.values()]


class GroupConfig(ItemsConfig):
    """What items are grouped by."""

    by: str | list[str] = Field(
        default_factory=list, description="The field that makes groups, or several; `customer.city` is a path."
    )
    allow_missing: bool = Field(
        False, description="Let an item that lacks a field count as one where it is empty, instead of refusing it."
    )

    @property
    def keys(self) -> list[str]:
        """The fields that make groups."""
        return [self.by] if isinstance(self.by, str) else self.by
