from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.errors import ExpressionError
from flownb.expr import compile_expression, compile_template, evaluate
from flownb.expr.limits import DEPTH

DATA: dict[str, Any] = {"a": 3, "b": 0, "s": "text", "n": None, "l": [1, 2], "o": {"k": 1}, "t": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("(1 + 2) * 3 // 2 % 3", 1),
        ("-a + +a", 0),
        ("1 < a <= 3 != 4", True),
        ("1 < 0 < nope", False),
        ("a == 3.0 and s == 'text'", True),
        ("a and s", "text"),
        ("b and nope", 0),
        ("b or n or s", "text"),
        ("s or nope", "text"),
        ("not a", False),
        ("not not l", True),
        ("'yes' if a > 1 else nope", "yes"),
        ("nope if b else 'no'", "no"),
        ("1 if b else 2 if n else 3", 3),
        ("2 in l and 3 not in l", True),
        ("'ex' in s", True),
        ("'k' in o", True),
        ("n is none and a is not none", True),
        ("t is true", True),
        ("a is true", False),
        ("n == none", True),
        ("l == [1, 2]", True),
        ("(1, 2) == l", True),
        ("o == {'k': 1.0}", True),
        ("[a, [s], {}]", [3, ["text"], {}]),
        ("{'x': a, s: l}", {"x": 3, "text": [1, 2]}),
        ("[]", []),
        ("()", []),
        ("'a'|upper + 'b'", "Ab"),
        ("s[0] + s[-1]", "tt"),
        ("[1, 2] + l", [1, 2, 1, 2]),
        ("'-' * 3", "---"),
        ("'é' < 'z'", False),
        ("1 == '1'", False),
        ("n == 0", False),
    ],
)
def test_operators_and_literals(text: str, expected: Any) -> None:
    value = evaluate(text, DATA)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("1 + s", 0, "Can't add"),
        ("a > 1 and s > 5", 10, "Can't compare the text 'text' with the number 5"),
        ("[1, 2 / b]", 4, "by zero"),
        ("{1: 2}", 0, "The keys of an object are text"),
        ("{'a': 1, **o}", 9, "no powers"),
        ("{1, 2}", 0, "no meaning in an expression (Set)"),
        ("[*l]", 1, "no meaning in an expression (Starred)"),
        ("a is 3", 5, "`is` asks for none, true or false"),
        ("a is s", 5, "`is` asks for none, true or false"),
        ("-s", 0, "has no negative"),
        ("1 in 5", 0, "can't contain"),
        ("a if l > 1 else 2", 5, "by their order"),
    ],
)
def test_failures_know_their_place(text: str, position: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, DATA)
    assert words in caught.value.message
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "names", "optional"),
    [
        ("a.b + c['d']", {"a", "c"}, set()),
        ("default(a.b, c)", {"a", "c"}, {"a", "c"}),
        ("default(a, 1) + a", {"a"}, set()),
        ("exists(a) and coalesce(b, c) or d", {"a", "b", "c", "d"}, {"a", "b", "c"}),
        ("a|default(0) > b", {"a", "b"}, {"a"}),
        ("default(len(a[b]), 0)", {"a", "b"}, {"a", "b"}),
        ("len(len)", {"len"}, set()),
        ("type(a)", {"a"}, set()),
        ("now() > 'a'", set(), set()),
        ("true or null", set(), set()),
        ("{'x': y}", {"y"}, set()),
    ],
)
def test_the_names_that_are_read_are_known(text: str, names: set[str], optional: set[str]) -> None:
    for compiled in (compile_expression(text), compile_template(f"{{{{ {text} }}}} and text")):
        assert compiled.names == names
        assert compiled.optional == optional
        assert compiled.required == names - optional


def test_every_operand_is_evaluated_once() -> None:
    # Were it twice a level, this would take until the end of time.
    text = "a"
    for _ in range(25):
        text = f"({text} == a)"
    assert evaluate(text, DATA) is False


def test_depth_is_bounded() -> None:
    assert evaluate("1" + " + 1" * (DEPTH - 2), DATA) == DEPTH - 1
    with pytest.raises(ExpressionError, match="too deeply"):
        evaluate("1" + " + 1" * DEPTH, DATA)


_NUMBERS = st.sampled_from(["a", "b", "1", "2.5", "7", "0.5"])
_ARITHMETIC = st.recursive(
    _NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "!=", "<", ">="]), inner).map(
            lambda each: f"({' '.join(each)})"
        ),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda each: f"({' '.join(each)})"),
        inner.map(lambda each: f"(not {each})"),
        inner.map(lambda each: f"(-{each})"),
        inner.map(lambda each: f"max([{each}, 1])"),
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]} if {each[1]} else {each[2]})"),
    ),
    max_leaves=10,
)


@given(_ARITHMETIC)
def test_arithmetic_means_what_it_means_in_python(text: str) -> None:
    try:
        expected = eval(text, {"a": 3, "b": 0, "max": max})
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="by zero"):
            evaluate(text, DATA)
    else:
        value = evaluate(text, DATA)
        assert value == expected
        assert type(value) is type(expected)
