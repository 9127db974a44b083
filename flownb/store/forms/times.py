"""Dates, times and time zones: zone and fold are kept."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.refused import Refused, broken, expect, fields, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

#: What may be looked for among the time zones; no dots, so no way out of their folder.
_KEY: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}")


def zone_form(encoder: Encoder, zone: tzinfo) -> dict[str, Any]:
    """The plain form of a time zone, under `$zone`.

    Raises:
        Refused: it is neither a fixed offset nor a zone with a name.
    """
    if type(zone) is timezone:
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]  # what its pickle is made of
        parts = [offset.days, offset.seconds, offset.microseconds, *(encoder.encode(each) for each in name)]
        return {"$zone": parts}
    if type(zone) is zoneinfo.ZoneInfo:
        key = zone.key
        # One made from a file of its own, or apart from the cache, is not the one that its name finds again.
        if type(key) is str and _KEY.fullmatch(key) and _find(key) is zone:
            return {"$zone": key}
        raise Refused("has a time zone that was read from a file, which its name alone would not bring back")
    raise Refused(f"has a time zone of the type {type_name(type(zone))}: use zoneinfo.ZoneInfo or datetime.timezone")


def zone_of(decoder: Decoder, form: Any) -> tzinfo:
    """The time zone of a plain form.

    Raises:
        StoreError: it is none, or this system doesn't know it.
    """
    zone = decoder.decode(form)
    if not isinstance(zone, tzinfo):
        raise broken("a time zone is none")
    return zone


def _find(key: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone(decoder: Decoder, payload: Any) -> tzinfo:
    if type(payload) is str:
        found = _find(payload) if _KEY.fullmatch(payload) else None
        if found is None:
            raise broken(f"this system knows no time zone {payload[:60]!r}; `pip install tzdata` brings them all")
        return found
    offset = timedelta(*decoder.items_of(expect(payload, list, "$zone")[:3], "$zone", 3, int))
    if len(payload) == 3:  # noqa: PLR2004  days, seconds, microseconds
        return timezone(offset)
    return timezone(offset, decoder.exactly(payload[3], str, "$zone"))


def _encode_zone(encoder: Encoder, value: tzinfo) -> dict[str, Any]:
    return zone_form(encoder, value)


def _encode_moment(encoder: Encoder, value: datetime | time) -> dict[str, Any]:
    """ISO text alone where that says all, else with zone and fold beside it."""
    tag = "$datetime" if type(value) is datetime else "$time"
    text = value.replace(tzinfo=None).isoformat()
    if value.tzinfo is None and not value.fold:
        return {tag: text}
    form: dict[str, Any] = {"at": text}
    if value.tzinfo is not None:
        form["zone"] = zone_form(encoder, value.tzinfo)
    if value.fold:
        form["fold"] = value.fold
    return {tag: form}


def _moment(decoder: Decoder, payload: Any, tag: str, read: Callable[[str], Any]) -> Any:
    if type(payload) is str:
        return read(payload)
    (text,) = fields(payload, tag, "at")
    zone = zone_of(decoder, payload["zone"]) if "zone" in payload else None
    return read(expect(text, str, tag)).replace(tzinfo=zone, fold=expect(payload.get("fold", 0), int, tag))


def _datetime(decoder: Decoder, payload: Any) -> datetime:
    found: datetime = _moment(decoder, payload, "$datetime", datetime.fromisoformat)
    return found


def _time(decoder: Decoder, payload: Any) -> time:
    found: time = _moment(decoder, payload, "$time", time.fromisoformat)
    return found


def _encode_date(_: Encoder, value: date) -> dict[str, str]:
    return {"$date": value.isoformat()}


def _date(_: Decoder, payload: Any) -> date:
    return date.fromisoformat(expect(payload, str, "$date"))


def _encode_timedelta(_: Encoder, value: timedelta) -> dict[str, list[int]]:
    return {"$timedelta": [value.days, value.seconds, value.microseconds]}


def _timedelta(decoder: Decoder, payload: Any) -> timedelta:
    return timedelta(*decoder.items_of(payload, "$timedelta", 3, int))


FORMS: Final[dict[type, Callable[[Encoder, Any], Any]]] = {
    datetime: _encode_moment,
    time: _encode_moment,
    date: _encode_date,
    timedelta: _encode_timedelta,
    timezone: _encode_zone,
    zoneinfo.ZoneInfo: _encode_zone,
}

TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {
    "$datetime": _datetime,
    "$time": _time,
    "$date": _date,
    "$timedelta": _timedelta,
    "$zone": _zone,
}
