"""What the operators do with settled values: Python's meaning, within limits, and no operator of a user's class."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final

from flownb.expr.access import SCALARS, describe, settle, subject
from flownb.expr.frame import Rows
from flownb.expr.limits import BITS, STRING, Work, check_list, check_string, spend, spend_text
from flownb.expr.plain import equal, listed
from flownb.expr.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    Binary = Callable[[Any, Any, Work], Any]

NUMBERS: Final = frozenset({int, float, bool})
_LARGEST: Final = 2**BITS


def _number(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> int | float:
    """Do it, with operands and result inside the limits."""
    for operand in (left, right):
        if type(operand) is int and not -_LARGEST <= operand <= _LARGEST:
            raise Refusal("This number is too large for an expression.")
    try:
        result: int | float = operation(left, right)
    except ZeroDivisionError:
        raise Refusal("This divides by zero.") from None
    except OverflowError:
        raise Refusal("The result is too large for an expression.") from None
    if type(result) is float:
        if not math.isfinite(result) and math.isfinite(left) and math.isfinite(right):
            raise Refusal("The result is too large for an expression.")
    elif not -_LARGEST <= result <= _LARGEST:
        raise Refusal("The result is too large for an expression.")
    return result


def add(left: Any, right: Any, work: Work) -> Any:
    """Add numbers; join texts; join lists."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _number(operator.add, left, right)
    if type(left) is str and type(right) is str:
        check_string(len(left) + len(right))
        spend_text(work, len(left) + len(right))
        return left + right
    if type(left) in (list, Rows) and type(right) in (list, Rows):
        check_list(len(left) + len(right))
        spend(work, 2 + len(left) + len(right))
        return listed(left, work) + listed(right, work)
    way_out = " Use string(…), or {{ }} inside a template." if str in (type(left), type(right)) else ""
    raise Refusal(f"Can't add {describe(left)} and {describe(right)}.{way_out}")


def multiply(left: Any, right: Any, work: Work) -> Any:
    """Multiply numbers; repeat a text or a list."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _number(operator.mul, left, right)
    if type(left) is int:
        left, right = right, left
    if type(right) is int and type(left) in (str, list):
        times = max(right, 0)
        if type(left) is str:
            check_string(len(left) * times)
            spend_text(work, len(left) * times)
        else:
            check_list(len(left) * times)
            spend(work, 2 + len(left) * times)
        # An empty one may be repeated as often as anybody likes, but Python counts only so far.
        return left * min(times, STRING)
    raise Refusal(f"Can't multiply {describe(left)} and {describe(right)}.")


def _arithmetic(name: str, operation: Callable[[Any, Any], Any]) -> Binary:
    def calculate(left: Any, right: Any, _work: Work) -> Any:
        if type(left) in NUMBERS and type(right) in NUMBERS:
            return _number(operation, left, right)
        raise Refusal(f"Can't {name} {describe(left)} and {describe(right)}: both must be numbers.")

    return calculate


subtract: Final = _arithmetic("subtract", operator.sub)
divide: Final = _arithmetic("divide", operator.truediv)
floor_divide: Final = _arithmetic("divide", operator.floordiv)
modulo: Final = _arithmetic("take the remainder of", operator.mod)


def negative(value: Any, _work: Work) -> Any:
    """The number with the other sign."""
    if type(value) in NUMBERS:
        return _number(operator.sub, 0, value) if type(value) is not float else -value
    raise Refusal(f"{subject(value)} has no negative.")


def positive(value: Any, _work: Work) -> Any:
    """The number itself."""
    if type(value) in NUMBERS:
        return +value
    raise Refusal(f"{subject(value)} is no number.")


def ordered(operation: Callable[[Any, Any], Any], left: Any, right: Any, work: Work) -> bool:
    """Compare two numbers or two texts by their order."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return bool(operation(left, right))
    if type(left) is str and type(right) is str:
        spend_text(work, min(len(left), len(right)))
        return bool(operation(left, right))
    kinds = {type(left), type(right)}
    way_out = " Use number(…) to read the text." if str in kinds and kinds & NUMBERS else ""
    raise Refusal(f"Can't compare {describe(left)} with {describe(right)} by their order.{way_out}")


def contains(container: Any, wanted: Any, work: Work) -> bool:
    """Whether a text has a part, a list an entry, a dictionary a key.

    Raises:
        Refusal: the container is nothing that contains.
    """
    kind = type(container)
    if kind is str:
        if type(wanted) is not str:
            raise Refusal(f"A text can only contain text; this is {describe(wanted)}.")
        spend_text(work, len(container) + len(wanted))
        return wanted in container
    if kind is dict:
        return type(wanted) in SCALARS and wanted in container
    if kind in (list, Rows):
        found: list[Any] = listed(container, work)
        spend(work, 2 + len(found))
        if type(wanted) in SCALARS and SCALARS.issuperset(map(type, found)):
            spend_text(work, len(wanted) * len(found) if type(wanted) is str else 0)
            return wanted in found
        spend(work, 8 * len(found))
        return any(equal(settle(each, work, "an entry"), wanted, work) for each in found)
    raise Refusal(f"{subject(container)} can't contain anything; use text, a list or an object.")
