from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.errors import InvalidInput
from flownb.graph.builder import Builder
from flownb.graph.nodetype import Output
from flownb.graph.registry import registry
from flownb.model.workflow import Node
from flownb.testing import FakeContext
from tests.unit.nodes.running import checked, leaving, run, run_with, said

ROWS: list[dict[str, Any]] = [
    {"id": "A1", "amount": 10.0, "state": "paid"},
    {"id": "A2", "amount": None, "state": "open"},
    {"id": "A1", "amount": -5.0, "state": "lost"},
    {"id": None, "amount": 300.0, "state": "paid"},
]


@pytest.fixture(params=["list", "tuple", "frame"])
def rows(request: pytest.FixtureRequest) -> Any:
    """The same rows as each kind."""
    return {"list": ROWS, "tuple": tuple(ROWS), "frame": pd.DataFrame(ROWS)}[request.param]


def broken(rules: list[Any], value: Any, **inputs: Any) -> list[dict[str, Any]]:
    """The rules that don't hold, from the report."""
    found = run("control.assert", {"rules": rules, "on_fail": "port"}, value, **inputs)
    return [each for each in found.value["rules"] if not each["passed"]]


# --- what happens -----------------------------------------------------------------------------------------------------


def test_data_that_keeps_the_rules_goes_through_as_it_is(rows: Any) -> None:
    context = FakeContext()
    found = run("control.assert", {"rules": ["len(item.state) > 0", {"min_rows": 4}]}, rows, context)
    assert found is rows
    assert context.statuses == [f"2 rules held on 4 {'rows' if isinstance(rows, pd.DataFrame) else 'items'}."]


def test_data_that_breaks_them_fails_with_every_broken_rule_its_count_and_examples() -> None:
    rules = [
        {"column": "amount", "not_null": True, "between": [0, 100]},
        {"column": "id", "unique": True, "name": "one order, one id"},
        {"columns": ["id", "state"]},
        "item.state in ['paid', 'open']",
        {"min_rows": 10},
        "sum(main.amount) > 1000",
    ]
    with pytest.raises(InvalidInput) as caught:
        run("control.assert", {"rules": rules}, pd.DataFrame(ROWS))
    assert str(caught.value).splitlines() == [
        "node: 6 of 7 rules failed on 4 rows:",
        "- amount is not null: 1 row broke it: row 1 (empty).",
        "- amount is between 0 and 100: 2 rows broke it: row 2 (-5.0); row 3 (300.0).",
        "- one order, one id (id is unique): 1 row broke it: row 2 ('A1', as row 0).",
        "- item.state in ['paid', 'open']: 1 row broke it: row 2 (id: 'A1', amount: -5.0, state: 'lost').",
        "- at least 10 rows: There are 4.",
        "- sum(main.amount) > 1000",
    ]
    assert caught.value.fields["report"]["passed"] is False


def test_by_port_it_does_not_fail_and_its_own_output_is_the_report(rows: Any) -> None:
    good = checked("control.assert", {"rules": ["true"], "on_fail": "port"}, rows)
    assert (good.ports, leaving(good, "passed") is rows, good.value["passed"]) == (("passed",), True, True)
    bad = checked("control.assert", {"rules": [{"column": "amount", "not_null": True}], "on_fail": "port"}, rows)
    assert isinstance(bad, Output)
    assert (bad.ports, leaving(bad, "failed") is rows) == (("failed",), True)
    noun = "row" if isinstance(rows, pd.DataFrame) else "item"
    assert bad.value == {
        "passed": False,
        "items": 4,
        "rules": [
            {
                "rule": "amount is not null",
                "passed": False,
                "failed": 1,
                "examples": [{"index": 1, "value": "empty"}],
                "note": "",
            }
        ],
        "message": f"node: 1 of 1 rule failed on 4 {noun}s:\n"
        f"- amount is not null: 1 {noun} broke it: {noun} 1 (empty).",
    }


def test_the_ports_are_there_where_they_can_fire() -> None:
    def names(config: dict[str, Any]) -> list[str]:
        ports = registry.ports_of(Node(id="g", type="control.assert", config=config))
        return [port.name for port in ports.outputs]

    assert names({"rules": ["true"]}) == ["main"]
    assert names({"rules": ["true"], "on_fail": "port"}) == ["main", "passed", "failed"]


def test_the_number_of_examples_can_be_set() -> None:
    rules = [{"column": "x", "between": [1, 1]}]
    with pytest.raises(InvalidInput, match=r"9 items broke it: item 0 \(0\); item 2 \(2\); …\."):
        run("control.assert", {"rules": rules, "examples": 2}, [{"x": n} for n in range(10)])
    with pytest.raises(InvalidInput, match=r"x is between 1 and 1$"):
        run("control.assert", {"rules": rules, "examples": 0}, [{"x": n} for n in range(10)])


# --- the rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "values", "failed"),
    [
        ({"not_null": True}, [1, None, float("nan"), pd.NaT, 0, ""], [1, 2, 3]),
        ({"unique": True}, [1, 1.0, None, None, "1", True], [1]),
        ({"unique": True}, [[1], [1], {"a": 1}], [1]),
        ({"between": [0, 10]}, [0, 10, 10.5, -1, None, "5"], [2, 3, 5]),
        ({"between": [0, None]}, [0, 99, -1], [2]),
        ({"between": [None, 5]}, [0, 99, -1], [1]),
        ({"between": ["2026-01-01", "2026-12-31"]}, [date(2026, 5, 1), date(2027, 1, 1), "2026-02-02"], [1]),
        ({"in": ["a", 1]}, ["a", 1, 1.0, "1", None], [3]),
        ({"matches": "^[A-Z][0-9]+$"}, ["A1", "a1", None, 7, "A1\n"], [1, 3, 4]),
    ],
)
def test_a_rule_about_a_column_fails_for_the_values_that_break_it(
    rule: Any, values: list[Any], failed: list[int]
) -> None:
    found = run(
        "control.assert",
        {"rules": [{"column": "x", **rule}], "on_fail": "port", "examples": 9},
        [{"x": value} for value in values],
    )
    assert [each["index"] for each in found.value["rules"][0]["examples"]] == failed


