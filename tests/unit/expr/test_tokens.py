from __future__ import annotations

from typing import Any

import pytest

from flownb.expr import limits
from flownb.expr.refusal import Refusal
from flownb.expr.tokens import Kind, Mode, Scanner


def values(text: str, mode: Mode = Mode.BARE) -> list[Any]:
    return [token.value for token in Scanner(text, 0, mode).scan()]


def refused(text: str, mode: Mode = Mode.BARE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        Scanner(text, 0, mode).scan()
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.0.c", ["a", "b", "0", "c"]),
        ("a.1.5", ["a", "1", "5"]),
        ("1.5", [1.5]),
        (".5 + 1e3", [0.5, "+", 1000.0]),
        ("a[0].5", ["a", "[", 0, "]", "5"]),
        ("mail.from.class", ["mail", "from", "class"]),
        ("x|default(0)", ["x", "default", "(", 0, ")"]),
        ("true and True", [True, "and", True]),
        ("null none None", [None, None, None]),
        ("größe + Ж", ["größe", "+", "Ж"]),
        ("a\n\t+ b", ["a", "+", "b"]),
        ("a not in b", ["a", "not", "in", "b"]),
    ],
)
def test_text_becomes_tokens(text: str, expected: list[Any]) -> None:
    assert values(text) == expected


def test_a_token_knows_its_kind_and_place() -> None:
    tokens = Scanner("a. b | f + 'x'").scan()
    assert [(token.kind, token.position) for token in tokens] == [
        (Kind.NAME, 0),
        (Kind.KEY, 3),
        (Kind.PIPE, 7),
        (Kind.OPERATOR, 9),
        (Kind.LITERAL, 11),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"'it\'s'", "it's"),
        (r'"a\n\t\\"', "a\n\t\\"),
        (r'"\u00e9\x41\U0001F600"', "éA😀"),
        (r'"\d+\.\w\b"', r"\d+\.\w\b"),
        (r"r'\n\d'", r"\n\d"),
        ('"two\nlines"', "two\nlines"),
        ('"}} {{"', "}} {{"),
        ("''", ""),
    ],
)
def test_text_in_quotes(text: str, expected: str) -> None:
    assert values(text) == [expected]


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("a ** b", 2, "no powers"),
        ("a = 1", 2, "Use =="),
        ("(a := 1)", 3, "can't assign"),
        ("a && b", 2, "Use `and`"),
        ("a || b", 2, "Use `or`"),
        ("!a", 0, "Use `not`"),
        ("a ? 1 : 2", 2, "if condition else"),
        ("a === 1", 2, "Use =="),
        ("lambda: 1", 0, "can't use 'lambda'"),
        ("[x for x in y]", 3, "can't use 'for'"),
        ("await x", 0, "can't use 'await'"),
        ("f'{x}'", 0, "without the 'f'"),
        ("b'x'", 0, "without the 'b'"),
        ("a + 'x", 4, "never closed"),
        ("(a", 0, "'(' is never closed"),
        ("a)", 1, "too many"),
        ("(a]", 0, "closed by ']'"),
        ("007", 0, "no number"),
        ("1x", 0, "neither a number nor a name"),
        ("0x1f", 0, "neither a number nor a name"),
        ("1e999", 0, "too large"),
        ("9" * 78, 0, "too large"),
        ("9" * 1900, 0, "too large"),
        ("a.", 1, "A dot"),
        ("..", 0, "A dot"),
        ("a + .b", 4, "A dot"),
        ("|f", 0, "A |"),
        ("a | 'x'", 2, "A |"),
        ("a\x00b", 1, "U+0000"),
        ("a\u200bb", 1, "ZERO WIDTH SPACE"),
        ("a\u00a0b", 1, "NO-BREAK SPACE"),
        ("a + \u202eb", 4, "RIGHT-TO-LEFT OVERRIDE"),
        ("\ud800", 0, "U+D800"),
        ("'a\x07'", 2, "U+0007"),
        ("'\udfff'", 1, "U+DFFF"),
        (r"'\ud800'", 1, "no character"),
        (r"'\U00110000'", 1, "no character"),
        ("ªb", 0, "looks like 'ab'"),
        ("\U0001d431", 0, "looks like 'x'"),
        ("a.ﬁle", 2, "looks like 'file'"),
        ("{{ a }}", 0, "can't stand inside"),
        ("a # b", 2, "no comments"),
        ("a @ b", 2, "no meaning"),
        ("a << 1", 2, "no meaning"),
        ("a; b", 1, "no meaning"),
        ("a\\\nb", 1, "no meaning"),
    ],
)
def test_what_no_expression_can_hold_is_refused_with_its_place(text: str, position: int, words: str) -> None:
    refusal = refused(text)
    assert words in refusal.message
    assert refusal.position == position


@pytest.mark.parametrize(
    "text", ["(" * 31, "[" * 31, "{ " * 31, "-" * 31 + "1", "not " * 31 + "a", "1 if a else " * 31]
)
def test_nesting_is_bounded_before_the_parser_sees_it(text: str) -> None:
    assert "too deeply" in refused(text).message


def test_unary_signs_in_different_places_do_not_add_up() -> None:
    assert len(values("-a + -b not in [" + "-1, " * 100 + "1]")) > 200


def test_length_and_tokens_are_bounded() -> None:
    assert "characters" in refused(" " * (limits.TEXT + 1) + "a").message
    assert "words and signs" in refused("1 " * (limits.TOKENS + 1)).message


def test_a_template_ends_at_the_braces_that_close_it() -> None:
    text = 'x {{ {"a": {"b": "}}"}} }} y'
    scanner = Scanner(text, 4, Mode.TEMPLATE)
    scanner.scan()
    assert text[scanner.end :] == " y"


def test_a_dictionary_may_touch_the_braces_that_close_the_template() -> None:
    scanner = Scanner('{{ {"a":{"b":1}}}}', 2, Mode.TEMPLATE)
    assert scanner.scan()[-1].value == "}"
    assert scanner.end == 18


@pytest.mark.parametrize("text", ["{{ a", "{{ a }", "{{ 'a }}", "{{ (a }}"])
def test_an_open_template_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="closed"):
        Scanner(text, 2, Mode.TEMPLATE).scan()


def test_double_braces_in_a_condition_are_brackets() -> None:
    assert values("{{ a }} > {{ b.c }}", Mode.CONDITION) == ["(", "a", ")", ">", "(", "b", "c", ")"]
    assert values('{{ {"a": {"b": 1}} }} == c', Mode.CONDITION)[-2:] == ["==", "c"]


@pytest.mark.parametrize("text", ["{{ a }", "{{ a ) }}", "{{ a", "a }}"])
def test_braces_of_a_condition_must_match(text: str) -> None:
    refused(text, Mode.CONDITION)


def test_quotes_around_braces_in_a_condition_are_refused() -> None:
    assert "Leave out the quotes" in refused('"{{ tier }}" == "gold"', Mode.CONDITION).message
