"""Frames, series and indexes: back with every type, label, frequency and cell, or not stored."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flownb.errors import StoreError
from flownb.store import values
from flownb.store.artifacts.files import FileArtifacts
from flownb.store.artifacts.memory import MemoryArtifacts
from flownb.store.forms import frames

np: Any = pytest.importorskip("numpy")
pd: Any = pytest.importorskip("pandas")
pq: Any = pytest.importorskip("pyarrow.parquet")

NAN = float("nan")


class Mood(enum.Enum):
    GOOD = 1


def series(*cells: Any, **how: Any) -> Any:
    return pd.Series(list(cells), **how)


def frame(*columns: Any, **how: Any) -> Any:
    """A frame of one row with these labels."""
    return pd.DataFrame([list(range(len(columns)))], columns=pd.Index(list(columns), tupleize_cols=False, **how))


#: One series for each kind of column.
COLUMNS = [
    *(series(1, 0, dtype=name) for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")),
    series(2**63, 2**64 - 1, dtype="uint64"),
    *(series(1.5, NAN, -0.0, dtype=name) for name in ("float16", "float32", "float64")),
    series(True, False),
    series(1 + 2j, complex(NAN, -0.0)),
    series("a", None, "ü", ""),
    series("a", None, dtype=object),
    series("a", NAN, None, dtype=object),
    series("a", "\ud800", dtype=object),
    series(1, "a", 2.5, None, True, [1, (2,)], {"k": {1}}, dtype=object),
    series(True, None, dtype=object),
    series(decimal.Decimal("1.10"), dt.date(2024, 1, 1), b"x", Mood.GOOD, dtype=object),
    series(pd.NaT, pd.NA, None, NAN, dtype=object),
    series(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="Europe/Berlin"), dtype=object),
    *(series("2024-01-01", None, dtype=f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")),
    *(series(5, None, dtype=f"timedelta64[{unit}]") for unit in ("s", "ms", "us", "ns")),
    series("2024-10-27 00:30", "2024-10-27 01:30", None, dtype="datetime64[ns, UTC]").dt.tz_convert("Europe/Berlin"),
    series(pd.Timestamp("2024-01-01", tz="UTC")).dt.as_unit("s"),
    series(pd.Timestamp("2024-01-01T00:00+05:30")),
    series("a", "b", None, "a", dtype="category"),
    pd.Series(pd.Categorical(["b", None], categories=["c", "b", "a"], ordered=True)),
    pd.Series(pd.Categorical([2, 1], categories=[2, 1, 3])),
    pd.Series(pd.Categorical([], categories=[])),
    pd.Series(pd.cut([1, 5, 9], 3)),
    *(series(1, None, dtype=name) for name in ("Int8", "UInt64", "Int64", "Float32", "Float64", "boolean")),
    pd.Series(pd.arrays.FloatingArray(np.array([1, NAN, 3]), np.array([False, False, True]))),
    *(
        series("a", None, dtype=pd.StringDtype(kind, missing))
        for kind in ("python", "pyarrow")
        for missing in (NAN, pd.NA)
    ),
    series(1, None, dtype="int64[pyarrow]"),
    series(1.5, NAN, None, dtype="double[pyarrow]"),
    series("a", None, dtype="string[pyarrow]"),
    series([1], None, dtype=pd.ArrowDtype(__import__("pyarrow").list_(__import__("pyarrow").int64()))),
    pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
    pd.Series(pd.PeriodIndex(["2024Q1", None], freq="Q-NOV")),
    pd.Series(pd.interval_range(0, 3, closed="both")),
    pd.Series(pd.IntervalIndex.from_tuples([(0.5, 1.5), None])),
    pd.Series(pd.interval_range(pd.Timestamp("2024-01-01", tz="UTC"), periods=2)),
]

INDEXES = [
    pd.RangeIndex(3),
    pd.RangeIndex(9, 0, -3, name="r"),
    pd.Index([3, 1, 1], name=("a", 1)),
    pd.Index([1.5, NAN]),
    pd.Index(np.array([1.5, -NAN])),
    pd.Index(np.array([1 + 1j, complex(-NAN, 2)])),
    pd.Index([True, False]),
    pd.Index(["a", "b"], name="k"),
    pd.Index(["a", "b"], dtype=object),
    pd.Index(["a", 1, None, ("x", 2), NAN], dtype=object, tupleize_cols=False),
    pd.Index([], dtype=object),
    pd.Index([1, None], dtype="Int64"),
    pd.Index(["a", None], dtype="string"),
    pd.date_range("2024-01-31", periods=3, freq="ME", name="day"),
    pd.date_range("2024-03-30", periods=3, freq="D", tz="Europe/Berlin"),
    pd.DatetimeIndex(["2024-01-01", "2024-01-02"]),
    pd.date_range("2024-01-01", periods=0, freq="h"),
    pd.bdate_range("2024-01-01", periods=5),
    pd.timedelta_range("1D", periods=3, freq="90min"),
    pd.period_range("2024-01", periods=3, freq="M", name="p"),
    pd.CategoricalIndex(["a", "b", "a"], categories=["b", "a", "z"], ordered=True, name="c"),
    pd.interval_range(0, 3, name="i"),
    pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", None]),
    pd.MultiIndex.from_arrays([[1.5, NAN], pd.date_range("2024", periods=2, tz="UTC"), pd.Categorical(["x", "y"])]),
    pd.MultiIndex.from_arrays([pd.Index(["a", 1], dtype=object), [True, False]], names=[("t", 1), "u"]),
]


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


def back(value: Any, artifacts: Any) -> Any:
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    return values.load(msgspec.json.decode(msgspec.json.encode(stored.plain)), artifacts)


def refused(value: Any) -> str:
    stored = values.store(value, MemoryArtifacts())
    assert stored.transient
    return str(stored.plain["$transient"]["reason"])


def exactly_equal(a: Any, b: Any) -> None:
    """As strict as pandas compares, and what it leaves out."""
    assert type(a) is type(b)
    if isinstance(a, pd.Index):
        pd.testing.assert_index_equal(a, b, exact=True, check_exact=True)
        assert getattr(a, "freq", None) == getattr(b, "freq", None)
        assert repr(a.dtype) == repr(b.dtype)
        assert list(map(type, a)) == list(map(type, b))
        return
    if isinstance(a, pd.Series):
        pd.testing.assert_series_equal(a, b, check_exact=True, check_freq=True, check_flags=True)
        assert repr(a.dtype) == repr(b.dtype)
        assert list(map(repr, a)) == list(map(repr, b))
        assert list(map(type, a)) == list(map(type, b))
    else:
        pd.testing.assert_frame_equal(a, b, check_exact=True, check_freq=True, check_flags=True)
        exactly_equal(a.columns, b.columns)
        for (_, left), (_, right) in zip(a.items(), b.items(), strict=True):
            exactly_equal(left, right)
    exactly_equal(a.index, b.index)
    assert a.attrs == b.attrs


@pytest.mark.parametrize("column", COLUMNS, ids=lambda each: f"{each.dtype}")
def test_a_column_comes_back_exactly(column: Any, artifacts: MemoryArtifacts) -> None:
    exactly_equal(back(column, artifacts), column)
    named = pd.DataFrame({"x": column, "y": range(len(column))})
    exactly_equal(back(named, artifacts), named)
    exactly_equal(back(column.iloc[:0], artifacts), column.iloc[:0])


@pytest.mark.parametrize("column", COLUMNS, ids=lambda each: f"{each.dtype}")
def test_a_column_that_was_restored_can_be_written(column: Any, artifacts: MemoryArtifacts) -> None:
    found = back(pd.DataFrame({"x": column}), artifacts)
    scalars = [cell for cell in column if not isinstance(cell, list | dict)]
    if scalars:
        found.iloc[0, 0] = scalars[-1]


@pytest.mark.parametrize("index", INDEXES, ids=lambda each: f"{type(each).__name__}-{each.dtype}-{len(each)}")
def test_an_index_comes_back_by_itself_as_rows_and_as_columns(index: Any, artifacts: MemoryArtifacts) -> None:
    exactly_equal(back(index, artifacts), index)
    rows = pd.DataFrame({"x": range(len(index))}, index=index)
    exactly_equal(back(rows, artifacts), rows)
    columns = pd.DataFrame(np.arange(2 * len(index)).reshape(2, -1), columns=index)
    exactly_equal(back(columns, artifacts), columns)
    one = pd.Series(range(len(index)), index=index, name="s")
    exactly_equal(back(one, artifacts), one)


@pytest.mark.parametrize(
    "value",
    [
        frame("a", "a", "b"),
        frame("a", 1, None, ("x", 1), 2.5),
        frame("a", "", "b.c", "a\x00b", "ü"),
        frame("__index_level_0__", "x").set_index("x"),
        frame("\ud800", dtype=object),
        frame("a", "b", name="k"),
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        pd.DataFrame(columns=["a", "b"]),
        pd.DataFrame(index=["x", "y"]),
        pd.DataFrame(np.arange(6.0).reshape(2, 3)),
        pd.DataFrame({"a": range(6), "b": range(6)})[::2],
        pd.DataFrame({"a": [[1, 2], [3, 4]], "b": [{"x": 1}, None]}),
        pd.Series([1], name=("a", 1)),
        pd.Series([1, 2])[:0],
    ],
    ids=repr,
)
def test_a_frame_comes_back_exactly(value: Any, artifacts: MemoryArtifacts) -> None:
    exactly_equal(back(value, artifacts), value)


def test_attrs_and_flags_are_kept(artifacts: MemoryArtifacts) -> None:
    value = pd.DataFrame({"a": [1]})
    value.attrs = {"source": "weather", 1: (2, dt.date(2024, 1, 1))}
    value = value.set_flags(allows_duplicate_labels=False)
    found = back(value, artifacts)
    exactly_equal(found, value)
    assert found.attrs == value.attrs
    assert not found.flags.allows_duplicate_labels


def test_arrays_of_pandas_come_back(artifacts: MemoryArtifacts) -> None:
    for array in (
        pd.Series(["a", None]).unique(),
        pd.array([1, None]),
        pd.Categorical(["a"]),
        pd.period_range("2024", periods=2, freq="D").array,
    ):
        found = back(array, artifacts)
        assert type(found) is type(array)
        assert repr(found) == repr(array)


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-01-01 00:00:00.123456789"),
        pd.Timestamp("2024-10-27 01:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2024-10-27 00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2024-01-01").as_unit("s"),
        pd.Timestamp(year=2024, month=10, day=27, hour=2, fold=1),
        pd.Timedelta("1D 2h"),
        pd.Timedelta(5, "ns"),
        pd.Period("2024Q3", "Q-NOV"),
        pd.Period("2024-05-06 07:00", "15min"),
        pd.Interval(1, 2.5, closed="left"),
        pd.Interval(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")),
        pd.NaT,
        pd.NA,
    ],
    ids=repr,
)
def test_single_values_of_pandas_come_back(value: Any, artifacts: MemoryArtifacts) -> None:
    found = back({"x": value}, artifacts)["x"]
    assert type(found) is type(value)
    assert repr(found) == repr(value)
    assert (getattr(found, "unit", None), getattr(found, "fold", None)) == (
        getattr(value, "unit", None),
        getattr(value, "fold", None),
    )
    assert values.preview(values.store(value, artifacts).plain) == str(value)


def test_the_file_can_be_read_by_others(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path)
    value = pd.DataFrame({"city": ["Seattle"], "rain": [1.5], "day": pd.to_datetime(["2024-01-01"]), "n": [3]})
    path = store.path(values.store(value, store).digest or "")
    assert path is not None
    assert path.suffix == ".parquet"
    pd.testing.assert_frame_equal(pd.read_parquet(path), value)


def test_equal_frames_are_one_artifact(artifacts: MemoryArtifacts) -> None:
    one, two = (values.store(pd.DataFrame({"a": [1, 2]}), artifacts) for _ in range(2))
    assert one == two
    assert len(list(artifacts.digests())) == 1


def test_a_frame_in_a_container_is_an_artifact_in_its_place(artifacts: MemoryArtifacts) -> None:
    value = {"train": pd.DataFrame({"a": [1]}), "rest": (pd.Series(["x"]), 5)}
    stored = values.store(value, artifacts)
    assert stored.digest is None
    assert len(values.artifacts_in(stored.plain)) == 2
    found = back(value, artifacts)
    exactly_equal(found["train"], value["train"])
    exactly_equal(found["rest"][0], value["rest"][0])


def test_a_frame_has_a_preview(artifacts: MemoryArtifacts) -> None:
    value = pd.DataFrame({"city": ["Seattle"] * 1200, "rain": 1.5, ("a", 1): range(1200)})
    stored = values.store(value, artifacts)
    preview = stored.plain["$artifact"]["preview"]
    assert preview["shape"] == [1200, 3]
    assert preview["columns"] == [["city", "str"], ["rain", "float64"], ["a, 1", "int64"]]
    text = values.preview(stored.plain)
    assert text.startswith("DataFrame, 1,200 rows × 3 columns\ncity str, rain float64, a, 1 int64\n")  # noqa: RUF001  the sign for "by"
    assert "4  Seattle   1.5       4" in text
    assert values.preview(values.store([value], artifacts).plain) == "[<DataFrame, 1,200 rows × 3 columns>]"  # noqa: RUF001  the sign for "by"


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": range(2500), "s": [f"n{number}" for number in range(2500)]}),
        pd.DataFrame({"a": range(2500)}, index=pd.date_range("2024", periods=2500, freq="h", tz="Europe/Berlin")),
        pd.DataFrame({"a": [{"n": number} for number in range(2500)]}, index=range(5000, 0, -2)),
        pd.Series(pd.Categorical.from_codes(np.arange(2500) % 7, list("abcdefg"))),
        pd.MultiIndex.from_product([range(50), range(50)]),
        pd.Series(range(2500)).astype("string").unique(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_large_frames_are_written_and_compared_in_pieces(
    value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_PIECE", 1)
    monkeypatch.setattr(frames, "_WHOLE", 1)
    store = FileArtifacts(tmp_path)
    path = store.path(values.store(value, store).digest or "")
    assert pq.ParquetFile(path).num_row_groups == 3
    found = back(value, store)
    assert repr(found) == repr(value)
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        exactly_equal(found, value)


# --- not stored -----------------------------------------------------------------------------------------------------


class Own(pd.DataFrame):  # type: ignore[misc]
    pass


def test_what_has_no_exact_form_is_refused() -> None:
    assert "Its part .s is a column of the type Sparse[int64, 0]" in refused(
        pd.DataFrame({"s": pd.arrays.SparseArray([0, 1])})
    )
    assert "Its part .x[1] is a lock" in refused(pd.DataFrame({"x": [1, threading.Lock()]}))
    assert "Its part .x[0] is a DataFrame inside a table" in refused(pd.DataFrame({"x": [pd.DataFrame()]}))
    assert "Its part .attrs.m is a module" in refused(attributed(pd.Series([1]), m=threading))
    assert "carries the attribute 'colour'" in refused(hung(pd.DataFrame({"a": [1]}), colour="red"))
    assert "return pandas.DataFrame(…) of it" in refused(Own({"a": [1]}))
    assert "is a bare object" in refused(pd.DataFrame([[1]], columns=pd.Index([object()], dtype=object)))
    assert "is a grouping" in refused(pd.DataFrame({"a": [1]}).groupby("a"))


def attributed(value: Any, **attrs: Any) -> Any:
    value.attrs.update(attrs)
    return value


def hung(value: Any, **attributes: Any) -> Any:
    for name, each in attributes.items():
        object.__setattr__(value, name, each)
    return value


def test_an_index_with_a_frequency_that_its_name_loses_is_refused() -> None:
    holidays = pd.offsets.CustomBusinessDay(holidays=["2024-01-02"])
    index = pd.date_range("2024-01-01", periods=3, freq=holidays)
    assert "does not come back" in refused(pd.Series(range(3), index=index))


def test_a_structure_of_another_version_is_refused(artifacts: MemoryArtifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = values.store(pd.DataFrame({"a": [1]}), artifacts).plain
    monkeypatch.setattr(frames, "_FORMAT", 2)
    with pytest.raises(StoreError, match="a frame is of the format 1; this version reads 2"):
        values.load(plain, artifacts)


def test_a_parquet_file_of_others_is_refused(artifacts: MemoryArtifacts, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    digest = artifacts.put_file(tmp_path / "x.parquet", ".parquet")
    plain = {"$artifact": {"digest": digest, "form": "parquet", "size": artifacts.size(digest)}}
    with pytest.raises(StoreError, match="and none of flownb's"):
        values.load(plain, artifacts)


@pytest.mark.parametrize("kind", ["int64", "str", "datetime64[us]", "object", "category", "int64[pyarrow]"])
def test_many_labels_come_back_too(kind: str, artifacts: MemoryArtifacts) -> None:
    index = pd.Index([str(number) for number in range(2000)] if kind == "str" else range(2000)).astype(kind)
    columns = pd.DataFrame(np.zeros((1, 2000)), columns=index)
    exactly_equal(back(columns, artifacts), columns)
    rows = pd.Series(range(4000), index=pd.MultiIndex.from_product([index, ["a", "b"]]))
    exactly_equal(back(rows, artifacts), rows)
    categories = pd.Series(pd.Categorical(index[::-1], categories=index))
    exactly_equal(back(categories, artifacts), categories)


@pytest.mark.soak
def test_a_gigabyte_takes_little_memory_beside_its_own(tmp_path: Path) -> None:
    def used() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    store = FileArtifacts(tmp_path)
    value = pd.DataFrame(np.random.default_rng(0).standard_normal((16_000_000, 8)))
    back(value.head(), store)
    most, done = [used()], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            most.append(used())

    watcher = threading.Thread(target=watch)
    watcher.start()
    stored = values.store(value, store)
    done.set()
    watcher.join()
    assert not stored.transient
    assert max(most) - most[0] < 100
