"""What data nodes work on: the items of a list, a tuple, a Series or a frame, given back as the kind that came in.

pandas is not imported here: a frame can only come in where somebody else did it.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.errors import InvalidInput, near_names
from flownb.expr.access import describe
from flownb.graph.schemas.kinds import plain_cell
from flownb.nodes.cell import ABSENT, read_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

#: How many rows of a frame become dicts at a time.
_CHUNK: Final = 10_000
#: How many keys of how many items a message about a missing field looks at.
_MOST_KEYS: Final = 200


class Items(ABC):
    """Numbered items; a frame's are its rows, with its empty cells as None."""

    #: What one of them is called in messages.
    noun: ClassVar[str] = "item"

    def __init__(self, value: Any, owner: str) -> None:
        """Look at a value as items.

        Args:
            value: as it came in; it is never changed.
            owner: the path of the node that works on it, for messages.
        """
        self.value = value
        self.owner = owner

    def __len__(self) -> int:
        return len(self.value)

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """The items; the rows of a frame as dicts."""

    @abstractmethod
    def take(self, positions: Sequence[int]) -> Any:
        """Those at these positions, in this order, as the kind that came in; a range must go up by one."""

    @abstractmethod
    def field(self, name: str, *, lenient: bool = False) -> list[Any]:
        """What each item has under a name, which may be a path as `customer.city`.

        Args:
            name: of a key or a column; one that is called exactly so goes before a path.
            lenient: let an item without it count as one where it is None.

        Raises:
            InvalidInput: an item hasn't got it; not one has, if `lenient`. The message lists near names.
        """

    @abstractmethod
    def extended(self, columns: Mapping[str, list[Any]], *, keep: bool) -> Any:
        """As many items with these fields, as the kind that came in; with those that they had before, if `keep`."""

    def refuse(self, reason: str) -> InvalidInput:
        """An error about these items, with the name of the node before it."""
        return InvalidInput(f"{self.owner}: {reason}", name="main")


