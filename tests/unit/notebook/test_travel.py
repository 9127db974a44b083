from __future__ import annotations

import ast
import datetime as dt
import importlib.util
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4

from flownb.errors import InvalidInput
from flownb.notebook.declared import SecretRef
from flownb.notebook.parameters import Parameter, parse_all, read, read_source
from flownb.notebook.travel import inject, literal, pack, unpack, unpack_all
from flownb.store.artifacts.memory import MemoryArtifacts

_spec = importlib.util.spec_from_file_location("hostile", Path(__file__).with_name("hostile.py"))
assert _spec is not None
assert _spec.loader is not None
hostile: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hostile)


def notebook(source: str) -> Any:
    declares = v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    return v4.new_notebook(cells=[v4.new_markdown_cell("# title"), declares, v4.new_code_cell("x")])


def injected(source: str, given: dict[str, Any]) -> str:
    made = notebook(source)
    declared = read(made)
    cell = inject(made, declared, parse_all(declared, given)).cells[2]
    assert cell.metadata["tags"] == ["injected-parameters"]
    return str(cell.source)


def test_the_cell_stands_where_papermill_puts_it_and_keeps_its_id() -> None:
    made = notebook("n = 1")
    once = inject(made, read(made), {"n": 5})
    twice = inject(once, read(made), {"n": 6})

    assert [cell.cell_type for cell in twice.cells] == ["markdown", "code", "code", "code"]
    assert twice.cells[2].source == "# Parameters\nn = 6"
    assert twice.cells[2].id == once.cells[2].id
    assert once.metadata.papermill["parameters"] == {"n": 5}
    assert made.cells[2].source == "x"  # the original is left alone


def test_without_a_parameters_cell_it_comes_first() -> None:
    made = inject(v4.new_notebook(cells=[v4.new_code_cell("x")]), [Parameter(name="n")], {"n": 1})

    assert made.cells[0].source == "# Parameters\nn = 1"


@pytest.mark.parametrize(
    "value",
    [5, -5, 2.5, True, None, "text", "data/july 2026.csv", [1, "a"], (1, 2), {"a": [1, None]}, "", 10**20],
)
def test_harmless_built_in_values_are_literals_that_mean_themselves(value: Any) -> None:
    text = literal(value)

    assert text is not None
    assert ast.literal_eval(text) == value


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), [float("nan")], 10**40, b"x", {1, 2}, Text("x"), dt.date(2026, 1, 1), Decimal(1),
        Path("x"), "it's", 'say "x"', "a\nb", "{x}", "%pwd", "!ls", "ä", "x" * 501, {"a": dt.date(2026, 1, 1)}, len,
    ],
)  # fmt: skip
def test_everything_else_travels_as_a_reference(value: Any) -> None:
    assert literal(value) is None


@pytest.mark.parametrize("value", hostile.VALUES)
def test_no_letter_of_a_hostile_value_is_in_the_cell(value: str) -> None:
    source = injected("text = 'x'", {"text": value})

    assert source == (
        "# Parameters\n"
        "from flownb.notebook.travel import parameter as _flownb_parameter\n"
        'text = _flownb_parameter("text")'
    )


@pytest.mark.parametrize("name", hostile.NAMES)
def test_a_hostile_name_is_an_unknown_one(name: str) -> None:
    with pytest.raises(InvalidInput, match="has no parameter"):
        parse_all(read_source("text = 'x'"), {name: "1"})


def test_a_name_that_gets_past_the_reading_is_refused_by_the_writing() -> None:
    with pytest.raises(InvalidInput, match="is no name"):
        inject(notebook("n = 1"), [], {"n = 1; import os": 1})


def test_a_member_of_an_enum_is_made_by_its_class_in_the_notebook() -> None:
    source = injected('class Colour(Enum):\n    RED = "red"\ncolour = Colour.RED', {"colour": "red"})

    assert source == "# Parameters\ncolour = Colour('red')"


def test_a_secret_is_in_the_cell_by_no_means() -> None:
    made = notebook("token = ''")
    declared = read(made)
    values = parse_all(declared, {"token": "secret://api"})
    cell = inject(made, declared, values).cells[2]

    assert values == {"token": SecretRef("secret://api")}
    assert "api" not in cell.source


@pytest.mark.parametrize("value", [*hostile.VALUES, 5, None, [1, "a"], (1, 2), {"a": {"b": 1}}])
def test_what_is_packed_comes_out_as_it_went_in(value: Any) -> None:
    artifacts = MemoryArtifacts()
    packed = pack({"x": value}, artifacts)

    assert unpack(packed["x"], artifacts) == value
    assert unpack_all(packed, artifacts) == {"x": value}


def test_what_can_not_be_kept_is_refused() -> None:
    with pytest.raises(InvalidInput, match="x is a .*which can't be stored"):
        pack({"x": lambda: None}, MemoryArtifacts())


def test_a_frame_is_kept_by_the_content_of_its_file(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    artifacts = MemoryArtifacts()
    packed = pack(parse_all(read_source("frame: pd.DataFrame = None"), {"frame": str(path)}), artifacts)
    path.write_text("a,b\n9,9\n")

    assert unpack(packed["frame"], artifacts).to_dict("list") == {"a": [1], "b": [2]}
