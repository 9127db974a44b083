"""What an expression may see of a value, and how it finds its way inside.

`settle` turns a value into one of the exact types of plain data, or refuses it. It decides by the value's class alone
and reads through the base class (`str.__str__`, `dict.items` …): no attribute of a value is ever looked up, so no code
of a user's can run, whatever object hides in the data.
"""

from __future__ import annotations

import sys
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType
from typing import Any, Final

from flownb.expr.frame import Frame, Rows, is_frame, is_missing_cell
from flownb.expr.limits import Work, spend, spend_text
from flownb.expr.refusal import Missing, Refusal

SCALARS: Final = frozenset({str, int, float, bool, NoneType})
#: The types that a value has inside an expression. The contents of lists and dictionaries are settled when read.
SETTLED: Final = SCALARS | {list, dict, Frame, Rows}

_ABSENT: Final = object()
_PATHS: Final = frozenset({PosixPath, WindowsPath, PurePosixPath, PureWindowsPath})
_DIGITS: Final = 9
_SETTLING: Final = 15
# Longer numbers are no key that anybody means, and not all of them can be written out.
_INDEX_BITS: Final = 64
_class_name = type.__dict__["__name__"].__get__
_zone = datetime.__dict__["tzinfo"].__get__
_time_zone = time.__dict__["tzinfo"].__get__


class Live(Refusal):
    """A value that is no plain data, where only plain data can stand."""


def settle(value: Any, work: Work, what: str = "a value") -> Any:
    """The value as one of `SETTLED`, unchanged if it is one already; `what` names it in a message.

    Dates and times become ISO text, decimals and numpy's scalars numbers, paths text, tuples lists.

    Raises:
        Live: it is no plain data.
    """
    kind = type(value)
    if kind in SETTLED:
        return value
    spend(work, _SETTLING)
    for settled in (_settle_basic, _settle_container, _settle_time, _settle_foreign):
        found = settled(value, kind, work)
        if found is not _ABSENT:
            return found
    raise Live(f"{what} is a live object ({class_name(value)}); inside an expression there is only plain data.")


def _settle_basic(value: Any, kind: type, _work: Work) -> Any:
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__pos__(value)
    if issubclass(kind, float):
        return float.__pos__(value)
    return _ABSENT


def _settle_container(value: Any, kind: type, work: Work) -> Any:
    if issubclass(kind, dict):
        spend(work, 4 + 3 * dict.__len__(value))
        return dict(list(dict.items(value)))
    if issubclass(kind, list):
        spend(work, 2 + list.__len__(value))
        return list.copy(value)
    if issubclass(kind, tuple):
        spend(work, 2 + tuple.__len__(value))
        return [*tuple.__iter__(value)]
    return _ABSENT


def _settle_time(value: Any, kind: type, _work: Work) -> Any:
    if is_missing_cell(value):
        return None
    if issubclass(kind, datetime):
        return datetime.isoformat(value) if _is_safe_zone(_zone(value)) else _ABSENT
    if issubclass(kind, date):
        return date.isoformat(value)
    if issubclass(kind, time):
        return time.isoformat(value) if _is_safe_zone(_time_zone(value)) else _ABSENT
    return _ABSENT


def _settle_foreign(value: Any, kind: type, work: Work) -> Any:
    if is_frame(value):
        labels = value.columns.tolist()
        spend(work, 10 + len(labels))
        return Frame(value, [_column_name(label, number) for number, label in enumerate(labels)])
    if kind is Decimal:
        return float(value)
    if kind in _PATHS:
        return str(value)
    generic = getattr(sys.modules.get("numpy"), "generic", None)
    if isinstance(generic, type) and issubclass(kind, generic):
        item = generic.item(value)  # type: ignore[attr-defined]  # numpy's base class, which has no types here
        return settle(item, work) if type(item) in SETTLED or type(item) in (datetime, date) else _ABSENT
    return _ABSENT


def _column_name(label: Any, number: int) -> str:
    return str(label) if type(label) in SCALARS else f"column {number}"


def _is_safe_zone(zone: Any) -> bool:
    """Whether asking the zone for its offset runs only Python's own code."""
    return zone is None or type(zone) in (timezone, getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None))


def class_name(value: Any) -> str:
    """The name of a value's class, read past anything that the class may have overridden."""
    return str(_class_name(type(value)))


