from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.services.fragments import Fragments
from flownb.services.masking import Masker

SECRET = "sk-live-4f9a8b7c6d5eQwErTyUiOp"


def masked(text: str, secret: str = SECRET) -> str:
    masker = Masker()
    masker.add("it", secret)
    return masker.text(text)


@pytest.mark.parametrize("place", range(len(SECRET) - 12))
def test_twelve_letters_in_a_row_are_masked_wherever_they_lie(place: int) -> None:
    assert masked(f"it began with {SECRET[place : place + 12]}…") == "it began with ***…"


def test_as_much_as_agrees_is_masked() -> None:
    assert masked(f"'{SECRET[:17]}'...'{SECRET[-14:]}'") == "'***'...'***'"
    assert masked(SECRET[:11]) == SECRET[:11]


def test_pieces_of_what_is_written_in_another_way_are_masked() -> None:
    coded = base64.b64encode(b"user:" + SECRET.encode()).decode()
    assert masked(f"Basic {coded[8:30]}…") == "Basic ***…"
    assert masked(SECRET.encode().hex()[:30]) == "***"


def test_what_a_value_has_in_common_with_others_is_no_piece_of_it() -> None:
    url = "postgresql://service:s3cr3t-p4ss-w0rd-1@db.internal:5432/prod"
    assert masked("postgresql://service@db.internal:5432/prod", url) == "postgresql://service@db.internal:5432/prod"
    assert masked("it was s3cr3t-p4ss-w0", url) == "it was ***"


def test_what_is_alike_everywhere_is_no_piece() -> None:
    assert masked("A" * 40, "x" + "A" * 30 + "y") == "A" * 40


def test_letters_are_masked_as_a_whole() -> None:
    secret = "пароль-密码-очень-длинный"
    shown = masked(f"начало {secret[2:18]} конец", secret)
    assert secret[3:17] not in shown
    assert "\ufffd" not in shown
    assert shown.startswith("начало ")


@given(st.binary(min_size=13, max_size=80), st.data())
def test_every_piece_is_found(secret: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(secret) - 12))
    piece = secret[start : start + data.draw(st.integers(12, len(secret)))]
    alike = any(len(set(piece[place : place + 6])) <= 2 for place in range(len(piece) - 5))
    known = Fragments()
    known.add(secret)
    before = data.draw(st.binary(max_size=20))
    found = known.find(before + piece + b"..", [])
    assert found or alike
