"""What holds for every list and every frame: nothing is lost, made up or reordered, and pandas agrees."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flownb.errors import FlownbError
from flownb.nodes.cell import comparable
from tests.unit.nodes.running import leaving, run

NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-1e6, 1e6), st.none(), st.just(float("nan")))
ROW = st.fixed_dictionaries({"k": st.sampled_from(["a", "b", None]), "n": NUMBERS, "m": st.integers(-3, 3)})
ROWS = st.lists(ROW, max_size=30)
HOSTILE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3), st.dates(),
        st.decimals(), st.just(pd.NA), st.just(pd.NaT), st.builds(object),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["k", "n", "x"]), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=20,
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal where NaN equals itself."""
    return bool(comparable(one) == comparable(other))


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "at": number} for number, row in enumerate(rows)]


def of(kind: str, rows: list[dict[str, Any]]) -> Any:
    return pd.DataFrame(rows, columns=["k", "n", "m", "at"]) if kind == "frame" else rows


def at(found: Any) -> list[int]:
    return [int(n) for n in found["at"]] if isinstance(found, pd.DataFrame) else [row["at"] for row in found]


@pytest.mark.parametrize("kind", ["list", "frame"])
@settings(max_examples=60)
@given(rows=ROWS, bound=st.integers(-3, 3))
def test_what_a_filter_keeps_and_its_rest_are_everything(kind: str, rows: list[Any], bound: int) -> None:
    rows = numbered(rows)
    found = run("control.filter", {"test": "item.m > bound", "rest": True}, of(kind, rows), bound=bound)
    kept, rest = at(found.value), at(leaving(found, "rest"))
    assert kept == [row["at"] for row in rows if row["m"] > bound]
    assert sorted(kept + rest) == [row["at"] for row in rows]
    opposite = run("control.filter", {"test": "not item.m > bound"}, of(kind, rows), bound=bound)
    assert at(opposite) == rest


@settings(max_examples=60)
@given(rows=ROWS, descending=st.tuples(st.booleans(), st.booleans()))
def test_a_sort_is_a_stable_order_and_the_same_for_lists_and_frames(
    rows: list[Any], descending: tuple[bool, bool]
) -> None:
    rows = numbered(rows)
    config = {"by": ["n", "m"], "descending": list(descending)}
    found = run("control.sort", config, rows)
    assert sorted(at(found)) == list(range(len(rows)))
    assert at(run("control.sort", config, of("frame", rows))) == at(found)
    assert at(run("control.sort", config, found)) == at(found)
    for before, after in itertools.pairwise(found):
        keys = [(_rank(row["n"], descending[0]), _rank(row["m"], descending[1])) for row in (before, after)]
        assert keys[0] < keys[1] or (keys[0] == keys[1] and before["at"] < after["at"])


def _rank(value: Any, descending: bool) -> tuple[bool, float]:
    if value is None or math.isnan(value):
        return (True, 0.0)
    return (False, -value if descending else value)


@pytest.mark.parametrize("kind", ["list", "frame"])
@pytest.mark.parametrize("keep", ["first", "last"])
@settings(max_examples=40)
@given(rows=ROWS)
def test_a_dedupe_leaves_one_of_each_key_and_doing_it_again_changes_nothing(
    kind: str, keep: str, rows: list[Any]
) -> None:
    rows = numbered(rows)
    config = {"by": ["k", "n"], "keep": keep}
    once = run("control.dedupe", config, of(kind, rows))
    assert at(run("control.dedupe", config, once)) == at(once)
    frame = of("frame", rows)
    agrees = frame.assign(n=pd.to_numeric(frame["n"])).drop_duplicates(["k", "n"], keep=keep)
    assert at(once) == at(agrees)


