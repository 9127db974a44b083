from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flownb.errors import ExpressionError
from flownb.expr import clock, evaluate


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 5, 1, 14, 0, 30, 999, tzinfo=timezone(timedelta(hours=2)))
    monkeypatch.setattr(clock, "source", lambda: moment)


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now()", "2026-05-01T12:00:30Z"),
        ("date(now())", "2026-05-01"),
        ("now()|shift(-1)|date", "2026-04-30"),
        ("shift('2026-02-28', 1)", "2026-03-01"),
        ("shift('2026-05-01', 0.5)", "2026-05-01T12:00:00"),
        ("shift('2026-05-01', 0, 24)", "2026-05-02"),
        ("shift('2026-05-01T10:00:00+02:00', 1, -3)", "2026-05-02T07:00:00+02:00"),
        ("shift('2026-05-01T10:00:00+00:00', 1)", "2026-05-02T10:00:00Z"),
        ("days('2026-05-01', '2026-06-01')", 31),
        ("days('2026-05-01T00:00Z', '2026-05-01T06:00Z')", 0.25),
        ("days('2026-05-01T02:00:00+02:00', '2026-05-01')", 0),
        ("days(now(), shift(now(), 7)) == 7", True),
        ("now() > '2026-01-01'", True),
        ("date('20260501')", "2026-05-01"),
        ("days('0001-01-01T00:00+23:00', '9999-12-31T23:00-23:00') > 3000000", True),
    ],
)
def test_times(text: str, expected: object) -> None:
    assert evaluate(text, {}) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date('tomorrow')", "The text 'tomorrow' is no date; write it as '2026-05-01'"),
        ("date('2026-02-30')", "no date"),
        ("date('')", "no date"),
        ("date(5)", "no date"),
        ("date('2026-05-01' + ' ' * 99)", "no date"),
        ("date('\u0662\u0660\u0662\u0666-05-01')", "no date"),
        ("shift('2026-05-01', 'a')", "no number of days"),
        ("shift('2026-05-01', 1e300)", "calendar"),
        ("shift('9999-12-31', 1)", "calendar"),
        ("shift('2026-05-01', 9 * 1000000000)", "calendar"),
        ("shift('2026-05-01', nan)", "calendar"),
        ("days('2026-05-01', none)", "no date"),
    ],
)
def test_odd_times_are_refused(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, {"nan": float("nan")})
    assert words in caught.value.message


def test_the_clock_of_everyday_is_the_machines() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= datetime.fromisoformat(clock.now()) <= datetime.now(UTC)
