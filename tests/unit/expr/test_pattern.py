from __future__ import annotations

import subprocess
import sys

import pytest

from flownb.expr.limits import PATTERN, STEPS, new_work
from flownb.expr.pattern import matches
from flownb.expr.refusal import Refusal


def test_a_pattern_is_found_anywhere() -> None:
    assert matches("an order", "or(d|t)", new_work())
    assert not matches("an order", "^order$", new_work())
    assert matches("Ünïcode", r"\p{Lu}", new_work())


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a" * 30 + "b", "(a+)+$"),
        ("a" * 5_000 + "b", "(a|aa)+$"),
        ("x" * 5_000, "(x+x+)+y"),
        ("a" * 5_000, "(.*)*(.*)*(.*)*=(.*)"),
        ("a" * 50, "(a?){50}a{50}"),
    ],
)
def test_what_blows_up_elsewhere_takes_linear_time(text: str, pattern: str) -> None:
    work = new_work()
    matches(text, pattern, work)
    assert work[0] >= 0


@pytest.mark.parametrize(
    "pattern", ["(", "[", "(?=a)", r"(a)\1", "a{1001}", r"\pL{1000}", "((a{100}){100}){100}", r"\x{"]
)
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(Refusal, match="not understood"):
        matches("a", pattern, new_work())


def test_size_and_work_are_bounded() -> None:
    with pytest.raises(Refusal, match=f"{PATTERN} characters"):
        matches("a", "a" * (PATTERN + 1), new_work())
    with pytest.raises(Refusal, match="too much work"):
        matches("ab" * 20_000, "(a|b)*a" + "(a|b)" * 60, new_work())


def test_compiling_is_charged_whether_it_is_remembered_or_not() -> None:
    spent = []
    for _ in range(2):
        work = new_work()
        matches("a", "remembered or not", work)
        spent.append(STEPS - work[0])
    assert spent[0] == spent[1]


@pytest.mark.parametrize(("text", "pattern"), [("\ud800", "a"), ("a", "\ud800")])
def test_half_characters_are_refused(text: str, pattern: str) -> None:
    with pytest.raises(Refusal, match="surrogate"):
        matches(text, pattern, new_work())


def test_re2_is_loaded_only_when_it_is_needed() -> None:
    code = "import sys, flownb.expr; print('re2' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "False"
