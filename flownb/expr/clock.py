"""Time in expressions: `now`, and dates as ISO text.

Tests put their own clock in `source`, so that `now()` says what they want.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flownb.expr.access import subject
from flownb.expr.operators import NUMBERS
from flownb.expr.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 40
_DATE_LENGTH = 10
_DAY = 86_400


def _utc_now() -> datetime:
    return datetime.now(UTC)


#: Where the time comes from: gives an aware datetime.
source: Callable[[], datetime] = _utc_now


def now() -> str:
    """The present time in UTC, to the second, as `2026-05-01T12:00:00Z`."""
    return _iso(source().astimezone(UTC).replace(microsecond=0))


def day(value: Any) -> str:
    """The date of an ISO time or date, as `2026-05-01`.

    Raises:
        Refusal: it is no ISO text.
    """
    return _read(value).date().isoformat()


def shift(value: Any, days: Any, hours: Any = 0) -> str:
    """An ISO time or date, so many days and hours later; a date stays a date as long as whole days are added."""
    for number in (days, hours):
        if type(number) not in NUMBERS:
            raise Refusal(f"{subject(number)} is no number of days or hours.")
    moment = _read(value)
    try:
        moved = moment + timedelta(days=days, hours=hours)
    except (OverflowError, ValueError):
        raise Refusal("This leaves the calendar, which goes from the year 1 to 9999.") from None
    if len(value.strip()) == _DATE_LENGTH and moved.time() == moment.time():
        return moved.date().isoformat()
    return _iso(moved)


def days_between(first: Any, last: Any) -> int | float:
    """The days from one ISO time or date to another, as a number that may have a fraction; what has no zone is UTC."""
    seconds = (_aware(_read(last)) - _aware(_read(first))).total_seconds()
    whole, rest = divmod(seconds, _DAY)
    return int(whole) if rest == 0 else seconds / _DAY


def _read(value: Any) -> datetime:
    text = value.strip() if type(value) is str and len(value) <= _LONGEST else ""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{subject(value)} is no date; write it as '2026-05-01' or '2026-05-01T12:00:00Z'.") from None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
