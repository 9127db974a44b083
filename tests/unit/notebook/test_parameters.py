from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import InvalidInput
from flownb.notebook.parameters import is_name, parse, parse_all, read, read_source

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
%matplotlib inline
from datetime import date
from enum import Enum, StrEnum

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

class Size(StrEnum):
    SMALL = auto()

path: Path = "data/x.csv"   # what to read
# how many at most;
# none for all
limit: int | None = None
year = 2026
rate = 2.5
ratio = 60 * 60
name = "no"
flag = False
since = date(2026, 1, 1)
when = datetime.fromisoformat("2026-01-01")
frame = pd.DataFrame({"a": [1]})
colour = Colour.RED
names = ["a", "b"]
table = {"a": 1}
anything = None
old = 5  # type: float how old
first, second = 1, "b"
third = fourth = 7
needed: "list[int]"  # no default
__hidden__ = 1
computed = sorted([3, 1])
print("not a parameter")
if year:
    inner = 1
"""


def by_name() -> dict[str, Any]:
    return {each.name: each for each in read_source(SOURCE)}


def test_names_and_types_are_read_without_running_anything() -> None:
    types = {name: each.type for name, each in by_name().items()}

    assert types == {
        "path": "Path",
        "limit": "int | None",
        "year": "int",
        "rate": "float",
        "ratio": "int",
        "name": "str",
        "flag": "bool",
        "since": "date",
        "when": "datetime",
        "frame": "DataFrame",
        "colour": "Colour",
        "names": "list",
        "table": "dict",
        "anything": "",
        "old": "float",
        "first": "int",
        "second": "str",
        "third": "int",
        "fourth": "int",
        "needed": "list[int]",
        "computed": "",
    }


def test_defaults_and_help_are_kept() -> None:
    known = by_name()

    assert known["year"].default == 2026
    assert known["ratio"].default == 3600
    assert known["since"].default is None
    assert known["since"].default_text == "date(2026, 1, 1)"
    assert known["path"].help == "what to read"
    assert known["limit"].help == "how many at most; none for all"
    assert known["old"].help == "how old"
    assert known["needed"].required
    assert not known["year"].required


def test_the_members_of_an_enum_in_the_cell_are_its_choices() -> None:
    known = by_name()

    assert known["colour"].enums == {"Colour": ("red", "blue"), "Size": ("small",)}
    assert known["colour"].enum == "Colour"
    assert parse(known["colour"], "blue") == "blue"
    with pytest.raises(InvalidInput, match="colour is 'green'; it must be one of 'red', 'blue'"):
        parse(known["colour"], "green")


def test_reading_touches_no_cell_but_the_tagged_one() -> None:
    notebook = {
        "cells": [
            {"cell_type": "code", "source": "a = 1", "metadata": {"tags": []}},
            {"cell_type": "code", "source": ["b = 2\n", "c = 3"], "metadata": {"tags": ["parameters"]}},
            {"cell_type": "code", "source": "d = 4", "metadata": {"tags": ["parameters"]}},
        ]
    }

    assert [each.name for each in read(notebook)] == ["b", "c"]
    assert read({"cells": []}) == []


def test_a_parameters_cell_that_is_no_python_is_one_sentence() -> None:
    with pytest.raises(InvalidInput, match=r"The parameters cell of x\.ipynb can't be read: line 2: "):
        read_source("a = 1\nb = = 2", "x.ipynb")


@pytest.mark.parametrize("text", ["no", "12:30", "0123", "1e5", "true", "null", "[1]", "  x "])
def test_a_text_default_leaves_what_was_typed_untouched(text: str) -> None:
    assert parse(by_name()["name"], text) == text


def test_an_ill_typed_value_is_one_sentence_with_name_found_and_expected() -> None:
    with pytest.raises(InvalidInput, match=r"^year is 'soon'; it must be a whole number \(int\)\.$") as caught:
        parse(by_name()["year"], "soon")

    assert caught.value.fields["name"] == "year"


def test_all_faults_come_in_one_message() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_all(read_source(SOURCE), {"yaer": "1", "year": "x", "flag": "maybe"}, name="report.ipynb")

    message = str(caught.value)
    assert "report.ipynb has no parameter 'yaer'. Did you mean 'year'?" in message
    assert "year is 'x'" in message
    assert "flag is 'maybe'" in message
    assert "The parameter 'needed' (list[int]) of report.ipynb is missing" in message
    assert caught.value.fields["name"] == "yaer"


def test_a_notebook_without_parameters_says_so() -> None:
    with pytest.raises(InvalidInput, match="no cell of it is tagged `parameters`"):
        parse_all([], {"x": "1"})


def test_values_come_out_by_their_types(tmp_path: Path) -> None:
    given = {"path": "x.csv", "limit": "5", "since": "2026-02-03", "needed": "[1]", "names": ["x"], "rate": 3}

    values = parse_all(read_source(SOURCE), given, tmp_path)

    assert values == {
        "path": tmp_path / "x.csv",
        "limit": 5,
        "since": dt.date(2026, 2, 3),
        "needed": [1],
        "names": ["x"],
        "rate": 3.0,
    }


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no valid Unicode"):
        parse(by_name()["name"], "\udcff")


def test_text_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="give the path of a file"):
        parse(by_name()["name"], "a" * 1_000_001)


@pytest.mark.parametrize("name", ["class", "__import__", "x y", "1x", "", "x\n", "x;y"])
def test_what_is_no_name_is_none(name: str) -> None:
    assert not is_name(name)
