from __future__ import annotations

import datetime as dt

import pytest

from flownb.errors import InvalidInput, NotFound, UsageError
from flownb.notebook.parameter_file import read_parameter_file
from flownb.notebook.parameters import parse_all, read_source
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = read_source(
    "flag = True\ncode = 'x'\nstart = 'x'\ncount = 1\nday: date = None\ndays: list[date] = []\nfree = None\nmaybe: int | None = 1"
)


def test_what_was_written_is_what_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "flag: no\ncode: 0123\nstart: 12:30\ncount: 7\nday: 2026-11-21\ndays: [2026-11-21]\nfree: {a: [1, yes]}\nmaybe: null\n"
    )

    assert parse_all(DECLARED, read_parameter_file(path, DECLARED)) == {
        "flag": False,
        "code": "0123",
        "start": "12:30",
        "count": 7,
        "day": dt.date(2026, 11, 21),
        "days": [dt.date(2026, 11, 21)],
        "free": {"a": [1, True]},
        "maybe": None,
    }


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("# nothing yet\n")

    assert read_parameter_file(path, DECLARED) == {}


def test_unknown_names_are_left_for_the_check_of_all(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("cuont: 1\n")

    with pytest.raises(InvalidInput, match="Did you mean 'count'"):
        parse_all(DECLARED, read_parameter_file(path, DECLARED))


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text", "a: 1\na: 2\n"])
def test_what_holds_no_names_once_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)

    with pytest.raises(InvalidInput, match=r"p\.yaml"):
        read_parameter_file(path, DECLARED)


@pytest.mark.parametrize("text", ["a: [1", "a: !!python/object/apply:os.system [true]\n", "a: *b\n", "\x01"])
def test_what_is_no_plain_yaml_is_refused_and_runs_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"p\.yaml is no YAML"):
        read_parameter_file(path, DECLARED)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no parameter file"):
        read_parameter_file(tmp_path / "p.yaml", DECLARED)
