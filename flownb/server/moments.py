"""Times as a page without a clock of its own can say them: the moment, and how long until then."""

from __future__ import annotations

import time
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def moment(at: float, now: float) -> str:
    """A local time with its zone, and the day where that is not today: `14:02 UTC`, `31 July, 14:02 UTC`."""
    there, here = time.localtime(at), time.localtime(now)
    clock = time.strftime("%H:%M %Z", there).strip()
    if there[:3] == here[:3]:
        return clock
    if time.localtime(now + _DAY)[:3] == there[:3]:
        return f"tomorrow, {clock}"
    year = f" {there.tm_year}" if there.tm_year != here.tm_year else ""
    return f"{there.tm_mday} {time.strftime('%B', there)}{year}, {clock}"


def length(seconds: float) -> str:
    """A time in two units at most: `23 h 41 min`, `3 d 4 h`, `12 min`, `40 s`."""
    seconds = max(0, int(seconds))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        hours, rest = divmod(seconds, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days, rest = divmod(seconds, _DAY)
    return f"{days} d {rest // _HOUR} h" if rest >= _HOUR and days < 7 else f"{days} d"  # noqa: PLR2004  a week


def until(at: float, now: float) -> str:
    """The end of something that still goes on."""
    return f"until {moment(at, now)}, in {length(at - now)}" if at > now else "ends now"


def ago(at: float, now: float) -> str:
    """When something was."""
    return "just now" if now - at < _MINUTE else f"{length(now - at)} ago"
