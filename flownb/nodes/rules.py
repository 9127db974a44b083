"""The rules of a data gate: what each asks of the data, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import ExpressionError, InvalidInput
from flownb.expr.access import describe
from flownb.graph.schemas.kinds import is_missing
from flownb.nodes.cell import Unordered, comparable
from flownb.nodes.each import ITEM_NAMES, each
from flownb.nodes.items import FrameItems, Items, items_of
from flownb.nodes.schema import DataSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.graph.nodetype import Context

_ENDS: Final = 2
_SHOWN: Final = 60
_FIELDS_SHOWN: Final = 4
_COLUMN_CHECKS: Final = ("not_null", "unique", "between", "in_", "matches")


class Rule(BaseModel):
    """One rule; each thing that it asks is reported by itself. Empty values only fail `not_null`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field("", description="What the report calls it; by default what it asks.")
    test: str | dict[str, Any] | None = Field(
        None,
        description="A condition. If it reads `item` or `index`, it must hold for each item; else once, for all: "
        "`main` is what came in.",
    )
    column: str | None = Field(None, description="The column or field that the following are asked of.")
    not_null: bool = Field(False, description="It is never empty.")
    unique: bool | list[str] = Field(
        False, description="No value occurs twice; with a list of columns, no combination does."
    )
    between: list[Any] | None = Field(None, description="The smallest and the largest value; null leaves an end open.")
    in_: list[Any] | None = Field(None, alias="in", description="The values that it may have.")
    matches: str | None = Field(None, description="A regular expression (RE2) that is found in each text.")
    schema_: DataSchema | None = Field(
        None, alias="schema", description="What each item must look like: its type, properties, required fields."
    )
    columns: list[str] | None = Field(None, description="The columns or fields that must be there.")
    min_rows: int | None = Field(None, ge=0, description="How many items there are at least.")
    max_rows: int | None = Field(None, ge=0, description="How many items there are at most.")

    @field_validator("between")
    @classmethod
    def _two_ends(cls, between: list[Any] | None) -> list[Any] | None:
        if between is not None and len(between) != _ENDS:
            raise ValueError("between takes the smallest and the largest value, as [0, 100]")
        return between

    @field_validator("matches")
    @classmethod
    def _readable(cls, pattern: str | None) -> str | None:
        if pattern is not None and "{{" not in pattern:
            from flownb.expr import compile_expression

            try:
                compile_expression("matches('', pattern)").evaluate({"pattern": pattern})
            except ExpressionError as error:
                raise ValueError(error.message.rstrip(".")) from error
        return pattern

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        of_column = [name for name in _COLUMN_CHECKS if getattr(self, name) not in (None, False)]
        needing = [name for name in of_column if not (name == "unique" and isinstance(self.unique, list))]
        if needing and self.column is None:
            raise ValueError(f"{needing[0].rstrip('_')} needs a column")
        if self.column is not None and not needing:
            raise ValueError(
                f"of the column {self.column!r} nothing is asked: not_null, unique, between, in or matches"
            )
        whole = (self.test, self.schema_, self.columns, self.min_rows, self.max_rows)
        if not of_column and all(each is None for each in whole):
            raise ValueError("it asks nothing: give a test, a column, a schema, columns, min_rows or max_rows")
        return self


class Finding(NamedTuple):
    """What one question of a rule found."""

    rule: str
    #: How many items failed; 1 for what is asked once.
    failed: int
    #: The first of them: number and value in words.
    examples: tuple[tuple[int, str], ...] = ()
    #: What else is to be said.
    note: str = ""


