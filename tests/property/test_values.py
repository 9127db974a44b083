"""store → journal → load is the identity for every value that is accepted; everything else is transient.

The comparison here is its own, by type, repr and bytes, and knows nothing of the one in the package.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import enum
import math
import pathlib
import zoneinfo
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flownb.errors import NotFound, StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts

np: Any = pytest.importorskip("numpy")
pd: Any = pytest.importorskip("pandas")

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Colour(enum.Enum):
    RED = "r"
    BLUE = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    OWN = 4


@dataclass
class Order:
    id: Any
    lines: Any = None


@dataclass(frozen=True, slots=True)
class Point:
    x: Any
    y: Any


class Pair(NamedTuple):
    left: Any
    right: Any


# --- values ---------------------------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"]
zones = st.one_of(
    st.none(),
    st.just(dt.UTC),
    st.sampled_from(ZONES).map(zoneinfo.ZoneInfo),
    st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)).map(dt.timezone),
    st.builds(dt.timezone, st.just(dt.timedelta(hours=1)), st.text(max_size=5)),
)
any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates as well
hashable = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.complex_numbers(),
        any_text,
        st.binary(max_size=20),
        st.decimals(allow_nan=False),
        st.fractions(),
        st.uuids(),
        st.dates(),
        st.datetimes(timezones=zones, allow_imaginary=True),
        st.times(timezones=zones),
        st.timedeltas(),
        st.sampled_from([*Colour, *Right, Right.READ | Right.OWN, Right(0)]),
        st.builds(pathlib.PurePosixPath, st.text(max_size=5).filter(lambda text: "\x00" not in text)),
        st.builds(range, st.integers(), st.integers(), st.integers().filter(bool)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=5,
)
plain_values = st.recursive(
    st.one_of(hashable, st.decimals(allow_nan=True), st.binary().map(bytearray)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(any_text, inner, max_size=4),
        st.dictionaries(st.sampled_from(["$artifact", "$transient", "$tuple", "$", "a"]), inner, max_size=3),
        st.dictionaries(hashable, inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.dictionaries(hashable, inner, max_size=3).map(collections.OrderedDict),
        st.lists(inner, max_size=3).map(lambda items: collections.deque(items, 5)),
        st.builds(Order, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=15,
)

ARRAY_TYPES = [
    *("?", "i1", "u1", "<i2", ">i2", "<u4", "<i8", ">u8", "<f2", "<f4", "<f8", ">f8", "<c8", "<c16"),
    *("S3", "<U3", ">U2", "<M8[D]", "<M8[ns]", "<m8[s]", "V5"),
]


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    fields = draw(st.lists(st.sampled_from(ARRAY_TYPES), min_size=1, max_size=3))
    dtype = (
        np.dtype([(f"f{place}", each) for place, each in enumerate(fields)]) if len(fields) > 1 else np.dtype(fields[0])
    )
    size = math.prod(shape) * dtype.itemsize
    raw = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if dtype.kind == "b":
        raw = bytearray(byte % 2 for byte in raw)
    if any(kind in repr(dtype) for kind in ("U2", "U3", "?", "bool")) and dtype.kind != "b":
        raw = bytearray(size)
    array = np.frombuffer(raw, dtype=dtype).reshape(shape)
    how = draw(st.sampled_from(["as it is", "fortran", "every other", "backwards"]))
    if how == "fortran":
        array = np.asfortranarray(array)
    elif array.ndim and how == "every other":
        array = array[::2]
    elif array.ndim and how == "backwards":
        array = array[::-1]
    return array


def lengths(length: int) -> Any:
    """Columns of that length, of every kind."""

    def column(cells: st.SearchStrategy[Any], **how: Any) -> st.SearchStrategy[Any]:
        return st.lists(cells, min_size=length, max_size=length).map(lambda each: pd.Series(each, **how))

    missing = st.none()
    moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001
    words = st.text(max_size=5)
    return st.one_of(
        column(st.integers(-128, 127), dtype="int8"),
        column(st.integers(-(2**63), 2**63 - 1), dtype="int64"),
        column(st.integers(0, 2**64 - 1), dtype="uint64"),
        column(st.floats(width=32), dtype="float32"),
        column(st.floats(), dtype="float64"),
        column(st.complex_numbers(), dtype="complex128"),
        column(st.booleans(), dtype="bool"),
        column(st.one_of(words, missing), dtype="str"),
        column(st.one_of(words, missing), dtype="string"),
        column(st.one_of(words, missing), dtype=object),
        column(plain_values, dtype=object),
        column(st.one_of(st.integers(-5, 5), missing), dtype="Int8"),
        column(st.one_of(st.booleans(), missing), dtype="boolean"),
        column(st.one_of(st.floats(allow_nan=False), missing), dtype="Float64"),
        column(st.one_of(st.sampled_from("abc"), missing), dtype=pd.CategoricalDtype(list("cxba"), ordered=True)),
        column(st.one_of(words, missing), dtype="category"),
        column(st.one_of(moments, missing), dtype="datetime64[us]"),
        column(st.one_of(moments, missing), dtype="datetime64[s]"),
        column(st.one_of(moments, missing), dtype="datetime64[us, UTC]").map(
            lambda each: each.dt.tz_convert("Europe/Berlin")
        ),
        column(st.one_of(st.timedeltas(dt.timedelta(-9), dt.timedelta(9)), missing), dtype="timedelta64[ns]"),
        column(st.one_of(moments, missing), dtype="period[D]"),
        column(st.one_of(st.integers(-5, 5), missing), dtype="int64[pyarrow]"),
    )


def indexes(length: int) -> Any:
    names = st.one_of(st.none(), st.text(max_size=3), st.integers(), st.tuples(st.text(max_size=2), st.integers()))
    flat = st.one_of(
        st.builds(
            lambda start, step: pd.RangeIndex(start, start + step * length, step), st.integers(-9, 9), st.integers(1, 3)
        ),
        lengths(length).map(pd.Index).filter(lambda index: index.dtype != object),
        st.lists(st.one_of(st.integers(), st.text(max_size=3), st.none()), min_size=length, max_size=length).map(
            lambda labels: pd.Index(labels, dtype=object)
        ),
        st.sampled_from(["D", "h", "ME", "W-TUE", "90min"]).map(
            lambda f: pd.date_range("2024-01-31", periods=length, freq=f)
        ),
        st.sampled_from(["D", "h"]).map(
            lambda f: pd.date_range("2024-03-30", periods=length, freq=f, tz="Europe/Berlin")
        ),
    )
    several = st.lists(flat, min_size=2, max_size=3).map(pd.MultiIndex.from_arrays)
    return st.builds(
        lambda index, named: index.set_names([named] * index.nlevels), st.one_of(flat, flat, several), names
    )


@st.composite
def series(draw: st.DrawFn) -> Any:
    length = draw(st.integers(0, 6))
    value = draw(lengths(length))
    value.index = draw(indexes(length))
    value.name = draw(st.one_of(st.none(), st.text(max_size=3), st.integers(), st.tuples(st.integers())))
    return value


@st.composite
def frames(draw: st.DrawFn) -> Any:
    length, width = draw(st.integers(0, 6)), draw(st.integers(0, 4))
    columns = [draw(lengths(length)) for _ in range(width)]
    value = pd.DataFrame(dict(enumerate(columns)), index=range(length))
    labels = st.one_of(st.sampled_from(["a", "a", "b", 1, None, ("x", 1), 2.5, ""]), st.text(max_size=3))
    if draw(st.booleans()):
        value.columns = pd.Index(
            draw(st.lists(labels, min_size=width, max_size=width)), dtype=object, tupleize_cols=False
        )
    else:
        value.columns = draw(indexes(width))
    value.index = draw(indexes(length))
    value.attrs = draw(st.dictionaries(st.text(max_size=3), hashable, max_size=2))
    return value


# --- comparison -----------------------------------------------------------------------------------------------------


def picture(value: Any) -> Any:  # noqa: PLR0911
    """What two values share exactly when they are the same."""
    cls = type(value)
    if cls in (list, tuple, collections.deque) or isinstance(value, Pair):
        return cls, [picture(each) for each in value], getattr(value, "maxlen", None)
    if cls in (set, frozenset):
        return cls, sorted(repr(picture(each)) for each in value)
    if isinstance(value, dict):
        return cls, [(picture(key), picture(each)) for key, each in value.items()]
    if dataclasses.is_dataclass(value):
        return cls, [(field.name, picture(getattr(value, field.name))) for field in dataclasses.fields(value)]
    if isinstance(value, np.ndarray):
        cells = picture(value.tolist()) if value.dtype.hasobject else value.tobytes()
        return cls, value.dtype, value.dtype.byteorder, value.shape, cells
    if isinstance(value, pd.DataFrame):
        columns = [picture(each) for _, each in value.items()]
        return cls, picture(value.columns), picture(value.index), columns, picture(value.attrs)
    if isinstance(value, pd.Series):
        return cls, picture(value.name), picture(value.index), repr(value.dtype), [picture(each) for each in value]
    if isinstance(value, pd.MultiIndex):
        return (
            cls,
            picture(list(value.names)),
            [picture(each) for each in value.levels],
            [c.tolist() for c in value.codes],
        )
    if isinstance(value, pd.Index):
        freq = getattr(value, "freq", None)
        return cls, picture(value.name), repr(value.dtype), repr(freq), [picture(each) for each in value]
    zone = getattr(value, "tzinfo", None)
    return cls, repr(value), getattr(value, "fold", None), repr(zone), getattr(value, "unit", None)


def journey(value: Any) -> None:
    """Store, write, read, load, compare."""
    artifacts = MemoryArtifacts()
    before = picture(value)
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    written = msgspec.json.encode(stored.plain)
    plain = msgspec.json.decode(written)
    assert len(written) < 300_000
    assert picture(values.load(plain, artifacts)) == before
    assert picture(values.load(stored.plain, artifacts)) == before
    assert picture(value) == before
    assert values.artifacts_in(plain) <= set(artifacts.digests())
    assert len(values.preview(plain, 300)) <= 300
    assert values.store(value, artifacts).plain == stored.plain


@given(plain_values)
def test_plain_data_comes_back(value: Any) -> None:
    journey(value)


@given(st.lists(st.one_of(st.integers(), st.floats(), any_text), min_size=16, max_size=40))
def test_long_lists_of_one_kind_or_several_come_back(value: list[Any]) -> None:
    journey(value)
    journey([each for each in value if type(each) is type(value[0])])


@given(arrays())
def test_arrays_come_back(array: Any) -> None:
    journey(array)
    journey({"a": [array]})


@given(arrays())
def test_items_of_arrays_come_back(array: Any) -> None:
    journey([array[place] for place in np.ndindex(array.shape)][:4])


@SLOW
@given(series())
def test_series_come_back(value: Any) -> None:
    journey(value)


@SLOW
@given(frames())
def test_frames_come_back(value: Any) -> None:
    journey(value)


@SLOW
@given(st.integers(0, 6).flatmap(indexes))
def test_indexes_come_back(value: Any) -> None:
    journey(value)


@SLOW
@given(st.dictionaries(st.text(max_size=3), st.one_of(plain_values, frames(), arrays()), max_size=3), st.booleans())
def test_mixtures_come_back(value: dict[str, Any], wrapped: bool) -> None:
    journey(Order(1, [value]) if wrapped else value)


strange = st.sampled_from([print, object(), iter([]), Exception("x"), type("Text", (str,), {})("x"), ..., st])


@given(
    st.recursive(
        st.one_of(plain_values, strange), lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))
    )
)
def test_everything_else_is_transient_with_a_reason(value: Any) -> None:
    artifacts = MemoryArtifacts()
    stored = values.store(value, artifacts)
    plain = msgspec.json.decode(msgspec.json.encode(stored.plain))
    assert stored.transient == values.is_transient(plain)
    if stored.transient:
        assert plain["$transient"]["reason"].endswith(".")
        with pytest.raises(StoreError, match="kept in memory only"):
            values.load(plain, artifacts)
    else:
        assert picture(values.load(plain, artifacts)) == picture(value)


TAGS = [
    "$tuple",
    "$set",
    "$dict",
    "$int",
    "$float",
    "$str",
    "$bytes",
    "$datetime",
    "$zone",
    "$enum",
    "$dataclass",
    "$numpy",
]
TAGS += [
    "$npy",
    "$objects",
    "$pandas",
    "$artifact",
    "$transient",
    "$namedtuple",
    "$pydantic",
    "$deque",
    "$path",
    "$fraction",
]
words = st.sampled_from(
    ["class", "fields", "items", "digest", "form", "at", "zone", "type", "json", "0" * 64, "os:system"]
)
hostile = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(words, inner, max_size=4),
        st.builds(lambda tag, payload: {tag: payload}, st.sampled_from(TAGS), inner),
    ),
    max_leaves=12,
)


@given(hostile)
def test_whatever_a_journal_holds_loading_it_raises_nothing_else(plain: Any) -> None:
    artifacts = MemoryArtifacts()
    values.preview(plain)
    values.artifacts_in(plain)
    with contextlib.suppress(StoreError, NotFound):  # whatever else is raised fails
        values.load(plain, artifacts)
