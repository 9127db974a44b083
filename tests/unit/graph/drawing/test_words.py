from __future__ import annotations

import math

import pytest

from flownb.graph.drawing.words import clean, duration, fit, width_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0001, "< 1 ms"),
        (0.004, "4 ms"),
        (0.02, "0.02 s"),
        (0.5, "0.5 s"),
        (3.14, "3.1 s"),
        (9.96, "10 s"),
        (64, "64 s"),
        (720, "12 min"),
        (7300, "2 h"),
        (260_000, "3 d"),
        (None, ""),
        (-1, ""),
        (math.nan, ""),
        (math.inf, ""),
    ],
)
def test_a_duration_has_one_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_line_breaks_become_blanks() -> None:
    assert clean("  a\nb\t\tc \r\n") == "a b c"


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\uffff", "\ue000"]
)
def test_characters_that_are_no_text_are_dropped(character: str) -> None:
    assert clean(f"a{character}b") == "ab"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 10_000, 10) == "x" * 9 + "…"


def test_text_of_exactly_the_length_is_kept() -> None:
    assert clean("x" * 10, 10) == "x" * 10


def test_what_fits_is_kept_whole() -> None:
    assert fit("total", 13, 100) == "total"


@pytest.mark.parametrize("text", ["a_rather_long_name_of_a_node", "数据清理与汇总报告", "W" * 50, "é" * 50])
def test_what_is_cut_fits(text: str) -> None:
    cut = fit(text, 13, 80, 600)
    assert cut.endswith("…")
    assert width_of(cut, 13, 600) <= 80


def test_nothing_is_written_where_not_even_a_letter_fits() -> None:
    assert fit("total", 13, 3) == ""


def test_semibold_is_wider() -> None:
    assert width_of("total", 13, 600) > width_of("total", 13)
