"""The widget's messages: what a page may send, however odd, and what it gets for it; without a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb import Run
    from flownb.widgets.run_view import RunWidget

pytest.importorskip("anywidget")


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")
    flow.variable("rate", type="number", default=1.5)

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    ok = flow.approval("ok", "Fine?", after=load, preview="load", edits=True)

    @flow.node(after=ok.approved)
    def post(load: list[int]) -> int:
        return len(load)

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status == "paused")
    return run


class Page:
    """A page without a browser: it keeps what it is told."""

    def __init__(self, widget: RunWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.told: list[dict[str, Any]] = []
        self.asked = 0
        monkeypatch.setattr(widget, "_say", self.told.append)

    def ask(self, **message: Any) -> dict[str, Any]:
        """The acknowledgement of a message."""
        self.asked += 1
        self.widget._asked(None, {"id": f"click-{self.asked}", **message}, [])
        found = [each for each in self.told if each["kind"] in ("done", "refused")][-1]
        assert json.loads(json.dumps(found)) == found
        return found

    def news(self, name: str) -> Any:
        """The newest word on something."""
        wait_for(lambda: any(name in each for each in self.told))
        return [each[name] for each in self.told if name in each][-1]


@pytest.fixture
def page(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    from flownb.widgets.run_view import RunWidget

    widget = RunWidget(run)
    yield Page(widget, monkeypatch)
    widget.close()


ASKS = ("look", "round", "past", "set", "take", "editable", "breakpoint", "decide", "events", 7)
ODD = (None, 7, "nonsense", ["load"], {"a": 1}, -1, True)
FIELDS = ("node", "edge", "index", "seq", "page", "name", "text", "approval", "port", "after", "until")


def test_an_odd_message_is_passed_over_or_refused_in_a_sentence(page: Page, run: Run) -> None:
    for ask in ASKS:
        for odd in ODD:
            answer = page.ask(ask=ask, **dict.fromkeys(FIELDS, odd))
            assert answer["kind"] in ("done", "refused")
    assert next(iter(run.state.approvals.values()))["status"] == "pending"


def test_a_page_sees_a_moment_with_the_panels_that_it_has_open(page: Page) -> None:
    page.ask(ask="past", page="p", seq=3, node="load", variables=True)
    past = page.news("past")
    assert (past["page"], past["seq"]) == ("p", 3)
    assert past["detail"]["path"] == "load"
    assert [each["name"] for each in past["variables"]] == ["rate"]
    page.ask(ask="past", page="p", seq=3, edge="load.main->post.load")
    wait_for(lambda: "edge_detail" in page.news("past"))


def test_a_page_opens_an_edge_and_the_variables_and_takes_an_output(page: Page) -> None:
    page.ask(ask="look", edge="load.main->post.load")
    assert page.news("edge_detail")["value"]["length"] == 3
    page.ask(ask="variables")
    assert page.news("variables")[0]["name"] == "rate"
    assert page.ask(ask="take", node="load")["took"] == "load = list"
    assert "ok has no output" in page.ask(ask="take", node="ok")["message"]


def test_what_is_set_on_a_run_that_rests_shows_at_once_and_is_there_when_it_goes_on(page: Page, run: Run) -> None:
    page.ask(ask="breakpoint", node="post", on=True)
    wait_for(lambda: page.news("bar")["breakpoints"] == ["post"])
    page.ask(ask="set", name="rate", text="2.5")
    wait_for(lambda: page.news("variables")[0].get("left") or page.news("variables")[0]["text"] == "2.5")
    assert "must be number" in page.ask(ask="set", name="rate", text="many")["message"]
    page.ask(ask="decide", approval=next(iter(run.state.approvals)), port="approved")
    wait_for(lambda: run.pause_reason == "breakpoint")
    wait_for(lambda: page.news("bar")["reason"] == "breakpoint")
    assert page.news("bar")["breakpoints"] == ["post"]
    assert run.state.variables["rate"] == 2.5


def test_the_data_of_a_question_are_fetched_changed_and_sent(page: Page, run: Run) -> None:
    approval = next(iter(run.state.approvals))
    assert page.ask(ask="editable", approval=approval)["editable"] == {
        "kind": "json", "text": "[\n  1,\n  2,\n  3\n]", "approval": approval,
    }  # fmt: skip
    assert "can't be taken" in page.ask(ask="decide", approval=approval, port="approved", data=["x"])["message"]
    assert page.ask(ask="decide", approval=approval, port="approved", data=[1, 2, 3, 4])["kind"] == "done"
    wait_for(lambda: run.status.ended)
