"""Times for a page that has no clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from flownb.server.moments import ago, length, moment, until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_785_585_600.0  # 1 August 2026, 12:00 UTC
DAY = 86_400


@pytest.fixture(autouse=True)
def vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")  # needs no list of zones on this machine
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (3660, "1 h 1 min"), (-5, "0 s"),
     (85_260, "23 h 41 min"), (DAY, "24 h"), (2 * DAY, "2 d"), (3.2 * DAY, "3 d 4 h"), (40 * DAY, "40 d")],
)  # fmt: skip
def test_a_length_has_two_units_at_most(seconds: float, told: str) -> None:
    assert length(seconds) == told


def test_a_moment_says_its_day_where_that_is_not_today() -> None:
    assert moment(NOON, NOON) == "14:00 CEST"
    assert moment(NOON + DAY, NOON) == "tomorrow, 14:00 CEST"
    assert moment(NOON - DAY, NOON) == "31 July, 14:00 CEST"
    assert moment(NOON + 150 * DAY, NOON) == "29 December, 13:00 CET"
    assert moment(NOON + 365 * DAY, NOON) == "1 August 2027, 14:00 CEST"


def test_ends_and_beginnings() -> None:
    assert until(NOON + 3 * 3600, NOON) == "until 17:00 CEST, in 3 h"
    assert until(NOON - 1, NOON) == "ends now"
    assert (ago(NOON, NOON), ago(NOON - 120, NOON)) == ("just now", "2 min ago")
