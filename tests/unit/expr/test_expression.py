from __future__ import annotations

import pickle
from collections import defaultdict
from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import Condition, Expression, compile_condition, compile_expression, compile_template, evaluate
from flownb.expr.limits import TEXT


class Tripwire:
    """Fails the test when anybody touches it."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"somebody asked for {name}")


def test_an_expression_is_compiled_once_and_evaluated_often() -> None:
    compiled = compile_expression("order.total * 2")
    assert isinstance(compiled, Expression)
    assert [compiled.evaluate({"order": {"total": number}}) for number in (1, 2)] == [2, 4]
    assert compiled.text == "order.total * 2"
    assert repr(compiled) == "Expression('order.total * 2')"


def test_equal_texts_are_compiled_once() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")
    long = "a + " * 100 + "1"
    with pytest.raises(ExpressionError, match="too deeply"):
        compile_expression(long)


@pytest.mark.parametrize("text", ["load", " load ", "(load)"])
def test_a_lone_name_hands_on_the_very_value(text: str) -> None:
    value = Tripwire()
    compiled = compile_expression(text)
    assert compiled.lone == "load"
    assert compiled.evaluate({"load": value}) is value


@pytest.mark.parametrize("text", ["a.b", "[a]", "not a", "1", "len(a)", "true"])
def test_nothing_else_is_a_lone_name(text: str) -> None:
    assert compile_expression(text).lone is None


def test_a_result_shares_nothing_with_the_data() -> None:
    data = {"order": {"lines": [{"p": 1}]}}
    value = evaluate("order.lines", data)
    value[0]["p"] = 99
    value.append(1)
    assert data == {"order": {"lines": [{"p": 1}]}}


def test_a_result_shares_nothing_with_the_compiled_text() -> None:
    first = evaluate("[[], {}]", {})
    first[0].append(1)
    assert evaluate("[[], {}]", {}) == [[], {}]


@pytest.mark.parametrize("text", ["order.model", "order", "[order]", "order.model.predict", "order.model or 1"])
def test_a_live_object_is_never_touched(text: str) -> None:
    data = {"order": {"model": Tripwire()}}
    if text == "order":
        assert evaluate(text, data) is data["order"]
        return
    with pytest.raises(ExpressionError, match="live object"):
        evaluate(text, data)


def test_the_data_is_not_changed_by_asking_for_what_is_missing() -> None:
    data: defaultdict[str, Any] = defaultdict(dict)
    with pytest.raises(ExpressionError):
        evaluate("a.b", data)
    assert not data


def test_only_text_is_an_expression() -> None:
    for text in (None, 5, b"a", ["a"], object(), Tripwire()):
        for call in (compile_expression, compile_template, lambda each: evaluate(each, {})):
            with pytest.raises(ExpressionError, match="An expression is text"):
                call(text)  # type: ignore[arg-type]  # on purpose


def test_text_may_be_of_another_class() -> None:
    class Text(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise AssertionError("code of the text ran")

        __hash__ = __eq__ = __str__ = __len__  # type: ignore[assignment]  # all of them fail

    assert evaluate(Text("1 + 1"), {}) == 2


def test_length_is_bounded() -> None:
    assert evaluate("1" + " " * (TEXT - 1), {}) == 1
    with pytest.raises(ExpressionError, match=f"{TEXT:,} are the most"):
        evaluate("1" + " " * TEXT, {})
    with pytest.raises(ExpressionError, match="are the most"):
        evaluate("1" * 50_000_000, {})


def test_an_error_keeps_its_fields_over_pickling() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("order.totl", {"order": {"total": 1}})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.text, again.position) == ("order.totl", 6)
    assert "Did you mean 'total'" in again.message


def test_an_error_has_no_cause_that_could_leak() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("a.b", {"a": {}})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("total.amount > 1000", True),
        ("{{ total.amount }} > 1000", True),
        ("{{ total.amount > 1000 }}", True),
        ("{{total.amount}} > {{ total.rows }} and not {{ flag }}", True),
        ("total.rows", False),
        ("{{ name }}", True),
        ('{{ {"a": {"b": 1}} }} == {}', False),
    ],
)
def test_conditions_in_text(text: str, expected: bool) -> None:
    data = {"total": {"amount": 1200, "rows": 0}, "flag": False, "name": "x"}
    condition = compile_condition(text)
    assert isinstance(condition, Condition)
    assert condition.evaluate(data) is expected


def test_a_live_object_is_neither_true_nor_false() -> None:
    with pytest.raises(ExpressionError, match="live object"):
        compile_condition("model").evaluate({"model": Tripwire()})


def test_problems_list_every_missing_path() -> None:
    problems = compile_expression("a.b + c + default(d, 1) + e.0").problems({"a": {}, "e": [1]})
    assert [problem.position for problem in problems] == [2, 6]
    assert compile_expression("a + 'x'").problems({"a": 1})[0].message.startswith("Can't add")
    assert compile_expression("a + 1").problems({"a": 1}) == []
