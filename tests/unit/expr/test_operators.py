from __future__ import annotations

import math
import operator
from typing import Any

import pytest

from flownb.expr import limits
from flownb.expr.limits import new_work
from flownb.expr.operators import (
    add,
    contains,
    divide,
    floor_divide,
    modulo,
    multiply,
    negative,
    ordered,
    positive,
    subtract,
)
from flownb.expr.refusal import Refusal


def short(value: Any) -> str | None:
    """An id for a case; pytest would write out huge numbers and texts."""
    huge = value.bit_length() > 64 if type(value) is int else type(value) is str and len(value) > 40
    return f"huge {type(value).__name__}" if huge else None


@pytest.mark.parametrize(
    ("operation", "left", "right", "expected"),
    [
        (add, 1, 2.5, 3.5),
        (add, True, 1, 2),
        (add, "a", "b", "ab"),
        (add, [1], [2], [1, 2]),
        (subtract, 1, 2, -1),
        (multiply, 3, 4, 12),
        (multiply, "ab", 2, "abab"),
        (multiply, 2, "ab", "abab"),
        (multiply, [0], 3, [0, 0, 0]),
        (multiply, "ab", -1, ""),
        (multiply, "", 10**30, ""),
        (divide, 1, 2, 0.5),
        (floor_divide, -7, 2, -4),
        (modulo, -7, 2, 1),
    ],
)
def test_operators_mean_what_python_means(operation: Any, left: Any, right: Any, expected: Any) -> None:
    assert operation(left, right, new_work()) == expected


@pytest.mark.parametrize(
    ("operation", "left", "right", "words"),
    [
        (add, "a", 1, "Can't add the text 'a' and the number 1. Use string"),
        (add, None, 1, "Can't add none"),
        (add, {}, {}, "Can't add"),
        (add, [1], "a", "Can't add"),
        (subtract, "a", "b", "both must be numbers"),
        (multiply, "a", "b", "Can't multiply"),
        (multiply, "a", 1.5, "Can't multiply"),
        (multiply, {}, 2, "Can't multiply"),
        (divide, 1, 0, "by zero"),
        (divide, 1.0, 0.0, "by zero"),
        (floor_divide, 1, 0, "by zero"),
        (modulo, 1, 0, "by zero"),
        (modulo, "%s", "x", "both must be numbers"),
        (modulo, "%1000000d", 1, "both must be numbers"),
        (multiply, 1e200, 1e200, "too large"),
        (add, 1e308, 1e308, "too large"),
        (multiply, 2**200, 2**200, "too large"),
        (multiply, 10**100_000, 2, "too large"),
        (add, 2**limits.BITS, 1, "too large"),
        (divide, 10**5000, 3, "too large"),
        (multiply, "a", limits.STRING + 1, "make a text"),
        (multiply, "a", 10**50, "make a text"),
        (multiply, [1], limits.LIST + 1, "make a list"),
        (add, "a" * limits.STRING, "a", "make a text"),
        (add, [1] * limits.LIST, [1], "make a list"),
    ],
    ids=short,
)
def test_what_has_no_meaning_or_is_too_large_is_refused(operation: Any, left: Any, right: Any, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        operation(left, right, new_work())
    assert words in caught.value.message


def test_nan_and_infinity_of_the_data_pass_through() -> None:
    assert math.isnan(add(math.nan, 1, new_work()))
    assert add(math.inf, 1, new_work()) == math.inf


def test_lists_are_joined_into_a_new_one() -> None:
    data = [1]
    joined = add(data, [], new_work())
    joined.append(2)
    assert data == [1]


def test_signs() -> None:
    assert negative(5, new_work()) == -5
    assert math.copysign(1, negative(0.0, new_work())) == -1
    assert positive(5, new_work()) == 5
    odd: list[Any] = ["5", None, []]
    for value in odd:
        with pytest.raises(Refusal):
            negative(value, new_work())
        with pytest.raises(Refusal):
            positive(value, new_work())


def test_order_is_for_numbers_or_for_texts() -> None:
    assert ordered(operator.lt, 1, 2.5, new_work())
    assert ordered(operator.ge, "b", "a", new_work())
    for left, right in ((1, "2"), (None, 1), ([1], [2]), ({}, {})):
        with pytest.raises(Refusal, match="by their order"):
            ordered(operator.lt, left, right, new_work())


def test_the_way_out_is_told_where_a_text_meets_a_number() -> None:
    with pytest.raises(Refusal, match="Use number"):
        ordered(operator.lt, "12", 5, new_work())


@pytest.mark.parametrize(
    ("container", "wanted", "expected"),
    [
        ("hello", "ell", True),
        ([1, [2]], [2], True),
        ([1, "1"], "1", True),
        ([1], True, True),
        ({"a": 1}, "a", True),
        ({"a": 1}, [1], False),
        ([], 1, False),
        ([{"a": [1]}], {"a": [1]}, True),
    ],
)
def test_contains(container: Any, wanted: Any, expected: bool) -> None:
    assert contains(container, wanted, new_work()) is expected


@pytest.mark.parametrize(("container", "wanted"), [("5", 5), (5, 5), (None, 1), (True, 1)])
def test_what_can_not_contain_is_refused(container: Any, wanted: Any) -> None:
    with pytest.raises(Refusal):
        contains(container, wanted, new_work())


@pytest.mark.parametrize(
    ("operation", "left", "right"),
    [
        (contains, "a" * 6_000_000, "b"),
        (contains, ["a" * 10_000] * 1_000, "a" * 10_000),
        (contains, [[]] * 100_000, 1),
        (lambda left, right, work: ordered(operator.lt, left, right, work), "a" * 6_000_000, "a" * 6_000_000),
    ],
    ids=short,
)
def test_work_on_large_data_is_refused(operation: Any, left: Any, right: Any) -> None:
    with pytest.raises(Refusal, match="too much work"):
        operation(left, right, new_work())