class Check:
    """The questions of rules, asked of one value."""

    def __init__(self, items: Items | InvalidInput, ctx: Context, names: Mapping[str, Any], most: int) -> None:
        """Prepare.

        Args:
            items: the data; or why there is none, so that only tests that read no item can be asked.
            ctx: of the node.
            names: what tests see.
            most: how many examples to keep.
        """
        self._given = items
        self._ctx = ctx
        self._names = names
        self._most = most

    def findings(self, rule: Rule) -> Iterator[Finding]:
        """What each question of a rule finds."""
        for words, ask in self._questions(rule):
            title = f"{rule.name} ({words})" if rule.name else words
            try:
                yield ask(title)
            except _Refused as refused:
                yield Finding(title, max(1, len(self._items)), note=str(refused))

    @property
    def _items(self) -> Items:
        if isinstance(self._given, InvalidInput):
            raise self._given
        return self._given

    def _questions(self, rule: Rule) -> Iterator[tuple[str, Callable[[str], Finding]]]:
        if rule.min_rows is not None or rule.max_rows is not None:
            low, high = rule.min_rows, rule.max_rows
            yield _count_words(low, high), lambda title: self._count(title, low, high)
        if rule.columns is not None:
            names = rule.columns
            yield f"columns {', '.join(names)}", lambda title: self._columns(title, names)
        if isinstance(rule.unique, list):
            together = rule.unique
            yield f"{' and '.join(together)} are unique together", lambda title: self._unique(title, together)
        if rule.schema_ is not None:
            schema = rule.schema_
            yield "each has the form of the schema", lambda title: self._schema(title, schema)
        if rule.column is not None:
            yield from self._of_column(rule, rule.column)
        if rule.test is not None:
            test = rule.test
            yield _test_words(test), lambda title: self._test(title, test)

    def _of_column(self, rule: Rule, column: str) -> Iterator[tuple[str, Callable[[str], Finding]]]:
        if rule.not_null:
            yield f"{column} is not null", lambda title: self._not_null(title, column)
        if rule.unique is True:
            yield f"{column} is unique", lambda title: self._unique(title, [column])
        if rule.between is not None:
            low, high = rule.between
            parts = ["low <= value"] * (low is not None) + ["value <= high"] * (high is not None)
            asked = " and ".join(parts) or "true"
            between = {"low": low, "high": high}
            words = f"{column} is between {_shown(low)} and {_shown(high)}"
            yield words, lambda title: self._each_value(title, column, asked, between)
        if rule.in_ is not None:
            options = {"options": rule.in_}
            words = f"{column} is one of {', '.join(map(_shown, rule.in_))}"[:200]
            yield words, lambda title: self._each_value(title, column, "value in options", options)
        if rule.matches is not None:
            pattern = {"pattern": rule.matches}
            words = f"{column} matches {rule.matches}"
            yield words, lambda title: self._each_value(title, column, "matches(value, pattern)", pattern)

    # --- the questions ------------------------------------------------------------------------------------------------

    def _count(self, title: str, low: int | None, high: int | None) -> Finding:
        found = len(self._items)
        good = (low is None or found >= low) and (high is None or found <= high)
        return Finding(title, 0 if good else 1, note="" if good else f"There are {found:,}.")

    def _columns(self, title: str, names: list[str]) -> Finding:
        missing = []
        for name in names:
            try:
                self._items.field(name)
            except InvalidInput as error:
                missing.append(self._without_owner(error))
        return Finding(title, len(missing), note=" ".join(missing))

    def _schema(self, title: str, schema: DataSchema) -> Finding:
        first_faults = ((number, next(schema.faults(item), None)) for number, item in enumerate(self._items))
        return self._finding(title, [(number, _Words(fault)) for number, fault in first_faults if fault is not None])

    def _not_null(self, title: str, column: str) -> Finding:
        values = self._field(column)
        return self._finding(title, [(n, value) for n, value in enumerate(values) if is_missing(value)])

    def _unique(self, title: str, columns: list[str]) -> Finding:
        rows = zip(*(self._field(column) for column in columns), strict=True)
        first: dict[Any, int] = {}
        failed: list[tuple[int, Any]] = []
        for number, row in enumerate(rows):
            if any(map(is_missing, row)):
                continue
            try:
                earlier = first.setdefault(tuple(map(comparable, row)), number)
            except Unordered as error:
                raise _Refused(f"{self._items.noun} {number} can't be compared: {error}.") from None
            if earlier != number:
                shown = ", ".join(map(_shown, row))
                failed.append((number, _Words(f"{shown}, as {self._items.noun} {earlier}")))
        return self._finding(title, failed)

    def _each_value(self, title: str, column: str, asked: str, data: dict[str, Any]) -> Finding:
        from flownb.expr import compile_condition

        holds = compile_condition(asked).evaluate
        failed: list[tuple[int, Any]] = []
        for number, value in enumerate(self._field(column)):
            if is_missing(value):
                continue
            try:
                good = holds({"value": value, **data})
            except ExpressionError:  # a text where a number should be fails the rule, not the gate
                good = False
            if not good:
                failed.append((number, value))
        return self._finding(title, failed)

    def _test(self, title: str, test: str | dict[str, Any]) -> Finding:
        from flownb.expr import compile_condition

        compiled = compile_condition(test)
        if not compiled.names & ITEM_NAMES:
            try:
                return Finding(title, 0 if compiled.evaluate(self._names) else 1)
            except ExpressionError as error:
                return Finding(title, 1, note=error.message)
        failed: list[int] = []
        note = ""
        for number, answer in enumerate(each(compiled, self._items, self._ctx, self._names)):
            if isinstance(answer, ExpressionError):
                note = note or answer.message
            elif answer:
                continue
            failed.append(number)
        first = items_of(self._items.take(failed[: self._most]), self._items.owner)
        examples = tuple((number, _shown(item)) for number, item in zip(failed, first, strict=False))
        return Finding(title, len(failed), examples, note)

    # --- their answers ------------------------------------------------------------------------------------------------

    def _field(self, column: str) -> list[Any]:
        items = self._items
        if not len(items) and not isinstance(items, FrameItems):
            return []
        try:
            return items.field(column, lenient=True)
        except InvalidInput as error:
            raise _Refused(self._without_owner(error)) from None

    def _finding(self, title: str, failed: list[tuple[int, Any]]) -> Finding:
        return Finding(title, len(failed), tuple((number, _shown(value)) for number, value in failed[: self._most]))

    def _without_owner(self, error: InvalidInput) -> str:
        message = error.message.removeprefix(f"{self._items.owner}: ")
        return message[:1].upper() + message[1:]


