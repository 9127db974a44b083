from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError, InvalidInput
from flownb.graph.builder import Builder
from flownb.graph.nodetype import Output
from flownb.testing import FakeContext
from tests.unit.nodes.running import checked, leaving, run, run_with, said

ROWS: list[dict[str, Any]] = [
    {"id": 3, "city": "Oslo", "amount": 10.0},
    {"id": 1, "city": "Rome", "amount": None},
    {"id": 2, "city": "Oslo", "amount": 30.0},
    {"id": 4, "city": "Bern", "amount": 10.0},
]
FRAME = pd.DataFrame(ROWS)


def ids(found: Any) -> list[int]:
    return [int(row["id"]) for row in (found.to_dict("records") if isinstance(found, pd.DataFrame) else found)]


@pytest.fixture(params=["list", "tuple", "frame"])
def rows(request: pytest.FixtureRequest) -> Any:
    """The same rows as each kind; what comes out must be of that kind."""
    return {"list": ROWS, "tuple": tuple(ROWS), "frame": FRAME}[request.param]


# --- filter -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "kept"),
    [
        ("item.city == 'Oslo'", [3, 2]),
        ("{{ item.city }} == 'Oslo'", [3, 2]),
        ("item.amount == none", [1]),
        ("default(item.amount, 0) >= limit", [3, 2, 4]),
        ("index < 2", [3, 1]),
        ("item.id == max(main.1.id, 2)", [2]),
        ("true", [3, 1, 2, 4]),
        ("false", []),
        ({"type": "in", "left": "{{ item.city }}", "right": ["Rome", "Bern"]}, [1, 4]),
        ({"or": ["item.id == 1", {"type": "equals", "left": "{{ item.id }}", "right": 4}]}, [1, 4]),
    ],
)
def test_a_filter_keeps_what_the_test_holds_for(test: Any, kept: list[int], rows: Any) -> None:
    found = checked("control.filter", {"test": test}, rows, limit=10)
    assert ids(found) == kept
    assert type(found) is type(rows)


def test_a_frame_keeps_its_labels_and_dtypes() -> None:
    frame = FRAME.astype({"city": "category"}).set_axis(["a", "b", "c", "d"], axis=0)
    found = run("control.filter", {"test": "item.id >= 3"}, frame)
    pd.testing.assert_frame_equal(found, frame.iloc[[0, 3]])


def test_the_rest_leaves_by_its_own_port(rows: Any) -> None:
    found = checked("control.filter", {"test": "item.id > 2", "rest": True}, rows)
    assert isinstance(found, Output)
    assert (ids(found.value), found.ports, ids(leaving(found, "rest"))) == ([3, 4], ("rest",), [1, 2])


def test_single_values_are_items_too() -> None:
    assert run("control.filter", {"test": "item % 2 == 0"}, [1, 2, 3, 4]) == [2, 4]
    series = run("control.filter", {"test": "item > 1"}, pd.Series([1, 2, 3]))
    assert series.to_dict() == {1: 2, 2: 3}


def test_the_items_can_come_from_an_expression_or_an_input() -> None:
    config = {"test": "item > 1", "items": "{{ load.rows }}"}
    assert run_with("control.filter", config, load={"rows": [1, 2]}) == [2]
    assert run_with("control.filter", {"test": "item > 1"}, items=[1, 2]) == [2]


