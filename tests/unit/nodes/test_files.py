from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.errors import EnvironmentFault, InvalidInput, NotFound
from flownb.graph.registry import registry
from flownb.model.status import OnCrash
from flownb.testing import FakeContext, check_node
from tests.unit.nodes.running import run, run_with, said

FRAME = pd.DataFrame({"id": ["01", "02"], "n": [1, 2], "x": [0.5, None]})
ROWS = [{"id": "01", "n": 1, "x": 0.5}, {"id": "02", "n": 2, "x": None}]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def read(path: str, **config: Any) -> Any:
    return run_with("files.read", {"path": path, **config})


def write(path: str, data: Any, ctx: FakeContext | None = None, **config: Any) -> Any:
    return run("files.write", {"path": path, **config}, data, ctx)


# --- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "deep/er/a.csv"])
def test_a_csv_file_comes_back_as_a_frame(name: str, folder: Path) -> None:
    written = check_node(registry.get("files.write"), config={"path": name}, inputs={"main": [FRAME]})
    assert written == {"path": name, "format": "csv", "size": (folder / name).stat().st_size}
    found = check_node(registry.get("files.read"), config={"path": name, "types": {"id": "text"}})
    pd.testing.assert_frame_equal(found, FRAME)


def test_a_csv_file_can_be_rows_of_text() -> None:
    write("a.csv", ROWS)
    assert read("a.csv", rows=True) == [{"id": "01", "n": "1", "x": "0.5"}, {"id": "02", "n": "2", "x": ""}]


def test_columns_of_a_csv_file_have_the_types_that_were_said(folder: Path) -> None:
    (folder / "a.csv").write_text("a,b,c,d,e\n01,1,2,true,2026-01-02T03:04:05\n02,,3,,\n")
    types = {"a": "text", "b": "integer", "c": "number", "d": "boolean", "e": "datetime"}
    found = read("a.csv", types=types)
    assert list(found.a) == ["01", "02"]
    assert found.b.tolist() == [1, pd.NA]
    assert [str(each) for each in found.dtypes[1:4]] == ["Int64", "float64", "boolean"]
    assert found.e[0] == pd.Timestamp("2026-01-02T03:04:05")


def test_rows_that_lack_a_field_or_hold_tables_are_written_to_csv() -> None:
    write("a.csv", [{"a": 1}, {"b": [1, {"c": None}], "d": dt.date(2026, 1, 1)}])
    assert Path("a.csv").read_text() == 'a,b,d\n1,,\n,"[1, {""c"": null}]",2026-01-01\n'


def test_parquet_keeps_the_types() -> None:
    frame = FRAME.assign(d=pd.Series([pd.Timestamp("2026-01-01"), pd.NaT]))
    write("a.parquet", frame)
    pd.testing.assert_frame_equal(read("a.parquet"), frame)
    write("b.parquet", ROWS)
    assert read("b.parquet", rows=True) == ROWS


def test_json_is_plain_data_and_says_null_for_nan() -> None:
    data = {
        "n": float("nan"),
        "when": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "d": Decimal("1.5"),
        "i": np.int64(3),
        "t": (1, 2),
        "p": Path("a/b"),
        "f": FRAME,
        1: "ü",
    }
    write("a.json", data)
    assert read("a.json") == {
        "n": None, "when": "2026-01-01T00:00:00+00:00", "d": 1.5, "i": 3, "t": [1, 2], "p": "a/b", "f": ROWS, "1": "ü",
    }  # fmt: skip
    assert "ü" in Path("a.json").read_text(encoding="utf-8")


def test_text_and_bytes_are_as_they_are() -> None:
    write("a.txt", "zeile\nüber\n")
    assert read("a.txt") == "zeile\nüber\n"
    write("b.txt", "über", encoding="cp1252")
    assert Path("b.txt").read_bytes() == b"\xfcber"
    assert read("b.txt", encoding="cp1252") == "über"
    write("a.bin", b"\x00\xff")
    assert read("a.bin") == b"\x00\xff"
    assert read("a.txt", format="bytes") == "zeile\nüber\n".encode()


def test_the_path_and_the_data_can_be_expressions_or_inputs() -> None:
    config = {"path": "{{ name }}.json", "data": "{{ report.rows }}"}
    assert run_with("files.write", config, name="a", report={"rows": [1]})["path"] == "a.json"
    assert run_with("files.read", {"path": "b.json"}, path="a.json") == [1]


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../out.txt", "a/../../out.txt", "/etc/hosts", "link/out.txt", "link_to_file.txt", "./../here2/x.txt"]
)
def test_no_path_leads_out_of_the_root(path: str, folder: Path) -> None:
    (folder / "root").mkdir()
    (folder / "out.txt").write_text("secret")
    (folder / "root" / "link").symlink_to(folder)
    (folder / "root" / "link_to_file.txt").symlink_to(folder / "out.txt")
    words = "node: .* leads out of .*/root, which this node may not leave"
    with pytest.raises(InvalidInput, match=words):
        read(path, root="root")
    with pytest.raises(InvalidInput, match=words):
        write(path, "x", root="root")
    assert (folder / "out.txt").read_text() == "secret"


