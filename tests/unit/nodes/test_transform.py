from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError, InvalidInput
from flownb.graph.builder import Builder
from tests.unit.nodes.running import checked, run, run_with, said

ROWS = [{"id": 1, "price": 2.0}, {"id": 2, "price": 4.0}]


def test_a_transform_makes_a_table_of_expressions_over_its_inputs() -> None:
    fields = {"net": "order.total / 1.25", "label": "{{ order.id }} for {{ order.total }}", "currency": "'EUR'", "n": 3}
    found = checked("control.transform", {"fields": fields}, None, order={"id": "A7", "total": 10})
    assert found == {"currency": "EUR", "label": "A7 for 10", "n": 3, "net": 8.0}


def test_constants_keep_their_type() -> None:
    fields = {"a": 1, "b": 1.5, "c": True, "d": None, "e": "1"}
    assert repr(run_with("control.transform", {"fields": fields})) == repr(
        {"a": 1, "b": 1.5, "c": True, "d": None, "e": 1}
    )


def test_main_is_what_came_in_and_a_lone_name_passes_it_untouched() -> None:
    frame = pd.DataFrame(ROWS)
    found = run("control.transform", {"fields": {"all": "main", "n": "len(main)", "sum": "sum(main.price)"}}, frame)
    assert found["all"] is frame
    assert (found["n"], found["sum"]) == (2, 6.0)


@pytest.mark.parametrize("value", [ROWS, tuple(ROWS), pd.DataFrame(ROWS, index=["a", "b"])])
@pytest.mark.parametrize("keep", [True, False])
def test_each_item_is_made_into_one_of_the_same_kind(value: Any, keep: bool) -> None:
    fields = [
        {"name": "vat", "value": "item.price * rate"},
        {"name": "label", "value": "{{ index }}: {{ item.id }}"},
        {"name": "fix", "value": 7},
    ]
    found = checked("control.transform", {"each": True, "keep": keep, "fields": fields}, value, rate=0.5)
    made = [{"vat": 1.0, "label": "0: 1", "fix": 7}, {"vat": 2.0, "label": "1: 2", "fix": 7}]
    if keep:
        made = [{**row, **new} for row, new in zip(ROWS, made, strict=True)]
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(found, pd.DataFrame(made, index=["a", "b"]))
        assert list(value.columns) == ["id", "price"]
    else:
        assert found == type(value)(made)


def test_a_table_of_fields_comes_out_in_the_order_of_the_names_and_a_list_in_its_own() -> None:
    frame = pd.DataFrame(ROWS)
    table = run("control.transform", {"each": True, "fields": {"b": "item.id", "a": "item.id"}}, frame)
    assert list(table.columns) == ["a", "b"]
    listed = [{"name": "b", "value": "item.id"}, {"name": "a", "value": "item.id"}]
    assert list(run("control.transform", {"each": True, "fields": listed}, frame).columns) == ["b", "a"]


def test_nothing_comes_of_nothing() -> None:
    assert run("control.transform", {"each": True, "fields": {"a": "item.x"}}, []) == []
    empty = run("control.transform", {"each": True, "keep": True, "fields": {"a": "item.x"}}, pd.DataFrame({"x": []}))
    assert (list(empty.columns), len(empty)) == (["x", "a"], 0)


def test_a_field_that_cannot_be_made_is_named_with_the_item() -> None:
    with pytest.raises(ExpressionError, match=r"node: item 0: There is no 'prize' in item.*\(in the field 'vat'\)"):
        run("control.transform", {"each": True, "fields": {"vat": "item.prize"}}, ROWS)
    with pytest.raises(ExpressionError, match=r"node: There is no 'ordr'.*\(in the field 'net'\)"):
        run_with("control.transform", {"fields": {"net": "ordr.total"}}, order={})
    with pytest.raises(InvalidInput, match="node works on a list"):
        run("control.transform", {"each": True, "fields": {"a": "item"}}, {"x": 1})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "give `fields`"),
        ({"fields": {}}, "give `fields`"),
        ({"fields": [{"name": "a"}]}, "needs the field 'fields.0.value'"),
        ({"fields": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]}, "there are two fields 'a'"),
        ({"fields": {"a": [1]}}, "fields.0.value"),
        ({"fields": {"a": 1}, "mode": "python"}, "Python makes it by `code`"),
        ({"fields": {"a": 1}, "mode": "perl"}, "Input should be 'expression' or 'python'"),
        ({"fields": 7}, "valid list"),
        ({"code": "return 1"}, "`code` goes with mode `python`"),
    ],
)
def test_a_config_that_cannot_work_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.transform", config))


def test_names_are_wired_and_item_is_one_only_with_each() -> None:
    flow = Builder("transforms")
    flow.node(lambda: {"total": 1}, id="order")
    flow.node(lambda: [1], id="item")
    flow.add("control.transform", "one", fields={"a": "order.total", "b": "item.0"})
    flow["item"] >> flow.add("control.transform", "many", each=True, fields={"a": "order.total + item"})
    assert flow.validate() == []
    wires = {(edge.source, edge.target, edge.target_port) for edge in flow.build().edges}
    assert wires == {
        ("order", "one", "order"),
        ("item", "one", "item"),
        ("order", "many", "order"),
        ("item", "many", "main"),
    }


def test_a_field_that_cannot_be_read_is_a_problem_with_its_place() -> None:
    flow = Builder("transforms")
    flow.add("control.transform", "t", fields={"a": "1", "b": "1 +"})
    flow.add("control.transform", "u", fields=[{"name": "a", "value": "{{ 1 + }}"}])
    assert [each.place for each in flow.validate()] == [
        "nodes[0].config.fields.b",
        "nodes[1].config.fields[0].value",
    ]


def test_python_makes_what_expressions_can_not() -> None:
    code = "import math\ndef root(x):\n    return math.isqrt(x)\n\n{'roots': [root(each) for each in main], 'by': rate}"
    found = checked("control.transform", {"mode": "python", "code": code}, [4, 10, 26], rate=2)
    assert found == {"roots": [2, 3, 5], "by": 2}


@pytest.mark.parametrize("value", [ROWS, pd.DataFrame(ROWS)])
def test_python_is_run_for_each_item(value: Any) -> None:
    config = {"mode": "python", "each": True, "code": "item['price'] * 2 + index"}
    assert checked("control.transform", config, value) == [4.0, 9.0]


def test_python_and_expressions_are_not_mixed() -> None:
    assert said("control.transform", {"mode": "python"}) == [
        "node (control.transform): Python makes it by `code`, without `fields`."
    ]
    assert "code" in said("control.transform", {"fields": {"a": "1"}, "code": "1"})[0]
    assert said("control.transform", {"mode": "python", "code": "1 +"}) == [
        "node (control.transform): line 1 is no Python: invalid syntax (`1 +`)."
    ]


def test_python_in_a_flow_runs_apart_and_waits_for_the_nodes_that_it_names() -> None:
    import os

    from flownb import Flow

    flow = Flow("python")
    flow.node(lambda: [1, 2], id="load")
    flow.node(lambda: 10, id="rate")
    flow.add("control.transform", "made", mode="python", code="import os\n[sum(main) * rate, os.getpid()]", after=[])
    flow.edge("load", "made")
    total, pid = flow.run(store="memory:", display=False).result(30)["made"]
    assert total == 30
    assert pid != os.getpid()
