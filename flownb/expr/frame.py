"""A pandas DataFrame as an expression sees it: rows, columns and cells, read on demand and never written.

Nothing here imports pandas: a DataFrame can only be there if somebody else did. Only pandas' own class is taken, never
a subclass, so no code of a user's runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from flownb.expr.limits import LIST, Work, check_list, spend
from flownb.expr.refusal import Missing, Refusal

if TYPE_CHECKING:
    import pandas as pd

# What pandas needs to find one cell, in steps.
_CELL: Final = 100


class Frame:
    """A DataFrame: `rows` (a list of rows), `columns` (their names), a column by its name, a row by its number."""

    __slots__ = ("columns", "frame")

    def __init__(self, frame: pd.DataFrame, columns: list[str]) -> None:
        self.frame = frame
        self.columns = columns

    def __len__(self) -> int:
        return len(self.frame)

    def entry(self, key: str | int, what: str, work: Work) -> Any:
        """What stands under a key: `rows`, `columns`, the name of a column, the number of a row.

        Raises:
            Missing: there is no such column or row.
        """
        if isinstance(key, int):
            return self.row(key, what, work)
        if key == "rows":
            return Rows(self)
        if key == "columns":
            spend(work, len(self.columns))
            return list(self.columns)
        if key in self.columns:
            return self._column(self.columns.index(key), work)
        known = ["rows", "columns", *self.columns[:50]]
        raise Missing(f"{what} is a DataFrame without a column {key!r}.", name=key, known=lambda: known)

    def row(self, index: int, what: str, work: Work) -> dict[str, Any]:
        """The row of that number, its cells as pandas has them; negative numbers count from the end."""
        rows = len(self.frame)
        if not -rows <= index < rows:
            raise Missing(f"{what} has {rows:,} rows, there is no row {index}.")
        spend(work, _CELL * len(self.columns))
        cells = [self.frame.iloc[index, number] for number in range(len(self.columns))]
        return dict(zip(self.columns, map(_cell, cells), strict=True))

    def _column(self, number: int, work: Work) -> list[Any]:
        spend(work, _CELL + 2 * len(self.frame))
        return [_cell(each) for each in self.frame.iloc[:, number].tolist()]

    def records(self, first: int, last: int, step: int, work: Work) -> list[dict[str, Any]]:
        """The rows of a slice, as dictionaries."""
        part = self.frame.iloc[first:last:step] if (first, last, step) != (0, len(self.frame), 1) else self.frame
        check_list(len(part))
        spend(work, (5 + 2 * len(self.columns)) * len(part) + _CELL * len(self.columns))
        columns = [map(_cell, part.iloc[:, number].tolist()) for number in range(len(self.columns))]
        return [dict(zip(self.columns, cells, strict=True)) for cells in zip(*columns, strict=True)]


class Rows:
    """The rows of a DataFrame, as a list that isn't made before it is needed."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame)

    def entry(self, key: str | int, what: str, work: Work) -> Any:
        """The row of that number."""
        if isinstance(key, int):
            return self.frame.row(key, what, work)
        raise Missing(f"{what} is a list; take an entry by its number, as in `{what}.0`.")

    def part(self, bounds: slice, work: Work) -> list[dict[str, Any]]:
        """The rows of a slice."""
        first, last, step = bounds.indices(len(self.frame))
        if step < 0:
            raise Refusal("Rows of a DataFrame can't be taken backwards.")
        return self.frame.records(first, last, step, work)

    def all(self, work: Work) -> list[dict[str, Any]]:
        """Every row.

        Raises:
            Refusal: more than an expression may list.
        """
        if len(self) > LIST:
            raise Refusal(f"The DataFrame has {len(self):,} rows; an expression may list {LIST:,}. Take a slice of it.")
        return self.frame.records(0, len(self), 1, work)


def _cell(value: Any) -> Any:
    """A cell as pandas has it, but none where it is nan: that is how pandas says that it is empty."""
    return (
        None if issubclass(type(value), float) and float.__ne__(value, value) else value
    )  # only nan differs from itself


def is_frame(value: Any) -> bool:
    """Whether this is a pandas DataFrame, exactly."""
    return type(value) is _of_pandas("DataFrame")


def is_missing_cell(value: Any) -> bool:
    """Whether this is pandas' way to say that a cell is empty, `NA` or `NaT`."""
    return "pandas" in sys.modules and (value is _of_pandas("NaT") or value is _of_pandas("NA"))


def _of_pandas(name: str) -> Any:
    return getattr(sys.modules.get("pandas"), name, _Nothing)


class _Nothing:
    """Equal to nothing that a value can be."""