def kind_name(value: Any) -> str:
    """The name of a kind of data, as ports and JSON schema have it; `live` for what is no data."""
    kind = type(value)
    if kind is Frame or is_frame(value):
        return "dataframe"
    if kind is Rows:
        return "array"
    names = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(kind, "null" if value is None else "live")


def describe(value: Any) -> str:
    """A value in a few words, for a message."""
    kind = type(value)
    if kind is str:
        return f"the text {value!r}" if len(value) <= 30 else f"the text {value[:27] + '…'!r}"  # noqa: PLR2004
    if kind is bool or value is None:
        return str(value).lower()
    if kind is float or (kind is int and value.bit_length() <= 64):  # noqa: PLR2004  # longer ones don't help a reader
        return f"the number {value}"
    words = {int: "a very large number", list: "a list", dict: "an object with keys", Rows: "a list of rows"}
    return words.get(kind, "a DataFrame" if kind is Frame else f"a live object ({class_name(value)})")


def subject(value: Any) -> str:
    """A value in a few words, for the beginning of a sentence."""
    words = describe(value)
    return words[0].upper() + words[1:]


def entry(value: Any, key: Any, work: Work, what: str) -> Any:
    """What a settled value has under a settled key; the result is settled too. `what` names the value.

    Raises:
        Missing: there is nothing under that key.
        Refusal: the key is neither text nor a whole number.
    """
    kind = type(value)
    if type(key) is not str and type(key) is not int:
        raise Refusal(f"{subject(key)} can't be a key; use text or a whole number.")
    if type(key) is int and key.bit_length() > _INDEX_BITS:
        raise Missing(f"{what} has nothing at {describe(key)}.")
    if kind is dict:
        found = value.get(key, _ABSENT)
        if found is _ABSENT:
            found = value.get(_other_form(key), _ABSENT)
        if found is _ABSENT:
            raise Missing(f"There is no {key!r} in {what}.", name=str(key), known=lambda: known_names(value))
    elif kind is list or kind is str:
        found = _by_position(value, key, what)
    elif kind is Frame or kind is Rows:
        number = _other_form(key)
        found = value.entry(number if type(number) is int else key, what, work)
    else:
        raise Missing(f"{what} is {describe(value)}, it has no {key!r}.")
    return found if type(found) in SETTLED else settle(found, work, f"{what}.{key}"[:60])


def _other_form(key: str | int) -> str | int | None:
    """`0` for `"0"` and the other way round: JSON has only text for keys."""
    if isinstance(key, int):
        return str(key)
    return int(key) if 0 < len(key) <= _DIGITS and key.isascii() and key.isdecimal() else None


def _by_position(value: list[Any] | str, key: str | int, what: str) -> Any:
    index = key if isinstance(key, int) else _other_form(key)
    if not isinstance(index, int):
        raise Missing(f"{what} is {_plural(value)}; take one by its number, as in `{what}.0`; there is no {key!r}.")
    if -len(value) <= index < len(value):
        return value[index]
    raise Missing(f"{what} has {len(value):,} {'entries' if type(value) is list else 'characters'}, none at {index}.")


def _plural(value: list[Any] | str) -> str:
    return "a list" if type(value) is list else "text"


def part(value: Any, bounds: slice, work: Work, what: str) -> Any:
    """A slice of a settled list or text.

    Raises:
        Refusal: the value is neither, or the slice is too large.
    """
    kind = type(value)
    for bound in (bounds.start, bounds.stop, bounds.step):
        if bound is not None and type(bound) is not int:
            raise Refusal(f"{subject(bound)} can't be an end of a slice; use a whole number.")
    if bounds.step == 0:
        raise Refusal("The step of a slice can't be 0.")
    if kind is Rows:
        return value.part(bounds, work)
    if kind is Frame:
        return Rows(value).part(bounds, work)
    if kind is not list and kind is not str:
        raise Refusal(f"{what} is {describe(value)}; only lists and text have slices.")
    length = len(range(*bounds.indices(len(value))))
    if kind is str:
        spend_text(work, length)
    else:
        spend(work, 2 + length)
    return value[bounds]


def known_names(mapping: dict[Any, Any]) -> list[str]:
    """The keys that a message may show: a bounded number of short, printable ones."""
    shown: list[str] = []
    for number, key in enumerate(mapping):
        if len(shown) >= 40 or number >= 1000:  # noqa: PLR2004  # bounds the search for near names
            break
        if type(key) is str and 0 < len(key) <= 40 and key.isprintable():  # noqa: PLR2004
            shown.append(key)
    return shown
