"""Bare expressions, ready to evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flownb.errors import ExpressionError
from flownb.expr.access import SCALARS, class_name
from flownb.expr.compile import Compiled, compile_tree
from flownb.expr.limits import TEXT, new_work
from flownb.expr.parse import Tree
from flownb.expr.plain import copy, truth
from flownb.expr.refusal import Refusal, as_error, from_exception
from flownb.expr.tokens import Mode, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")

#: What expressions are evaluated on: a value for each root name.
Data = Mapping[str, Any]

#: How many compiled texts of each kind are remembered, and how long such a text may be: at worst 50 MB in all.
REMEMBERED: Final = 512
REMEMBERED_TEXT: Final = 300


class Expression:
    """A compiled expression.

    `names` are all root names that it reads, `optional` those of them that stand only inside `default`, `exists` or
    `coalesce`, so that the data may lack them; `lone` is the name, if the expression is nothing but a name.
    """

    __slots__ = ("compiled", "lone", "names", "optional", "text")

    def __init__(self, text: str, compiled: Compiled) -> None:
        self.text = text
        self.names = compiled.names
        self.optional = compiled.optional
        self.lone = compiled.lone
        self.compiled = compiled

    @property
    def required(self) -> frozenset[str]:
        """The names that the data must have."""
        return self.names - self.optional

    def evaluate(self, data: Data) -> Any:
        """The value: a copy in plain data; but a lone name gives the very value that the data has, live or not.

        Raises:
            ExpressionError: whatever the reason; `.position` is the place in `.text`.
        """
        try:
            roots: Any = data if type(data) is dict else as_roots(data, self.names)
            if self.lone is not None and self.lone in roots:
                return roots[self.lone]
            work = new_work()
            value = self.compiled.run(roots, work)
            return value if type(value) in SCALARS else copy(value, work)
        except Refusal as refusal:
            raise as_error(refusal, self.text) from None
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the data does, one kind of error leaves
            raise from_exception(error, self.text) from None

    def problems(self, data: Data) -> list[ExpressionError]:
        """What is wrong with the expression on this data: each missing path, else why it can't be evaluated."""
        found = missing_paths([self.compiled], self.text, data)
        if not found:
            try:
                self.evaluate(data)
            except ExpressionError as error:
                found.append(error)
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class Condition(Expression):
    """A compiled condition: an expression of which only true or false is asked."""

    __slots__ = ()

    def evaluate(self, data: Data) -> bool:
        """Whether the condition holds, as Python counts values as true.

        Raises:
            ExpressionError: whatever the reason; `.position` is the place in `.text`.
        """
        try:
            roots: Any = data if type(data) is dict else as_roots(data, self.names)
            return truth(self.compiled.run(roots, new_work()))
        except Refusal as refusal:
            raise as_error(refusal, self.text) from None
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the data does, one kind of error leaves
            raise from_exception(error, self.text) from None


def compile_expression(text: str) -> Expression:
    """Read a bare expression; what was read lately is remembered.

    Raises:
        ExpressionError: it can't be read.
    """
    text = as_text(text, TEXT)
    return _remembered_expression(text) if len(text) <= REMEMBERED_TEXT else _expression(text)


def _expression(text: str) -> Expression:
    return Expression(text, reading(text, lambda: compile_one(text, Mode.BARE)))


_remembered_expression = lru_cache(REMEMBERED)(_expression)


def compile_condition_text(text: str) -> Condition:
    """Read a condition in text, in which `{{ x }}` means `(x)`; what was read lately is remembered.

    Raises:
        ExpressionError: it can't be read.
    """
    text = as_text(text, TEXT)
    return _remembered_condition(text) if len(text) <= REMEMBERED_TEXT else _condition(text)


def _condition(text: str) -> Condition:
    return Condition(text, reading(text, lambda: compile_one(text, Mode.CONDITION)))


_remembered_condition = lru_cache(REMEMBERED)(_condition)


def compile_one(text: str, mode: Mode) -> Compiled:
    """A whole text as one expression.

    Raises:
        Refusal: it can't be read.
    """
    return compile_tree(Tree(Scanner(text, 0, mode).scan()))


def evaluate(text: str, data: Data) -> Any:
    """The value of a bare expression on data, which is a mapping of root names to values.

    Raises:
        ExpressionError: whatever the text and the data.
    """
    return compile_expression(text).evaluate(data)


# --- shared by expressions, templates and conditions ----------------------------------------------------------------


def as_text(text: Any, most: int) -> str:
    """The text, as exactly a `str`.

    Raises:
        ExpressionError: it is no text, or too long.
    """
    if not issubclass(type(text), str):
        raise ExpressionError(f"An expression is text, not a value of {class_name(text)}.", text="", position=0)
    exact: str = str.__str__(text)
    if len(exact) > most:
        raise ExpressionError(
            f"This text has {len(exact):,} characters; {most:,} are the most here.", text=exact[:most], position=most
        )
    return exact


def reading(text: str, read: Callable[[], _T]) -> _T:
    """Call `read`, and make an `ExpressionError` of everything that it raises.

    Raises:
        ExpressionError: the text can't be read.
    """
    try:
        return read()
    except Refusal as refusal:
        raise as_error(refusal, text) from None
    except ExpressionError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever Python's parser raises, one kind of error leaves
        raise from_exception(error, text) from None


def as_roots(data: Any, names: Iterable[str]) -> dict[str, Any]:
    """The roots that are asked for, as a dict: from a dict's subclass past its own methods, else from a mapping.

    Raises:
        Refusal: the data is no mapping.
    """
    if issubclass(type(data), dict):
        return dict(dict.items(data))
    if not issubclass(type(data), Mapping):
        raise Refusal(f"The data of an expression is a mapping of names to values, not {class_name(data)}.")
    return {name: data[name] for name in names if name in data}


def missing_paths(compiled: Iterable[Compiled], text: str, data: Data) -> list[ExpressionError]:
    """An error for each path that must be there and is not."""
    found: list[ExpressionError] = []
    for each in compiled:
        for path in each.paths:
            try:
                roots: Any = data if type(data) is dict else as_roots(data, each.names)
                path(roots, new_work())
            except Refusal as refusal:
                found.append(as_error(refusal, text))
            except Exception as error:  # noqa: BLE001  # as in evaluate
                found.append(from_exception(error, text))
    return found
