"""Data that a reviewer may change: shown as fields, taken back as what they were, judged by their own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb.services.links import link_to
from tests.unit.server.visiting import Visitor, one_request
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

Ask = Any


@pytest.fixture
def review(store: Store, ask: Ask) -> Callable[..., tuple[Run, Visitor]]:
    """`review(data)` starts a run whose reviewer may change the data, and opens the page."""

    def start(data: Any, **options: Any) -> tuple[Run, Visitor]:
        run = ask("Are the lines right?", kind="review", shown=data, edits=True, **options)
        anna = Visitor(store, link_to(store, one_request(store), "anna"))
        anna.get()
        return run, anna

    return start


def checked(run: Run) -> Any:
    wait_for(lambda: run["ok"].status == "completed")
    return run["ok"].output


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": ["tea", "coffee", "<b>milk</b>"],
            "n": [3, 1, 2],
            "price": [1.5, None, 0.1],
            "day": pd.to_datetime(["2026-07-01", "2026-07-02", "2026-07-03"]),
        }
    )


def test_a_table_is_changed_cell_by_cell_and_comes_back_with_its_types(review: Any) -> None:
    run, anna = review(frame())
    assert anna.seen.fields["e0-0"] == "tea"
    assert (anna.seen.fields["e1-2"], anna.seen.fields["e2-0"]) == ("", "<b>milk</b>")
    assert anna.press("Approve", **{"e0-1": "7", "e1-2": "2,25", "gone2": "on"}).status == 200
    made = checked(run)
    assert made.dtypes.tolist() == frame().dtypes.tolist()
    assert made.to_dict("list") == {
        "item": ["tea", "coffee"], "n": [7, 1], "price": [1.5, 2.25],
        "day": [pd.Timestamp("2026-07-01"), pd.Timestamp("2026-07-02")],
    }  # fmt: skip


def test_what_nobody_touched_is_no_change(store: Store, review: Any) -> None:
    run, anna = review(frame())
    anna.press("Approve")
    pd.testing.assert_frame_equal(checked(run), frame())
    assert getattr(one_request(store).decision, "data", "?") is None


def test_an_edit_that_breaks_the_schema_is_told_beside_its_cell_and_changes_nothing(store: Store, review: Any) -> None:
    run, anna = review(frame())
    for given, why in (
        ("many", "This is 'many', and should be a whole number."),
        ("1.5", "This is 1.5, and should be"),
    ):
        seen = anna.press("Approve", **{"e0-1": given, "e0-0": "green tea"})
        assert (seen.status, why in seen.text) == (422, True)
        assert seen.has("input", name="e0-1", aria_invalid="true", value=given)
        assert seen.has("details", class_="shown", open=None)
        assert (seen.fields["e0-0"], seen.fields["e0-1"]) == ("green tea", given)
    assert one_request(store).status == "pending"
    anna.press("Approve", **{"e0-1": "4"})
    assert checked(run).loc[0].tolist()[:2] == ["green tea", 4]


@pytest.mark.parametrize(
    ("data", "filled", "made"),
    [
        (
            {"name": "B", "n": 1, "ok": True},
            {"e0-1": "2", "e0-2": "no"},
            {"name": "B", "n": 2, "ok": False},
        ),
        ("a text", {"edit": '"another"'}, "another"),
        (41, {"edit": "42"}, 42),
        ([1, 2, 3], {"edit": "[3]"}, [3]),
        ({"deep": {"er": [1]}}, {"edit": '{"deep": {"er": [1, 2]}}'}, {"deep": {"er": [1, 2]}}),
        ([{"n": 1}, {"n": 2}], {"gone0": "on", "gone1": "on"}, []),
    ],
)
def test_whatever_has_a_schema_can_be_changed(review: Any, data: Any, filled: dict[str, str], made: Any) -> None:
    run, anna = review(data)
    anna.press("Approve", **filled)
    assert checked(run) == made


def test_json_that_is_none_is_told(review: Any) -> None:
    _, anna = review([1, 2, 3])
    seen = anna.press("Approve", edit="[1, 2")
    assert (seen.status, "should be a list" in seen.text, seen.fields["edit"]) == (422, True, "[1, 2")


def test_a_form_and_data_are_changed_beside_one_another(review: Any) -> None:
    form = {"properties": {"why": {"type": "string", "minLength": 3}}, "required": ["why"]}
    run, anna = review([{"n": 1}], form=form)
    seen = anna.press("Approve", **{"e0-0": "x"})
    assert "This is 'x', and should be a whole number." in seen.text
    assert "This is needed." in seen.text
    anna.press("Approve", **{"e0-0": "5", "f0": "because"})
    assert checked(run) == {"why": "because", "edited": [{"n": 5}]}


def test_who_rejects_changes_nothing(store: Store, review: Any) -> None:
    run, anna = review([{"n": 1}])
    anna.press("Reject", **{"e0-0": "5"})
    wait_for(lambda: run.resting)
    assert getattr(one_request(store).decision, "data", "?") is None


def test_what_may_be_changed_is_shown_even_if_something_else_was_to_be(store: Store) -> None:
    from flownb import Flow

    flow = Flow("f")
    flow.node(lambda: [{"n": 1}], id="load")
    flow.node(lambda load: [len(load)], id="count")
    flow.review("ok", "Right?", inputs={"main": "load"}, preview="count", edits=True)
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    anna = Visitor(store, link_to(store, one_request(store), "anna"))
    anna.get()
    assert [each["name"] for each in one_request(store).request.preview] == ["data", "count"]
    anna.press("Approve", **{"e0-0": "2"})
    assert checked(run) == [{"n": 2}]


def test_data_that_are_too_large_are_not_changed_here(review: Any) -> None:
    run, anna = review(["x" * 1_000] * 200)
    assert "Answer in a notebook or a terminal" in anna.seen.text
    anna.press("Approve")
    assert len(checked(run)) == 200
