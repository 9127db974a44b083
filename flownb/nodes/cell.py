"""Single values inside items: read by path, told from missing ones, made comparable, put in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flownb.expr.access import describe
from flownb.graph.schemas.kinds import is_missing, plain_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What is under no key at all.
ABSENT: Final = object()
#: Levels of lists and tables inside one value that is compared with others.
_MOST_LEVELS: Final = 100

_MISSING_KEY: Final = ("missing",)


def read_path(item: Any, name: str) -> Any:
    """What an item has under a key, or at a path of keys and numbers as `lines.0.price`; `ABSENT` if nothing."""
    if isinstance(item, Mapping) and name in item:
        return item[name]
    found = item
    for part in name.split("."):
        if isinstance(found, Mapping):
            found = found.get(part, ABSENT)
        elif isinstance(found, list | tuple) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return ABSENT
        if found is ABSENT:
            return ABSENT
    return found


class Unordered(Exception):
    """Values that can't be put in order or compared; the text says why, with their numbers."""


def comparable(value: Any, level: int = 0) -> Any:
    """Something hashable that is equal for equal values: lists and tables by what is in them, all missing ones alike.

    1 and 1.0 are equal, 1 and True are not.

    Raises:
        Unordered: there is no such thing for it.
    """
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is float:
        return value if value == value else _MISSING_KEY  # noqa: PLR0124  only nan differs from itself
    if kind is bool:
        return ("bool", value)
    if is_missing(value):
        return _MISSING_KEY
    if level >= _MOST_LEVELS:
        raise Unordered(f"it is nested deeper than {_MOST_LEVELS} levels")
    return _comparable_whole(plain_cell(value), level)


def _comparable_whole(value: Any, level: int) -> Any:
    if isinstance(value, Mapping):
        return ("table", frozenset((comparable(key), comparable(each, level + 1)) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(comparable(each, level + 1) for each in value))
    if isinstance(value, set | frozenset):
        return ("set", frozenset(comparable(each, level + 1) for each in value))
    try:
        hash(value)
    except Exception:  # noqa: BLE001  a class of a user's may raise anything
        raise Unordered(f"{describe(value)} can't be compared") from None
    return value


def in_order(values: Sequence[Any], positions: list[int], *, descending: bool) -> list[int]:
    """The positions by their values, equal ones as they were, missing ones last in both directions.

    Raises:
        Unordered: the values have no order.
    """
    there = [each for each in positions if not is_missing(values[each])]
    ordered = _sorted(values, there, descending=descending)
    if len(there) == len(positions):
        return ordered
    return ordered + [each for each in positions if is_missing(values[each])]


def _sorted(values: Sequence[Any], positions: list[int], *, descending: bool) -> list[int]:
    ordered: list[int] = _comparing(
        lambda: sorted(positions, key=values.__getitem__, reverse=descending), values, positions
    )
    return ordered


def extreme(values: Sequence[Any], positions: list[int], choose: Callable[..., int]) -> Any:
    """The smallest or largest value at these positions, by `min` or `max`; None where all are missing.

    Raises:
        Unordered: the values have no order.
    """
    there = [each for each in positions if not is_missing(values[each])]
    if not there:
        return None
    return values[_comparing(lambda: choose(there, key=values.__getitem__), values, there)]


def _comparing(compare: Callable[[], Any], values: Sequence[Any], positions: list[int]) -> Any:
    try:
        return compare()
    except Exception as error:  # noqa: BLE001  comparing may call a class of a user's
        raise Unordered(_why_unordered(values, positions, error)) from None


def _why_unordered(values: Sequence[Any], positions: list[int], error: Exception) -> str:
    first = values[positions[0]]
    for each in positions:
        try:
            bool(first < values[each])
        except Exception:  # noqa: BLE001  as above
            if type(values[each]) is type(first):
                return f"{describe(first)} has no order"
            return (
                f"{describe(first)} ({positions[0]}) and {describe(values[each])} ({each}) have no order between them"
            )
    return f"they have no order: {type(error).__name__}: {error}"