class _Refused(Exception):
    """A question that can't be asked of this data; the text says why."""


class _Words(str):
    """A value that is in words already."""

    __slots__ = ()


def _count_words(low: int | None, high: int | None) -> str:
    ends = [(word, end) for word, end in (("at least", low), ("at most", high)) if end is not None]
    return f"{' and '.join(f'{word} {end:,}' for word, end in ends)} rows"


def _test_words(test: str | dict[str, Any]) -> str:
    if isinstance(test, str):
        return test.strip()
    if isinstance(test.get("type"), str):
        return " ".join(str(test[key]) for key in ("left", "text", "type", "right", "search") if key in test)[:200]
    return f"a group of conditions ({', '.join(map(str, test))})"[:200]


def _shown(value: Any) -> str:
    """A value in a few characters, without calling anything of its class."""
    if type(value) is _Words:
        return str(value)
    if isinstance(value, Mapping):
        parts = [f"{key}: {_shown(value[key])}" for key in list(value)[:_FIELDS_SHOWN]]
        return ", ".join(parts) + (", …" if len(value) > _FIELDS_SHOWN else "")
    if type(value) is str:
        return repr(value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…")
    if type(value) in (int, float):
        return str(value) if type(value) is float or abs(value) < 10**20 else describe(value)
    if value is None:
        return "empty"
    isoformat = _isoformat(value)
    return isoformat or describe(value)


def _isoformat(value: Any) -> str:
    from datetime import date, datetime

    if isinstance(value, datetime):
        return datetime.isoformat(value)
    return date.isoformat(value) if isinstance(value, date) else ""