class ListItems(Items):
    """The items of a list or a tuple."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def take(self, positions: Sequence[int]) -> Any:
        """A list or a tuple."""
        if isinstance(positions, range):
            return self.value[positions.start : positions.stop]
        return type(self.value)(self.value[each] for each in positions)

    def field(self, name: str, *, lenient: bool = False) -> list[Any]:
        """What is there, as it is, but numpy's numbers as Python's."""
        values = []
        there = False
        for number, item in enumerate(self.value):
            value = read_path(item, name)
            if value is not ABSENT:
                there = True
            elif not lenient:
                raise self._missing(number, item, name)
            values.append(None if value is ABSENT else plain_cell(value))
        if not there and values:
            raise self._missing(0, self.value[0], name)
        return values

    def _missing(self, number: int, item: Any, name: str) -> InvalidInput:
        if not isinstance(item, Mapping):
            return self.refuse(f"item {number} is {describe(item)}, it has no field {name!r}.")
        keys = list(item)[:_MOST_KEYS]
        return self.refuse(f"item {number} has no field {name!r}.{near_names(name, keys)}")

    def extended(self, columns: Mapping[str, list[Any]], *, keep: bool) -> Any:
        """A list or a tuple of dicts.

        Raises:
            InvalidInput: an item that has to keep its fields has none.
        """
        made = []
        for number, item in enumerate(self.value):
            if keep and not isinstance(item, Mapping):
                raise self.refuse(f"item {number} is {describe(item)}: it has no fields that could be kept.")
            made.append({**(item if keep else {}), **{name: values[number] for name, values in columns.items()}})
        return type(self.value)(made)


class SeriesItems(Items):
    """The entries of a pandas Series."""

    noun: ClassVar[str] = "entry"

    def __iter__(self) -> Iterator[Any]:
        return iter(_cells(self.value))

    def take(self, positions: Sequence[int]) -> Any:
        """A Series; each entry keeps its label."""
        return _rows(self.value, positions)

    def field(self, name: str, *, lenient: bool = False) -> list[Any]:
        """A Series has entries that are dicts, or no fields at all."""
        return ListItems(list(self), self.owner).field(name, lenient=lenient)

    def extended(self, columns: Mapping[str, list[Any]], *, keep: bool) -> Any:
        """A frame with these columns.

        Raises:
            InvalidInput: something is to be kept.
        """
        if keep:
            raise self.refuse("a Series has no fields that could be kept; give a DataFrame, or leave `keep` out.")
        return sys.modules["pandas"].DataFrame(dict(columns), index=self.value.index)


class FrameItems(Items):
    """The rows of a pandas DataFrame."""

    noun: ClassVar[str] = "row"

    def __init__(self, value: Any, owner: str) -> None:
        """Look at a frame as rows.

        Raises:
            InvalidInput: two of its columns have one name.
        """
        super().__init__(value, owner)
        self.names = [_column_name(label) for label in value.columns]
        #: The position of each column by its name.
        self.positions = {name: number for number, name in enumerate(self.names)}
        if len(self.positions) < len(self.names):
            twice = next(name for number, name in enumerate(self.names) if self.positions[name] != number)
            raise self.refuse(f"the DataFrame has two columns {twice!r}; rename one of them.")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for first in range(0, len(self.value), _CHUNK):
            part = self.value.iloc[first : first + _CHUNK]
            columns = [_cells(part.iloc[:, number]) for number in range(len(self.names))]
            if not columns:
                yield from ({} for _ in range(len(part)))
            for cells in zip(*columns, strict=True):
                yield dict(zip(self.names, cells, strict=True))

    def take(self, positions: Sequence[int]) -> Any:
        """A frame; each row keeps its label."""
        return _rows(self.value, positions)

    def column(self, name: str) -> pd.Series[Any] | None:
        """The column of exactly that name."""
        position = self.positions.get(name)
        return None if position is None else self.value.iloc[:, position]

    def in_order(self, names: Sequence[str], descending: Sequence[bool]) -> Sequence[int]:
        """The positions of the rows by these columns, as pandas orders them; equal rows as they were, empty cells last.

        Raises:
            KeyError: one of the names is no column.
            TypeError: the cells of a column have no order.
        """
        keys = self.value.iloc[:, [self.positions[name] for name in names]]
        keys = keys.set_axis(range(len(names)), axis=1).reset_index(drop=True)
        ascending = [not each for each in descending]
        order = keys.sort_values(list(range(len(names))), ascending=ascending, kind="stable", na_position="last")
        positions: list[int] = order.index.tolist()
        return positions

    def field(self, name: str, *, lenient: bool = False) -> list[Any]:
        """The cells of a column, or what lies at a path inside them; a missing column is never overlooked."""
        column = self.column(name)
        if column is not None:
            return _cells(column)
        head, _, tail = name.partition(".")
        column = self.column(head)
        if column is None or not tail:
            raise self.refuse(f"the DataFrame has no column {name!r}.{near_names(name, self.names)}")
        return ListItems(_cells(column), self.owner).field(tail, lenient=lenient)

    def extended(self, columns: Mapping[str, list[Any]], *, keep: bool) -> Any:
        """A frame with the labels of the rows that it is made from."""
        pandas = sys.modules["pandas"]
        if not keep:
            return pandas.DataFrame(dict(columns), index=self.value.index)
        made = self.value.copy()
        for name, values in columns.items():
            position = self.positions.get(name)
            label = name if position is None else self.value.columns[position]
            made[label] = pandas.Series(values, index=made.index)
        return made

    def grouped(self, firsts: Sequence[int], keys: Mapping[str, list[Any]], computed: Mapping[str, list[Any]]) -> Any:
        """A frame with a row a group; keys that are columns of this frame keep their dtype.

        Args:
            firsts: the position of the first row of each group.
            keys: what the rows of each group agree in, by name.
            computed: the other columns, by name.
        """
        pandas = sys.modules["pandas"]
        made = {}
        for name, values in (*keys.items(), *computed.items()):
            column = self.column(name) if name in keys else None
            made[name] = (
                column.iloc[list(firsts)].reset_index(drop=True)
                if column is not None
                else pandas.Series(values, index=range(len(firsts)))
            )
        return pandas.DataFrame(made)


def items_of(value: Any, owner: str) -> Items:
    """A value as items.

    Args:
        value: what came in.
        owner: the path of the node, for messages.

    Raises:
        InvalidInput: it has none; the message says what to do with what it is.
    """
    if isinstance(value, list | tuple):
        return ListItems(value, owner) if type(value) in (list, tuple) else ListItems(list(value), owner)
    pandas = sys.modules.get("pandas")  # where it was never imported, nothing is a frame
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return FrameItems(value, owner)
        if isinstance(value, pandas.Series):
            return SeriesItems(value, owner)
    raise InvalidInput(
        f"{owner} works on a list, a tuple, a Series or a DataFrame, and got {_what(value)}", name="main"
    )


def _what(value: Any) -> str:
    """What a value is and what to do with it, as the end of a sentence."""
    if value is None:
        return "nothing (None): the node before it gave no value."
    if isinstance(value, str):
        return f"{describe(value)}: a text is one value. Make a list of it first, as by split(…) in an expression."
    if isinstance(value, Mapping):
        lists = [str(key) for key, each in value.items() if isinstance(each, list | tuple)][:5]
        named = f"Its lists are {', '.join(map(repr, lists))}: take one by `items`, as {{{{ node.name }}}}."
        return f"a table (dict), which is one value. {named if lists else 'Put it into a list.'}"
    if isinstance(value, set | frozenset):
        return "a set, which has no order: give sorted(…) of it."
    if type(value).__module__.partition(".")[0] == "numpy":
        return "a numpy value: give `.tolist()` of it."
    return f"{describe(value)}."


def _rows(value: Any, positions: Sequence[int]) -> Any:
    if isinstance(positions, range):
        return value.iloc[positions.start : positions.stop]
    return value.iloc[list(positions)]


def _column_name(label: Any) -> str:
    return ".".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _cells(column: Any) -> list[Any]:
    """The cells of a Series as Python has them, None where they are empty."""
    there = column.notna()
    cells = column.astype(object)
    if not bool(there.all()):
        cells = cells.where(there, None)
    found: list[Any] = cells.tolist()
    return found if column.dtype != object else [plain_cell(each) for each in found]
