"""Values that can't be stored: each gets a plain reason, and none of them gets anybody into trouble."""

from __future__ import annotations

import array
import asyncio
import collections
import concurrent.futures
import contextvars
import functools
import io
import logging
import queue
import re
import sqlite3
import subprocess
import sys
import threading
import types
import weakref
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

numpy: Any = pytest.importorskip("numpy")
pandas: Any = pytest.importorskip("pandas")


class Tag(str):
    __slots__ = ()


class Shelf(dict[str, int]):
    pass


class Plain:
    pass


class Zone(tzinfo):
    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        return timedelta(hours=1)

    dst = tzname = utcoffset  # type: ignore[assignment]  # never asked


class BadRepr:
    def __repr__(self) -> str:
        raise ValueError("no text")


class BadClass:
    @property  # type: ignore[misc]  # a lie that some proxies tell
    def __class__(self) -> Any:
        raise ValueError("no class")


class BadHash:
    def __hash__(self) -> int:
        raise ValueError("no hash")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")


class BadAttributes:
    def __getattribute__(self, name: str) -> Any:
        raise ValueError(name)


class BadMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise ValueError(name)


class OfBadMeta(metaclass=BadMeta):
    pass


class BadReduce:
    def __reduce__(self) -> Any:
        raise AssertionError("nobody pickles")

    __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = __reduce__  # type: ignore[assignment]


class Struct(msgspec.Struct):
    a: int = 1


def circle() -> list[Any]:
    items: list[Any] = [1]
    items.append({"again": items})
    return items


def deep() -> list[Any]:
    items: list[Any] = []
    for _ in range(100_000):
        items = [items]
    return items


def endless() -> list[Any]:
    items: list[Any] = [1]
    for _ in range(60):
        items = [items, items]
    return items


def generator() -> Iterator[int]:
    yield 1


def frame_of_locks() -> Any:
    return pandas.DataFrame({"x": [1, threading.Lock()]})


CONNECTION: sqlite3.Connection = sqlite3.connect(":memory:")


def teardown_module() -> None:
    CONNECTION.close()


#: What it is, how to make it, and words of the reason.
CASES: list[tuple[str, Callable[[], Any], str]] = [
    ("a function", lambda: teardown_module, "is a function: code is not stored"),
    ("a builtin", lambda: len, "is a function (builtin_function_or_method): code"),
    ("a method", lambda: "x".upper, "is a function"),
    ("a partial", lambda: functools.partial(len, []), "is a function (functools.partial)"),
    ("a class", lambda: dict, "is a class (type)"),
    ("a module", lambda: io, "is a module: import it in the node"),
    ("a generator", generator, "is a generator: it can be read only once, so return list(…)"),
    ("an iterator", lambda: iter([1]), "an iterator: it can be read only once"),
    ("a map", lambda: map(len, []), "an iterator: it can be read only once"),
    ("a dict's keys", {}.keys, "is a view of a dict (dict_keys): return list(…)"),
    ("a mappingproxy", lambda: types.MappingProxyType({}), "a read-only view of a dict"),
    ("a pattern", lambda: re.compile("a"), "is a compiled pattern: return its .pattern"),
    ("an open file", lambda: io.StringIO("x"), "is an open file (StringIO): return its path"),
    ("a connection", lambda: CONNECTION, "is a database connection"),
    ("a lock", threading.Lock, "is a lock: it lives in this process only"),
    ("a thread", threading.Thread, "is a thread: it lives in this process only"),
    ("an event", threading.Event, "is an event between threads"),
    ("a queue", queue.Queue, "is a queue"),
    ("a future", concurrent.futures.Future, "is a future"),
    ("a pool", lambda: concurrent.futures.ThreadPoolExecutor(1), "is a pool of workers"),
    ("a process", lambda: object.__new__(subprocess.Popen), "is a running process"),
    ("a context", contextvars.copy_context, "is a context"),
    ("a logger", logging.getLogger, "is a logger"),
    ("a weak reference", lambda: weakref.ref(Plain), "is a weak reference"),
    ("an exception", lambda: ValueError("x"), "is an exception (ValueError): raise it, or return its text"),
    ("a bare object", object, "is a bare object: it equals nothing but itself"),
    ("the ellipsis", lambda: ..., "is the Ellipsis"),
    ("a slice", lambda: slice(1, 2), "is a slice"),
    ("a namespace", lambda: types.SimpleNamespace(a=1), "is a SimpleNamespace"),
    ("an array.array", lambda: array.array("i", [1]), "is an array.array"),
    ("a struct", Struct, "is a msgspec Struct: return a dataclass"),
    ("somebody's class", Plain, "for which there is no form that restores it equal"),
    ("a subclass of str", lambda: Tag("x"), "a kind of str that only its own code makes: return str(…)"),
    ("a subclass of dict", lambda: Shelf(a=1), "a kind of dict that only its own code makes"),
    ("a defaultdict of one's own", lambda: collections.defaultdict(lambda: 1), "a factory of its own"),
    ("a strange zone", lambda: datetime(2024, 1, 1, tzinfo=Zone()), "has a time zone of the type tests."),
    ("a zone from a file", lambda: datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("UTC")), "read from a file"),
    ("a view of numbers", lambda: memoryview(array.array("i", [1])), "a memoryview of something else than plain bytes"),
    ("a circle", circle, "Its part [1].again holds itself: a circle has no plain form"),
    ("something deep", deep, "is nested more than 100 levels deep"),
    ("something endless", endless, "holds the same few objects hundreds of thousands of times"),
    ("a matrix", lambda: numpy.array([[1]]).view(numpy.matrix), "is a numpy.matrix, a special kind of array"),
    ("a masked array", lambda: numpy.ma.array([1], mask=[True]), "is a numpy.ma.MaskedArray, a special kind of array"),
    ("records of objects", lambda: numpy.zeros(1, dtype=[("a", "O")]), "records that hold Python objects"),
    ("an array with a function", lambda: numpy.array([1, len], dtype=object), "Its part [1] is a function"),
    ("a dtype", lambda: numpy.dtype("i4"), "numpy.dtypes.Int32DType"),
    (
        "a sparse column",
        lambda: pandas.DataFrame({"a": pandas.arrays.SparseArray([0])}),
        "Its part .a is a column of the type Sparse",
    ),
    ("a column of locks", frame_of_locks, "Its part .x[1] is a lock"),
    ("a grouping", lambda: pandas.DataFrame({"a": [1]}).groupby("a"), "is a grouping"),
    ("a bad repr", BadRepr, "for which there is no form"),
    ("a bad class", BadClass, "for which there is no form"),
    ("bad hash and comparison", BadHash, "for which there is no form"),
    ("bad attributes", BadAttributes, "for which there is no form"),
    ("a bad metaclass", OfBadMeta, "raised ValueError when it was looked at"),
    ("what must not be pickled", BadReduce, "for which there is no form"),
    ("something deep in something", lambda: {"a": [1, ({"b": print},)]}, "Its part .a[1][0].b is a function"),
]


