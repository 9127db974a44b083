from __future__ import annotations

import math
import re
from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import evaluate, functions
from flownb.expr.functions import TABLE

DATA: dict[str, Any] = {
    "n": None,
    "order": {"total": 12.5, "lines": [{"p": 3}, {"p": 1}, {"p": 2}], "note": "", "tags": ["b", "a", "b"]},
    "nan": math.nan,
    "inf": math.inf,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len('abc')", 3),
        ("len([1, 2])", 2),
        ("len({'a': 1})", 1),
        ("sum([1, 2.5, n])", 3.5),
        ("sum([])", 0),
        ("sum([true, true, false])", 2),
        ("min([3, 1, n, 2])", 1),
        ("min(3, 1)", 1),
        ("max('a', 'b')", "b"),
        ("max([])", None),
        ("round(2.567, 2)", 2.57),
        ("round(2.5)", 2),
        ("round(1234, -2)", 1200),
        ("abs(-3)", 3),
        ("lower('ÄB')", "äb"),
        ("upper('straße')", "STRASSE"),
        ("strip('  a ')", "a"),
        ("strip('xxaxx', 'x')", "a"),
        ("split(' a  b ')", ["a", "b"]),
        ("split('a,b,', ',')", ["a", "b", ""]),
        ("join(['a', 1, n, true], '-')", "a-1--true"),
        ("join([])", ""),
        ("replace('a.b.c', '.', '/')", "a/b/c"),
        ("contains('abc', 'b')", True),
        ("contains([1, 2], 3)", False),
        ("contains({'a': 1}, 'a')", True),
        ("startswith('abc', 'ab')", True),
        ("endswith('abc', 'ab')", False),
        ("matches('order 66', '[0-9]+$')", True),
        (r"matches('a1', '^\d')", False),
        ("keys({'a': 1, 'b': 2})", ["a", "b"]),
        ("values({'a': 1, 'b': [2]})", [1, [2]]),
        ("first([1, 2])", 1),
        ("first([])", None),
        ("last('abc')", "c"),
        ("last('')", None),
        ("unique(order.tags)", ["b", "a"]),
        ("unique([1, 1.0, '1', [1], [1], {'a': 1}, {'a': 1}])", [1, "1", [1], {"a": 1}]),
        ("sorted([3, 1, 2])", [1, 2, 3]),
        ("sorted(['b', 'a'])", ["a", "b"]),
        ("sorted(order.lines, 'p')", [{"p": 1}, {"p": 2}, {"p": 3}]),
        ("sorted([[2, 'x'], [1, 'y']], 0)[::-1]", [[2, "x"], [1, "y"]]),
        ("json({'a': [1, n, true]})", '{"a": [1, null, true]}'),
        ("number('12')", 12),
        ("number('1.50')", 1.5),
        ("string(1.0)", "1.0"),
        ("string([1])", "[1]"),
        ("string(n)", ""),
        ("int('12')", 12),
        ("int(-2.9)", -2),
        ("int(true)", 1),
        ("bool('no')", False),
        ("bool(' Yes ')", True),
        ("bool(0)", False),
        ("bool(n)", False),
        ("default(order.total, 1)", 12.5),
        ("default(order.nope, 1)", 1),
        ("default(order.nope.deeper.0, 1)", 1),
        ("default(nope, 1)", 1),
        ("default(n, 1)", 1),
        ("default(order.note, 'x')", ""),
        ("default(order.lines.9.p, 0) + 1", 1),
        ("default(first(nope), 2)", 2),
        ("default(1, nope)", 1),
        ("order.nope|default(0)", 0),
        ("order.nope|default(n|default(3))", 3),
        ("exists(order.total)", True),
        ("exists(order.nope)", False),
        ("exists(n)", False),
        ("exists(nope.a)", False),
        ("not exists(nope)", True),
        ("coalesce(nope, n, order.nope, 4, 5)", 4),
        ("coalesce(n)", None),
        ("type('a')", "string"),
        ("type(order)", "object"),
        ("type(n)", "null"),
        ("'a b'|split|last|upper", "B"),
        ("(len)('a')", 1),
        ("order.tags|unique|len", 2),
    ],
)
def test_functions(text: str, expected: Any) -> None:
    value = evaluate(text, DATA)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("len(5)", "has no length"),
        ("len()", "len takes 1 arguments, not 0"),
        ("round(1, 2, 3)", "round takes 1 to 2 arguments, not 3"),
        ("lowr('a')", "There is no function 'lowr'. Did you mean 'lower'"),
        ("sum('abc')", "sum needs a list"),
        ("sum(['a'])", "sum needs numbers; there is the text 'a'"),
        ("sum([1e308, 1e308])", "too large"),
        ("min([1, 'a'])", "numbers or texts, not both; there is the text 'a'"),
        ("min([[1]])", "numbers or texts"),
        ("max(5)", "max needs a list"),
        ("round('a')", "no number"),
        ("round(1, 0.5)", "whole digits"),
        ("round(1, 99)", "whole digits"),
        ("round(1e300)", "too large"),
        ("round(nan)", "can't be rounded"),
        ("round(inf)", "can't be rounded"),
        ("abs('a')", "no number"),
        ("lower(5)", "lower needs a text"),
        ("split('a', '')", "at least one character"),
        ("split('a', 5)", "split needs a text"),
        ("join('abc')", "join needs a list"),
        ("join([1], 2)", "join needs a text"),
        ("replace('a', '', 'b')", "at least one character"),
        ("contains(5, 5)", "can't contain"),
        ("startswith('a', ['a'])", "startswith needs a text"),
        ("matches('a', '(')", "pattern is not understood"),
        ("matches('a', 5)", "matches needs a text and a pattern"),
        (r"matches('aa', '(a)\1')", "pattern is not understood"),
        ("keys([1])", "keys needs an object"),
        ("first(5)", "first needs a list"),
        ("first({})", "first needs a list"),
        ("unique(5)", "unique needs a list"),
        ("sorted([1, 'a'])", "numbers or texts"),
        ("sorted(order.lines)", "numbers or texts"),
        ("sorted(order.lines, 'q')", "There is no 'q' in an entry"),
        ("number('a')", "The text 'a' is no number"),
        ("int('x')", "no number"),
        ("int(nan)", "no whole number"),
        ("int(1e300)", "too large"),
        ("bool('maybe')", "neither true nor false"),
        ("bool([])", "neither true nor false"),
        ("default(order.total)", "default takes 2 arguments"),
        ("default(1 + 'a', 2)", "Can't add"),
        ("default(nope, nope2)", "There is no 'nope2'"),
        ("order.total.round(1)", "Values have no methods in expressions. Write round(value) instead."),
        ("order.total()", "no methods"),
        ("order(1)", "There is no function 'order'"),
        ("'a'('b')", "Only functions can be called"),
        ("len(len)", "The function is called as len"),
        ("len(*order.tags)", "spread"),
        ("len(x=1)", "Use =="),
    ],
)
def test_misuse_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, DATA)
    assert words in caught.value.message


