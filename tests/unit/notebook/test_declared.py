from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flownb.notebook.declared import ANY, FrameFile, SecretRef, Unfit, declared, from_text, from_value

UTC = dt.UTC


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "5", 5),
        ("int", "0123", 123),
        ("int", " -7 ", -7),
        ("float", "3", 3.0),
        ("float", "1e3", 1000.0),
        ("float", "inf", float("inf")),
        ("bool", "no", False),
        ("bool", "YES", True),
        ("bool", "0", False),
        ("bool", "1", True),
        ("str", "no", "no"),
        ("str", "12:30", "12:30"),
        ("str", "0123", "0123"),
        ("str", "  both ends  ", "  both ends  "),
        ("str", "null", "null"),
        ("date", "2026-11-21", dt.date(2026, 11, 21)),
        ("datetime", "2026-11-21T08:00:00Z", dt.datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("datetime", "2026-11-21", dt.datetime(2026, 11, 21)),  # noqa: DTZ001  as it is written
        ("pd.Timestamp", "2026-11-21 08:00", dt.datetime(2026, 11, 21, 8)),  # noqa: DTZ001
        ("time", "12:30", dt.time(12, 30)),
        ("timedelta", "PT1H30M", dt.timedelta(hours=1, minutes=30)),
        ("timedelta", "P1DT0.5S", dt.timedelta(days=1, seconds=0.5)),
        ("timedelta", "-P2W", dt.timedelta(weeks=-2)),
        ("timedelta", "1:30", dt.timedelta(hours=1, minutes=30)),
        ("timedelta", "90", dt.timedelta(seconds=90)),
        ("Decimal", "12.50", Decimal("12.50")),
        ("Literal['a', 'b']", "b", "b"),
        ("Literal[1, 2]", "2", 2),
        ("int | None", "5", 5),
        ("int | None", "null", None),
        ("Optional[int]", "", None),
        ("Optional[str]", "null", "null"),
        ("str | None", "None", None),
        ("int | str", "5", 5),
        ("int | str", "five", "five"),
        ("Union[int, float]", "1.5", 1.5),
        ("list[int]", "[1, 2]", [1, 2]),
        ("list[date]", '["2026-11-21"]', [dt.date(2026, 11, 21)]),
        ("list[float]", "[1, 2]", [1.0, 2.0]),
        ("tuple[int, str]", '[1, "a"]', (1, "a")),
        ("set[int]", "[1, 1]", {1}),
        ("dict", '{"a": 1}', {"a": 1}),
        ("dict[str, int]", '{"a": 1}', {"a": 1}),
        ("'int'", "5", 5),
        ("Annotated[int, 'how many']", "5", 5),
        ("Anything", "5", 5),
        ("Anything", "no", "no"),
        ("Anything", "NaN", "NaN"),
        ("Anything", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_a_text_means_what_the_type_makes_of_it(kind: str, text: str, value: Any) -> None:
    found = from_text(declared(kind), text, None)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "2.5"),
        ("int", "five"),
        ("int", "1" * 5000),
        ("float", "one"),
        ("bool", "maybe"),
        ("bool", "2"),
        ("date", "21.11.2026"),
        ("date", "2026-02-30"),
        ("time", "25:00"),
        ("timedelta", "P"),
        ("timedelta", "PT"),
        ("timedelta", "soon"),
        ("Decimal", "1,5"),
        ("Literal['a', 'b']", "c"),
        ("int | None", "five"),
        ("list[int]", "[1, 'a']"),
        ("list[int]", '["a"]'),
        ("list", "1, 2"),
        ("tuple[int, str]", "[1]"),
        ("dict", "[1]"),
        ("Path", ""),
        ("Path", "a\x00b"),
        ("DataFrame", "data.xlsx"),
        ("DataFrame", "missing.csv"),
        ("int", "secret://db"),
    ],
)
def test_a_text_that_means_nothing_under_the_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(Unfit, match="must"):
        from_text(declared(kind), text, None)


def test_paths_start_in_the_directory_of_whoever_typed_them(tmp_path: Path) -> None:
    assert from_text(declared("Path"), "data/x.csv", tmp_path) == tmp_path / "data/x.csv"
    assert from_text(declared("pathlib.Path"), "/abs/x.csv", tmp_path) == Path("/abs/x.csv")
    assert from_text(declared("Path"), "data/x.csv", None) == Path("data/x.csv")
    assert from_text(declared("list[Path]"), '["a", "b"]', tmp_path) == [tmp_path / "a", tmp_path / "b"]


def test_a_frame_is_the_name_of_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")

    assert from_text(declared("pd.DataFrame"), "x.csv", tmp_path) == FrameFile(str(tmp_path / "x.csv"))


def test_the_name_of_a_secret_stays_one() -> None:
    assert from_text(declared("str"), "secret://db.password", None) == SecretRef("secret://db.password")
    assert from_text(ANY, "secret://db", None) == SecretRef("secret://db")
    assert from_text(declared("str"), "secret://a b", None) == "secret://a b"


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("float", 3, 3.0),
        ("Decimal", 3, Decimal(3)),
        ("int", "5", 5),
        ("list[int]", (1, 2), [1, 2]),
        ("date", dt.date(2026, 1, 1), dt.date(2026, 1, 1)),
        ("Literal[1, 2]", 2, 2),
        ("int | None", None, None),
        ("Path", Path("x"), Path("x")),
        ("Anything", {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_that_fits_is_taken(kind: str, value: Any, found: Any) -> None:
    taken = from_value(declared(kind), value, None)

    assert taken == found
    assert type(taken) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", True),
        ("int", 2.5),
        ("bool", 1),
        ("str", 5),
        ("date", dt.datetime(2026, 1, 1, tzinfo=UTC)),
        ("float", None),
        ("list[int]", [1, True]),
        ("dict", []),
        ("DataFrame", [[1]]),
        ("Literal[1, 2]", True),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(Unfit, match="it must be"):
        from_value(declared(kind), value, None)


@pytest.mark.parametrize("text", ["int[", "(" * 500, "__import__('os')", "1 +", "Literal[f()]", "\x00"])
def test_a_type_that_can_not_be_read_is_anything_and_never_evaluated(text: str) -> None:
    assert declared(text) == ANY
