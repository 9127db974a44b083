from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.expr.limits import DATA_DEPTH, STEPS, new_work
from flownb.expr.plain import copy, entries, equal, truth
from flownb.expr.refusal import Refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def containers(value: Any) -> list[int]:
    if isinstance(value, list):
        return [id(value), *(each for entry in value for each in containers(entry))]
    if isinstance(value, dict):
        return [id(value), *(each for entry in value.values() for each in containers(entry))]
    return []


@given(JSON)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    copied = copy(value, new_work())
    assert copied == value
    assert not set(containers(copied)) & set(containers(value))


@given(JSON, JSON)
def test_equality_is_pythons(left: Any, right: Any) -> None:
    assert equal(left, right, new_work()) is (left == right)
    assert equal(left, copy(left, new_work()), new_work()) is True


def test_a_copy_is_plain_all_the_way_down() -> None:
    assert copy({"a": ((1, 2), {"b": (3,)})}, new_work()) == {"a": [[1, 2], {"b": [3]}]}
    assert copy({1: "a", None: "b", 2.5: "c"}, new_work()) == {1: "a", None: "b", 2.5: "c"}


@pytest.mark.parametrize("value", [[object()], {"a": [object()]}, {(1, 2): 3}, {object(): 1}, [b"x"], [{1}]])
def test_what_is_not_plain_is_refused(value: Any) -> None:
    with pytest.raises(Refusal):
        copy(value, new_work())


class Tripwire:
    def __eq__(self, other: object) -> bool:
        raise AssertionError("code of the value ran")

    __hash__ = None  # type: ignore[assignment]  # it has no use here


def test_comparing_runs_no_code_of_the_values() -> None:
    for left, right in (([Tripwire()], [Tripwire()]), ({"a": Tripwire()}, {"a": 1}), ([1], [Tripwire()])):
        with pytest.raises(Refusal, match="live object"):
            equal(left, right, new_work())


def circle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def doubled(times: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "value", [circle(), nested(5_000), nested(DATA_DEPTH)], ids=["circle", "deep", "just too deep"]
)
def test_depth_is_bounded(value: Any) -> None:
    with pytest.raises(Refusal, match="nested deeper"):
        copy(value, new_work())
    with pytest.raises(Refusal, match="nested deeper"):
        equal(value, nested(DATA_DEPTH), new_work())


@pytest.mark.parametrize("value", [doubled(60), [[]] * STEPS, [{}] * STEPS, list(range(STEPS + 1))])
def test_work_is_bounded(value: Any) -> None:
    work = new_work()
    with pytest.raises(Refusal, match="too much work"):
        copy(value, work)


def test_a_hundred_thousand_numbers_are_no_trouble() -> None:
    assert len(copy(list(range(100_000)), new_work())) == 100_000


def test_entries_are_settled_and_charged() -> None:
    work = new_work()
    assert entries([(1,), 2], work, "f") == [[1], 2]
    assert STEPS - work[0] >= 4
    with pytest.raises(Refusal, match="f needs a list; this is the text 'abc'"):
        entries("abc", work, "f")


def test_truth_is_pythons() -> None:
    for value in (0, 1, "", "a", [], [0], {}, {"a": 1}, None, True, False, 0.0, math.nan):
        assert truth(value) is bool(value)
