"""The functions of the expression language: a fixed set, each bounded, none that reaches outside (but for the clock).

Every one is called as `f(x, …)` or by a pipe, `x|f(…)`.

| Function | Gives |
|---|---|
| `len(x)` | the number of characters, entries, keys or rows |
| `sum(list)` | the sum of the numbers; none doesn't count; 0 for an empty list |
| `min(list)` or `min(a, b, …)` | the smallest number or text; none doesn't count; none for an empty list |
| `max(list)` or `max(a, b, …)` | the largest number or text, likewise |
| `round(x)` or `round(x, digits)` | the rounded number, a half to the even side, as Python has it |
| `abs(x)` | the number without its sign |
| `lower(text)` | in small letters |
| `upper(text)` | in capitals |
| `strip(text)` or `strip(text, characters)` | without blanks, or those characters, at both ends |
| `split(text)` or `split(text, separator)` | the list of parts |
| `join(list)` or `join(list, separator)` | the entries as text, one after the other |
| `replace(text, old, new)` | with every `old` replaced |
| `contains(x, part)` | whether a text has the part, a list the entry, an object the key |
| `startswith(text, start)` | whether the text begins so |
| `endswith(text, end)` | whether the text ends so |
| `matches(text, pattern)` | whether the regular expression (RE2's syntax) is found in the text |
| `keys(object)` | the list of keys |
| `values(object)` | the list of values |
| `first(list)` | the first entry or character; none if there is none |
| `last(list)` | the last entry or character; none if there is none |
| `unique(list)` | without repetitions, in the order of the first |
| `sorted(list)` or `sorted(list, key)` | in order; objects by the value under a key; `[::-1]` turns a list around |
| `now()` | the time in UTC as `2026-05-01T12:00:00Z` |
| `date(time)` | the date of an ISO time, as `2026-05-01` |
| `shift(time, days)` or `shift(time, days, hours)` | an ISO time or date, so much later |
| `days(first, last)` | the days from one ISO time or date to another |
| `json(x)` | the value as JSON |
| `number(x)` | the number that a text spells |
| `string(x)` | the value as text, as inside a template |
| `int(x)` | the whole number in front of the decimal point |
| `bool(x)` | true or false; reads `yes`, `no`, `on`, `off`, `1`, `0` and the like in text |
| `default(x, other)` | x, or `other` where x is missing or none |
| `exists(x)` | whether x is there and not none |
| `coalesce(a, b, …)` | the first that is there and not none, else none |
| `type(x)` | `string`, `number`, `boolean`, `null`, `array`, `object`, `dataframe` or `live` |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from flownb.expr import clock
from flownb.expr.access import describe, entry, subject
from flownb.expr.frame import Frame, Rows
from flownb.expr.limits import Work, check_list, check_string, spend, spend_text
from flownb.expr.operators import NUMBERS, contains
from flownb.expr.pattern import matches
from flownb.expr.plain import entries, equal
from flownb.expr.refusal import Refusal
from flownb.expr.text import check_number, to_json, to_number, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

_MANY: Final = 50
_TRUE: Final = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE: Final = frozenset({"false", "no", "off", "0", "n", "f", ""})


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `call(work, *arguments)` on settled values, and how many arguments it takes.

    A lazy one has no `call`: the compiler knows it, because it must not evaluate what it may not need.
    """

    least: int
    most: int
    call: Callable[..., Any] | None


def _text(value: Any, function: str) -> str:
    if type(value) is not str:
        raise Refusal(f"{function} needs a text; this is {describe(value)}.")
    return value


def _len(_work: Work, value: Any) -> int:
    if type(value) in (str, list, dict, Rows, Frame):
        return len(value)
    raise Refusal(f"{subject(value)} has no length.")


def _present(found: list[Any], work: Work) -> list[Any]:
    """The entries that are not none: an empty cell doesn't count, as in SQL and pandas."""
    if NoneType not in map(type, found):
        return found
    spend(work, len(found))
    return [each for each in found if each is not None]