def test_of_several_branches_exactly_one_may_have_run() -> None:
    context = FakeContext(sources={"main": ["a", "b"]})
    with pytest.raises(InvalidInput, match="node works on one value, and several came in, from a and b: .* a merge"):
        run_with("control.filter", {"test": "true"}, context, main=[[1], [2]])
    with pytest.raises(InvalidInput, match="node has nothing to work on: wire a node to it, or set `items`"):
        run_with("control.filter", {"test": "true"}, main=[])


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("item.amuont > 1", r"item 0: There is no 'amuont' in item.*[Dd]id you mean 'amount'"),
        ("item.amount > 1", "item 1: Can't compare none with the number 1"),
        ("item.city > 1", "item 0: Can't compare the text 'Oslo' with the number 1"),
        ("item.lower()", "methods"),
        ("gone > 1", "item 0: There is no 'gone'"),
    ],
)
def test_a_test_that_fails_names_the_item_and_the_near_names(test: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        run("control.filter", {"test": test}, ROWS)


def test_item_and_index_are_no_names_of_the_flow_and_others_are() -> None:
    flow = Builder("filters")
    flow.node(lambda: [1], id="load")
    flow.node(lambda: 1, id="item")
    flow.node(lambda: 1, id="limit")
    kept = flow.add("control.filter", "kept", test="item > limit and index > 0")
    flow["load"] >> kept
    assert flow.validate() == []
    wires = {(edge.source, edge.target_port) for edge in flow.build().edges if edge.target == "kept"}
    assert wires == {("load", "main"), ("limit", "limit")}


def test_a_filter_with_nothing_to_filter_is_a_problem() -> None:
    flow = Builder("filters")
    flow.add("control.filter", "kept", test="item > 1")
    assert [problem.message for problem in flow.validate()] == ["kept needs 'main', and nothing feeds it."]


@pytest.mark.parametrize("value", [{"a": 1}, None, "text", 5])
def test_what_has_no_items_is_refused(value: Any) -> None:
    for type_, config in (
        ("control.filter", {"test": "true"}),
        ("control.sort", {}),
        ("control.dedupe", {}),
        ("control.limit", {"count": 1}),
    ):
        with pytest.raises(InvalidInput, match="node works on a list, a tuple, a Series or a DataFrame, and got"):
            run(type_, config, value)


# --- sort -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "order"),
    [
        ({"by": "id"}, [1, 2, 3, 4]),
        ({"by": "id", "descending": True}, [4, 3, 2, 1]),
        ({"by": "amount"}, [3, 4, 2, 1]),
        ({"by": "amount", "descending": True}, [2, 3, 4, 1]),
        ({"by": ["city", "id"]}, [4, 2, 3, 1]),
        ({"by": ["city", "id"], "descending": [True, False]}, [1, 2, 3, 4]),
        ({"key": "0 - item.id"}, [4, 3, 2, 1]),
        ({"key": "len(item.city) * 0"}, [3, 1, 2, 4]),
    ],
)
def test_a_sort_is_stable_and_what_is_empty_comes_last(config: dict[str, Any], order: list[int], rows: Any) -> None:
    found = checked("control.sort", config, rows)
    assert ids(found) == order
    assert type(found) is type(rows)


def test_items_without_fields_are_sorted_by_themselves() -> None:
    assert run("control.sort", {}, [3, None, 1, 2.5]) == [1, 2.5, 3, None]
    assert run("control.sort", {"descending": True}, ["b", "a"]) == ["b", "a"]
    assert list(run("control.sort", {}, pd.Series([3.0, None, 1.0])).index) == [2, 0, 1]
    days = [dt.date(2026, 5, 1), dt.date(2026, 1, 1)]
    assert run("control.sort", {}, days) == days[::-1]
    assert run("control.sort", {}, [Decimal(2), 1, 1.5]) == [1, 1.5, Decimal(2)]


def test_a_categorical_column_is_sorted_by_its_categories() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "size": pd.Categorical(["L", "S", "M"], ["S", "M", "L"], ordered=True)})
    assert ids(run("control.sort", {"by": "size"}, frame)) == [2, 3, 1]


def test_a_path_sorts_a_frame_as_well() -> None:
    nested = [{"id": 1, "at": {"n": 2}}, {"id": 2, "at": {"n": 1}}]
    assert ids(run("control.sort", {"by": "at.n"}, pd.DataFrame(nested))) == [2, 1]
    assert ids(run("control.sort", {"by": "at.n"}, nested)) == [2, 1]


