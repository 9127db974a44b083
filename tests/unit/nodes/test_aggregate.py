from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.errors import InvalidInput
from tests.unit.nodes.running import checked, run, said

ROWS: list[dict[str, Any]] = [
    {"city": "Oslo", "n": 3, "amount": 10.0},
    {"city": "Rome", "n": 1, "amount": None},
    {"city": "Oslo", "n": 2, "amount": 30.0},
    {"city": None, "n": 5, "amount": 1.0},
]
ALL = {
    "rows": "count",
    "filled": "count(amount)",
    "total": "sum(amount)",
    "mean": "mean(amount)",
    "low": "min(amount)",
    "high": "max(amount)",
    "first": "first(amount)",
    "last": "last( amount )",
    "every": "list(n)",
}


@pytest.mark.parametrize("value", [ROWS, pd.DataFrame(ROWS)])
def test_without_groups_it_is_one_table(value: Any) -> None:
    assert checked("control.aggregate", {"compute": ALL}, value) == {
        "rows": 4,
        "filled": 3,
        "total": 41.0,
        "mean": pytest.approx(41 / 3),
        "low": 1.0,
        "high": 30.0,
        "first": 10.0,
        "last": 1.0,
        "every": [3, 1, 2, 5],
    }


def test_a_list_of_groups_is_in_the_order_in_which_they_appear_and_empty_keys_are_one() -> None:
    compute = {"total": "sum(amount)", "mean": "mean(amount)", "most": "max(n)"}
    assert checked("control.aggregate", {"by": "city", "compute": compute}, ROWS) == [
        {"city": "Oslo", "mean": 20.0, "most": 3, "total": 40.0},
        {"city": "Rome", "mean": None, "most": 1, "total": 0},
        {"city": None, "mean": 1.0, "most": 5, "total": 1.0},
    ]


def test_a_frame_of_groups_keeps_the_dtypes_of_its_keys_and_the_order_of_a_list() -> None:
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-02"]), "kind": list("aba"), "n": [1, 2, 3]},
        index=[9, 8, 7],
    ).astype({"kind": "category"})
    compute = [{"name": "total", "function": "sum", "field": "n"}, {"name": "rows", "function": "count"}]
    found = checked("control.aggregate", {"by": ["day", "kind"], "compute": compute}, frame)
    expected = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-01-02", "2026-01-01"]),
            "kind": pd.Categorical(["a", "b"]),
            "total": [4, 2],
            "rows": [2, 1],
        }
    )
    pd.testing.assert_frame_equal(found, expected)


def test_a_computed_column_may_have_the_name_of_one_that_is_no_key() -> None:
    config = {"by": "city", "compute": {"amount": "sum(amount)"}}
    assert list(run("control.aggregate", config, pd.DataFrame(ROWS))["amount"]) == [40.0, 0.0, 1.0]


def test_items_that_are_values_are_computed_themselves() -> None:
    compute = {"n": "count", "total": "sum", "low": "min()", "first": "first"}
    assert run("control.aggregate", {"compute": compute}, [4, None, 2]) == {"first": 4, "low": 2, "n": 3, "total": 6}
    assert run("control.aggregate", {"compute": compute}, pd.Series([4, 2])) == {
        "first": 4,
        "low": 2,
        "n": 2,
        "total": 6,
    }


def test_of_nothing_there_is_nothing() -> None:
    nothing = {"rows": 0, "filled": 0, "total": 0, "mean": None, "low": None, "high": None, "first": None, "last": None}
    nothing["every"] = []  # type: ignore[assignment]  # the table has values of many kinds
    assert run("control.aggregate", {"compute": ALL}, []) == nothing
    assert run("control.aggregate", {"compute": ALL}, pd.DataFrame(ROWS).iloc[:0]) == nothing
    assert run("control.aggregate", {"by": "city", "compute": ALL}, []) == []
    empty = run("control.aggregate", {"by": "city", "compute": {"n": "count"}}, pd.DataFrame(ROWS).iloc[:0])
    assert (list(empty.columns), len(empty)) == (["city", "n"], 0)


