"""Arrays and single values of numpy: back bit by bit, type and all."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import StoreError
from flownb.store import values
from flownb.store.artifacts.files import FileArtifacts
from flownb.store.artifacts.memory import MemoryArtifacts

if TYPE_CHECKING:
    from pathlib import Path

np: Any = pytest.importorskip("numpy")

SCALARS = [
    np.bool_(True),
    *(
        np.dtype(name).type(7)
        for name in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "longlong", "ulonglong", "intp")
    ),
    np.uint64(2**64 - 1),
    np.float16(1.5),
    np.float32("nan"),
    np.float64(-0.0),
    np.float64("inf"),
    np.longdouble(1) / 3,
    np.complex64(1 - 2j),
    np.complex128(complex("nan+1j")),
    np.clongdouble(1),
    np.str_("ü\x00"),
    np.bytes_(b"a\x00b"),
    np.datetime64("2024-05-06"),
    np.datetime64("NaT"),
    np.datetime64(5, "25s"),
    np.timedelta64(5),
    np.timedelta64(-5, "ns"),
    np.array((1, b"x", [1.5, 2]), dtype=[("a", "i4"), ("b", "S3"), ("c", "f8", 2)])[()],
    np.void(b"abc"),
]

ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(24).reshape(2, 3, 4)[::2, :, ::-1],
    np.array(5),
    np.array([]),
    np.zeros((0, 3)),
    np.zeros((3, 0), dtype="c16"),
    np.array([1, -2], dtype=">i4"),
    np.array([True, False]),
    np.array([float("nan"), -0.0, float("inf")], dtype="f2"),
    np.array([1], dtype=np.longdouble),
    np.array(["a", "ü"]),
    np.array([b"a", b"b\x00c"]),
    np.array(["2024-05-06", "NaT"], dtype="M8[D]"),
    np.array([5, "NaT"], dtype="m8[25s]"),
    np.zeros(2, dtype=[("a", "i4"), ("b", [("c", "f8", (2, 2))])]),
    np.zeros(2, dtype=[("日", "i4"), ("é", "f8")]),
    np.array([1, "a", None, [1, (2,)], {"b": float("nan")}], dtype=object),
    np.asfortranarray(np.array([[1, "a"], [[2], None]], dtype=object)),
    np.array(None, dtype=object),
]


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


def back(value: Any, artifacts: Any) -> Any:
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    return values.load(msgspec.json.decode(msgspec.json.encode(stored.plain)), artifacts)


def looks(array: Any) -> tuple[Any, ...]:
    content = repr(array.tolist()) if array.dtype.hasobject else array.tobytes()
    return type(array), array.dtype, array.dtype.byteorder, array.shape, content


@pytest.mark.parametrize("value", SCALARS, ids=lambda each: f"{type(each).__name__}-{each}")
def test_a_single_value_keeps_its_type_and_every_bit(value: Any, artifacts: MemoryArtifacts) -> None:
    found = back([value], artifacts)[0]
    assert type(found) is type(value)
    assert found.dtype == value.dtype
    assert found.tobytes() == value.tobytes() or np.isnan(value)


def test_python_and_numpy_stay_apart(artifacts: MemoryArtifacts) -> None:
    value = [True, np.bool_(True), 1, np.int64(1), 1.0, np.float64(1.0), "a", np.str_("a")]
    assert list(map(type, back(value, artifacts))) == list(map(type, value))


@pytest.mark.parametrize("array", ARRAYS, ids=lambda each: f"{each.dtype}-{each.shape}")
def test_an_array_keeps_dtype_shape_and_every_bit(array: Any, artifacts: MemoryArtifacts) -> None:
    found = back(array, artifacts)
    assert looks(found) == looks(array)
    assert found.flags.writeable
    if array.flags.f_contiguous:
        assert found.flags.f_contiguous


@pytest.mark.parametrize("array", ARRAYS, ids=lambda each: f"{each.dtype}-{each.shape}")
def test_an_array_in_a_cell_is_kept_there(array: Any, artifacts: MemoryArtifacts) -> None:
    pd = pytest.importorskip("pandas")
    cells = np.empty(2, dtype=object)
    cells[0] = array
    found = back(pd.Series(cells, dtype=object), artifacts)
    assert looks(found.iloc[0]) == looks(array)


def test_an_array_is_an_artifact_with_a_preview(artifacts: MemoryArtifacts) -> None:
    stored = values.store(np.arange(1000.0).reshape(10, 100), artifacts)
    reference = stored.plain["$artifact"]
    assert (reference["form"], reference["type"]) == ("npy", "numpy.ndarray")
    assert reference["preview"] == {
        "shape": [10, 100],
        "dtype": "float64",
        "text": "[0. 1. 2. 3. 4. 5.]",
        "min": 0.0,
        "max": 999.0,
    }
    assert values.preview(stored.plain) == "ndarray, 10 × 100, float64\n[0. 1. 2. 3. 4. 5.]"  # noqa: RUF001  the sign for "by"


def test_arrays_in_containers_are_artifacts_in_their_place(artifacts: MemoryArtifacts) -> None:
    array = np.arange(3)
    stored = values.store({"a": [array, array]}, artifacts)
    first, second = stored.plain["a"]
    assert first is second
    assert values.artifacts_in(stored.plain) == {first["$artifact"]["digest"]}
    assert looks(back({"a": [array]}, artifacts)["a"][0]) == looks(array)


def test_an_array_lies_on_disk_as_npy(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path)
    stored = values.store(np.arange(100_000), store)
    path = store.path(stored.digest or "")
    assert path is not None
    assert path.suffix == ".npy"
    assert (np.load(path) == np.arange(100_000)).all()
    assert looks(back(np.arange(100_000), store)) == looks(np.arange(100_000))


def test_an_array_does_not_follow_what_is_done_to_it_later(artifacts: MemoryArtifacts) -> None:
    array = np.arange(3)
    plain = values.store(array, artifacts).plain
    array[:] = 9
    assert values.load(plain, artifacts).tolist() == [0, 1, 2]


def refused(value: Any) -> str:
    stored = values.store(value, MemoryArtifacts())
    assert stored.transient
    return str(stored.plain["$transient"]["reason"])


def test_what_npy_would_lose_is_refused() -> None:
    assert "carries metadata" in refused(np.zeros(1, dtype=np.dtype("i4", metadata={"unit": "m"})))
    inner = np.dtype([("a", np.dtype("i4", metadata={"unit": "m"}))])
    assert "carries metadata" in refused(np.zeros(1, dtype=[("b", inner, 2)]))
    assert "which an npy file loses" in refused(np.zeros(1, dtype=np.dtype([("a", "i1"), ("b", "i8")], align=True)))
    gaps = {"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 16}
    assert "which an npy file loses" in refused(np.zeros(2, dtype=gaps))
    assert "which an npy file loses" in refused(np.zeros(2, dtype=[("b", gaps, 2)]))
    assert "which an npy file loses" in refused(np.array(["a"], dtype=np.dtypes.StringDType()))
    assert "which an npy file loses" in refused(np.zeros(1, dtype=(np.record, [("a", "i4")])))
    assert "too many fields" in refused(np.zeros(1, dtype=[(f"field{number}", "i4") for number in range(2000)]))


# --- hostile files --------------------------------------------------------------------------------------------------


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode()
    text += b" " * (64 - (10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


HOSTILE = [
    b"",
    b"\x93NUMPY",
    npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,)}"),
    npy("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}", bytes(8)),
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    npy("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n"),
    npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", bytes(9)),
    npy("[" * 5_000),
    npy("__import__('os').system('true')"),
    bytes(1000),
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_npy_file_is_refused(data: bytes, artifacts: MemoryArtifacts) -> None:
    digest = artifacts.put(data, ".npy")
    for plain in (
        {"$artifact": {"digest": digest, "form": "npy", "size": len(data)}},
        {"$npy": base64.b64encode(data).decode()},
    ):
        with pytest.raises(StoreError, match="can't be restored"):
            values.load(plain, artifacts)


def test_a_file_that_was_changed_is_noticed(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path)
    stored = values.store(np.arange(100), store)
    path = store.path(stored.digest or "")
    assert path is not None
    other = io.BytesIO()
    np.save(other, np.arange(1, 101))
    path.write_bytes(other.getvalue())
    with pytest.raises(StoreError, match="is damaged"):
        values.load(stored.plain, store)
    path.write_bytes(other.getvalue()[:-1])
    with pytest.raises(StoreError, match="has 927 bytes where 928 are expected"):
        values.load(stored.plain, store)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(2**20, dtype="f8"),
        np.asfortranarray(np.arange(2**20).reshape(1024, -1)),
        np.arange(2**21).reshape(2, -1)[:, ::2],
        np.arange(2**20).astype("M8[s]"),
        np.zeros(2**19, dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(2**20).astype(">f8"),
        np.array(["é"] * 2**21),
        np.arange(2**20).reshape(4, 4, -1).T,
    ],
    ids=str,
)
def test_a_large_array_is_the_file_that_numpy_writes(array: Any, artifacts: MemoryArtifacts) -> None:
    expected = io.BytesIO()
    np.lib.format.write_array(expected, array, version=(1, 0), allow_pickle=False)
    stored = values.store(array, artifacts)
    assert stored.digest is not None
    assert artifacts.open(stored.digest).read() == expected.getvalue()
    again = values.load(stored.plain, artifacts)
    assert again.dtype == array.dtype
    assert np.array_equal(again, array)
