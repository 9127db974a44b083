from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.expr.limits import BITS, new_work
from flownb.expr.refusal import Refusal
from flownb.expr.text import is_number_text, to_json, to_number, to_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3.0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        ([1, "é", None], '[1, "é", null]'),
        ({"a": {"b": True}}, '{"a": {"b": true}}'),
        ([math.nan, {"a": -math.inf}], '[null, {"a": null}]'),
        ((1, 2), "[1, 2]"),
    ],
)
def test_values_inside_text(value: Any, expected: str) -> None:
    assert to_text(list(value) if isinstance(value, tuple) else value, new_work()) == expected


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**60), 2**60)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_json_reads_back_equal(value: Any) -> None:
    assert json.loads(to_json(value, new_work())) == value


def test_making_json_changes_nothing() -> None:
    data = {"a": [math.nan]}
    to_json(data, new_work())
    assert math.isnan(data["a"][0])


@pytest.mark.parametrize("value", [2 ** (BITS + 1), [10**5000], {"a": -(10**100)}])
def test_huge_numbers_do_not_become_text(value: Any) -> None:
    with pytest.raises(Refusal, match="too large"):
        to_json(value, new_work())


@pytest.mark.parametrize("value", ["\x00" * 2_000_000, ["\x00" * 2_000_000], {"\x00" * 2_000_000: 1}, ["x"] * 100_000])
def test_work_is_bounded(value: Any) -> None:
    with pytest.raises(Refusal, match="too much work"):
        to_json(value, new_work())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (2.5, 2.5), (True, 1), ("12", 12), (" -3 ", -3), ("2.5", 2.5), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0)],
)
def test_numbers_are_read(value: Any, expected: float) -> None:
    number = to_number(value)
    assert number == expected
    assert type(number) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "1_000",
        "0x1f",
        "nan",
        "inf",
        "1e999",
        "٣",
        "9" * 78,
        "1" * 5000,
        "1,5",
        "--1",
        None,
        [],
        {},
        " " * 300 + "1",
    ],
)
def test_what_spells_no_number_is_refused(value: Any) -> None:
    with pytest.raises(Refusal):
        to_number(value)
    assert not is_number_text(value)
