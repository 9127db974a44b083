from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError
from flownb.expr import evaluate, render

LOAD = pd.DataFrame(
    {
        "amount": [10, 20, 30],
        "name": ["Ann", None, "Cem"],
        "share": [0.5, float("nan"), 1.5],
        "day": pd.to_datetime(pd.Series(["2026-05-01", None, "2026-05-03"])),
        "rows": [7, 8, 9],
    }
)
DATA: dict[str, Any] = {"load": LOAD, "result": {"frame": LOAD}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("load.0.amount", 10),
        ("load[0].amount", 10),
        ("load[-1].name", "Cem"),
        ("load.1.name", None),
        ("load.1.share", None),
        ("load.1.day", None),
        ("load.0.day", "2026-05-01T00:00:00"),
        ("load.0.rows", 7),
        ("load.columns", ["amount", "name", "share", "day", "rows"]),
        ("load.amount", [10, 20, 30]),
        ("load.share", [0.5, None, 1.5]),
        ("sum(load.amount)", 60),
        ("sum(load.share)", 2.0),
        ("max(load.name)", "Cem"),
        ("len(load)", 3),
        ("len(load.rows)", 3),
        ("load.rows.2.amount", 30),
        ("load.rows[-1].amount", 30),
        ("load.rows[1:]|len", 2),
        ("load[:1]|first.amount", 10),
        ("first(load).amount", 10),
        ("last(load.rows).amount", 30),
        ("keys(load)", ["amount", "name", "share", "day", "rows"]),
        ("'name' in load.columns", True),
        ("type(load)", "dataframe"),
        ("type(load.rows)", "array"),
        ("exists(load)", True),
        ("exists(load.nope)", False),
        ("default(load.1.name, 'nobody')", "nobody"),
        ("sorted(load.rows, 'amount')[-1].name", "Cem"),
        ("result.frame.0.name", "Ann"),
        ("load.rows == load.rows", True),
        ("{'amount': 10, 'x': 1} in load.rows", False),
        ("len(load.rows + [1])", 4),
        ("'yes' if load.rows else 'no'", "yes"),
    ],
)
def test_a_frame_gives_rows_columns_and_cells(text: str, expected: Any) -> None:
    assert evaluate(text, DATA) == expected


def test_rows_are_plain() -> None:
    rows = evaluate("load.rows", DATA)
    assert rows[0] == {"amount": 10, "name": "Ann", "share": 0.5, "day": "2026-05-01T00:00:00", "rows": 7}
    assert [type(each) for each in rows[0].values()] == [int, str, float, str, int]


def test_cells_keep_their_type_beside_columns_of_other_types() -> None:
    assert type(evaluate("load.0.amount", DATA)) is int


def test_a_lone_name_hands_the_frame_on_untouched() -> None:
    assert render("{{ load }}", DATA) is LOAD
    assert evaluate("load", DATA) is LOAD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("load.amout", "without a column 'amout'. Did you mean 'amount'?"),
        ("load.9.amount", "has 3 rows, there is no row 9"),
        ("load == 1", "can't be compared"),
        ("not load", "neither true nor false"),
        ("[load]", "handed on as a whole"),
        ("default(load, 1)", "handed on as a whole"),
        ("result.frame", "handed on as a whole"),
        ("json(load)", "handed on as a whole"),
        ("load + 1", "Can't add a DataFrame"),
        ("1 in load", "can't contain"),
        ("load.rows.name", "is a list"),
        ("load.rows[::-1]", "backwards"),
    ],
)
def test_a_frame_is_no_value_in_a_larger_expression(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, DATA)
    assert words in caught.value.message


def test_text_around_a_frame_has_its_rows() -> None:
    assert render("{{ load.rows[:1] }}!", DATA).startswith('[{"amount": 10, "name": "Ann"')


@pytest.mark.parametrize("label", [("a", "b"), pd.Timestamp("2026-05-01"), object()])
def test_labels_that_are_no_text_get_a_number(label: Any) -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.Index([label, 5], dtype=object))
    assert evaluate("f.columns", {"f": frame}) == ["column 0", "5"]


def test_live_objects_in_cells_are_refused() -> None:
    frame = pd.DataFrame({"model": [object()], "n": [1]})
    assert evaluate("f.0.n", {"f": frame}) == 1
    for text in ("f.0.model", "f.rows", "f.model"):
        with pytest.raises(ExpressionError, match="live object"):
            evaluate(text, {"f": frame})


class Subclass(pd.DataFrame):
    def __len__(self) -> int:
        raise AssertionError("code of a user's ran")


def test_a_subclass_may_run_code_and_is_refused() -> None:
    with pytest.raises(ExpressionError, match="live object"):
        evaluate("len(f)", {"f": Subclass({"a": [1]})})


def test_a_large_frame_is_counted_and_cut_but_not_listed() -> None:
    data = {"big": pd.DataFrame({"a": range(500_000), "b": 1.5})}
    assert evaluate("len(big.rows)", data) == 500_000
    assert evaluate("big[499999].a", data) == 499_999
    assert len(evaluate("big.rows[:1000]", data)) == 1000
    with pytest.raises(ExpressionError, match="500,000 rows"):
        evaluate("big.rows", data)
    with pytest.raises(ExpressionError, match="too much work"):
        evaluate("big.a", data)


def test_ten_thousand_rows_of_ten_columns_are_listed() -> None:
    assert len(evaluate("big.rows", {"big": pd.DataFrame({name: range(10_000) for name in "abcdefghij"})})) == 10_000


def test_expressions_do_not_load_pandas() -> None:
    code = "import sys; from flownb.expr import evaluate; evaluate('a + 1', {'a': 1}); print('pandas' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "False"
