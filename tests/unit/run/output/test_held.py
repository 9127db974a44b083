"""Lines that are overwritten, and floods: what is kept of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.run.output.held import Held, settled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n", "plain\n"),
        ("10%\r20%\r30%\n", "30%\n"),
        ("\r10%\r20%", "20%"),
        ("50%\r", "50%"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("a\nb\rc\nd", "a\nc\nd"),
        ("\x1b[32mgreen\x1b[0m\rred\n", "red\n"),
        ("gone\r    \r\n", "    \n"),
        ("", ""),
    ],
)
def test_of_a_line_that_was_overwritten_the_last_state_is_left(text: str, expected: str) -> None:
    assert settled(text) == expected


@given(st.lists(st.text(st.sampled_from("ab\r\n"), max_size=6), max_size=12))
def test_whatever_is_held_back_the_journal_reads_as_the_terminal_would(pieces: list[str]) -> None:
    held = Held()
    written = "".join(held.settle("stdout", piece) for piece in pieces)
    written += "".join(text for _, text in held.due(0.0, last=True, room=True))
    assert settled(written) == settled("".join(pieces))


def test_a_bar_is_shown_once_a_second_and_at_its_end() -> None:
    held = Held()
    shown: list[str] = []
    for tick in range(100):
        assert held.settle("stderr", f"\r{tick}%") == ""
        shown += [text for _, text in held.due(tick / 10, last=False, room=True)]
    assert len(shown) == 10
    assert held.settle("stderr", "\r100%\n") == "\r100%\n"
    assert not held.waits()


def test_a_bar_that_goes_on_for_a_day_is_shown_some_thousand_times() -> None:
    held = Held()
    shown = 0
    for second in range(86_400):
        held.settle("stderr", f"\r{second} s")
        shown += len(held.due(second, last=False, room=True))
    assert 300 < shown < 2_500


def flood(held: Held, first: int, lines: int) -> None:
    for number in range(first, first + lines):
        held.overflow("stdout", f"line {number}\n", 0)


def test_of_a_flood_the_end_is_kept_and_the_rest_counted() -> None:
    held = Held()
    flood(held, 0, 100_000)
    note, *rest = [text for _, text in held.due(0.0, last=True, room=False)]
    text = "".join(rest)
    kept = text.splitlines()
    assert kept[-1] == "line 99999"
    assert len(text) <= 20_000
    gone = 100_000 - len(kept)
    letters = sum(len(f"line {number}\n") for number in range(gone))
    assert kept[0] == f"line {gone}"
    assert note == f"… {gone:,} lines, {letters:,} characters are left out …\n"


def test_a_single_text_of_any_size_is_kept_at_its_end() -> None:
    held = Held()
    held.overflow("stdout", "x" * 5_000_000, 1_000)
    note, end = [text for _, text in held.due(0.0, last=True, room=False)]
    assert note == "\n… 4,979,000 characters are left out …\n"
    assert end == "x" * 20_000


def test_a_flood_of_hours_shows_a_piece_now_and_then() -> None:
    held, pieces = Held(), []
    for second in range(3_600):
        flood(held, second * 100, 100)
        pieces += [text for _, text in held.due(second, last=False, room=False)]
    notes = [each for each in pieces if "left out" in each]
    assert 20 < len(notes) < 200
    assert sum(map(len, pieces)) < 500_000


def test_half_a_character_waits_for_its_other_half() -> None:
    held = Held()
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    assert (held.decode("stdout", b"a" + first), held.decode("stdout", second + b"b")) == ("a", "üb")
    assert held.decode("stdout", b"\xff\xfe ok") == "\ufffd\ufffd ok"
    held.decode("stdout", first)
    assert held.due(0.0, last=True, room=True) == [("stdout", "\ufffd")]