def _sum(work: Work, value: Any) -> Any:
    found = _present(entries(value, work, "sum"), work)
    if not NUMBERS.issuperset(map(type, found)):
        odd = next(each for each in found if type(each) not in NUMBERS)
        raise Refusal(f"sum needs numbers; there is {describe(odd)} in the list.")
    spend(work, len(found))
    for each in found:
        if type(each) is int:
            check_number(each)
    total = sum(found)
    check_number(total)
    if not math.isfinite(total) and all(map(math.isfinite, found)):
        raise Refusal("The sum is too large for an expression.")
    return total


def _extreme(function: str, choose: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def call(work: Work, *arguments: Any) -> Any:
        found = _present(entries(arguments[0] if len(arguments) == 1 else list(arguments), work, function), work)
        return choose(_comparable(found, function, work)) if found else None

    return call


def _comparable(found: list[Any], function: str, work: Work, times: int = 1) -> list[Any]:
    """The entries, if they have an order; charged for comparing each so many times."""
    kinds = set(map(type, found))
    spend(work, len(found) * times)
    if kinds == {str}:
        spend_text(work, sum(map(len, found)) * times)
        return found
    if kinds <= NUMBERS:
        return found
    odd = next(each for each in found if type(each) not in (NUMBERS if kinds & NUMBERS else {str}))
    raise Refusal(f"{function} needs numbers or texts, not both; there is {describe(odd)} in the list.")


def _round(_work: Work, value: Any, digits: Any = None) -> Any:
    if type(value) not in NUMBERS:
        raise Refusal(f"{subject(value)} is no number.")
    if digits is not None and (type(digits) is not int or abs(digits) > _MANY):
        raise Refusal(f"round takes whole digits from -{_MANY} to {_MANY}; this is {describe(digits)}.")
    check_number(value)
    try:
        check_number(rounded := round(value, digits))
    except (ValueError, OverflowError):
        raise Refusal(f"{subject(value)} can't be rounded.") from None
    return rounded


def _abs(_work: Work, value: Any) -> Any:
    if type(value) not in NUMBERS:
        raise Refusal(f"{subject(value)} is no number.")
    return abs(value)


def _changed(function: str, change: Callable[[str], str]) -> Callable[..., Any]:
    def call(work: Work, value: Any) -> str:
        text = _text(value, function)
        check_string(len(text))
        spend_text(work, 4 * len(text))
        return change(text)

    return call


def _strip(work: Work, value: Any, characters: Any = None) -> str:
    text = _text(value, "strip")
    spend_text(work, len(text) * (1 + (len(_text(characters, "strip")) if characters is not None else 0)))
    return text.strip(characters)


def _split(work: Work, value: Any, separator: Any = None) -> list[str]:
    text = _text(value, "split")
    spend_text(work, len(text))
    if separator is None:
        count = len(text) // 2 + 1
    elif not _text(separator, "split"):
        raise Refusal("split needs a separator of at least one character.")
    else:
        count = text.count(separator) + 1
    spend(work, min(count, len(text) + 1))
    check_list(count)
    return text.split(separator)


def _join(work: Work, value: Any, separator: Any = "") -> str:
    between = _text(separator, "join")
    found = entries(value, work, "join")
    spend(work, 8 * len(found))
    parts = [to_text(each, work) for each in found]
    length = sum(map(len, parts)) + len(between) * max(len(parts) - 1, 0)
    check_string(length)
    spend_text(work, length)
    return between.join(parts)


def _replace(work: Work, value: Any, old: Any, new: Any) -> str:
    text, old, new = _text(value, "replace"), _text(old, "replace"), _text(new, "replace")
    if not old:
        raise Refusal("replace needs at least one character to look for.")
    spend_text(work, len(text))
    length = len(text) + text.count(old) * (len(new) - len(old))
    check_string(length)
    spend_text(work, length)
    return text.replace(old, new)


def _startswith(work: Work, value: Any, start: Any) -> bool:
    spend_text(work, len(_text(start, "startswith")))
    return _text(value, "startswith").startswith(start)


def _endswith(work: Work, value: Any, end: Any) -> bool:
    spend_text(work, len(_text(end, "endswith")))
    return _text(value, "endswith").endswith(end)


def _keys(work: Work, value: Any) -> list[Any]:
    if type(value) is Frame:
        return list(value.columns)
    return entries(list(_object(value, work, "keys")), work, "keys")


def _values(work: Work, value: Any) -> list[Any]:
    return entries(list(_object(value, work, "values").values()), work, "values")


def _object(value: Any, work: Work, function: str) -> dict[Any, Any]:
    if type(value) is not dict:
        raise Refusal(f"{function} needs an object with keys; this is {describe(value)}.")
    spend(work, 2 + len(value))
    return value


def _end(function: str, index: int) -> Callable[..., Any]:
    def call(work: Work, value: Any) -> Any:
        if type(value) not in (list, str, Rows, Frame):
            raise Refusal(f"{function} needs a list; this is {describe(value)}.")
        return entry(value, index, work, "the list") if len(value) else None

    return call


def _unique(work: Work, value: Any) -> list[Any]:
    found = entries(value, work, "unique")
    seen: set[Any] = set()
    kept: list[Any] = []
    compared: list[Any] = []
    for each in found:
        if type(each) is str:
            spend_text(work, len(each))
        if type(each) in (list, dict):
            spend(work, 20 + 20 * len(compared))
            if not any(equal(each, other, work) for other in compared):
                compared.append(each)
                kept.append(each)
        elif each not in seen:
            seen.add(each)
            kept.append(each)
    return kept


def _sorted(work: Work, value: Any, key: Any = None) -> list[Any]:
    found = entries(value, work, "sorted")
    times = len(found).bit_length()
    if key is None:
        return sorted(_comparable(found, "sorted", work, times))
    spend(work, 5 * len(found))
    by = _comparable([entry(each, key, work, "an entry") for each in found], "sorted", work, times)
    return [found[index] for index in sorted(range(len(found)), key=by.__getitem__)]


def _int(_work: Work, value: Any) -> int:
    number = to_number(value)
    try:
        whole = int(number)
    except (ValueError, OverflowError):
        raise Refusal(f"{subject(value)} is no whole number.") from None
    check_number(whole)
    return whole


def _bool(_work: Work, value: Any) -> bool:
    if type(value) is str:
        word = value.strip().lower() if len(value) <= _MANY else "?"
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise Refusal(f"{subject(value)} is neither true nor false.")
    if type(value) in NUMBERS or value is None:
        return bool(value)
    raise Refusal(f"{subject(value)} is neither true nor false; ask for its length.")


TABLE: Final[dict[str, Function]] = {
    "len": Function(1, 1, _len),
    "sum": Function(1, 1, _sum),
    "min": Function(1, _MANY, _extreme("min", min)),
    "max": Function(1, _MANY, _extreme("max", max)),
    "round": Function(1, 2, _round),
    "abs": Function(1, 1, _abs),
    "lower": Function(1, 1, _changed("lower", str.lower)),
    "upper": Function(1, 1, _changed("upper", str.upper)),
    "strip": Function(1, 2, _strip),
    "split": Function(1, 2, _split),
    "join": Function(1, 2, _join),
    "replace": Function(3, 3, _replace),
    "contains": Function(2, 2, lambda work, value, part: contains(value, part, work)),
    "startswith": Function(2, 2, _startswith),
    "endswith": Function(2, 2, _endswith),
    "matches": Function(2, 2, lambda work, value, pattern: matches(value, pattern, work)),
    "keys": Function(1, 1, _keys),
    "values": Function(1, 1, _values),
    "first": Function(1, 1, _end("first", 0)),
    "last": Function(1, 1, _end("last", -1)),
    "unique": Function(1, 1, _unique),
    "sorted": Function(1, 2, _sorted),
    "now": Function(0, 0, lambda _work: clock.now()),
    "date": Function(1, 1, lambda _work, value: clock.day(value)),
    "shift": Function(2, 3, lambda _work, *arguments: clock.shift(*arguments)),
    "days": Function(2, 2, lambda _work, first, last: clock.days_between(first, last)),
    "json": Function(1, 1, lambda work, value: to_json(value, work)),
    "number": Function(1, 1, lambda _work, value: to_number(value)),
    "string": Function(1, 1, lambda work, value: to_text(value, work)),
    "int": Function(1, 1, _int),
    "bool": Function(1, 1, _bool),
    "default": Function(2, 2, None),
    "exists": Function(1, 1, None),
    "coalesce": Function(1, _MANY, None),
    "type": Function(1, 1, None),
}
