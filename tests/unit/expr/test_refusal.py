from __future__ import annotations

import pickle

from flownb.errors import ExpressionError
from flownb.expr.refusal import Missing, Refusal, as_error, excerpt, from_exception


def test_a_refusal_becomes_an_error_with_text_and_place() -> None:
    error = as_error(Refusal("No.", 3), "a + b")
    assert isinstance(error, ExpressionError)
    assert (error.text, error.position) == ("a + b", 3)
    assert str(error) == "No. (In 'a + b', at 3.)"


def test_near_names_are_looked_for_only_when_the_error_is_shown() -> None:
    calls = []

    def known() -> list[str]:
        calls.append(1)
        return ["total"]

    missing = Missing("There is no 'totl'.", 0, name="totl", known=known)
    assert calls == []
    assert "Did you mean 'total'?" in as_error(missing, "totl").message


def test_a_refusal_may_name_a_text_of_its_own() -> None:
    refusal = Refusal("No.", 2)
    refusal.text = "{{ x }}"
    assert as_error(refusal, "the whole object").text == "{{ x }}"


def test_a_place_never_lies_outside_the_text() -> None:
    assert as_error(Refusal("No.", 99), "ab").position == 2
    assert as_error(Refusal("No."), "ab").position == 0


def test_whatever_python_raises_becomes_an_error() -> None:
    assert "too deeply" in from_exception(RecursionError(), "x").message
    assert "memory" in from_exception(MemoryError(), "x").message
    assert "ZeroDivisionError" in from_exception(ZeroDivisionError("secret"), "x").message
    assert "secret" not in from_exception(ZeroDivisionError("secret"), "x").message


def test_an_excerpt_is_short_and_shows_the_place() -> None:
    text = "a" * 500 + "HERE" + "b" * 500
    shown = excerpt(text, 500)
    assert "HERE" in shown
    assert len(shown) < 100


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(as_error(Refusal("No.", 1), "ab")))
    assert (error.message, error.text, error.position) == ("No. (In 'ab', at 1.)", "ab", 1)
