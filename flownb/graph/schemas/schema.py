"""The form of a value: its type, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.expr.access import describe
from flownb.graph.schemas.kinds import WORDS, column_is, fields_of, is_a, is_missing, plain_cell
from flownb.graph.schemas.result import Fault, ValidationResult, inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Faults that are told of one value; a million rows may all be wrong in the same way.
MOST_FAULTS: Final = 20


class DataSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value must be; every field narrows it further."""

    #: One of `WORDS`.
    type: str = "any"
    #: It may be empty as well: None, NaN, or what pandas has for that.
    nullable: bool = False
    #: Of a table: the form of its fields.
    properties: dict[str, DataSchema] = {}
    #: Of a table, the fields that must be there, and of a DataFrame the columns; described or not.
    required: tuple[str, ...] = ()
    #: Of a table: the form of the fields that are not described; None where anything goes.
    others: DataSchema | None = None
    #: Of a table: whether fields that are not described are faults.
    closed: bool = False
    #: Of a list: the form of each entry.
    items: DataSchema | None = None
    #: Of a DataFrame: what each column holds, as `number`, `string`, `datetime`, or a dtype as `float64`; a column that
    #: is named here must be there.
    columns: dict[str, str] = {}
    #: The values that it may have; None for any.
    values: tuple[Any, ...] | None = None
    #: The least and most that a number may be, and whether it must be more and less than that.
    least: float | None = None
    most: float | None = None
    beyond: bool = False
    below: bool = False
    #: How long text, or a list, may be.
    shortest: int | None = None
    longest: int | None = None
    #: A regular expression of which a match must lie in the text.
    pattern: str | None = None
    #: One of these must hold; and all of those.
    one_of: tuple[DataSchema, ...] = ()
    all_of: tuple[DataSchema, ...] = ()
    #: The name of a form in `named` of the outermost one, for forms that hold themselves.
    like: str = ""
    named: dict[str, DataSchema] = {}

    def validate(self, value: Any) -> ValidationResult:
        """Whether a value has this form; the first faults, each with its place."""
        found: list[Fault] = []
        try:
            for fault in self.faults(value):
                found.append(fault)
                if len(found) >= MOST_FAULTS:
                    break
        except RecursionError:
            found.append(Fault("", "nests too deeply to be looked at"))
        return ValidationResult(tuple(found))

    def faults(self, value: Any, path: str = "", named: Mapping[str, DataSchema] | None = None) -> Iterator[Fault]:
        """What is wrong with a value.

        Args:
            value: what is looked at.
            path: where it is; empty for the whole.
            named: the forms that this one may refer to; its own by default.
        """
        known = self.named or named or {}
        if self.like:
            yield from known[self.like].faults(value, path, known)
            return
        value = plain_cell(value)
        if is_missing(value):
            if self.type != "any" and not self.nullable:
                yield Fault(path, f"is empty, and should be {WORDS[self.type]}")
            if self.type != "any" or self.nullable:
                return
        elif self.type != "any" and not is_a(value, self.type):
            yield Fault(path, f"is {describe(value)}, and should be {WORDS[self.type]}")
            return
        yield from self._narrower(value, path, known)
        yield from self._within(value, path, known)

    def _within(self, value: Any, path: str, known: Mapping[str, DataSchema]) -> Iterator[Fault]:
        if self.type == "dataframe":
            yield from self._columns(value, path)
        elif isinstance(value, list | tuple):
            if self.items is not None:
                for number, each in enumerate(value):
                    yield from self.items.faults(each, inside(path, number), known)
        elif self._is_of_tables and (fields := fields_of(value)) is not None:
            yield from self._fields(fields, path, known)

    @property
    def _is_of_tables(self) -> bool:
        return bool(self.properties or self.required or self.closed or self.others is not None)

    def _narrower(self, value: Any, path: str, known: Mapping[str, DataSchema]) -> Iterator[Fault]:
        if self.values is not None and not any(each == value and type(each) is type(value) for each in self.values):
            listed = ", ".join(map(repr, self.values[:10]))
            yield Fault(path, f"is {describe(value)}, and should be one of {listed}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield from self._amount(value, path)
        if isinstance(value, str | list | tuple):
            yield from self._length(value, path)
        if self.pattern is not None and isinstance(value, str) and not _matcher(self.pattern)(value):
            yield Fault(path, f"is {describe(value)}, which doesn't match {self.pattern!r}")
        for each in self.all_of:
            yield from each.faults(value, path, known)
        if self.one_of:
            ways = [list(each.faults(value, path, known)) for each in self.one_of]
            if all(ways):
                yield from min(ways, key=lambda faults: (faults[0].path == path, len(faults)))

    def _amount(self, value: float, path: str) -> Iterator[Fault]:
        if self.least is not None and (value <= self.least if self.beyond else value < self.least):
            yield Fault(path, f"is {value}, and should be {'more than' if self.beyond else 'at least'} {self.least:g}")
        if self.most is not None and (value >= self.most if self.below else value > self.most):
            yield Fault(path, f"is {value}, and should be {'less than' if self.below else 'at most'} {self.most:g}")

    def _length(self, value: Any, path: str) -> Iterator[Fault]:
        what = "letters" if isinstance(value, str) else "entries"
        if self.shortest is not None and len(value) < self.shortest:
            yield Fault(path, f"has {len(value)} {what}, and should have at least {self.shortest}")
        if self.longest is not None and len(value) > self.longest:
            yield Fault(path, f"has {len(value)} {what}, and should have at most {self.longest}")

    def _fields(self, table: Mapping[Any, Any], path: str, known: Mapping[str, DataSchema]) -> Iterator[Fault]:
        for name in self.required:
            if name not in table:
                yield Fault(inside(path, name), "is missing")
        for name, schema in self.properties.items():
            if name in table:
                yield from schema.faults(table[name], inside(path, name), known)
        if not self.closed and self.others is None:
            return
        for name, each in table.items():
            if name in self.properties:
                continue
            if self.others is not None:
                yield from self.others.faults(each, inside(path, name), known)
            else:
                yield Fault(inside(path, name), "is not known here")

    def _columns(self, frame: Any, path: str) -> Iterator[Fault]:
        there = list(frame.columns)
        for name in dict.fromkeys((*self.required, *self.columns)):
            if name not in there:
                listed = ", ".join(map(str, there[:10])) or "none"
                yield Fault(inside(path, name), f"is missing; the columns are {listed}")
        for name, wanted in self.columns.items():
            if name not in there:
                continue
            dtype = getattr(frame[name], "dtype", None)
            if dtype is None:
                yield Fault(inside(path, name), "is there more than once")
            elif not column_is(dtype, wanted):
                yield Fault(inside(path, name), f"holds {dtype}, and should hold {wanted}")


def _matcher(pattern: str) -> Callable[[str], Any]:
    import re2  # in linear time, whatever the pattern

    found: Callable[[str], Any] = re2.compile(pattern).search
    return found
