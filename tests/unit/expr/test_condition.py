from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError
from flownb.expr import compile_condition, condition

DATA: dict[str, Any] = {
    "order": {"total": 1200, "tags": ["new", "big"], "note": "", "none": None, "code": "A-17", "lines": []},
    "name": "Ann Arbor",
    "limit": "1000",
    "load": pd.DataFrame({"a": []}),
    "model": object(),
}


def holds(given: Any) -> bool:
    return compile_condition(given).evaluate(DATA)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "equals", "left": "{{ order.total }}", "right": 1200}, True),
        ({"type": "equals", "left": "{{ order.total }}", "right": "1200"}, False),
        ({"type": "equals", "left": "Ann {{ order.total }}", "right": "Ann 1200"}, True),
        ({"type": "equals", "left": "{{ order.tags }}", "right": ["new", "{{ 'big' }}"]}, True),
        ({"type": "equals", "left": {"a": "{{ order.total }}"}, "right": {"a": 1200}}, True),
        ({"type": "not_equals", "left": 1, "right": 2}, True),
        ({"type": "contains", "text": "{{ name }}", "search": "Arb"}, True),
        ({"type": "contains", "left": "{{ order.tags }}", "right": "new"}, True),
        ({"type": "not_contains", "left": "{{ order.tags }}", "right": "old"}, True),
        ({"type": "greater_than", "left": "{{ order.total }}", "right": "1000"}, True),
        ({"type": "greater_than", "left": "{{ order.total }}", "right": "{{ limit }}"}, True),
        ({"type": "greater_than", "left": "10", "right": "9"}, True),
        ({"type": "greater_than", "left": "b", "right": "a"}, True),
        ({"type": "greater_than_or_equal", "left": 1, "right": 1}, True),
        ({"type": "less_than", "left": 1, "right": 1}, False),
        ({"type": "less_than_or_equal", "left": 1, "right": 1.0}, True),
        ({"type": "between", "left": "{{ order.total }}", "low": 1000, "high": "2000"}, True),
        ({"type": "between", "left": 5, "right": [6, 7]}, False),
        ({"type": "in", "left": "big", "right": "{{ order.tags }}"}, True),
        ({"type": "not_in", "left": "big", "right": ["small"]}, True),
        ({"type": "starts_with", "left": "{{ order.code }}", "right": "A-"}, True),
        ({"type": "ends_with", "left": "{{ order.code }}", "right": "18"}, False),
        ({"type": "matches", "left": "{{ order.code }}", "right": "^A-[0-9]+$"}, True),
        ({"type": "exists", "left": "{{ order.total }}"}, True),
        ({"type": "exists", "left": "{{ order.nope.deeper }}"}, False),
        ({"type": "exists", "left": "{{ order.none }}"}, False),
        ({"type": "exists", "left": "{{ model }}"}, True),
        ({"type": "not_exists", "left": "{{ nope }}"}, True),
        ({"type": "empty", "left": "{{ order.note }}"}, True),
        ({"type": "empty", "left": "{{ order.lines }}"}, True),
        ({"type": "empty", "left": "{{ nope }}"}, True),
        ({"type": "empty", "left": "{{ order.total }}"}, False),
        ({"type": "empty", "left": "{{ load }}"}, True),
        ({"type": "not_empty", "left": "{{ order.tags }}"}, True),
        ({"type": "not_empty", "left": "{{ model }}"}, True),
        ({"and": ["order.total > 1000", {"type": "exists", "left": "{{ name }}"}]}, True),
        ({"and": [{"type": "equals", "left": 1, "right": 2}, "nope.at.all"]}, False),
        ({"or": [{"type": "equals", "left": 1, "right": 1}, "nope.at.all"]}, True),
        ({"or": [{"and": [True, False]}, {"not": True}]}, False),
        ({"not": {"or": [False, {"not": True}]}}, True),
        ({"not": "order.total"}, False),
        (OrderedDict(type="equals", left=1, right=1), True),
        (True, True),
        (False, False),
        ("order.total > 1", True),
    ],
)
def test_conditions(given: Any, expected: bool) -> None:
    assert holds(given) is expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "equal", "left": 1, "right": 1}, "no condition of type 'equal'. Did you mean 'equals'"),
        ({"type": 5, "left": 1}, "no condition of type 'the number 5'"),
        ({"type": "equals", "left": 1}, "A condition 'equals' needs a 'right'."),
        ({"type": "exists"}, "A condition 'exists' needs a 'left'."),
        ({"type": "exists", "left": 1, "right": 2}, "A condition 'exists' has no 'right'."),
        ({"type": "equals", "left": 1, "rigth": 1}, "has no 'rigth'. Did you mean 'right'?"),
        ({"type": "equals", "left": 1, "right": 1, "low": 1}, "has no 'low'"),
        ({}, "this one has nothing"),
        ({"and": [True], "or": [True]}, "this one has and, or"),
        ({"xor": [True]}, "this one has xor"),
        ({"and": []}, "this list is empty"),
        ({"and": True}, "needs a list of conditions; this is true"),
        ({"not": [True]}, "a condition is text or an object"),
        ([True], "A condition is text or an object"),
        (None, "A condition is text or an object"),
        (5, "A condition is text or an object"),
        ({"type": "equals", "left": object(), "right": 1}, "live object"),
        (object(), "live object"),
        ({"type": "equals", "left": "{{ order", "right": 1}, "never closed"),
        ({"and": ["a >"]}, "missing after '>'"),
    ],
)
def test_what_is_no_condition_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(given)
    assert words.lower() in caught.value.message.lower()


