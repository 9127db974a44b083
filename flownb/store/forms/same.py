"""Whether two values are the same: type and all, where `==` would call `1` and `True` equal and nan unlike itself."""

from __future__ import annotations

import enum
import math
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flownb.store.forms.class_state import compares_by_state, dataclass_fields, is_model, mro_of, state_of
from flownb.store.forms.refused import step

if TYPE_CHECKING:
    from collections.abc import Callable


def difference(a: Any, b: Any) -> str | None:
    """Where two values differ, as a path like `.items[3]` (empty for the whole); None if they are the same."""
    if a is b:
        return None
    cls = type(a)
    if cls is not type(b):
        return ""
    differ = _DIFFER.get(cls)
    return differ(a, b) if differ is not None else _by_class(a, b, cls)


def _by_class(a: Any, b: Any, cls: type) -> str | None:
    mro = mro_of(cls)
    if enum.Enum in mro:
        return ""  # members exist once
    if is_model(mro) or dataclass_fields(mro) is not None:
        return _instances(a, b, cls)
    if tuple in mro:
        return _first(_sequences(tuple(a), tuple(b)), None if compares_by_state(cls) or a == b else "")
    if cls.__module__.partition(".")[0] in ("numpy", "pandas"):
        return _by_package(a, b, cls)
    return None if (a == b) is True else ""


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same, type and all."""
    return difference(a, b) is None


def _first(*found: str | None) -> str | None:
    return next((each for each in found if each is not None), None)


def _equal(a: Any, b: Any) -> str | None:
    return None if a == b else ""


def _floats(a: float, b: float) -> str | None:
    if a != a or b != b:  # noqa: PLR0124  nan alone is unlike itself
        return None if a != a and b != b else ""  # noqa: PLR0124
    return None if a == b and math.copysign(1, a) == math.copysign(1, b) else ""


def _complexes(a: complex, b: complex) -> str | None:
    return _first(_floats(a.real, b.real), _floats(a.imag, b.imag))


def _decimals(a: Decimal, b: Decimal) -> str | None:
    return _equal(a.as_tuple(), b.as_tuple())


def _uuids(a: UUID, b: UUID) -> str | None:
    return _equal((a.int, a.is_safe), (b.int, b.is_safe))


def _ranges(a: range, b: range) -> str | None:
    return _equal((a.start, a.stop, a.step), (b.start, b.stop, b.step))


def _zones(a: timezone, b: timezone) -> str | None:
    return _equal((a.utcoffset(None), a.tzname(None)), (b.utcoffset(None), b.tzname(None)))


def _moments(a: datetime | time, b: datetime | time) -> str | None:
    if difference(a.tzinfo, b.tzinfo) is not None:
        return ".tzinfo"
    return _equal((a.replace(tzinfo=None), a.fold), (b.replace(tzinfo=None), b.fold))


def _views(a: memoryview, b: memoryview) -> str | None:
    return _equal((a.readonly, a), (b.readonly, b))


def _sequences(a: Any, b: Any) -> str | None:
    if len(a) != len(b):
        return ""
    for place, (left, right) in enumerate(zip(a, b, strict=True)):
        if (found := difference(left, right)) is not None:
            return f"[{place}]{found}"
    return None


def _mappings(a: Any, b: Any) -> str | None:
    if len(a) != len(b):
        return ""
    for (key, left), (other, right) in zip(a.items(), b.items(), strict=True):
        if difference(key, other) is not None:
            return step(key)
        if (found := difference(left, right)) is not None:
            return f"{step(key)}{found}"
    return None


def _default_dicts(a: Any, b: Any) -> str | None:
    return _first(None if a.default_factory is b.default_factory else "", _mappings(a, b))


def _deques(a: Any, b: Any) -> str | None:
    return _first(_equal(a.maxlen, b.maxlen), _sequences(a, b))


def _sets(a: Any, b: Any) -> str | None:
    """Each item of one has its like in the other: found by `==` where possible, by looking at all where it is not."""
    if len(a) != len(b):
        return ""
    others = {item: item for item in b}
    odd = [item for item in a if item not in others or difference(item, others.pop(item)) is not None]
    rest = list(others)
    for item in odd:
        like = next((place for place, other in enumerate(rest) if difference(item, other) is None), None)
        if like is None:
            return ""
        del rest[like]
    return None


def _instances(a: Any, b: Any, cls: type) -> str | None:
    """Dataclasses and models: by their state; and by `==` too, where somebody wrote one by hand."""
    left, right = state_of(a, cls), state_of(b, cls)
    if left.keys() != right.keys():
        return ""
    for name, each in left.items():
        if (found := difference(each, right[name])) is not None:
            return f".{name}{found}"
    return None if compares_by_state(cls) or (a == b) is True else ""


def _by_package(a: Any, b: Any, cls: type) -> str | None:
    """Single values of numpy and pandas; arrays and frames inside were compared when they were written."""
    if hasattr(a, "tobytes") and hasattr(a, "dtype"):
        if a.dtype != b.dtype:
            return ".dtype"
        if cls.__name__ == "ndarray":
            if a.shape != b.shape:
                return ".shape"
            return _sequences(a.ravel().tolist(), b.ravel().tolist()) if a.dtype.hasobject else _bits(a, b)
        return None if a.tobytes() == b.tobytes() or (a != a and b != b) else ""  # noqa: PLR0124
    if hasattr(a, "equals"):
        return None if a.equals(b) else ""
    return None if repr(a) == repr(b) and a == b else ""


def _bits(a: Any, b: Any) -> str | None:
    return None if a.tobytes() == b.tobytes() else ""


_DIFFER: Final[dict[type, Callable[[Any, Any], str | None]]] = {
    int: _equal,
    bool: _equal,
    str: _equal,
    bytes: _equal,
    bytearray: _equal,
    float: _floats,
    complex: _complexes,
    Decimal: _decimals,
    UUID: _uuids,
    range: _ranges,
    timezone: _zones,
    datetime: _moments,
    time: _moments,
    memoryview: _views,
    list: _sequences,
    tuple: _sequences,
    dict: _mappings,
    OrderedDict: _mappings,
    Counter: _mappings,
    defaultdict: _default_dicts,
    deque: _deques,
    set: _sets,
    frozenset: _sets,
}