@pytest.mark.parametrize(
    ("config", "value", "words"),
    [
        ({"by": "x"}, [{"x": 1}, {"x": "a"}], "these items can't be sorted by 'x': the number 1 .0. and the text 'a'"),
        ({"by": "x"}, pd.DataFrame({"x": [1, "a"]}), "these rows can't be sorted by 'x': the number 1 .0. and"),
        ({}, [{"x": 1}, {"x": 2}], "these items can't be sorted: an object with keys has no order"),
        ({}, FRAME, "the rows of a DataFrame are sorted by a column: name it in `by`"),
        ({"by": "ammount"}, ROWS, r"item 0 has no field 'ammount'. Did you mean 'amount'\?"),
        ({"by": "ammount"}, FRAME, r"no column 'ammount'. Did you mean 'amount'\?"),
        ({"key": "item"}, [[1], ["a"]], "can't be sorted by their key"),
    ],
)
def test_what_cannot_be_sorted_is_said(config: dict[str, Any], value: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run("control.sort", config, value)


def test_a_field_that_some_lack_counts_as_empty_if_so_asked() -> None:
    some = [{"x": 2}, {}, {"x": 1}]
    with pytest.raises(InvalidInput, match="item 1 has no field 'x'"):
        run("control.sort", {"by": "x"}, some)
    assert run("control.sort", {"by": "x", "allow_missing": True}, some) == [{"x": 1}, {"x": 2}, {}]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"by": "a", "key": "item.a"}, "it takes by or key, not both"),
        ({"by": ["a", "b"], "descending": [True]}, "descending has 1 entries, and there are 2 fields"),
        ({"bye": "a"}, "has no field 'bye'. Did you mean 'by'"),
    ],
)
def test_a_sort_that_means_nothing_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.sort", config))


# --- dedupe -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({}, [3, 1, 2, 4]),
        ({"by": "city"}, [3, 1, 4]),
        ({"by": "city", "keep": "last"}, [1, 2, 4]),
        ({"by": ["city", "amount"]}, [3, 1, 2, 4]),
        ({"key": "item.id % 2"}, [3, 2]),
    ],
)
def test_a_dedupe_leaves_one_of_each(config: dict[str, Any], left: list[int], rows: Any) -> None:
    found = checked("control.dedupe", config, rows)
    assert ids(found) == left
    assert type(found) is type(rows)


def test_whole_items_are_compared_however_deep() -> None:
    items = [{"a": [1, {"b": 2}]}, {"a": [1.0, {"b": 2}]}, [1], (1,), None, float("nan"), 1, True, "1"]
    found = run("control.dedupe", {}, items)
    assert found == [{"a": [1, {"b": 2}]}, [1], (1,), None, 1, True, "1"]
    frame = pd.DataFrame({"x": [[1], [1], [2]], "y": [None, float("nan"), None]})
    assert list(run("control.dedupe", {}, frame).index) == [0, 2]


def test_what_cannot_be_compared_is_said() -> None:
    deep: list[Any] = []
    for _ in range(2_000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="node: item 1 can't be compared: it is nested deeper than 100 levels"):
        run("control.dedupe", {}, [1, deep])
    with pytest.raises(InvalidInput, match="item 0 can't be compared: a live object .DataFrame. can't be compared"):
        run("control.dedupe", {}, [FRAME])


# --- limit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({"count": 2}, [3, 1]),
        ({"count": 2, "skip": 1}, [1, 2]),
        ({"count": 2, "last": True}, [2, 4]),
        ({"count": 2, "skip": 1, "last": True}, [1, 2]),
        ({"count": 0}, []),
        ({"count": 99}, [3, 1, 2, 4]),
        ({"count": 99, "last": True}, [3, 1, 2, 4]),
        ({"count": 1, "skip": 99}, []),
        ({"count": 1, "skip": 99, "last": True}, []),
    ],
)
def test_a_limit_cuts_at_either_end(config: dict[str, Any], left: list[int], rows: Any) -> None:
    found = checked("control.limit", config, rows)
    assert ids(found) == left
    assert type(found) is type(rows)


def test_the_count_can_be_an_expression_or_an_input() -> None:
    assert run("control.limit", {"count": "{{ most }}"}, [1, 2, 3], most=2) == [1, 2]
    assert run("control.limit", {"count": 9}, [1, 2, 3], count=1) == [1]
    with pytest.raises(InvalidInput, match="count of control.limit is -1"):
        run("control.limit", {"count": "{{ most }}"}, [1], most=-1)


@pytest.mark.parametrize(
    ("config", "words"),
    [({}, "needs the field 'count'"), ({"count": -1}, "greater than or equal to 0"), ({"count": "x"}, "valid integer")],
)
def test_a_limit_without_a_count_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.limit", config))