@settings(max_examples=60)
@given(rows=ROWS)
def test_pandas_agrees_on_what_is_computed_of_groups(rows: list[Any]) -> None:
    compute = {
        "rows": "count",
        "there": "count(n)",
        "total": "sum(n)",
        "mean": "mean(n)",
        "low": "min(n)",
        "top": "max(n)",
    }
    found = run("control.aggregate", {"by": "k", "compute": compute}, rows)
    frame = of("frame", numbered(rows))
    frame = frame.assign(n=pd.to_numeric(frame["n"]).astype("float64"))
    groups = frame.groupby("k", dropna=False, sort=False)["n"]
    theirs = pd.DataFrame({
        "rows": groups.size(), "there": groups.count(), "total": groups.sum(), "mean": groups.mean(),
        "low": groups.min(), "top": groups.max(),
    }).reset_index()  # fmt: skip
    assert len(found) == len(theirs)
    for mine, (_, row) in zip(found, theirs.iterrows(), strict=True):
        assert same(mine["k"], row["k"])
        for name in compute:
            assert _close(mine[name], row[name])
    as_frame = run("control.aggregate", {"by": "k", "compute": compute}, of("frame", numbered(rows)))
    assert same([list(each.values()) for each in found], [list(each) for each in as_frame.itertuples(index=False)])
    whole = run("control.aggregate", {"compute": compute}, rows)
    assert whole["rows"] == sum(each["rows"] for each in found)
    assert _close(whole["total"], sum(each["total"] for each in found))


def _close(one: Any, other: Any) -> bool:
    if one is None:
        return bool(pd.isna(other))
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


@settings(max_examples=60)
@given(rows=ROWS, size=st.integers(1, 9), count=st.integers(0, 9))
def test_parts_put_together_are_the_whole(rows: list[Any], size: int, count: int) -> None:
    rows = numbered(rows)
    batches = run("control.split", {"size": size}, rows)
    assert [row for batch in batches for row in batch] == rows
    groups = run("control.split", {"by": "k"}, rows)
    assert sorted(row["at"] for group in groups for row in group["items"]) == list(range(len(rows)))
    first = run("control.limit", {"count": count}, rows)
    assert first + run("control.limit", {"count": 99, "skip": count}, rows) == rows
    last = run("control.limit", {"count": count, "last": True}, rows)
    assert run("control.limit", {"count": 99, "skip": count, "last": True}, rows) + last == rows


@settings(max_examples=60)
@given(rows=ROWS)
def test_a_gate_counts_what_breaks_its_rules(rows: list[Any]) -> None:
    rules = [
        "item.m >= 0",
        {"column": "n", "not_null": True},
        {"column": "n", "between": [0, 5]},
        {"column": "m", "unique": True},
    ]
    for value in (rows, of("frame", numbered(rows))):
        if not len(value):
            continue
        report = run("control.assert", {"rules": rules, "on_fail": "port"}, value).value
        there = [row["n"] for row in rows if row["n"] is not None and not math.isnan(row["n"])]
        assert [each["failed"] for each in report["rules"]] == [
            sum(row["m"] < 0 for row in rows),
            len(rows) - len(there),
            sum(not 0 <= each <= 5 for each in there),
            len(rows) - len({row["m"] for row in rows}),
        ]
        assert report["passed"] is not any(each["failed"] for each in report["rules"])
        json.dumps(report)


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("control.filter", {"test": "item.n > 1"}),
    ("control.filter", {"test": "default(item.x, 1) == 1"}),
    ("control.sort", {"by": "n"}),
    ("control.sort", {}),
    ("control.dedupe", {}),
    ("control.dedupe", {"by": "k.x"}),
    ("control.limit", {"count": 1}),
    ("control.split", {}),
    ("control.split", {"field": "x", "keep": True}),
    ("control.split", {"by": ["k", "n"]}),
    ("control.aggregate", {"by": "k", "compute": {"a": "sum(n)", "b": "max(n)", "c": "mean(n)"}}),
    ("control.aggregate", {"compute": {"a": "sum"}}),
    ("control.transform", {"each": True, "keep": True, "fields": {"y": "item.n", "z": "{{ item.k }}!"}}),
    ("control.transform", {"fields": {"y": "main.0.n"}}),
    ("control.assert", {"rules": ["item.n > 1", {"column": "n", "unique": True, "between": [1, 2], "matches": "x"}]}),
    ("control.switch", {"cases": [{"port": "a", "equals": 1}, {"port": "b", "one_of": [None, "x"]}]}),
    ("files.write", {"path": "out.json"}),
    ("files.write", {"path": "out.csv"}),
]


@pytest.mark.parametrize(("type_", "config"), CONFIGS)
@settings(max_examples=25)
@given(value=HOSTILE)
def test_whatever_comes_in_a_node_gives_a_value_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, type_: str, config: dict[str, Any], value: Any
) -> None:
    if type_ == "files.write":
        config = {**config, "root": str(tmp_path_factory.getbasetemp())}
    try:
        run(type_, config, value)
    except FlownbError as error:
        first = error.message.splitlines()[0]
        assert first.startswith("node")
        assert len(first) < 1000