def test_the_table_in_the_text_is_the_table() -> None:
    assert functions.__doc__ is not None
    rows = re.findall(r"^\| (`.+?`) \|", functions.__doc__, re.MULTILINE)
    documented = {re.findall(r"`(\w+)\(", row)[0] for row in rows}
    assert documented == TABLE.keys()
    assert 25 <= len(TABLE) <= 35


@pytest.mark.parametrize(
    "text",
    [
        "upper(big)",
        "split(big, 'x')",
        "split(big)",
        "replace(big, 'x', 'xy')",
        "strip(big, 'xy')",
        "join(strings, ',')",
        "sum(numbers)",
        "sorted(numbers)",
        "sorted(strings)",
        "min(strings)",
        "unique(lists)",
        "unique(strings)",
        "json(strings)",
        "[-1] in many",
        "matches(big, 'a')",
        "matches(text, '(a|b)*a" + "(a|b)" * 60 + "')",
        "startswith(big, big)",
        "startswith(big, big) and startswith(big, big)",
    ],
)
def test_work_on_large_data_is_refused(text: str) -> None:
    data = {
        "big": "x" * 5_000_000,
        "text": "ab" * 50_000,
        "numbers": list(range(400_000)),
        "strings": ["x" * 100_000] * 1_000,
        "lists": [[number] for number in range(5_000)],
        "many": [[number] for number in range(50_000)],
    }
    with pytest.raises(ExpressionError, match=r"too much work|would make"):
        evaluate(text, data)
