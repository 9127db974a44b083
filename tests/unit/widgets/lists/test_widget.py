"""The widget of a list: it tells what is new, obeys what it is asked, and refuses the rest in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.store.memory import MemoryStore
from tests.waiting import wait_for

pytest.importorskip("anywidget")

from flownb.widgets.bundle import missing
from flownb.widgets.lists.requests import RequestsPart
from flownb.widgets.lists.runs import RunsPart

if TYPE_CHECKING:
    from flownb import Run
    from flownb.widgets.lists.widget import ListWidget

pytestmark = pytest.mark.skipif(bool(missing()), reason="the widgets are not built here")


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")
    flow.approval("ok", "Post 3 EUR?")
    started = flow.run(store=MemoryStore(), display=False)
    wait_for(lambda: started.status == "paused")
    return started


@pytest.fixture
def said() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def widget(run: Run, said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> ListWidget:
    from flownb.widgets.lists.widget import ListWidget

    monkeypatch.setattr(ListWidget, "send", lambda _, message, buffers=None: said.append(message))
    return ListWidget("home", run.store, [RequestsPart(run.store), RunsPart(run.store)])


def ask(widget: ListWidget, **message: Any) -> None:
    widget._asked(None, {"id": "1", **message}, [])


def test_the_whole_has_every_part_and_a_number(widget: ListWidget) -> None:
    whole = widget.whole()
    assert {"runs", "requests", "opened", "icons", "number", "now"} <= set(whole)
    assert whole["requests"]["rows"][0]["line"] == "Post 3 EUR?"


def test_an_answer_from_elsewhere_is_news(widget: ListWidget, run: Run, said: list[dict[str, Any]]) -> None:
    run.approvals[0].approve()
    wait_for(lambda: any("requests" in each and each["requests"]["total"] == 0 for each in said))
    wait_for(lambda: any("runs" in each and each["runs"]["counts"] == {"completed": 1} for each in said))
    numbers = [each["number"] for each in said if each["kind"] == "news"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_is_asked_is_shown_at_once_and_acknowledged(
    widget: ListWidget, run: Run, said: list[dict[str, Any]]
) -> None:
    (asked,) = run.approvals
    ask(widget, ask="unfold", run=run.id, approval=asked.id, on=True)
    assert asked.id in said[0]["requests"]["open"]
    assert said[1] == {"kind": "done", "id": "1"}
    ask(widget, ask="find", part="runs", status=["failed"])
    assert said[2]["runs"]["rows"] == []
    ask(widget, ask="decide", run=run.id, approval=asked.id, port="approved", comment="fine")
    wait_for(lambda: run.status == "completed")
    assert run.approvals[0].comment == "fine"


@pytest.mark.parametrize(
    "message",
    [
        {"ask": "decide", "run": "none", "approval": "none", "port": "approved"},
        {"ask": "attach", "run": "none"},
        {"ask": "find", "part": "nothing"},
        {"ask": "unfold", "run": 7, "approval": []},
        {"ask": None},
        {},
    ],
)
def test_what_can_not_be_done_is_refused_in_a_sentence(
    widget: ListWidget, said: list[dict[str, Any]], message: dict[str, Any]
) -> None:
    ask(widget, **message)
    assert said[-1]["kind"] == "refused"
    assert said[-1]["message"].endswith((".", "way."))


def test_a_second_answer_is_refused_with_the_first(widget: ListWidget, run: Run, said: list[dict[str, Any]]) -> None:
    (asked,) = run.approvals
    asked.reject(comment="no")
    ask(widget, ask="decide", run=run.id, approval=asked.id, port="approved")
    refusal = next(each for each in said if each["kind"] == "refused")
    assert "rejected" in refusal["message"]


def test_what_is_no_message_is_passed_over(widget: ListWidget, said: list[dict[str, Any]]) -> None:
    widget._asked(None, "nonsense", [])
    assert said == []
