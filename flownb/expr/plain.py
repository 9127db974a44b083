"""Whole values: copied, compared and listed within bounds.

What an expression gives back is a copy, so nobody can change the data through it, and every part of it is plain.
"""

from __future__ import annotations

from typing import Any, Final

from flownb.expr.access import SCALARS, describe, settle, subject
from flownb.expr.frame import Frame, Rows
from flownb.expr.limits import DATA_DEPTH, Work, spend, spend_text
from flownb.expr.refusal import Refusal

_ABSENT: Final = object()
# Steps that each list or dictionary costs, beside its entries.
_LIST: Final = 20
_DICT: Final = 12


def copy(value: Any, work: Work, depth: int = 0) -> Any:
    """A deep copy in plain data: dict, list, str, int, float, bool, None.

    Raises:
        Refusal: something in it is no plain data, or it is too large or nested too deeply (a circle is).
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    if depth >= DATA_DEPTH:
        raise Refusal(f"This value is nested deeper than {DATA_DEPTH} levels.")
    if kind is list:
        spend(work, _LIST + len(value))
        if SCALARS.issuperset(map(type, value)):
            return value[:]
        return [each if type(each) in SCALARS else copy(each, work, depth + 1) for each in value]
    if kind is dict:
        spend(work, _DICT + len(value))
        return {
            key if type(key) in SCALARS else _key(key, work): (
                each if type(each) in SCALARS else copy(each, work, depth + 1)
            )
            for key, each in value.items()
        }
    if kind is Rows:
        return [
            row if SCALARS.issuperset(map(type, row.values())) else copy(row, work, depth) for row in value.all(work)
        ]
    if kind is Frame:
        raise Refusal("A DataFrame can only be handed on as a whole, by {{ its_name }} alone; take `.rows` of it here.")
    return copy(settle(value, work, "a part of this value"), work, depth + 1)


def _key(key: Any, work: Work) -> Any:
    settled = settle(key, work, "a key of this value")
    if type(settled) not in SCALARS:
        raise Refusal(f"{subject(settled)} can't be a key of plain data.")
    return settled


def equal(left: Any, right: Any, work: Work, depth: int = 0) -> bool:
    """Whether two settled values are equal, as Python has it.

    Raises:
        Refusal: something in them is no plain data, or comparing them is too much work.
    """
    kind = type(left)
    if kind in SCALARS and type(right) in SCALARS:
        if kind is str and type(right) is str:
            spend_text(work, min(len(left), len(right)))
        return bool(left == right)
    if depth >= DATA_DEPTH:
        raise Refusal(f"These values are nested deeper than {DATA_DEPTH} levels.")
    left, right = listed(left, work), listed(right, work)
    if type(left) is list and type(right) is list:
        spend(work, _LIST + 2 * min(len(left), len(right)))
        if len(left) != len(right):
            return False
        if SCALARS.issuperset(map(type, left)) and SCALARS.issuperset(map(type, right)):
            spend_text(work, sum(len(each) for each in left if type(each) is str))
            return bool(left == right)
        spend(work, _DICT * len(left))
        return all(
            equal(settle(one, work), settle(other, work), work, depth + 1)
            for one, other in zip(left, right, strict=True)
        )
    if type(left) is dict and type(right) is dict:
        spend(work, _DICT + 6 * min(len(left), len(right)))
        return len(left) == len(right) and all(
            (other := right.get(key, _ABSENT)) is not _ABSENT
            and equal(settle(one, work), settle(other, work), work, depth + 1)
            for key, one in left.items()
        )
    return False


def listed(value: Any, work: Work) -> Any:
    """The value itself, or the list that the rows of a DataFrame make."""
    if type(value) is Rows:
        return value.all(work)
    if type(value) is Frame:
        raise Refusal("A DataFrame can't be compared; compare what you take from it.")
    return value


def entries(value: Any, work: Work, function: str) -> list[Any]:
    """The settled entries of a list (the given list itself, if they are settled already); charged by their number.

    Raises:
        Refusal: the value is no list.
    """
    if type(value) is Rows:
        value = value.all(work)
    if type(value) is not list:
        raise Refusal(f"{function} needs a list; this is {describe(value)}.")
    spend(work, 2 + len(value))
    if SCALARS.issuperset(map(type, value)):
        return value
    spend(work, len(value))
    return [each if type(each) in SCALARS else settle(each, work, "an entry") for each in value]


def truth(value: Any) -> bool:
    """Whether a settled value counts as true, as Python has it.

    Raises:
        Refusal: a DataFrame, of which nobody knows.
    """
    if type(value) is Frame:
        raise Refusal("A DataFrame is neither true nor false; ask for `len(…) > 0`.")
    return bool(value)
