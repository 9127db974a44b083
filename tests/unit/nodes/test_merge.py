from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flownb import Flow
from flownb.errors import InvalidInput
from flownb.graph.registry import registry
from flownb.model.workflow import Node
from flownb.testing import FakeContext
from tests.unit.nodes.running import run_with as run


@pytest.mark.parametrize(
    ("mode", "values", "merged"),
    [
        ("append", [[1, 2], [3]], [1, 2, 3]),
        ("append", [1, [2, 3], (4,), "five", {"six": 6}], [1, 2, 3, 4, "five", {"six": 6}]),
        ("append", [[]], []),
        ("combine", [{"a": 1, "b": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ("first", [None, 2], None),
    ],
)
def test_a_merge_makes_one_value_of_the_branches(mode: str, values: list[Any], merged: Any) -> None:
    assert run("control.merge", {"mode": mode}, main=values) == merged


def test_frames_are_put_one_after_another() -> None:
    one, two = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2, 3]})
    merged = run("control.merge", {}, main=[one, two])
    pd.testing.assert_frame_equal(merged, pd.DataFrame({"x": [1, 2, 3]}))
    series = run("control.merge", {}, main=[one.x, two.x])
    assert list(series) == [1, 2, 3]


def test_a_frame_among_other_things_is_collected_as_it_is() -> None:
    frame = pd.DataFrame({"x": [1]})
    merged = run("control.merge", {}, main=[frame, [2]])
    assert merged[0] is frame
    assert merged[1:] == [2]


def test_combining_what_is_no_table_names_where_it_came_from() -> None:
    context = FakeContext(sources={"main": ["a", "load"]})
    with pytest.raises(TypeError, match="load gave a int"):
        run("control.merge", {"mode": "combine"}, context, main=[{}, 3])


def test_a_mode_that_does_not_exist_is_a_problem() -> None:
    node = Node(id="m", type="control.merge", config={"mode": "zip"})
    (problem,) = registry.get("control.merge").check(node)
    assert problem.message.startswith("mode of m (control.merge) is 'zip': Input should be 'append', 'combine'")


# --- by key -----------------------------------------------------------------------------------------------------------

ORDERS = [
    {"id": 1, "who": "ada", "note": "a"},
    {"id": 2, "who": "bob", "note": "b"},
    {"id": 3, "who": "ada", "note": "c"},
]
PEOPLE = [{"who": "ada", "city": "Oslo", "note": "x"}, {"who": "eve", "city": "Rome", "note": "y"}]
INNER = [
    {"id": 1, "who": "ada", "note": "a", "city": "Oslo", "note_people": "x"},
    {"id": 3, "who": "ada", "note": "c", "city": "Oslo", "note_people": "x"},
]
BOB = {"id": 2, "who": "bob", "note": "b", "city": None, "note_people": None}
EVE = {"id": None, "who": "eve", "note": None, "city": "Rome", "note_people": "y"}
JOINED: dict[str, list[Any]] = {
    "inner": INNER,
    "left": [INNER[0], BOB, INNER[1]],
    "outer": [INNER[0], BOB, INNER[1], EVE],
}


def by_key(*values: Any, **config: Any) -> Any:
    context = FakeContext(path="m", sources={"main": ["orders", "people", "third"][: len(values)]})
    return run("control.merge", {"mode": "by_key", "on": "who", **config}, context, main=list(values))


@pytest.mark.parametrize("how", JOINED)
def test_rows_that_agree_in_a_field_come_side_by_side(how: str) -> None:
    assert by_key(ORDERS, PEOPLE, how=how) == JOINED[how]


@pytest.mark.parametrize("how", JOINED)
def test_frames_are_merged_as_lists_are(how: str) -> None:
    merged = by_key(pd.DataFrame(ORDERS), pd.DataFrame(PEOPLE), how=how)
    rows = merged.astype(object).where(merged.notna(), None).to_dict("records")
    assert len(rows) == len(JOINED[how])
    assert all(row in JOINED[how] for row in rows)
    assert list(merged.columns) == list(INNER[0])


def test_several_fields_and_several_branches() -> None:
    one, two = [{"a": 1, "b": 1, "x": 1}, {"a": 1, "b": 2, "x": 2}], [{"a": 1, "b": 2, "y": 3}]
    assert by_key(one, two, [{"a": 1, "b": 2, "z": 4}], on=["a", "b"]) == [{"a": 1, "b": 2, "x": 2, "y": 3, "z": 4}]


def test_every_pair_of_partners_is_a_row() -> None:
    assert len(by_key([{"who": 1, "a": 1}, {"who": 1, "a": 2}], [{"who": 1, "b": 1}, {"who": 1, "b": 2}])) == 4


def test_one_branch_alone_is_left_as_it_is() -> None:
    assert by_key(ORDERS) is ORDERS


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((ORDERS, [{"name": "ada"}]), r"m: people: .*who"),
        ((pd.DataFrame(ORDERS), pd.DataFrame({"name": ["ada"]})), r"m: people.*who"),
        ((pd.DataFrame({"who": [1]}), pd.DataFrame({"who": ["1"]})), "m: people can't be merged by who"),
    ],
)
def test_a_key_that_is_missing_or_can_not_be_compared_is_a_sentence(values: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        by_key(*values)


@pytest.mark.parametrize("value", [3, {"who": 1}, None, "ada", pd.DataFrame(PEOPLE)])
def test_what_has_no_rows_of_the_same_kind_is_a_sentence(value: Any) -> None:
    with pytest.raises(TypeError, match="m merges by_key, which takes DataFrames or lists of dicts, all of one kind"):
        by_key(ORDERS, value)


def test_a_key_goes_with_its_mode() -> None:
    for config in ({"mode": "by_key"}, {"on": "who"}):
        (problem,) = registry.get("control.merge").check(Node(id="m", type="control.merge", config=config))
        assert "`on` names the fields of a merge by_key" in problem.message


def test_the_builder_merges_by_key_where_it_is_given_one() -> None:
    flow = Flow("join")
    flow.node(lambda: ORDERS, id="orders")
    flow.node(lambda: PEOPLE, id="people")
    flow.merge("known", "orders", "people", on="who", how="left")
    assert flow.run(store="memory:", display=False).result(5) == {"known": JOINED["left"]}
