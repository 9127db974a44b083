from __future__ import annotations

import enum
from collections import Counter, OrderedDict, defaultdict
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flownb.expr.access import SETTLED, Live, class_name, describe, entry, kind_name, known_names, part, settle, subject
from flownb.expr.limits import new_work
from flownb.expr.refusal import Missing, Refusal


def shout(*_arguments: Any) -> Any:
    raise AssertionError("code of the value ran")


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


class Shouting(str):
    __slots__ = ()

    __str__ = upper = __eq__ = __hash__ = __len__ = shout


class Loud(dict[str, Any]):
    __getitem__ = __iter__ = keys = items = values = get = __len__ = __contains__ = __missing__ = shout


class MyZone(tzinfo):
    utcoffset = dst = tzname = shout


class Disguised(type):
    __name__ = property(shout)
    __instancecheck__ = __subclasscheck__ = __getattribute__ = shout


class Masked(metaclass=Disguised):
    pass


@pytest.mark.parametrize("value", ["x", 1, 2.5, True, None, [object()], {"a": object()}])
def test_plain_values_stay_what_they_are(value: Any) -> None:
    assert settle(value, new_work()) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (np.float64(2.5), 2.5),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("s"), "s"),
        (Point(1, 2), [1, 2]),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(int, a=1), {"a": 1}),
        (Loud(a=1), {"a": 1}),
        (Decimal("1.5"), 1.5),
        (PurePosixPath("/a/b"), "/a/b"),
        (date(2026, 5, 1), "2026-05-01"),
        (time(12, 30), "12:30:00"),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), "2026-05-01T12:00:00+00:00"),
        (datetime(2026, 5, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")), "2026-05-01T12:00:00+02:00"),
        (datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=1))), "2026-05-01T12:00:00+01:00"),
        (np.datetime64("2026-05-01"), "2026-05-01"),
    ],
)
def test_what_is_nearly_plain_becomes_plain(value: Any, expected: Any) -> None:
    settled = settle(value, new_work())
    assert settled == expected
    assert type(settled) in SETTLED
    assert type(settled) is type(expected)


def test_a_text_of_another_class_is_read_past_its_own_methods() -> None:
    settled = settle(Shouting("quiet"), new_work())
    assert (type(settled), settled) == (str, "quiet")


# Made inside the test: pytest would look at them for its ids.
def live_objects() -> list[Any]:
    return [
        object(),
        int,
        len,
        b"x",
        {1},
        frozenset(),
        range(3),
        1j,
        np.arange(3),
        np.longdouble(1),
        np.void(b"x"),
        Masked(),
        Masked,
        iter([1]),
        datetime(2026, 5, 1, tzinfo=MyZone()),
        time(1, tzinfo=MyZone()),
        Exception("x"),
        pytest,
    ]


def test_live_objects_are_refused_by_their_class() -> None:
    for value in live_objects():
        with pytest.raises(Live, match=r"order\.model is a live object"):
            settle(value, new_work(), "order.model")


def test_names_of_classes_are_read_past_their_own_code() -> None:
    assert class_name(Masked()) == "Masked"
    assert class_name(Masked) == "Disguised"


def test_a_missing_key_of_a_defaultdict_is_missing_and_not_made() -> None:
    data: defaultdict[str, list[int]] = defaultdict(list)
    with pytest.raises(Missing):
        entry(settle(data, new_work()), "a", new_work(), "data")
    assert not data


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        ({"a": 1}, "a", 1),
        ({"0": 1}, 0, 1),
        ({0: 1}, "0", 1),
        ({0: 1, "0": 2}, "0", 2),
        ([1, 2, 3], -1, 3),
        ([1, 2, 3], "1", 2),
        ("abc", 0, "a"),
        ("abc", -1, "c"),
        ({"a": np.float64(1.5)}, "a", 1.5),
    ],
)
def test_entries(value: Any, key: Any, expected: Any) -> None:
    assert entry(value, key, new_work(), "it") == expected


@pytest.mark.parametrize(
    ("value", "key", "words"),
    [
        ({"total": 1}, "totl", "There is no 'totl' in it."),
        ([1], 1, "it has 1 entries, none at 1"),
        ([1], -2, "none at -2"),
        ([1], "a", "it is a list; take one by its number"),
        ("abc", "a", "it is text"),
        (None, "a", "it is none, it has no 'a'"),
        (5, "a", "it is the number 5"),
        ([1], 10**40, "it has nothing at a very large number"),
    ],
)
def test_what_is_not_there_is_missing(value: Any, key: Any, words: str) -> None:
    with pytest.raises(Missing) as caught:
        entry(value, key, new_work(), "it")
    assert words in caught.value.message


@pytest.mark.parametrize("key", [None, True, 1.0, [0], {}])
def test_only_text_and_whole_numbers_are_keys(key: Any) -> None:
    with pytest.raises(Refusal, match="can't be a key"):
        entry({"a": 1}, key, new_work(), "it")


def test_slices_are_copies() -> None:
    data = [1, 2, 3]
    whole = part(data, slice(None, None, None), new_work(), "it")
    assert whole == data
    assert whole is not data
    assert part("hello", slice(1, None, 2), new_work(), "it") == "el"


@pytest.mark.parametrize("bounds", [slice("a"), slice(None, 1.0), slice(True), slice(None, None, 0)])
def test_odd_slices_are_refused(bounds: slice) -> None:
    with pytest.raises(Refusal):
        part([1], bounds, new_work(), "it")


@pytest.mark.parametrize("value", [None, 5, {"a": 1}, True])
def test_only_lists_and_text_have_slices(value: Any) -> None:
    with pytest.raises(Refusal, match="only lists and text"):
        part(value, slice(1), new_work(), "it")


def test_known_names_are_few_short_and_printable() -> None:
    names = known_names({**{f"key{number}": 1 for number in range(5000)}, "\ud800": 1})
    assert len(names) == 40
    assert known_names({"a" * 100: 1, "\x07": 1, "\ud800": 1, 5: 1, "ok": 1}) == ["ok"]


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("x", "string", "the text 'x'"),
        ("x" * 99, "string", "the text 'xxxxxxxxxxxxxxxxxxxxxxxxxxx…'"),
        (1, "number", "the number 1"),
        pytest.param(10**5000, "number", "a very large number", id="huge"),
        (1.5, "number", "the number 1.5"),
        (True, "boolean", "true"),
        (None, "null", "none"),
        ([], "array", "a list"),
        ({}, "object", "an object with keys"),
        (object(), "live", "a live object (object)"),
    ],
)
def test_values_in_words(value: Any, kind: str, words: str) -> None:
    assert kind_name(value) == kind
    assert describe(value) == words
    assert subject(value)[0].isupper()
