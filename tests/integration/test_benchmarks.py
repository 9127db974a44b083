"""The benchmark works, and its JSON is what its docstring says; how fast anything is, is not tested here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import graphs, plain
from benchmarks.flows import flow_of
from benchmarks.measure import SMOKE, Row, check
from benchmarks.table import line

ROOT = Path(__file__).parents[2]
FIELDS = "group what who unit value beside baseline ratio aim aim_of held note".split()  # noqa: SIM905  as the docstring


def test_the_smallest_case_runs_and_its_json_has_the_documented_shape(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    chosen = ("nodes", "durable", "many", "beside", "control", "expressions", "people")
    groups = [word for group in chosen for word in ("--only", group)]
    command = [sys.executable, "-m", "benchmarks.run", "--smoke", *groups, "--json", str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    document = json.loads(path.read_text())
    assert document.keys() == {"format", "at", "flownb", "size", "machine", "rows"}
    assert (document["format"], document["size"]) == (1, "smoke")
    rows = document["rows"]
    assert {row["group"] for row in rows} == {
        "nodes",
        "durable",
        "many runs",
        "beside a cell",
        "control",
        "expressions",
        "people",
    }
    for row in rows:
        assert sorted(row) == sorted(FIELDS)
        assert isinstance(row["value"], float) or row["note"]
        assert row["ratio"] is None or row["ratio"] == pytest.approx(row["value"] / row["baseline"])
    assert len(ended.stdout.splitlines()) == 1 + len(rows)
    counted = {row["what"]: row["value"] for row in rows if "a node" in row["what"] and row["unit"] == ""}
    assert counted["chain of 10, power, commits a node"] == pytest.approx(1.1)
    assert counted["chain of 10, power, fsyncs a node"] >= 1
    assert counted["fan-out of 10, power, commits a node"] <= 0.4


@pytest.mark.parametrize("shape", graphs.SHAPES)
def test_ours_and_plain_asyncio_compute_the_same(shape: object) -> None:
    graph = shape(120)  # type: ignore[operator]
    expected = graph.answer(plain.run(graph))
    assert flow_of(graph).run(store="memory:", display=False).result() == expected


def test_a_wrong_answer_stops_it() -> None:
    check(1, 1)
    with pytest.raises(SystemExit, match="A wrong result: 1, expected 2"):
        check(1, 2)


def test_a_figure_that_is_not_there_says_why_and_one_that_is_says_whether_it_holds() -> None:
    assert "stops at 10,000" in line(Row("peers", "chain", who="DBOS", note="stops at 10,000"))
    row = Row("nodes", "chain", value=2e-6, beside="plain", baseline=4e-6, aim=1.0)
    assert (row.ratio, row.held) == (0.5, True)
    assert "0.50" in line(row)
    assert line(row).endswith("≤ 1 ✔")
    assert Row("start", "x", value=0.2, baseline=0.1, aim=0.12, aim_of="value").held is False
    assert SMOKE.rounds_of(100_000) == 1
