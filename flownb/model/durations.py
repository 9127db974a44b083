"""Lengths of time as people write them: `90s`, `1h 30m`, `2 days`, or ISO 8601 as `PT4H`."""

from __future__ import annotations

import functools
import math
import re
from datetime import timedelta
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from flownb.errors import InvalidInput

#: How messages say what is expected.
FORM: Final = "seconds as a number, or a text as '90s', '1h 30m', '2d' or 'PT4H'"
#: Marks a field of the model as a length of time.
MARK: Final = {"duration": True}

_UNITS: Final = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
}
_MOST: Final = 100
_PLAIN: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_PART: Final = re.compile(r"\s*(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)\s*(?:,|and\b)?\s*", re.ASCII)
#: Years and months are no fixed length, and have no place here (ISO 8601-1, 5.5.2.4).
_ISO: Final = re.compile(
    r"P(?=[\dT])(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=\d)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)
_ISO_UNITS: Final = (604800.0, 86400.0, 3600.0, 60.0, 1.0)


def seconds_in(text: str, *, bare: bool = True) -> float:
    """The seconds that a text means.

    Args:
        text: what somebody wrote.
        bare: whether a number without a unit will do.

    Raises:
        InvalidInput: it means no length of time.
    """
    said = text.strip().lower()
    found = _read(said) if 0 < len(said) <= _MOST and (bare or not _PLAIN.fullmatch(said)) else None
    if found is None or not math.isfinite(found):
        raise InvalidInput(f"{text!r:.60} is no length of time: give {FORM}.")
    return found


def _read(said: str) -> float | None:
    if _PLAIN.fullmatch(said):
        return float(said)
    if said.startswith("p"):
        match = _ISO.fullmatch(said.upper())
        parts = [] if match is None else [each for each in zip(match.groups(), _ISO_UNITS, strict=True) if each[0]]
        return sum(float(count.replace(",", ".")) * unit for count, unit in parts) if parts else None
    total, place, last = 0.0, 0, math.inf
    while place < len(said):
        part = _PART.match(said, place)
        unit = None if part is None else _UNITS.get(part["unit"])
        if part is None or unit is None or unit >= last:  # the larger first, each once: `1m 1m` is a slip
            return None
        total, place, last = total + float(part["count"]) * unit, part.end(), unit
    return None if said.endswith((",", "and")) else total


def is_length(text: str) -> bool:
    """Whether a text means a length of time, and is no bare number, which might be a year."""
    try:
        seconds_in(text, bare=False)
    except InvalidInput:
        return False
    return True


def as_seconds(value: Any) -> Any:
    """The seconds that a text or a `timedelta` means; anything else as it is.

    Raises:
        InvalidInput: it is a text that means no length of time.
    """
    if isinstance(value, str):
        return seconds_in(value)
    return value.total_seconds() if isinstance(value, timedelta) else value


@functools.cache
def timed(cls: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a part of the model that are lengths of time."""
    return frozenset(each.name for each in msgspec.structs.fields(cls) if _is_timed(each.type))


def _is_timed(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        return any(isinstance(each, msgspec.Meta) and each.extra == MARK for each in get_args(kind)[1:])
    return any(map(_is_timed, get_args(kind)))
