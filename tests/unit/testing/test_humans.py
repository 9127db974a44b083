from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunPaused
from flownb.errors import InvalidInput, UsageError
from flownb.store.memory import MemoryStore
from flownb.testing import approve_all, fake_clock, humans, reject_all
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

FORM = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}


def asking() -> Flow:
    flow = Flow("f")
    ok = flow.approval("ok", "Fine?")
    flow.input("how", "How many?", FORM, after=ok.approved)
    flow.decision("which", "Left or right?", ["left", "right"], after=ok.approved)
    return flow


def start(flow: Flow) -> Run:
    return flow.run(store=MemoryStore(), display=False)


def test_they_answer_everything_and_remember_what_they_were_asked() -> None:
    flow = Flow("f")
    first = flow.approval("first", "One?")
    flow.approval("second", "Two?", after=first.approved)
    with humans(approve_all, by="anna", comment="as always") as people:
        outputs = start(flow).result(5)
    assert [each["port"] for each in outputs.values()] == ["approved"]
    assert outputs["second"]["comment"] == "as always"
    assert [each.question for each in people.asked] == ["One?", "Two?"]


def test_a_run_that_somebody_answers_never_pauses() -> None:
    flow = Flow("f")
    flow.approval("ok", "Fine?")
    with humans(reject_all):
        run = start(flow)
        assert run.result(5)["ok"]["port"] == "rejected"
    assert not [record for record in run.events() if "paused" in str(type(record.event)).lower()]


@pytest.mark.parametrize(
    "script",
    [
        {"ok": "approved", "how": {"n": 3}, "which": "right"},
        lambda asked: {"ok": "approved", "how": ("submitted", {"n": 3}), "which": "right"}[asked.node],
    ],
)
def test_they_follow_a_script(script: Any) -> None:
    with humans(script):
        outputs = start(asking()).result(5)
    assert outputs["how"] == {"n": 3}
    assert outputs["which"]["port"] == "right"


def test_answers_in_the_order_of_the_questions() -> None:
    flow = Flow("f")
    first = flow.approval("first", "One?")
    flow.approval("second", "Two?", after=first.approved)
    with humans(["approved", "rejected"]):
        assert start(flow).result(5)["second"]["port"] == "rejected"


def test_what_they_leave_unanswered_pauses_the_run() -> None:
    flow = Flow("f")
    flow.approval("ok", "Fine?")
    with humans(lambda _: None) as people:
        run = start(flow)
        wait_for(lambda: run.resting)
        assert (run.status, len(people.asked)) == ("paused", 1)
    with humans(approve_all):
        run.approvals[0].approve()
        assert run.result(5)["ok"]["port"] == "approved"


def test_a_wrong_answer_is_raised_where_they_leave() -> None:
    flow = Flow("f")
    flow.input("how", "How many?", FORM)
    people = humans({"how": {"n": "many"}})
    run = start(flow)
    wait_for(lambda: run.resting)
    with pytest.raises(InvalidInput, match="n is 'many', and should be a whole number"):
        people.leave()
    assert run.status == "paused"


def test_only_one_script_at_a_time() -> None:
    with humans(approve_all), pytest.raises(UsageError, match="answer in this process already"):
        humans(approve_all)


def test_a_moved_clock_brings_what_is_due() -> None:
    flow = Flow("f")
    ok = flow.approval("ok", "Fine?", timeout=86_400)
    flow.set_variable("late", "x", "late", after=ok.expired)
    with fake_clock() as clock:
        run = start(flow)
        wait_for(lambda: run.resting)
        clock.advance(-3_600)  # somebody sets the clock back: nothing is due
        with pytest.raises((TimeoutError, RunPaused)):
            run.result(0.3)
        clock.advance(2 * 86_400)
        assert run.result(5) == {"late": "late"}
