"""Values of one type as another: by a registry, at ports and when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from PIL import Image

from flownb import Flow, InvalidInput, InvalidWorkflow, RunFailed
from flownb.graph import conversions
from flownb.graph.conversions import convert, register
from flownb.nodes.schema import DataSchema
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (pd.DataFrame({"a": [1, 2]}), "dataframe", "records", [{"a": 1}, {"a": 2}]),
        (pd.DataFrame({"a": [1, 2]}), "dataframe", "object", {"a": [1, 2]}),
        ({"a": [1]}, "object", "json", '{"a": [1]}'),
        ("[1]", "json", "array", [1]),
        ("é", "text", "bytes", "é".encode()),
        (b"a", "bytes", "text", "a"),
        ({"x": 1, "y": 2}, "coordinates", "array", [1, 2]),
        ([1, 2], "array", "coordinates", {"x": 1, "y": 2}),
        (3, "number", "number", 3),
    ],
)
def test_what_ships(value: Any, source: str, target: str, expected: Any) -> None:
    assert convert(value, source, target) == expected


def test_frames_pictures_and_files_there_and_back(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert convert(convert(rows, "records", "dataframe"), "dataframe", "records") == rows
    image = Image.new("RGB", (3, 2), "red")
    data = convert(image, "image", "bytes")
    assert convert(data, "bytes", "image") == image
    (tmp_path / "p.png").write_bytes(data)
    assert convert(tmp_path / "p.png", "file", "bytes") == data
    assert convert(str(tmp_path / "p.png"), "file", "image") == image


def test_none_that_exists_is_said_with_what_there_is() -> None:
    with pytest.raises(InvalidInput, match=r"no conversion from image to number\. From image there is: bytes"):
        convert(1, "image", "number")
    with pytest.raises(InvalidInput, match="can't be converted from json to object"):
        convert("{", "json", "object")


def test_a_port_gets_what_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow("types")

    @flow.node
    def rows() -> list[dict[str, int]]:
        return [{"a": 1}, {"a": 2}]

    @flow.node
    def total(rows: pd.DataFrame) -> int:
        return int(rows.a.sum())

    @flow.node
    async def columns(rows: pd.DataFrame) -> list[str]:
        return list(rows.columns)

    assert flow.run(store=MemoryStore(), display=False).result(30) == {"total": 3, "columns": ["a"]}
    monkeypatch.delitem(conversions._known, ("array", "dataframe"))
    again = Flow("types")
    again.node(rows.__wrapped__)
    again.node(total.__wrapped__)
    with pytest.raises(InvalidWorkflow, match="gives array, and total.rows takes dataframe"):
        again.run(store=MemoryStore(), display=False)


def test_a_conversion_of_ones_own_acts_at_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "_known", dict(conversions._known))

    @register("string", "dataframe", ports=True)
    def read(text: str) -> Any:
        name, _, cells = text.partition(":")
        if not cells:
            raise ValueError("there is no colon")
        return pd.DataFrame({name: cells.split(",")})

    flow = Flow("own")

    @flow.node
    def text(given: str) -> str:
        return given

    @flow.node
    def count(text: pd.DataFrame) -> int:
        return len(text)

    assert flow.run(store=MemoryStore(), display=False, given="a:1,2,3").result(30) == {"count": 3}
    with pytest.raises(RunFailed, match="at count: .*can't be converted from string to dataframe: there is no colon"):
        flow.run(store=MemoryStore(), display=False, given="nothing").result(30)


def test_a_schema_knows_the_types_of_ports_and_reports_every_fault() -> None:
    schema = DataSchema.model_validate(
        {
            "type": "object",
            "properties": {
                "at": {"type": "coordinates"},
                "table": {"type": "dataframe"},
                "lines": {"type": "array", "items": {"type": "object", "required": ["price"]}},
            },
            "required": ["at", "nobody_described_this"],
        }
    )
    value = {"at": [1], "table": 3, "lines": [{"price": 1}, {}]}
    assert list(schema.faults(value)) == [
        "nobody_described_this is missing",
        "at is a list, and should be a place on the screen, with x and y",
        "table is the number 3, and should be a DataFrame",
        "lines.1.price is missing",
    ]