def test_a_path_is_relative_to_the_root_and_may_wander_inside(folder: Path) -> None:
    (folder / "root" / "a").mkdir(parents=True)
    write("a/../b.txt", "x", root="root")
    assert (folder / "root" / "b.txt").read_text() == "x"
    assert read(str(folder / "root" / "b.txt"), root="root") == "x"


def test_a_file_that_is_not_there_is_refused_with_the_near_names(folder: Path) -> None:
    (folder / "orders.csv").write_text("a\n1\n")
    with pytest.raises(NotFound, match=r"node: there is no file .*/oders.csv. Did you mean 'orders.csv'\?"):
        read("oders.csv")
    with pytest.raises(NotFound, match=r"The folder .*/gone isn't there either; paths are relative to "):
        read("gone/orders.csv")
    with pytest.raises(InvalidInput, match=r"is a folder; name a file in it. There is: orders.csv."):
        read(".", format="text")


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5_000])
def test_what_is_no_path_is_a_sentence(path: str) -> None:
    with pytest.raises((InvalidInput, EnvironmentFault), match="^node: "):
        read(path, format="text")
    with pytest.raises((InvalidInput, EnvironmentFault), match="^node: "):
        write(path, "x", format="text")


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidInput, match="is no plain file but a device or a pipe"):
        read("pipe", format="text")
    with pytest.raises(InvalidInput, match="is no plain file"):
        read("/dev/zero", format="bytes")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder: Path) -> None:
    (folder / "a.txt").write_text("x" * 100)
    with pytest.raises(InvalidInput, match="has 100 bytes, and max_bytes is 99; raise it if that is meant"):
        read("a.txt", max_bytes=99)


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "config", "words"),
    [
        ("a.csv", b"", {}, "a.csv can't be read as csv: No columns to parse"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", {}, "a.csv can't be read as csv: .*Expected 2 fields in line 3, saw 3"),
        ("a.csv", b"a\n\xff\n", {}, "a.csv is not utf-8: byte 2 is 0xff; set `encoding` to what it was written in"),
        ("a.csv", b"a\nx\n", {"types": {"a": "integer"}}, "a.csv can't be read as csv"),
        ("a.csv", b"a\nx\n", {"types": {"a": "datetime"}}, "a.csv can't be read as csv"),
        ("a.csv", b"ab\nx\n", {"types": {"abc": "text"}}, r"a.csv has no column 'abc'. Did you mean 'ab'\?"),
        ("a.csv", b"a,b\n1,2\n1\n", {"rows": True}, "line 3 of a.csv has 1 cells, and the first line has 2"),
        ("a.csv", b"a,a\n1,2\n", {"rows": True}, "a.csv has two columns 'a'"),
        ("a.csv", b'a\n"x\n', {"rows": True}, "a.csv can't be read as csv: unexpected end of data"),
        ("a.csv", b"a\n1\n", {"encoding": "utf-99"}, "a.csv can't be read as csv: unknown encoding: utf-99"),
        ("a.json", b"{", {}, "a.json can't be read as json: Expecting property name"),
        ("a.json", b"[" * 100_000, {}, "a.json is nested too deeply to be read"),
        ("a.json", b"1" * 5_000, {}, "a.json can't be read as json: Exceeds the limit"),
        ("a.txt", b"\xff", {}, "a.txt is not utf-8: byte 0 is 0xff"),
        ("a.parquet", b"PAR1", {}, "a.parquet can't be read as parquet"),
        ("a.parquet", b"", {"rows": True}, "a.parquet can't be read as parquet"),
        ("a.xyz", b"", {}, "the name of 'a.xyz' doesn't say its format; set `format`"),
        ("a.txt", b"", {"types": {"a": "text"}}, "`types` are of the columns of a csv file"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    name: str, content: bytes, config: dict[str, Any], words: str, folder: Path
) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidInput, match="node: " + words):
        read(name, **config)


def _deep() -> Any:
    deep: Any = []
    for _ in range(3_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("name", "data", "config", "words"),
    [
        ("a.csv", {"a": 1}, {}, "got a table"),
        ("a.csv", [{"a": 1}, 2], {}, "item 1 is the number 2; a csv file has tables"),
        ("a.csv", ROWS, {"encoding": "nope"}, "can't be written as csv: unknown encoding"),
        ("a.csv", [{"a": "ü"}], {"encoding": "ascii"}, "can't be written as csv"),
        ("a.csv", [{"a": [object()]}], {}, r"can't be written as csv: a cell\[0\] is a live object"),
        ("a.parquet", pd.DataFrame({"a": [1, "x"]}), {}, "can't be written as parquet"),
        ("a.parquet", "text", {}, "got the text 'text'"),
        ("a.json", {"a": [1, object()]}, {}, r"data.a\[1\] is a live object \(object\), which JSON has no form for"),
        ("a.json", {"a": float("inf")}, {}, "data.a is inf, which JSON has no form for"),
        ("a.json", {("a",): 1}, {}, "a key of data is"),
        ("a.json", _deep(), {}, "is nested deeper than 100 levels"),
        ("a.txt", 7, {}, "a text file is written from text, and this is the number 7"),
        ("a.txt", "ü", {"encoding": "ascii"}, "can't be written as ascii"),
        ("a.bin", "text", {}, "a bytes file is written from bytes, and this is the text 'text'"),
        ("a.xyz", "text", {}, "doesn't say its format"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file_and_no_litter(
    name: str, data: Any, config: dict[str, Any], words: str, folder: Path
) -> None:
    (folder / name).write_bytes(b"old")
    with pytest.raises(InvalidInput, match=words):
        write(name, data, **config)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {name: b"old"}


def test_a_folder_that_cannot_be_written_is_a_sentence(folder: Path) -> None:
    (folder / "a.txt").write_text("a file")
    with pytest.raises(EnvironmentFault, match=r"node: .*a.txt/b.txt can't be written: "):
        write("a.txt/b.txt", "x")
    (folder / "d.txt").mkdir()
    with pytest.raises(InvalidInput, match="d.txt is a folder; name a file in it"):
        write("d.txt", "x")


# --- whole or not at all ----------------------------------------------------------------------------------------------


def test_writing_again_after_a_crash_does_the_same_and_needs_no_question(folder: Path) -> None:
    assert registry.get("files.write").on_crash is OnCrash.RERUN
    write("a.txt", "new")
    write("a.txt", "new")
    assert [each.name for each in folder.iterdir()] == ["a.txt"]


def test_half_a_file_of_a_killed_attempt_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            write("a.txt", "whole")
    assert [each.name.startswith(".flownb-") for each in folder.iterdir()] == [True]
    write("a.txt", "whole")
    assert {each.name: each.read_text() for each in folder.iterdir()} == {"a.txt": "whole"}


def _killed(*_: Any) -> None:
    raise SystemExit


def test_a_file_that_must_stay_stays_unless_it_is_the_same(folder: Path) -> None:
    write("a.txt", "one", if_exists="error")
    write("a.txt", "one", if_exists="error")
    with pytest.raises(InvalidInput, match="a.txt is there already, with other content"):
        write("a.txt", "two", if_exists="error")
    assert [each.name for each in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text() == "one"


def test_a_node_that_was_given_up_writes_nothing_any_more(folder: Path) -> None:
    context = FakeContext()
    context.cancelled = True
    with pytest.raises(asyncio.CancelledError):
        write("a.txt", "late", context)
    assert list(folder.iterdir()) == []


def test_the_mode_of_a_file_stays_and_a_link_is_followed(folder: Path) -> None:
    (folder / "real.txt").write_text("old")
    (folder / "real.txt").chmod(0o640)
    (folder / "link.txt").symlink_to("real.txt")
    write("link.txt", "new")
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text() == "new"
    assert stat.S_IMODE((folder / "real.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("type_", "config", "words"),
    [
        ("files.read", {}, "needs the field 'path'"),
        ("files.read", {"path": "a", "format": "xml"}, "Input should be 'csv', 'parquet'"),
        ("files.read", {"path": "a", "types": {"x": "date"}}, "Input should be 'text', 'integer'"),
        ("files.write", {"path": "a", "if_exists": "append"}, "Input should be 'replace' or 'error'"),
        ("files.write", {"path": "a", "separator": ";;"}, "at most 1 character"),
    ],
)
def test_a_config_that_cannot_work_is_a_problem(type_: str, config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said(type_, config))


def test_what_was_written_by_others_can_be_read(folder: Path) -> None:
    (folder / "bom.csv").write_bytes(b"\xef\xbb\xbfid;n\r\n1;2\r\n")
    assert read("bom.csv", separator=";", encoding="utf-8-sig").to_dict("records") == [{"id": 1, "n": 2}]
    (folder / "a.json").write_text(json.dumps({"a": 1}), encoding="utf-16")
    assert read("a.json", encoding="utf-16") == {"a": 1}
