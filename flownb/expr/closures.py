"""The closures that the compiler builds with: each runs one node of the tree and says where it stands if it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.expr.access import kind_name, settle
from flownb.expr.plain import truth
from flownb.expr.refusal import Missing, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.expr.limits import Work
    from flownb.expr.operators import Binary
    from flownb.expr.paths import Closure

_PLAIN_NUMBERS: Final = frozenset({int, float})
_SHORT: Final = 1_000


def guarded(closure: Closure, position: int) -> Closure:
    """The closure, whose refusals get a place unless they have one."""

    def run(data: dict[str, Any], work: Work) -> Any:
        try:
            return closure(data, work)
        except Refusal as refusal:
            if refusal.position is None:
                refusal.position = position
            raise

    return run


def constant(value: Any) -> Closure:
    """A literal."""
    return lambda _data, _work: value


def calling(function: Callable[..., Any], arguments: list[Closure], position: int) -> Closure:
    """A function called with settled arguments, whose result is settled."""

    def run(data: dict[str, Any], work: Work) -> Any:
        given = [argument(data, work) for argument in arguments]
        try:
            return function(work, *given)
        except Refusal as refusal:
            if refusal.position is None:
                refusal.position = position
            raise

    return run


def operating(operation: Binary, left: Closure, right: Closure, position: int) -> Closure:
    """An operator between two values."""

    def run(data: dict[str, Any], work: Work) -> Any:
        one, other = left(data, work), right(data, work)
        try:
            return operation(one, other, work)
        except Refusal as refusal:
            if refusal.position is None:
                refusal.position = position
            raise

    return run


def ordering(order: Callable[[Any, Any], Any], test: Binary, left: Closure, right: Closure, position: int) -> Closure:
    """`<` and its kin: numbers are compared at once, everything else by `test`."""

    def run(data: dict[str, Any], work: Work) -> Any:
        one, other = left(data, work), right(data, work)
        if type(one) in _PLAIN_NUMBERS and type(other) in _PLAIN_NUMBERS:
            return order(one, other)
        try:
            return test(one, other, work)
        except Refusal as refusal:
            if refusal.position is None:
                refusal.position = position
            raise

    return run


def equating(test: Binary, left: Closure, right: Closure, position: int, *, wanted: bool) -> Closure:
    """`==` and `!=`: short texts are compared at once, everything else by `test`."""

    def run(data: dict[str, Any], work: Work) -> Any:
        one, other = left(data, work), right(data, work)
        if type(one) is str and type(other) is str and len(one) < _SHORT:
            return (one == other) is wanted
        try:
            return test(one, other, work)
        except Refusal as refusal:
            if refusal.position is None:
                refusal.position = position
            raise

    return run


def chain(tests: list[Binary], operands: list[Closure], position: int) -> Closure:
    """`a < b <= c`: every operand is evaluated at most once, and none after the first test that fails."""

    def run(data: dict[str, Any], work: Work) -> bool:
        left = operands[0](data, work)
        for test, operand in zip(tests, operands[1:], strict=True):
            right = operand(data, work)
            if not test(left, right, work):
                return False
            left = right
        return True

    return guarded(run, position)


def joining(parts: list[Closure], position: int, *, stop: bool) -> Closure:
    """`and` (stops at the first that is false) and `or` (stops at the first that is true); gives that value."""
    *firsts, last = parts

    def run(data: dict[str, Any], work: Work) -> Any:
        for each in firsts:
            value = each(data, work)
            if value is stop:
                return value
            if value is not (not stop) and truth(value) is stop:
                return value
        return last(data, work)

    return guarded(run, position)


def first_there(closures: list[Closure], otherwise: Closure) -> Closure:
    """The first value that is neither missing nor none, else another."""

    def run(data: dict[str, Any], work: Work) -> Any:
        for each in closures:
            try:
                value = each(data, work)
            except Missing:
                continue
            if value is not None:
                return value
        return otherwise(data, work)

    return run


def exists(raw: Closure) -> Closure:
    """Whether a value is neither missing nor none."""

    def run(data: dict[str, Any], work: Work) -> bool:
        try:
            return raw(data, work) is not None
        except Missing:
            return False

    return run


def kind_of(raw: Closure) -> Closure:
    """The name of a value's kind, live ones included."""

    def run(data: dict[str, Any], work: Work) -> str:
        value = raw(data, work)
        try:
            value = settle(value, work)
        except Refusal:
            return "live"
        return kind_name(value)

    return run
