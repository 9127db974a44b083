"""Single values of pandas: moments, spans, periods, intervals, and what is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.refused import Refused, broken, expect, fields, shorten
from flownb.store.forms.times import zone_form, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

_UNITS: Final = ("s", "ms", "us", "ns")


def encode(encoder: Encoder, value: Any, cls: type) -> Any:
    """The plain form of a single value of pandas; NotImplemented for others."""
    pd = sys.modules["pandas"]
    if value is pd.NaT or value is pd.NA:
        return {"$pandas": {"type": "NaT" if value is pd.NaT else "NA", "text": str(value)}}
    describe = next((describe for name, describe in _DESCRIBE.items() if cls is getattr(pd, name)), None)
    if describe is None:
        return NotImplemented
    return {"$pandas": {"type": cls.__name__, "text": str(value), **describe(encoder, value)}}


def _describe_moment(encoder: Encoder, value: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"at": int(value.asm8.astype("int64")), "unit": value.unit}
    if value.tzinfo is not None:
        form["zone"] = zone_form(encoder, value.tzinfo)
    elif value.fold:
        form["fold"] = value.fold
    return form


def _describe_span(_: Encoder, value: Any) -> dict[str, Any]:
    return {"length": int(value.asm8.astype("int64")), "unit": value.unit}


def _describe_period(_: Encoder, value: Any) -> dict[str, Any]:
    pd = sys.modules["pandas"]
    if pd.Period(ordinal=value.ordinal, freq=value.freqstr) != value:
        raise Refused(f"is a Period of the frequency {shorten(value.freqstr, 40)}, which its name alone loses")
    return {"ordinal": value.ordinal, "freq": value.freqstr}


def _describe_interval(encoder: Encoder, value: Any) -> dict[str, Any]:
    return {"left": encoder.encode(value.left), "right": encoder.encode(value.right), "closed": value.closed}


def _restore(decoder: Decoder, payload: Any) -> Any:
    (name,) = fields(payload, "$pandas", "type")
    pd = pandas()
    if name in ("NaT", "NA"):
        return getattr(pd, name)
    restore = _RESTORE.get(name) if type(name) is str else None
    if restore is None:
        raise broken(f"pandas.{shorten(str(name), 40)} is no type of a stored value")
    return restore(pd, decoder, payload)


def _counted(payload: Any, name: str, kind: str) -> Any:
    """A datetime64 or timedelta64 of the recorded number and unit."""
    import numpy as np

    count, unit = fields(payload, "$pandas", name, "unit")
    if unit not in _UNITS:
        raise broken(f"$pandas has the unknown unit {shorten(repr(unit), 40)}")
    return np.array([expect(count, int, "$pandas")], dtype="int64").view(f"{kind}[{unit}]")[0]


def _moment(pd: Any, decoder: Decoder, payload: Any) -> Any:
    moment = pd.Timestamp(_counted(payload, "at", "datetime64"))
    if "zone" in payload:
        return moment.tz_localize("UTC").tz_convert(zone_of(decoder, payload["zone"]))
    return moment.replace(fold=1) if payload.get("fold") else moment


def _span(pd: Any, _: Decoder, payload: Any) -> Any:
    return pd.Timedelta(_counted(payload, "length", "timedelta64"))


def _period(pd: Any, _: Decoder, payload: Any) -> Any:
    ordinal, freq = fields(payload, "$pandas", "ordinal", "freq")
    return pd.Period(ordinal=expect(ordinal, int, "$pandas"), freq=expect(freq, str, "$pandas"))


def _interval(pd: Any, decoder: Decoder, payload: Any) -> Any:
    left, right, closed = fields(payload, "$pandas", "left", "right", "closed")
    return pd.Interval(decoder.decode(left), decoder.decode(right), closed=expect(closed, str, "$pandas"))


def pandas() -> Any:
    """The package.

    Raises:
        StoreError: it is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise broken("it is a frame, and pandas is missing here: pip install 'flownb[data]'") from None
    return pd


_DESCRIBE: Final[dict[str, Callable[[Encoder, Any], dict[str, Any]]]] = {
    "Timestamp": _describe_moment,
    "Timedelta": _describe_span,
    "Period": _describe_period,
    "Interval": _describe_interval,
}
_RESTORE: Final[dict[str, Callable[[Any, Decoder, Any], Any]]] = {
    "Timestamp": _moment,
    "Timedelta": _span,
    "Period": _period,
    "Interval": _interval,
}

TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {"$pandas": _restore}
