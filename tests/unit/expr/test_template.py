from __future__ import annotations

from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import compile_template, limits, render

DATA: dict[str, Any] = {"amount": 1200, "rate": 3.0, "n": None, "ok": True, "name": "Ann", "o": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ amount }}", 1200),
        ("{{amount}}", 1200),
        ("{{ rate }}", 3.0),
        ("{{ n }}", None),
        ("{{ o.a }}", [1, None]),
        ("{{ o }}", {"a": [1, None]}),
        ("{{ [amount, ok] }}", [1200, True]),
        ('{{ {"a": {"b": 1}} }}', {"a": {"b": 1}}),
        ('{{ {"a": {"b": 1}}}}', {"a": {"b": 1}}),
        ("{{ nope|default(0) }}", 0),
        ("Post ${{ amount }}?", "Post $1200?"),
        (" {{ amount }}", " 1200"),
        ("{{ amount }}\n", "1200\n"),
        ("{{ amount }}{{ amount }}", "12001200"),
        ("{{ rate }} {{ ok }} {{ n }}.", "3.0 true ."),
        ("is {{ o }}", 'is {"a": [1, null]}'),
        ("plain", "plain"),
        ("", ""),
        ("a { b } c", "a { b } c"),
        ('{{ "{{" }} and {{ "}}" }}', "{{ and }}"),
        ('{{ "{{ amount }}" }}', "{{ amount }}"),
        ('{"total": {{ amount }}}', '{"total": 1200}'),
        ("{{ '}}' }}", "}}"),
        ("{{\n  amount\n    + 1\n}}", 1201),
        ("{% if x %}", "{% if x %}"),
    ],
)
def test_templates(template: str, expected: Any) -> None:
    value = render(template, DATA)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("template", "position", "words"),
    [
        ("a {{ amount", 2, "`{{` is never closed"),
        ("a {{ amount }", 12, "`{{` is closed by `}}`"),
        ("a }} b", 2, "closes no `{{`"),
        ("{{ amount }} }}", 13, 'as plain text it is written {{ "}}" }}'),
        ('{"a": {"b": {{ amount }}}}', 24, "closes no `{{`"),
        ("{{ }}", 0, "no expression"),
        ("a {{}}", 2, "no expression"),
        ("{{ {{ amount }} }}", 3, "can't stand inside"),
        ("{{{ amount }}}", 2, None),
        ("x {{ amount + }}", 12, "missing after '+'"),
        ("x {{ amunt }}", 5, "There is no 'amunt'. Did you mean 'amount'?"),
        ("{{ amount }} {{ o.b }}", 18, "There is no 'b' in o"),
        ("x {{ amount + name }}", 5, "Can't add"),
        ("{{ 'a }}", 3, "never closed"),
        ("{{ (amount }}", 3, "closed by '}'"),
        ("{{ amount|upper }}", 10, "upper needs a text"),
    ],
)
def test_faults_are_told_with_their_place_in_the_whole_template(
    template: str, position: int, words: str | None
) -> None:
    with pytest.raises(ExpressionError) as caught:
        render(template, DATA)
    assert words is None or words in caught.value.message
    assert caught.value.text == template
    assert caught.value.position == position


def test_a_lone_name_hands_on_the_very_value() -> None:
    value = object()
    template = compile_template("{{ model }}")
    assert template.lone == "model"
    assert template.evaluate({"model": value}) is value
    assert compile_template("{{ model }} ").lone is None
    with pytest.raises(ExpressionError, match="live object"):
        render("The {{ model }}", {"model": value})


def test_what_a_template_reads_is_known() -> None:
    template = compile_template("{{ a.b }} {{ default(c, d) }} {{ default(a, 1) }}")
    assert template.names == {"a", "c", "d"}
    assert template.optional == {"c", "d"}
    assert template.required == {"a"}
    assert not template.constant
    assert compile_template("text").constant
    assert compile_template("text").names == frozenset()
    assert repr(compile_template("text")) == "Template('text')"


def test_sizes_are_bounded() -> None:
    with pytest.raises(ExpressionError, match="200,000 are the most"):
        compile_template("x" * (limits.TEMPLATE + 1))
    with pytest.raises(ExpressionError, match="6,000 characters together"):
        compile_template("{{ amount }} " * 600)
    assert len(render("{{ n }}" * 500 + "x" * 150_000, DATA)) == 150_000
    with pytest.raises(ExpressionError, match="more than 1,000,000 characters"):
        render("{{ s }} {{ s }}", {"s": "x" * 600_000})
    with pytest.raises(ExpressionError, match="too much work"):
        render("{{ s }}!" * 100, {"s": "x" * 90_000})


def test_a_long_text_alone_is_handed_on_whatever_its_size() -> None:
    text = "x" * 10_000_000
    assert render("{{ o.text }}", {"o": {"text": text}}) is text


def test_values_are_text_and_never_templates_themselves() -> None:
    assert render("Dear {{ name }}", {"name": "{{ secret }}", "secret": 1}) == "Dear {{ secret }}"


@pytest.mark.parametrize("template", [None, 5, ["{{ a }}"], b"x"])
def test_only_text_is_a_template(template: Any) -> None:
    with pytest.raises(ExpressionError, match="is text"):
        render(template, {})