def test_columns_can_be_unique_together(rows: Any) -> None:
    assert broken([{"unique": ["id", "amount"]}], rows) == []
    (found,) = broken([{"unique": ["state"]}], rows)
    assert found["examples"] == [
        {"index": 3, "value": f"'paid', as {'row' if isinstance(rows, pd.DataFrame) else 'item'} 0"}
    ]


def test_a_test_that_reads_no_item_is_asked_once(rows: Any) -> None:
    (found,) = broken(["len(main) > limit"], rows, limit=9)
    assert (found["failed"], found["examples"]) == (1, [])


def test_a_test_that_cannot_be_evaluated_is_broken_and_says_why() -> None:
    (found,) = broken(["item.amuont > 0"], ROWS)
    assert found["failed"] == 4
    assert "Did you mean 'amount'" in found["note"]
    (whole,) = broken(["limti > 1"], ROWS, limit=2)
    assert "There is no 'limti'" in whole["note"]


@pytest.mark.parametrize("value", [ROWS, pd.DataFrame(ROWS), [], pd.DataFrame({"amount": []})])
def test_a_column_that_is_not_there_breaks_the_rule(value: Any) -> None:
    found = broken([{"columns": ["amuont"]}], value)
    if isinstance(value, list) and not value:
        assert found == []  # of no items nothing can be said
        return
    assert "amuont" in found[0]["note"]
    assert broken([{"column": "amuont", "unique": True}], value)


def test_an_item_that_lacks_the_field_has_it_empty() -> None:
    (found,) = broken([{"column": "x", "not_null": True}], [{"x": 1}, {}])
    assert found["examples"] == [{"index": 1, "value": "empty"}]


@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (2, True), (3, False)])
def test_the_number_of_rows_has_two_ends(count: int, good: bool) -> None:
    assert (broken([{"min_rows": 1, "max_rows": 2}], [{}] * count) == []) is good


def test_a_single_table_is_one_item_and_nothing_at_all_has_none() -> None:
    assert broken([{"column": "total", "between": [0, 5]}, "item.total == main.total"], {"total": 3}) == []
    assert run_with("control.assert", {"rules": ["total > 2"]}, total=3)["passed"] is True
    with pytest.raises(InvalidInput, match="node has rules about items, and nothing came in"):
        run_with("control.assert", {"rules": ["item > 2"]})
    with pytest.raises(InvalidInput, match="node works on a list, .* and got the number 7"):
        run("control.assert", {"rules": [{"min_rows": 1}]}, 7)
    assert run("control.assert", {"rules": ["main == 7"]}, 7) == 7


def test_the_report_calls_nothing_of_a_users_class() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    (found,) = broken([{"column": "x", "between": [1, 2]}], [{"x": Shy()}])
    assert found["examples"] == [{"index": 0, "value": "a live object (Shy)"}]
    (long,) = broken([{"column": "x", "in": ["a"]}], [{"x": "y" * 10_000}])
    assert len(long["examples"][0]["value"]) < 70
    (huge,) = broken([{"column": "x", "between": [1, 2]}], [{"x": 10**5000}, {"x": np.int64(7)}])
    assert [each["value"] for each in huge["examples"]] == ["a very large number", "7"]


# --- configs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "at least 1 item"),
        ([{}], "it asks nothing"),
        ([{"column": "a"}], "of the column 'a' nothing is asked"),
        ([{"not_null": True}], "not_null needs a column"),
        ([{"unique": True}], "unique needs a column"),
        ([{"in": [1]}], "in needs a column"),
        ([{"column": "a", "between": [1]}], "between takes the smallest and the largest value"),
        ([{"column": "a", "matches": "("}], "rules.0.matches of node"),
        ([{"column": "a", "notnull": True}], "has no field 'rules.0.notnull'"),
        ([{"min_rows": -1}], "greater than or equal to 0"),
        ([7], "rules.0 of node"),
        ("x", "valid list"),
    ],
)
def test_rules_that_ask_nothing_sensible_are_problems(rules: Any, words: str) -> None:
    found = said("control.assert", {"rules": rules})
    assert any(words in each for each in found), found


def test_tests_are_expressions_with_item_and_index_and_the_names_of_nodes() -> None:
    flow = Builder("gates")
    flow.node(lambda: [1], id="load")
    flow.node(lambda: 5, id="limit")
    gate = flow.add("control.assert", "gate", rules=["item < limit", {"test": "index < 10"}])
    flow["load"] >> gate
    assert flow.validate() == []
    wires = {(edge.source, edge.target_port) for edge in flow.build().edges}
    assert wires == {("load", "main"), ("limit", "limit")}
    flow.add("control.assert", "bad", rules=["true", {"test": "1 +"}, "1 +"])
    assert [each.place for each in flow.validate()] == [
        "nodes[3].config.rules[1].test",
        "nodes[3].config.rules[2]",
    ]
