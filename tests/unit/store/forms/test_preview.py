"""What views show of a value: bounded data, whatever the value is and whatever its own code does."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts
from flownb.store.references import artifacts_named

_HOSTILE: Final = "<script>alert(1)</script>\x00\ud800"


def _shown(value: Any, artifacts: MemoryArtifacts | None = None) -> dict[str, Any]:
    plain = values.store(value, artifacts or MemoryArtifacts()).plain
    shown = values.preview_of(plain)
    assert len(msgspec.json.encode(shown)) < 50_000
    return shown


@dataclasses.dataclass
class Order:
    id: int
    note: str


def test_single_values() -> None:
    assert _shown(None) == {"kind": "nothing", "type": "NoneType"}
    assert _shown(3) == {"kind": "scalar", "type": "int", "text": "3"}
    assert _shown("hello") == {"kind": "text", "type": "str", "length": 5, "head": "hello"}


def test_a_long_text_shows_its_head_and_its_length() -> None:
    shown = _shown("ab" * 1_000_000)
    assert (shown["kind"], shown["length"], shown["size"]) == ("text", 2_000_000, 2_000_000)
    assert shown["head"] == "ab" * 1_000


@pytest.mark.parametrize("size", [100, 100_000])
def test_bytes_show_what_they_are(size: int) -> None:
    shown = _shown(b"\x89PNG\r\n\x1a\n".ljust(size, b"\0"))
    assert (shown["kind"], shown["length"], shown["format"]) == ("bytes", size, "png")
    assert shown["head"].startswith("b'\\x89PNG")


@pytest.mark.parametrize("count", [3, 300_000])
def test_lists_and_tables_show_their_first_items(count: int) -> None:
    assert _shown(list(range(count))) | {"size": 0} == {
        "kind": "list",
        "type": "list",
        "length": count,
        "items": [str(number) for number in range(min(count, 20))],
        "size": 0,
    }
    table = _shown({f"k{number}": [number, "x"] for number in range(count)})
    assert (table["kind"], table["length"], table["items"][1]) == ("dict", count, ["k1", "[1, 'x']"])


def test_a_dataclass_shows_its_fields() -> None:
    shown = _shown(Order(7, _HOSTILE))
    assert (shown["kind"], shown["items"][0]) == ("dict", ["id", "7"])


def test_a_frame_shows_schema_shape_rows_and_memory() -> None:
    frame = pd.DataFrame({"n": range(1_000), "text": ["<b>&", None] * 500, "at": pd.Timestamp("2026-01-02")})
    shown = _shown(frame)
    assert (shown["kind"], shown["rows"], shown["columns"]) == ("table", 1_000, 3)
    assert [name for name, _ in shown["schema"]] == ["n", "text", "at"]
    assert shown["head"][0] == [0, "<b>&", "2026-01-02 00:00:00"]
    assert (len(shown["head"]), shown["index"][:2]) == (20, ["0", "1"])
    assert shown["memory"] > 20_000


def test_wide_frames_and_long_cells_stay_small() -> None:
    wide = pd.DataFrame(np.ones((30, 3_000)), columns=[f"column {n} " + "x" * 300 for n in range(3_000)])
    assert _shown(wide)["columns"] == 3_000
    assert len(_shown(pd.DataFrame({"t": ["y" * 1_000_000] * 5}))["head"][0][0]) == 80


def test_series_indexes_and_empty_frames() -> None:
    series = _shown(pd.Series([1.5, float("nan")], index=["a", "b"], name="v"))
    assert (series["schema"][0][0], series["head"], series["index"]) == ("v", [[1.5], ["nan"]], ["a", "b"])
    assert _shown(pd.Index([3, 4]))["head"] == [[3], [4]]
    assert _shown(pd.DataFrame())["rows"] == 0


def test_an_array_shows_shape_dtype_and_range() -> None:
    shown = _shown(np.array([[1.0, np.nan], [-2.0, 7.0]]))
    assert (shown["kind"], shown["shape"], shown["dtype"]) == ("array", [2, 2], "float64")
    assert (shown["min"], shown["max"]) == (-2.0, 7.0)
    assert _shown(np.array(["a"]))["min"] is None
    assert _shown(np.zeros((0, 3)))["max"] is None


def test_a_large_image_has_a_small_picture_that_is_kept_with_it() -> None:
    artifacts = MemoryArtifacts()
    image = Image.radial_gradient("L").resize((1_000, 500))
    shown = _shown(image, artifacts)
    assert (shown["kind"], shown["width"], shown["height"], shown["mode"]) == ("image", 1_000, 500, "L")
    with Image.open(artifacts.open(shown["png"])) as small:
        assert small.size == (256, 128)
    plain = values.store(image, artifacts).plain
    assert shown["png"] in values.artifacts_in(plain)
    assert shown["png"] in set(artifacts_named(plain))


class Raises:
    def __repr__(self) -> str:
        raise KeyboardInterrupt


class Blocks:
    def __repr__(self) -> str:
        while True:
            time.sleep(0.001)


class Huge:
    def __repr__(self) -> str:
        return "x" * 100_000_000


class Hostile:
    def __repr__(self) -> str:
        return _HOSTILE


@pytest.mark.parametrize("cls", [Raises, Blocks, Huge, Hostile])
def test_an_objects_own_repr_hurts_nobody(cls: type) -> None:
    began = time.monotonic()
    shown = _shown(cls())
    assert time.monotonic() - began < 10
    assert shown["kind"] == "object"
    assert cls.__name__ in shown["type"]
    assert len(shown["text"]) <= 200
    assert "no form" in shown["reason"] or "dataclass" in shown["reason"]


@pytest.mark.parametrize("plain", [{"$artifact": 3}, {"$transient": []}, {"$dict": [1]}, {"$nobody": 1}, {"$tuple": 5}])
def test_what_nobody_of_ours_wrote_is_shown_all_the_same(plain: Any) -> None:
    assert values.preview_of(plain)["kind"] == "scalar"


# --- digests ----------------------------------------------------------------------------------------------------------


def test_equal_values_have_equal_digests_wherever_they_are_stored() -> None:
    def digest(value: Any) -> str | None:
        return values.digest_of(values.store(value, MemoryArtifacts()).plain)

    assert digest({"a": [1, 2]}) == digest({"a": [1, 2]})
    assert digest(np.arange(5)) == digest(np.arange(5))
    assert digest(pd.DataFrame({"a": [1]})) == digest(pd.DataFrame({"a": [1]}))
    every = [1, 1.0, True, "1", [1], (1,), {"a": 1}, b"1", "x" * 2_000_000, b"x" * 2_000_000, np.ones(3), np.ones(4)]
    assert len({digest(each) for each in every}) == len(every)
    assert digest(object()) is None


RECORDS = [{"supplier": "Acme", "amount": 310.5, "paid": None}, {"supplier": "Brunner", "amount": 500, "paid": None}]


def test_a_list_of_dicts_with_the_same_keys_is_a_table() -> None:
    assert values.preview_of(RECORDS) == {
        "kind": "table",
        "type": "list",
        "rows": 2,
        "columns": 3,
        "schema": [["supplier", ""], ["amount", "float"], ["paid", ""]],
        "head": [["Acme", 310.5, None], ["Brunner", 500, None]],
        "index": ["0", "1"],
        "memory": None,
    }
    assert values.preview_of([{"n": number} for number in range(1000)])["rows"] == 1000
    assert values.preview_of([{"n": [1, {"$set": [2]}]}])["head"] == [["[1, {2}]"]]


@pytest.mark.parametrize(
    "plain",
    [[], [{}], [{"a": 1}, {"b": 1}], [{"a": 1}, 2], [{"$set": [1]}], [{f"c{number}": 1 for number in range(60)}]],
)
def test_any_other_list_is_a_list(plain: list[Any]) -> None:
    assert values.preview_of(plain)["kind"] == "list"
