"""Plain forms that nobody of ours wrote: a `StoreError` each, nothing else, and nothing runs."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest

from flownb.errors import NotFound, StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts
from flownb.store.forms import decoder

NOBODY = "0" * 64


def nested(depth: int, tag: str | None = None) -> Any:
    plain: Any = []
    for _ in range(depth):
        plain = {tag: [plain]} if tag else [plain]
    return plain


WRONG: list[Any] = [
    None,
    True,
    5,
    -1,
    1.5,
    "x",
    "",
    [],
    [1],
    [1, 2],
    [[]],
    [[1, 2, 3]],
    {},
    {"a": 1},
    {"class": 5},
    {"$x": 1},
]

FORMS: list[Any] = [
    {"$unknown": 1},
    {"$": 1},
    {"$artifact": {}, "$transient": {}},
    {"a": 1, "$tuple": []},
    {1: 2},
    {"a": {2}},
    object(),
    (1, 2),
    b"x",
    nested(200),
    nested(5_000),
    nested(200, "$tuple"),
    {"$int": "0xzz"},
    {"$int": "12"},
    {"$float": "1e5"},
    {"$str": "not base64!"},
    {"$str": "/w=="},
    {"$bytes": "a"},
    {"$bytes": ["str", "YQ=="]},
    {"$complex": [1, 2]},
    {"$fraction": [1, 0]},
    {"$range": [1, 2, 0]},
    {"$range": [1.0, 2, 1]},
    {"$decimal": "one"},
    {"$decimal": "1e99999999999999999999"},
    {"$uuid": "zz"},
    {"$uuid": ["00000000-0000-0000-0000-000000000005", "perhaps"]},
    {"$path": {"kind": "os.system", "path": "x"}},
    {"$path": {"kind": "PosixPath", "path": "a\x00b", "more": 1}, "b": 2},
    {"$path": {"kind": "WindowsPath", "path": "a"}},
    {"$datetime": "tomorrow"},
    {"$datetime": {"at": "2024-01-01T00:00:00", "fold": 2}},
    {"$datetime": {"at": "2024-01-01T00:00:00", "zone": 5}},
    {"$zone": "../../etc/passwd"},
    {"$zone": "/etc/localtime"},
    {"$zone": "Nowhere/Nothing"},
    {"$zone": [0, 100_000, 0]},
    {"$zone": [0, 0, 0, 5]},
    {"$timedelta": [10**30, 0, 0]},
    {"$set": [[]]},
    {"$dict": [[[], 1]]},
    {"$defaultdict": {"factory": "eval", "items": []}},
    {"$deque": {"items": [], "maxlen": -1}},
    {"$enum": {"class": "os:system", "name": "x"}},
    {"$enum": {"class": "enum:Enum", "name": "x"}},
    {"$enum": {"class": "signal:Signals", "name": None, "value": 10**9}},
    {"$dataclass": {"class": "subprocess:Popen", "fields": {"args": "true"}}},
    {"$dataclass": {"class": "builtins:object", "fields": {}}},
    {"$namedtuple": {"class": "builtins:tuple", "fields": [], "items": []}},
    {"$namedtuple": {"class": "time:struct_time", "fields": ["a"], "items": [1]}},
    {"$pydantic": {"class": "pydantic.main:BaseModel", "fields": {}, "given": []}},
    {"$numpy": ["object", 1]},
    {"$numpy": ["int8", 1_000]},
    {"$numpy": ["datetime64[parsecs]", 1]},
    {"$numpy": ["float64", "x"]},
    {"$numpy": ["longdouble", "AAAA"]},
    {"$numpy": ["void", [1]]},
    {"$objects": {"shape": [10**9, 10**9], "order": "C", "items": []}},
    {"$objects": {"shape": [-1], "order": "C", "items": []}},
    {"$objects": {"shape": [1], "order": "K", "items": [1]}},
    {"$pandas": {"type": "DataFrame"}},
    {"$pandas": {"type": "Timestamp", "at": 10**30, "unit": "s"}},
    {"$pandas": {"type": "Timestamp", "at": 1, "unit": "parsec"}},
    {"$pandas": {"type": "Period", "ordinal": 1, "freq": "never"}},
    {"$pandas": {"type": "Interval", "left": 2, "right": 1, "closed": "right"}},
    {"$transient": {"type": "x"}},
    {"$artifact": {"digest": "../../etc/passwd", "form": "bytes", "size": 1}},
    {"$artifact": {"digest": NOBODY.upper() + "\n", "form": "bytes", "size": 1}},
    {"$artifact": {"digest": [NOBODY], "form": "bytes", "size": 1}},
    {"$artifact": {"digest": NOBODY, "form": "pickle", "size": 1}},
    {"$artifact": {"digest": NOBODY, "form": ["bytes"], "size": 1}},
]


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


@pytest.mark.parametrize("plain", FORMS, ids=range(len(FORMS)))
def test_a_form_that_nobody_wrote_is_refused_in_one_sentence(plain: Any, artifacts: MemoryArtifacts) -> None:
    for form in (plain, [plain], {"a": plain}):
        with pytest.raises(StoreError, match=r"^A stored value can't be restored: .*\.$") as caught:
            values.load(form, artifacts)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize("tag", sorted([*decoder._TAGS, "$artifact", "$transient"]))
def test_a_payload_of_the_wrong_kind_is_refused(tag: str, artifacts: MemoryArtifacts) -> None:
    for payload in WRONG:
        with contextlib.suppress(StoreError):  # some mean something; whatever else is raised fails
            values.load({tag: payload}, artifacts)


@pytest.mark.parametrize("form", ["json", "bytes", "npy", "png", "parquet"])
def test_an_artifact_of_the_wrong_content_is_refused(form: str, artifacts: MemoryArtifacts) -> None:
    for data in (b"", b"x", b"[" * 100_000, b"PAR1" + bytes(100) + b"PAR1", bytes(1000)):
        reference = {"digest": artifacts.put(data, ".bin"), "form": form, "size": len(data), "type": "DataFrame"}
        with pytest.raises(StoreError, match="can't be restored"):
            values.load({"$artifact": reference}, artifacts)
        with pytest.raises(StoreError, match=r"bytes where .* are expected"):
            values.load({"$artifact": {**reference, "size": len(data) + 1}}, artifacts)


def test_artifacts_in_artifacts_end_somewhere(artifacts: MemoryArtifacts) -> None:
    plain: Any = 1
    for _ in range(300):
        data = msgspec.json.encode(plain)
        plain = {"$artifact": {"digest": artifacts.put(data, ".json"), "form": "json", "size": len(data)}}
    with pytest.raises(StoreError, match="nested too deep"):
        values.load(plain, artifacts)


def test_a_missing_artifact_is_not_found(artifacts: MemoryArtifacts) -> None:
    with pytest.raises(NotFound, match="There is no artifact 000000000000"):
        values.load({"$artifact": {"digest": NOBODY, "form": "bytes", "size": 1}}, artifacts)


@pytest.mark.parametrize("plain", FORMS, ids=range(len(FORMS)))
def test_looking_at_a_hostile_form_never_fails(plain: Any) -> None:
    assert isinstance(values.preview(plain, 200), str)
    assert isinstance(values.artifacts_in(plain), set)
    assert isinstance(values.is_transient(plain), bool)
    assert values.artifact_of(plain) is None or isinstance(values.artifact_of(plain), str)


@pytest.mark.parametrize("tag", sorted([*decoder._TAGS, "$artifact", "$transient", "$unknown"]))
def test_a_preview_of_a_wrong_payload_never_fails(tag: str) -> None:
    for payload in WRONG:
        assert isinstance(values.preview({tag: payload}), str)
        assert isinstance(values.preview([{tag: payload}]), str)
        values.artifacts_in({tag: payload})
