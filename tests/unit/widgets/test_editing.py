"""The data that a reviewer may change in a page: what there is of it, and a sentence where there is too much."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb import Flow
from flownb.errors import NotFound, UsageError
from flownb.widgets.editing import editable
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run

FRAME = pd.DataFrame(
    {
        "supplier": ["Acme", None],
        "amount": [310.0, float("nan")],
        "rows": [1, 2],
        "day": pd.to_datetime(["2026-07-01", "2026-07-02"]),
    }
)


def asking(value: Any, **config: Any) -> tuple[Run, str]:
    flow = Flow("shop")

    @flow.node
    def load() -> Any:
        return value

    flow.review("checked", "Right?", preview="load", **{"edits": True, **config})
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status == "paused")
    return run, next(iter(run.state.approvals))


def test_a_frame_is_a_table_with_the_types_of_its_columns() -> None:
    run, approval = asking(FRAME)
    found = editable(run, approval)
    assert found["kind"] == "table"
    assert [name for name, _ in found["columns"]] == ["supplier", "amount", "rows", "day"]
    assert found["columns"][2] == ["rows", ["integer"]]
    assert found["rows"] == [["Acme", 310.0, 1, "2026-07-01T00:00:00"], [None, None, 2, "2026-07-02T00:00:00"]]
    assert json.loads(json.dumps(found)) == found


def test_what_comes_back_unchanged_is_the_same_frame() -> None:
    run, approval = asking(FRAME)
    found = editable(run, approval)
    names = [name for name, _ in found["columns"]]
    run.decide(approval, data=[dict(zip(names, row, strict=True)) for row in found["rows"]])
    wait_for(lambda: run.status.ended)
    pd.testing.assert_frame_equal(run["checked"].output, FRAME)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [("Dear all", "text", "Dear all"), ({"a": 1}, "json", '{\n  "a": 1\n}'), ([1, 2], "json", "[\n  1,\n  2\n]")],
)
def test_other_data_are_text_or_json(value: Any, kind: str, text: str) -> None:
    run, approval = asking(value)
    assert editable(run, approval) == {"kind": kind, "text": text}


def test_too_much_is_refused_with_the_line_that_does_it() -> None:
    run, approval = asking(pd.DataFrame({"a": range(1_000)}))
    with pytest.raises(UsageError, match=rf'1,000 rows .* run\.decide\("{approval}", data=…\)'):
        editable(run, approval)
    run, approval = asking("x" * 200_000)
    with pytest.raises(UsageError, match="200,000 characters"):
        editable(run, approval)


def test_what_may_not_be_changed_or_is_not_asked_is_refused() -> None:
    run, approval = asking([1], edits=False)
    with pytest.raises(UsageError, match="may not be changed"):
        editable(run, approval)
    with pytest.raises(NotFound, match="no request"):
        editable(run, "nonsense")
