"""The plain form of values: what journals hold, for ever; and what lies beside it as artifacts."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import pathlib
import re
import subprocess
import sys
import uuid
import zoneinfo
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import flownb
from flownb.errors import NotFound, StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts
from flownb.store.forms import encoder
from flownb.store.forms.same import difference

BERLIN: Final = zoneinfo.ZoneInfo("Europe/Berlin")

#: The contract with journals that are already written: each value, and its plain form to the letter.
GOLDEN: Final[list[tuple[Any, Any]]] = [
    (None, None),
    (True, True),
    (0, 0),
    (-(2**63), -(2**63)),
    (2**64 - 1, 2**64 - 1),
    (2**64, {"$int": "0x10000000000000000"}),
    (-(2**63) - 1, {"$int": "-0x8000000000000001"}),
    (1.5, 1.5),
    (float("inf"), {"$float": "inf"}),
    (float("-inf"), {"$float": "-inf"}),
    (float("nan"), {"$float": "nan"}),
    ("rain ☔", "rain ☔"),
    ("\ud800", {"$str": "7aCA"}),
    ([1, [2]], [1, [2]]),
    ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ({}, {}),
    ({"$a": 1}, {"$dict": [["$a", 1]]}),
    ({"a$": 1}, {"a$": 1}),
    ({1: 2, None: 4}, {"$dict": [[1, 2], [None, 4]]}),
    ((), {"$tuple": []}),
    ((1, (2,)), {"$tuple": [1, {"$tuple": [2]}]}),
    ({3, 1, 2}, {"$set": [1, 2, 3]}),
    (frozenset({"b", "a"}), {"$frozenset": ["a", "b"]}),
    (b"\x00\xff", {"$bytes": "AP8="}),
    (bytearray(b"a"), {"$bytes": ["bytearray", "YQ=="]}),
    (memoryview(b"a"), {"$bytes": ["memoryview", "YQ=="]}),
    (dt.datetime(2024, 5, 6, 7, 8, 9, 10), {"$datetime": "2024-05-06T07:08:09.000010"}),  # noqa: DTZ001
    (
        dt.datetime(2024, 5, 6, tzinfo=dt.UTC),
        {"$datetime": {"at": "2024-05-06T00:00:00", "zone": {"$zone": [0, 0, 0]}}},
    ),
    (
        dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
        {"$datetime": {"at": "2024-10-27T02:30:00", "zone": {"$zone": "Europe/Berlin"}, "fold": 1}},
    ),
    (dt.timezone(dt.timedelta(hours=-1), "X"), {"$zone": [-1, 82800, 0, "X"]}),
    (dt.date(2024, 5, 6), {"$date": "2024-05-06"}),
    (dt.time(7, 8), {"$time": "07:08:00"}),
    (dt.timedelta(1, 2, 3), {"$timedelta": [1, 2, 3]}),
    (decimal.Decimal("1.10"), {"$decimal": "1.10"}),
    (fractions.Fraction(1, 3), {"$fraction": [1, 3]}),
    (complex(-0.0, 1), {"$complex": [-0.0, 1.0]}),
    (range(1, 9, 2), {"$range": [1, 9, 2]}),
    (uuid.UUID(int=5), {"$uuid": "00000000-0000-0000-0000-000000000005"}),
    (pathlib.PurePosixPath("a/b"), {"$path": {"kind": "PurePosixPath", "path": "a/b"}}),
    (collections.OrderedDict(b=1, a=2), {"$ordereddict": [["b", 1], ["a", 2]]}),
    (collections.Counter("aab"), {"$counter": [["a", 2], ["b", 1]]}),
    (collections.defaultdict(list, a=[1]), {"$defaultdict": {"factory": "list", "items": [["a", [1]]]}}),
    (collections.deque([1], 3), {"$deque": {"items": [1], "maxlen": 3}}),
]


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


def json(plain: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(plain))


def back(value: Any, artifacts: MemoryArtifacts) -> Any:
    """The value after a journal."""
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    return values.load(json(stored.plain), artifacts)


# --- plain forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "plain"), GOLDEN, ids=range(len(GOLDEN)))
def test_the_plain_form_is_what_journals_hold(value: Any, plain: Any, artifacts: MemoryArtifacts) -> None:
    stored = values.store(value, artifacts)
    assert repr(stored.plain) == repr(plain)
    assert (stored.transient, stored.digest) == (False, None)
    assert stored.size == len(msgspec.json.encode(plain))
    assert difference(values.load(json(plain), artifacts), value) is None


def test_types_that_equal_each_other_stay_apart(artifacts: MemoryArtifacts) -> None:
    value = [1, True, 1.0, 0, False, -0.0, 0.0, "1", b"1", (1,), [1]]
    assert repr(back(value, artifacts)) == repr(value)


def test_ints_have_no_limit_of_digits(artifacts: MemoryArtifacts) -> None:
    assert back(-(10**6000) + 1, artifacts) == -(10**6000) + 1


def test_nan_stays_nan_wherever_it_is(artifacts: MemoryArtifacts) -> None:
    nan = float("nan")
    assert (
        repr(back([nan, {"a": nan}, (nan,), {nan}, {nan: nan}], artifacts))
        == "[nan, {'a': nan}, (nan,), {nan}, {nan: nan}]"
    )


@pytest.mark.parametrize("value", [{"\ud800": "\udfff"}, ["ok", "\ud800"], {"a": ("\ud800\udc00",)}, {"ü": {"\ud800"}}])
def test_text_that_is_no_unicode_comes_back(value: Any, artifacts: MemoryArtifacts) -> None:
    assert back(value, artifacts) == value


def test_a_value_is_no_part_of_its_plain_form(artifacts: MemoryArtifacts) -> None:
    value: dict[str, Any] = {"a": 1, "b": [1], "c": {"d": []}}
    flat = {"a": 1}
    plain, flat_plain = values.store(value, artifacts).plain, values.store(flat, artifacts).plain
    value["b"].append(2)
    value["c"]["d"].append(3)
    flat["a"] = 2
    assert plain == {"a": 1, "b": [1], "c": {"d": []}}
    assert flat_plain == {"a": 1}


def test_each_load_makes_a_value_of_its_own(artifacts: MemoryArtifacts) -> None:
    for plain in ({"a": 1}, [1], {"a": [1]}, {"$dict": [[1, 2]]}):
        first, second = values.load(plain, artifacts), values.load(plain, artifacts)
        assert first == second
        assert first is not second
        assert first is not plain


def test_the_same_object_twice_comes_back_as_two_that_are_equal(artifacts: MemoryArtifacts) -> None:
    part = [1]
    assert back([part, part], artifacts) == [[1], [1]]


def test_sets_have_one_plain_form_whatever_their_order(artifacts: MemoryArtifacts) -> None:
    one, two = {f"k{number}" for number in range(50)}, {f"k{number}" for number in reversed(range(50))}
    assert values.store(one, artifacts).plain == values.store(two, artifacts).plain


@pytest.mark.parametrize("depth", [99, 100])
def test_a_hundred_levels_are_deep_enough(depth: int, artifacts: MemoryArtifacts) -> None:
    value: Any = 1
    for _ in range(depth):
        value = (value,)
    assert back(value, artifacts) == value


def test_zones_are_the_very_ones(artifacts: MemoryArtifacts) -> None:
    found = back(dt.datetime(2024, 7, 1, tzinfo=BERLIN), artifacts)
    assert found.tzinfo is BERLIN
    assert back(dt.datetime(2024, 7, 1, tzinfo=dt.UTC), artifacts).tzinfo is dt.UTC


def test_a_uuid_keeps_how_safe_it_is(artifacts: MemoryArtifacts) -> None:
    value = uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe)
    assert back(value, artifacts).is_safe is uuid.SafeUUID.safe


# --- what is large --------------------------------------------------------------------------------------------------


def test_much_json_goes_to_an_artifact(artifacts: MemoryArtifacts) -> None:
    value = {"rows": [{"id": number, "name": f"customer {number}"} for number in range(10_000)]}
    stored = values.store(value, artifacts)
    reference = stored.plain["$artifact"]
    assert (reference["form"], reference["type"], reference["size"]) == ("json", "dict", stored.size)
    assert stored.digest == reference["digest"] == values.artifact_of(stored.plain)
    assert stored.size > values.MOST_INLINE > len(msgspec.json.encode(stored.plain))
    assert values.load(json(stored.plain), artifacts) == value


def test_large_bytes_and_long_text_are_artifacts_as_they_are(artifacts: MemoryArtifacts) -> None:
    for value, raw in (
        (bytes(70_000), bytes(70_000)),
        (bytearray(70_000), bytes(70_000)),
        (memoryview(bytearray(70_000)), bytes(70_000)),
        ("rain ☔ \ud800" * 200_000, ("rain ☔ \ud800" * 200_000).encode("utf-8", "surrogatepass")),
    ):
        stored = values.store(value, artifacts)
        assert stored.plain["$artifact"]["form"] == "bytes"
        with artifacts.open(stored.digest or "") as file:
            assert file.read() == raw
        assert difference(values.load(json(stored.plain), artifacts), value) is None


def test_long_text_does_not_count_as_json(artifacts: MemoryArtifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "MOST_BYTES", 1_500_000)
    assert not values.store(["x" * 2_000_000, "y" * 2_000_000], artifacts).transient


def test_every_artifact_in_a_value_is_named(artifacts: MemoryArtifacts) -> None:
    one, two = b"1" * 70_000, b"2" * 70_000
    small = values.store({"a": [one, (two,)], "b": one}, artifacts)
    assert small.digest is None
    assert values.artifact_of(small.plain) is None
    assert len(values.artifacts_in(small.plain)) == 2
    large = values.store([one, two, ["x" * 100] * 5_000], artifacts)
    assert values.artifacts_in(large.plain) == values.artifacts_in(small.plain) | {large.digest}
    assert values.load(json(large.plain), artifacts)[:2] == [one, two]


def test_names_of_artifacts_in_a_users_own_data_are_not_taken_for_such(artifacts: MemoryArtifacts) -> None:
    hostile = {"$artifact": {"digest": "0" * 64}, "deep": [{"$transient": {"png": "1" * 64}}]}
    stored = values.store(hostile, artifacts)
    assert values.artifacts_in(stored.plain) == set()
    assert values.artifact_of(stored.plain) is None
    assert not values.is_transient(values.store({"$transient": 1}, artifacts).plain)
    assert back(hostile, artifacts) == hostile


def test_an_artifact_that_is_gone_is_not_found(artifacts: MemoryArtifacts) -> None:
    stored = values.store(bytes(70_000), artifacts)
    artifacts.delete(stored.digest or "")
    with pytest.raises(NotFound, match=r"There is no artifact .*: it was deleted"):
        values.load(stored.plain, artifacts)


# --- previews -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("posted 1200 EUR", "posted 1200 EUR"),
        ({"amount": 12.5, "rows": 3, "who": None}, "{'amount': 12.5, 'rows': 3, 'who': None}"),
        ([1, (2,), {3}, set(), frozenset()], "[1, (2,), {3}, set(), frozenset({})]"),
        ({1: "a", (1, 2): 2.0}, "{1: 'a', (1, 2): 2.0}"),
        (2**64, "18446744073709551616"),
        (float("nan"), "nan"),
        (b"abcd", "<bytes, 4 bytes>"),
        ("\ud800", "<text, 3 bytes>"),
        (dt.datetime(2024, 5, 6, 7, 8, tzinfo=BERLIN), "2024-05-06T07:08:00 Europe/Berlin"),
        (dt.timedelta(days=1, seconds=90), "1 day, 0:01:30"),
        (decimal.Decimal("1.10"), "1.10"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (bytes(70_000), "bytes, 70,000 bytes\nb'" + "\\x00" * 32 + "'"),
        ([bytes(70_000)], "[<bytes, 70,000 bytes>]"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_preview_reads_as_the_value_does(value: Any, text: str, artifacts: MemoryArtifacts) -> None:
    assert values.preview(values.store(value, artifacts).plain) == text


def test_a_preview_is_no_longer_than_asked(artifacts: MemoryArtifacts) -> None:
    for value in ("x" * 5_000, list(range(5_000)), {"a": "y" * 5_000}, [[["z"] * 99] * 99]):
        text = values.preview(values.store(value, artifacts).plain, 100)
        assert len(text) == 100
        assert text.endswith("…")


def test_the_preview_of_a_transient_value_says_why(artifacts: MemoryArtifacts) -> None:
    text = values.preview(values.store(print, artifacts).plain)
    why = "The value is a function (builtin_function_or_method): code is not stored, only what it returns."
    assert text == f"<built-in function print>\n(in memory only: {why})"


# --- the house ------------------------------------------------------------------------------------------------------


def test_no_file_of_the_package_pickles() -> None:
    root = Path(flownb.__file__).parent
    found = re.compile(
        r"^\s*(import|from)\s+(pickle|marshal|shelve|dill|joblib)\b|allow_pickle\s*=\s*True", re.MULTILINE
    )
    # cloudpickle carries functions to worker processes; the store has no use for it.
    inside = re.compile(r"^\s*(import|from)\s+cloudpickle", re.MULTILINE)
    # What goes to a worker process and comes back is pickled on its pipe, and nowhere kept.
    pipes = (root / "run" / "child", root / "run" / "where")
    everything = [path for path in root.rglob("*.py") if path.parent not in pipes]
    guilty = [path for path in everything if found.search(path.read_text())]
    guilty += [path for path in (root / "store").rglob("*.py") if inside.search(path.read_text())]
    assert guilty == []


def test_plain_values_need_none_of_the_heavy_packages() -> None:
    code = """
import sys
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts
store = MemoryArtifacts()
assert "flownb.store.forms.whole" not in sys.modules
for value in (1, {"a": [1, {2}]}, object(), b"x" * 99_999):
    plain = values.store(value, store).plain
    if not values.is_transient(plain):
        assert values.load(plain, store) == value
print(*sorted({"numpy", "pandas", "pyarrow", "PIL", "pydantic", "matplotlib", "networkx"} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == ""


def test_a_disk_that_is_full_is_no_reason_to_be_transient() -> None:
    class Full(MemoryArtifacts):
        def put(self, data: bytes | memoryview, suffix: str) -> Any:
            raise StoreError("The disk of here is full.", place=f"{len(data)}{suffix}")

    with pytest.raises(StoreError, match="disk of here is full"):
        values.store([bytes(70_000)], Full())
