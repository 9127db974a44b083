from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.graph.schemas.kinds import is_missing, plain_cell
from flownb.nodes.cell import ABSENT, Unordered, comparable, extreme, in_order, read_path


@pytest.mark.parametrize(
    ("item", "name", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": {"b": 2}}, "a.b", 2),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": [{"b": 3}]}, "a.0.b", 3),
        ({"a": None}, "a", None),
        ({"a": None}, "a.b", ABSENT),
        ({"a": [1]}, "a.1", ABSENT),
        ({"a": [1]}, "a.-1", ABSENT),
        ({"a": "text"}, "a.0", ABSENT),
        ({"a": 1}, "b", ABSENT),
        ({}, "", ABSENT),
        ([5], "0", 5),
        ("text", "lower", ABSENT),
        (None, "x", ABSENT),
    ],
)
def test_a_path_goes_through_tables_and_lists_and_never_into_objects(item: Any, name: str, value: Any) -> None:
    assert read_path(item, name) == value


@pytest.mark.parametrize("value", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT, Decimal("nan")])
def test_every_kind_of_empty_is_missing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, "", False, [], float("inf"), Decimal(0), pd.Timestamp(0)])
def test_what_is_merely_false_is_not_missing(value: Any) -> None:
    assert not is_missing(value)


def test_a_number_of_numpys_becomes_one_that_cannot_overflow() -> None:
    assert type(plain_cell(np.int8(100))) is int
    assert type(plain_cell(np.float32(0.5))) is float
    assert plain_cell(np.datetime64("2026-01-01")) == np.datetime64("2026-01-01")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (None, float("nan")),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
        ({1, 2}, {2, 1}),
        (np.int64(3), 3),
        (Decimal(2), 2),
    ],
)
def test_what_is_equal_is_comparable_as_equal(one: Any, other: Any) -> None:
    assert comparable(one) == comparable(other)
    assert hash(comparable(one)) == hash(comparable(other))


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), ("1", 1), ([1], (1,)), ({}, []), ("", None)])
def test_what_is_not_equal_is_not(one: Any, other: Any) -> None:
    assert comparable(one) != comparable(other)


def test_what_cannot_be_compared_is_said() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Unordered, match="nested deeper than 100 levels"):
        comparable(deep)
    with pytest.raises(Unordered, match="a live object .DataFrame. can't be compared"):
        comparable([pd.DataFrame()])


def test_the_order_is_stable_both_ways_and_what_is_missing_comes_last() -> None:
    values = [2, None, 1, 2, float("nan"), 1]
    assert in_order(values, list(range(6)), descending=False) == [2, 5, 0, 3, 1, 4]
    assert in_order(values, list(range(6)), descending=True) == [0, 3, 2, 5, 1, 4]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, "x"], r"the number 1 \(0\) and the text 'x' \(1\) have no order between them"),
        ([None, {"a": 1}, {"a": 2}], "an object with keys has no order"),
        (
            [dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
            "have no order between them",
        ),
        ([1 + 2j, 3 + 1j], "has no order"),
    ],
)
def test_values_without_an_order_are_named(values: list[Any], words: str) -> None:
    with pytest.raises(Unordered, match=words):
        in_order(values, list(range(len(values))), descending=False)


def test_a_class_that_fails_when_it_is_compared_is_a_sentence_too() -> None:
    class Broken:
        def __lt__(self, other: object) -> bool:
            raise RuntimeError("no")

    with pytest.raises(Unordered, match="Broken"):
        extreme([Broken(), Broken()], [0, 1], min)


def test_the_smallest_of_nothing_is_none() -> None:
    assert extreme([None, float("nan")], [0, 1], max) is None
    assert extreme([3, None, 2], [0, 1, 2], min) == 2