@pytest.mark.parametrize(
    ("given", "words", "text", "position"),
    [
        (
            {"type": "equals", "left": "x {{ order.totl }}", "right": 1},
            "Did you mean 'total'",
            "x {{ order.totl }}",
            11,
        ),
        ({"and": [True, "order.totl > 1"]}, "Did you mean 'total'", "order.totl > 1", 6),
        ({"type": "greater_than", "left": "{{ order }}", "right": 1}, "by their order", None, 0),
        ({"type": "in", "left": 1, "right": "{{ order.total }}"}, "can't contain", None, 0),
        ({"type": "matches", "left": "a", "right": "("}, "not understood", None, 0),
        ({"type": "between", "left": 1, "right": 5}, "between needs `low` and `high`", None, 0),
    ],
)
def test_failures_name_the_text_where_they_are(given: Any, words: str, text: str | None, position: int) -> None:
    compiled = compile_condition(given)
    with pytest.raises(ExpressionError) as caught:
        compiled.evaluate(DATA)
    assert words in caught.value.message
    assert caught.value.text == (compiled.text if text is None else text)
    assert caught.value.position == position


def test_the_names_that_are_read_are_known() -> None:
    compiled = compile_condition(
        {
            "and": [
                {"type": "equals", "left": "{{ a.b }}", "right": ["{{ c }}"]},
                {"type": "exists", "left": "{{ d }}"},
                {"type": "empty", "left": "{{ a }}"},
                {"not": "default(e, 1) > f"},
            ]
        }
    )
    assert compiled.names == {"a", "b", "c", "d", "e", "f"} - {"b"}
    assert compiled.optional == {"d", "e"}


def test_the_operators_in_the_text_are_the_operators() -> None:
    assert condition.__doc__ is not None
    for name in [*condition._TESTS, *condition._QUESTIONS]:
        assert f"`{name}`" in condition.__doc__


def test_size_and_depth_are_bounded() -> None:
    deep: Any = True
    for _ in range(40):
        deep = {"not": deep}
    with pytest.raises(ExpressionError, match="too deeply"):
        compile_condition(deep)
    with pytest.raises(ExpressionError, match="200 parts"):
        compile_condition({"and": [True] * 300})
    circle: dict[str, Any] = {}
    circle["not"] = circle
    with pytest.raises(ExpressionError, match="nested deeper"):
        compile_condition(circle)


def test_the_work_of_all_parts_is_one_budget() -> None:
    part = {"type": "contains", "left": "{{ big }}", "right": "y"}
    data = {"big": "x" * 500_000}
    assert compile_condition({"or": [part] * 5}).evaluate(data) is False
    with pytest.raises(ExpressionError, match="too much work"):
        compile_condition({"or": [part] * 50}).evaluate(data)


def test_changing_the_object_later_changes_nothing() -> None:
    given = {"type": "in", "left": 1, "right": [1]}
    compiled = compile_condition(given)
    given["right"].clear()  # type: ignore[attr-defined]  # it is the list
    assert compiled.evaluate({}) is True