@pytest.mark.parametrize(
    ("values", "total", "mean"),
    [
        ([2**70, 1], 2**70 + 1, float(2**69)),
        ([np.int8(100), np.int8(100)], 200, 100.0),
        ([0.1] * 10, 1.0, 0.1),
        ([1e308, 1e308], float("inf"), float("inf")),
        ([Decimal("0.1"), Decimal("0.2")], Decimal("0.3"), Decimal("0.15")),
        ([timedelta(hours=1), timedelta(hours=2)], timedelta(hours=3), timedelta(hours=1.5)),
        ([True, True, False], 2, 2 / 3),
    ],
)
def test_sums_are_exact_and_never_overflow(values: list[Any], total: Any, mean: Any) -> None:
    found = run("control.aggregate", {"compute": {"total": "sum", "mean": "mean"}}, values)
    assert found == {"total": total, "mean": mean}


def test_infinities_of_both_signs_have_no_sum() -> None:
    found = run("control.aggregate", {"compute": {"total": "sum"}}, [float("inf"), float("-inf")])
    assert found["total"] != found["total"]


@pytest.mark.parametrize(
    ("compute", "value", "words"),
    [
        (
            "sum(a)",
            [{"a": 1}, {"a": "2"}],
            r"sum\(a\) can't be computed: item 1 has the text '2' there, .* number\(…\)",
        ),
        ("mean(a)", [{"a": {}}], r"mean\(a\) can't be computed: item 0 has an object with keys there"),
        ("sum(a)", [{"a": 1}, {"a": timedelta(1)}], "values of the kinds int and timedelta have no sum"),
        ("sum(a)", [{"a": 10**400}, {"a": 0.5}], "have no sum .int too large to convert to float"),
        ("mean(a)", [{"a": 10**400}], "the mean is too large for a number"),
        (
            "min(a)",
            [{"a": 1}, {"a": "x"}],
            r"min\(a\) can't be computed: the number 1 .0. and the text 'x' .1. have no",
        ),
        ("sum(b)", [{"bb": 1}], r"item 0 has no field 'b'"),
        ("sum(ammount)", pd.DataFrame(ROWS), r"no column 'ammount'. Did you mean 'amount'"),
        ("sum", [{"a": 1}], "sum can't be computed: item 0 has an object with keys there"),
    ],
)
def test_what_cannot_be_computed_is_said(compute: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run("control.aggregate", {"compute": {"x": compute}}, value)


def test_keys_that_cannot_be_grouped_are_said_and_deep_ones_can() -> None:
    config = {"by": "k", "compute": {"n": "count"}}
    with pytest.raises(InvalidInput, match="item 0 can't be grouped: a live object"):
        run("control.aggregate", config, [{"k": pd.DataFrame()}])
    assert run("control.aggregate", config, [{"k": [1]}, {"k": [1]}]) == [{"k": [1], "n": 2}]
    days = run("control.aggregate", config, [{"k": date(2026, 1, 1)}, {"k": date(2026, 1, 1)}])
    assert days == [{"k": date(2026, 1, 1), "n": 2}]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "needs the field 'compute'"),
        ({"compute": {"x": "total(a)"}}, "there is no function 'total' for 'x'. There is: count"),
        ({"compute": {"x": "summ(a)"}}, "Did you mean 'sum'"),
        ({"compute": {"x": "a + b"}}, "not of the form sum(field)"),
        ({"compute": {"x": 7}}, "'x' is 7, and not of the form"),
        ({"compute": {"a": "sum(b)"}, "by": ["a"]}, "there would be two fields 'a'"),
        ({"compute": [{"name": "x", "function": "median"}]}, "compute.0.function"),
    ],
)
def test_a_config_that_cannot_work_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.aggregate", config))
