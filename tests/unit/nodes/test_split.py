from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flownb.errors import InvalidInput
from tests.unit.nodes.running import checked, run, said

ORDERS: list[dict[str, Any]] = [
    {"id": 1, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}], "to": {"city": "Oslo"}},
    {"id": 2, "lines": [], "to": {"city": "Rome"}},
    {"id": 3, "lines": [{"sku": "a", "n": 5}], "to": {"city": "Oslo"}},
]


def test_a_list_is_split_as_it_is_and_a_frame_into_its_rows() -> None:
    assert checked("control.split", {}, ORDERS) == ORDERS
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "d": pd.Series([pd.Timestamp("2026-01-01"), pd.NaT])})
    assert checked("control.split", {}, frame) == [
        {"n": 1, "x": 0.5, "d": pd.Timestamp("2026-01-01")},
        {"n": 2, "x": None, "d": None},
    ]
    assert run("control.split", {}, pd.Series([1, None])) == [1.0, None]


@pytest.mark.parametrize("value", [ORDERS, pd.DataFrame(ORDERS)])
def test_the_entries_of_a_field_come_out_one_by_one(value: Any) -> None:
    found = checked("control.split", {"field": "lines"}, value)
    assert found == [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}, {"sku": "a", "n": 5}]


def test_other_fields_go_with_each_entry() -> None:
    named = checked("control.split", {"field": "lines", "keep": ["id"]}, ORDERS)
    assert named[2] == {"id": 3, "sku": "a", "n": 5}
    everything = run("control.split", {"field": "lines", "keep": True}, ORDERS)
    assert everything[0] == {"id": 1, "to": {"city": "Oslo"}, "sku": "a", "n": 2}


def test_a_single_table_has_entries_too_and_plain_entries_keep_the_name_of_the_field() -> None:
    assert run("control.split", {"field": "tags"}, {"id": 1, "tags": ["x", "y"]}) == ["x", "y"]
    assert run("control.split", {"field": "tags", "keep": True}, {"id": 1, "tags": ["x", "y"]}) == [
        {"id": 1, "tags": "x"},
        {"id": 1, "tags": "y"},
    ]
    assert run("control.split", {"field": "a.b"}, {"a": {"b": [1, 2]}}) == [1, 2]


def test_groups_have_a_key_and_items_of_the_kind_that_came_in() -> None:
    found = checked("control.split", {"by": "to.city"}, ORDERS)
    assert [(group["key"], [order["id"] for order in group["items"]]) for group in found] == [
        ({"to.city": "Oslo"}, [1, 3]),
        ({"to.city": "Rome"}, [2]),
    ]
    frame = pd.DataFrame({"k": ["a", None, "a"], "n": [1, 2, 3]})
    one, other = run("control.split", {"by": ["k"]}, frame)
    pd.testing.assert_frame_equal(one["items"], frame.iloc[[0, 2]])
    assert other["key"] == {"k": None}


def test_batches_are_of_the_kind_that_came_in_and_the_last_may_be_short() -> None:
    assert checked("control.split", {"size": 2}, [1, 2, 3]) == [[1, 2], [3]]
    assert run("control.split", {"size": 2}, (1, 2, 3)) == [(1, 2), (3,)]
    assert run("control.split", {"size": 2}, []) == []
    frame = pd.DataFrame({"n": [1, 2, 3]})
    assert [list(part.n) for part in run("control.split", {"size": 2}, frame)] == [[1, 2], [3]]


def test_of_nothing_there_are_no_entries() -> None:
    assert run("control.split", {"field": "lines"}, []) == []
    assert run("control.split", {"field": "lines", "allow_missing": True}, [{"id": 1}, {"lines": [1]}]) == [1]
    assert run("control.split", {"field": "lines"}, [{"lines": None}]) == []


@pytest.mark.parametrize(
    ("config", "value", "words"),
    [
        ({"field": "line"}, ORDERS, r"item 0 has no field 'line'. Did you mean 'lines'\?"),
        ({"field": "id"}, ORDERS, "'id' of item 0 is the number 1, and no list"),
        ({"field": "id"}, {"id": "abc"}, "'id' of item 0 is the text 'abc', and no list"),
        ({"field": "lines", "keep": ["idd"]}, ORDERS, r"item 0 has no field 'idd'. Did you mean 'id'\?"),
        ({"field": "a", "keep": True}, {"a": [{"x": 1}], "x": 2}, "an entry of 'a' of item 0 has the field 'x' as the"),
        ({"field": "a", "keep": ["x"]}, [{"a": [1], "x": 2}, 3], "item 1 is the number 3, it has no field 'a'"),
        ({}, {"a": 1}, "a table .dict., which is one value"),
        ({}, "text", "a text is one value"),
        ({"by": "x"}, [{"x": pd.DataFrame()}], "item 0 can't be grouped"),
    ],
)
def test_what_cannot_be_split_is_said(config: dict[str, Any], value: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run("control.split", config, value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"field": "a", "size": 2}, "it takes one of field, by and size, and has field and size"),
        ({"keep": True}, "keep says what goes with the entries of a field"),
        ({"size": 0}, "greater than or equal to 1"),
    ],
)
def test_a_config_that_cannot_work_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.split", config))