@pytest.fixture(params=CASES, ids=lambda case: case[0])
def case(request: pytest.FixtureRequest) -> tuple[str, Callable[[], Any], str]:
    found: tuple[str, Callable[[], Any], str] = request.param
    return found


def test_what_cannot_be_stored_is_transient_with_a_plain_reason(case: tuple[str, Callable[[], Any], str]) -> None:
    _, make, words = case
    value = make()
    stored = values.store(value, MemoryArtifacts())
    note = stored.plain["$transient"]
    assert stored.transient
    assert values.is_transient(stored.plain)
    assert (stored.digest, values.artifact_of(stored.plain)) == (None, None)
    assert words in note["reason"]
    assert note["reason"].endswith(".")
    assert len(note["reason"]) < 400
    assert len(note["text"]) <= 200
    assert msgspec.json.decode(msgspec.json.encode(stored.plain)) == stored.plain
    unwind(value)


def unwind(value: Any) -> None:
    """Take deep lists apart, because freeing them at once would recurse."""
    while type(value) is list and len(value) == 1:
        value = value[0]


def test_a_coroutine_is_transient_and_left_alone() -> None:
    async def body() -> None:
        await asyncio.sleep(0)

    coroutine = body()
    try:
        stored = values.store(coroutine, MemoryArtifacts())
        assert "is a coroutine: await it in the node" in stored.plain["$transient"]["reason"]
    finally:
        coroutine.close()


def test_loading_what_was_transient_says_so() -> None:
    artifacts = MemoryArtifacts()
    plain = values.store([1, print], artifacts).plain
    with pytest.raises(StoreError, match="kept in memory only, because a list has no stored form"):
        values.load(plain, artifacts)


def test_what_a_repr_raises_ends_nothing() -> None:
    class Stopping:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    stored = values.store(Stopping(), MemoryArtifacts())
    assert stored.transient
    assert "Stopping" in stored.plain["$transient"]["text"]


def test_too_many_artifacts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from flownb.store.forms import encoder

    monkeypatch.setattr(encoder, "MOST_PARTS", 3)
    three = [bytes([number]) * 70_000 for number in range(3)]
    assert not values.store(three * 5, MemoryArtifacts()).transient
    reason = values.store([*three, b"x" * 70_000], MemoryArtifacts()).plain["$transient"]["reason"]
    assert "holds more than 3 frames, arrays and files" in reason


def test_too_much_plain_data_is_refused_before_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from flownb.store.forms import encoder

    monkeypatch.setattr(encoder, "MOST_BYTES", 1_000_000)
    part = "x" * 900_000
    assert not values.store([part], MemoryArtifacts()).transient
    for value in ([part] * 2, [[part]] * 2, {"a": part, "b": part}, [part] * 100, (bytes(40_000),) * 40):
        reason = values.store(value, MemoryArtifacts()).plain["$transient"]["reason"]
        assert "more than 1 GB of plain data" in reason


def test_a_stack_that_is_nearly_full_is_no_crash() -> None:
    def at_the_end(left: int) -> values.Stored:
        if left:
            return at_the_end(left - 1)
        return values.store({"a": [[[[[[[[[[1]]]]]]]]]]}, MemoryArtifacts())

    depth = len(list(_frames()))
    outcomes = {at_the_end(sys.getrecursionlimit() - depth - room).transient for room in range(40, 120, 5)}
    assert outcomes <= {True, False}


def _frames() -> Iterator[types.FrameType]:
    frame: types.FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def test_utc_of_zoneinfo_and_of_datetime_stay_apart() -> None:
    artifacts = MemoryArtifacts()
    for zone in (UTC, zoneinfo.ZoneInfo("UTC")):
        value = datetime(2024, 1, 1, tzinfo=zone)
        assert values.load(values.store(value, artifacts).plain, artifacts).tzinfo is zone
