from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.errors import InvalidInput
from flownb.nodes.items import Items, items_of

ROWS = [{"id": 1, "city": {"name": "Rome"}}, {"id": 2, "city": {"name": "Oslo"}}]


def of(value: Any) -> Items:
    return items_of(value, "node")


@pytest.mark.parametrize("value", [ROWS, tuple(ROWS), []])
def test_a_list_stays_a_list_and_a_tuple_a_tuple(value: Any) -> None:
    assert of(value).take([*range(len(value))][::-1]) == value[::-1]
    assert type(of(value).take([])) is type(value)
    assert of(value).take(range(len(value))) == value


def test_a_series_and_a_frame_keep_the_labels_of_what_is_taken() -> None:
    series = pd.Series([5, 6, 7], index=["a", "b", "c"])
    pd.testing.assert_series_equal(of(series).take([2, 0]), pd.Series([7, 5], index=["c", "a"]))
    frame = pd.DataFrame({"x": [5, 6, 7]}, index=["a", "b", "c"])
    pd.testing.assert_frame_equal(of(frame).take([2, 0]), pd.DataFrame({"x": [7, 5]}, index=["c", "a"]))
    pd.testing.assert_frame_equal(of(frame).take(range(1, 3)), frame.iloc[1:3])


def test_the_rows_of_a_frame_are_tables_with_none_for_what_is_empty() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "f": [0.5, np.nan],
            "s": ["x", None],
            "d": [pd.Timestamp("2026-01-01"), pd.NaT],
            "o": [[1], np.float64("nan")],
            1: [True, False],
        }
    )
    first, second = of(frame)
    assert first == {"n": 1, "f": 0.5, "s": "x", "d": pd.Timestamp("2026-01-01"), "o": [1], "1": True}
    assert second == {"n": None, "f": None, "s": None, "d": None, "o": None, "1": False}
    assert type(first["n"]) is int


def test_a_frame_is_read_in_parts_and_none_is_lost() -> None:
    frame = pd.DataFrame({"x": range(25_001)})
    assert [row["x"] for row in of(frame)] == list(range(25_001))
    assert list(of(pd.DataFrame(index=range(3)))) == [{}, {}, {}]


def test_a_field_is_a_key_a_column_or_a_path() -> None:
    assert of(ROWS).field("city.name") == ["Rome", "Oslo"]
    assert of(pd.DataFrame(ROWS)).field("city.name") == ["Rome", "Oslo"]
    assert of(pd.DataFrame({"a.b": [1]})).field("a.b") == [1]
    assert of(pd.DataFrame({("a", "b"): [1]})).field("a.b") == [1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (ROWS, r"node: item 0 has no field 'idd'. Did you mean 'id'\?"),
        ([{"idd": 1}, {"id": 2}], "node: item 1 has no field 'idd'"),
        ([{"idd": 1}, 7], "node: item 1 is the number 7, it has no field 'idd'"),
        ([None], "node: item 0 is none, it has no field 'idd'"),
        (pd.DataFrame(ROWS), r"node: the DataFrame has no column 'idd'. Did you mean 'id'\?"),
        (pd.Series([1]), "node: item 0 is the number 1, it has no field"),
    ],
)
def test_a_field_that_is_not_there_is_refused_with_the_near_names(value: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        of(value).field("idd")


def test_a_lenient_field_is_none_where_it_lacks_but_must_be_somewhere() -> None:
    assert of([{"a": 1}, {}, 3]).field("a", lenient=True) == [1, None, None]
    with pytest.raises(InvalidInput, match="item 0 has no field 'b'"):
        of([{"a": 1}, {}]).field("b", lenient=True)
    with pytest.raises(InvalidInput, match="no column 'b'"):
        of(pd.DataFrame({"a": [1]})).field("b", lenient=True)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="node: the DataFrame has two columns 'x'; rename one of them"):
        of(pd.DataFrame([[1, 2]], columns=["x", "x"]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, r"nothing \(None\): the node before it gave no value"),
        ("a,b", "the text 'a,b': a text is one value"),
        (
            {"rows": [1], "n": 2},
            r"a table \(dict\), which is one value. Its lists are 'rows': take one by `items`, as \{\{ node.name \}\}",
        ),
        ({"n": 2}, r"a table \(dict\), which is one value. Put it into a list"),
        ({1, 2}, r"a set, which has no order: give sorted\(…\) of it"),
        (np.zeros(3), "a numpy value: give `.tolist"),
        (7, "the number 7"),
        (object(), r"a live object \(object\)"),
    ],
)
def test_what_has_no_items_is_told_what_to_do(value: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match="node works on a list, a tuple, a Series or a DataFrame, and got " + words):
        of(value)


def test_fields_are_added_without_changing_what_came_in() -> None:
    before = [dict(row) for row in ROWS]
    assert of(ROWS).extended({"x": [5, 6]}, keep=True)[1] == {**ROWS[1], "x": 6}
    assert of(tuple(ROWS)).extended({"x": [5, 6]}, keep=False) == ({"x": 5}, {"x": 6})
    assert before == ROWS
    frame = pd.DataFrame({"id": [1, 2], 3: [4, 5]}, index=[7, 8])
    made = of(frame).extended({"x": [5, 6], "3": [0, 0]}, keep=True)
    pd.testing.assert_frame_equal(made, pd.DataFrame({"id": [1, 2], 3: [0, 0], "x": [5, 6]}, index=[7, 8]))
    assert list(frame.columns) == ["id", 3]
    with pytest.raises(InvalidInput, match="item 0 is the number 1: it has no fields that could be kept"):
        of([1]).extended({"x": [5]}, keep=True)


def test_pandas_is_not_imported_for_what_is_no_frame() -> None:
    program = """
import sys
from tests.unit.nodes.running import run
rows = [{"id": 2, "tags": ["x"]}, {"id": 1, "tags": []}]
run("control.filter", {"test": "item.id > 1"}, rows)
run("control.sort", {"by": "id"}, rows)
run("control.dedupe", {}, rows)
run("control.limit", {"count": 1}, rows)
run("control.split", {"field": "tags"}, rows)
run("control.aggregate", {"by": "id", "compute": {"n": "count"}}, rows)
run("control.transform", {"each": True, "fields": {"x": "item.id"}}, rows)
run("control.assert", {"rules": ["item.id > 0", {"column": "id", "unique": True}]}, rows)
run("control.switch", {"cases": [{"port": "a", "equals": 1}]}, 1)
print(sorted({"pandas", "numpy", "pyarrow"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
