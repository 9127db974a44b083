from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.services.harmless import block, line


def test_colours_are_dropped_and_other_escapes_are_shown() -> None:
    assert line("\x1b[31mred\x1b[0m") == "red"
    assert line("\x1b]0;title\x07") == "\\x1b]0;title\\x07"
    assert line("\x9b2J") == "\\x9b2J"


def test_what_turns_the_direction_of_writing_is_shown() -> None:
    assert line("a\u202eb\u2066c") == "a\\u202eb\\u2066c"


def test_half_characters_can_be_printed() -> None:
    assert line("\ud800").encode() == b"\\ud800"


def test_a_line_is_one_line() -> None:
    assert line("one\n two\r\n\tthree\u2028four") == "one two three\\u2028four"


def test_a_line_is_cut_with_a_sign() -> None:
    assert line("abcdef", 4) == "abc…"
    assert line("abcd", 4) == "abcd"


def test_a_block_keeps_its_lines_and_what_overwrote_a_line_begins_one() -> None:
    assert block("a\r\nb\n\tc") == "a\nb\n\tc"
    assert block("10%\r20%") == "10%\n20%"


@pytest.mark.parametrize("text", ["Grüße", "日本", "a=1", "✔ done", "[bold]x[/]"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert line(text) == text
    assert block(text) == text


@given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    shown = line(text) + block(text).replace("\n", "").replace("\t", "")
    assert shown.isprintable() or not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in shown)
    shown.encode()
