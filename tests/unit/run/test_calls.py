"""Workflows that are started because a run failed or has a status now: once for each, and never in a chain."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, UsageError
from flownb.model.events import RunCancelledEvent, RunCompleted, RunFailedEvent
from flownb.model.events import RunPaused as RunPausedEvent
from flownb.run import calls
from flownb.store.memory import MemoryStore
from flownb.testing import Crash, Simulation, Stuck, crash_at
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.store.contract import RunRow, Store

SECONDS = 10.0


def alert(told: list[Any], *, fails: bool = False) -> Flow:
    flow = Flow("alert")
    failed = flow.add("trigger.error", "failed")

    @flow.node
    def tell(failed: dict[str, Any]) -> None:
        told.append(failed)
        if fails:
            raise RuntimeError("nobody can be told")

    flow.on_failure(flow)
    assert failed.id == "failed"
    return flow


def broken(told: Flow) -> Flow:
    flow = Flow("invoices")
    flow.node(lambda amount: 100 / amount, id="load")
    flow.on_failure(told)
    return flow


def run(flow: Flow, store: Store, **inputs: Any) -> Run:
    run = flow.run(store=store, display=False, **inputs)
    try:
        run.result(SECONDS)
    except RunFailed:
        return run
    return run


def started(store: Store) -> list[RunRow]:
    return [row for row in store.rows() if row.trigger == "error"]


def test_another_workflow_is_started_and_told_what_is_known() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), alert(told)
    failed = run(broken(handler), store, amount=0)
    wait_for(lambda: told and not store.error_calls())
    (payload,) = told
    assert payload["error"]["type"] == "ZeroDivisionError"
    assert {name: payload[name] for name in ("run", "workflow", "last_node", "retry_of")} == {
        "run": failed.id, "workflow": "invoices", "last_node": "load", "retry_of": None
    }  # fmt: skip
    (row,) = started(store)
    assert (row.workflow, row.key) == ("alert", f"error:{failed.id}:{failed.events()[-1].event.at:.6f}")


def test_a_run_that_goes_well_starts_nothing() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), alert(told)
    run(broken(handler), store, amount=4)
    assert store.error_calls() == []
    assert started(store) == []


def test_each_failure_of_a_run_is_told_once() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), alert(told)
    failed = run(broken(handler), store, amount=0)
    wait_for(lambda: len(told) == 1 and not store.error_calls())
    calls.answer(store)
    failed.resume()
    with pytest.raises(RunFailed):
        failed.result(SECONDS)
    wait_for(lambda: len(told) == 2 and not store.error_calls())
    assert len(started(store)) == 2


def test_a_handler_that_fails_starts_nobody_not_even_itself() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), alert(told, fails=True)
    run(broken(handler), store, amount=0)
    wait_for(lambda: told and not store.error_calls())
    (row,) = started(store)
    wait_for(lambda: store.row(row.id).status == "failed")  # type: ignore[union-attr]  # it is there
    assert len(list(store.rows())) == 2


def test_started_by_hand_the_trigger_gives_an_example() -> None:
    told: list[Any] = []
    run(alert(told), MemoryStore())
    assert told[0]["error"]["message"] == "an example of an error"


def test_expressions_see_what_the_trigger_says() -> None:
    handler = Flow("alert")
    handler.set_variable("text", "text", "{{ trigger.payload.workflow }}: {{ trigger.payload.error.message }}")
    store, flow = MemoryStore(), broken(handler)
    run(flow, store, amount=0)
    wait_for(lambda: started(store) and not store.error_calls())
    events = [record.event for record in store.events(started(store)[0].id)]
    assert "invoices: division by zero" in str(events)


@pytest.mark.parametrize(
    "point",
    ["run.after_finish:1", "run.created:2", "tick.after_commit:3", "tick.before_commit:3", "node.before_body:2"],
)
def test_a_kill_between_the_failure_and_the_end_of_what_it_starts_is_caught_up(point: str) -> None:
    told: list[Any] = []
    handler = alert(told)
    flow = broken(handler)
    name, _, nth = point.partition(":")
    with Simulation(3) as simulation:
        with crash_at(name, nth=int(nth)), contextlib.suppress(Crash, Stuck):
            simulation.run(flow, key="k", amount=0)
            simulation.until(lambda: False)
        if not simulation.worker.dead:
            simulation.crash()
        calls._taken.clear()  # what the process that died knew
        calls._at_work.clear()
        simulation.restart()
        again = simulation.run(flow, key="k", amount=0)
        simulation.settle(again)
        simulation.settle(simulation.run(Flow("other")))
        simulation.until(lambda: told and not simulation.store.error_calls(), 60)
        assert len([each for each in again.events() if isinstance(each.event, RunFailedEvent)]) == 1
        assert len(started(simulation.store)) == 1
        assert {each["run"] for each in told} == {again.id}


# --- because of a status


def report(told: list[Any]) -> Flow:
    flow = Flow("report")
    flow.add("trigger.status", "now")

    @flow.node
    def tell(now: dict[str, Any]) -> None:
        told.append(now)

    return flow


def started_for(store: Store) -> list[RunRow]:
    return [row for row in store.rows() if row.trigger == "status"]


def quotient(told: Flow, *statuses: str) -> Flow:
    flow = Flow("quotient")
    flow.node(lambda amount: 100 / amount, id="load")
    flow.on_status(statuses, told)
    return flow


def test_a_completed_run_starts_what_is_named_for_it_and_tells_of_itself() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), report(told)
    done = run(quotient(handler, "completed"), store, amount=8)
    wait_for(lambda: told and not store.status_calls())
    (payload,) = told
    assert {name: payload[name] for name in ("run", "workflow", "status", "pause_reason", "outputs", "previews")} == {
        "run": done.id,
        "workflow": "quotient",
        "status": "completed",
        "pause_reason": None,
        "outputs": {"load": 12.5},
        "previews": {"load": "12.5"},
    }
    assert payload["started_at"] <= payload["finished_at"]
    assert payload["duration_ms"] >= 0
    (row,) = started_for(store)
    assert (row.workflow, row.key) == ("report", f"status:{done.id}:{done.events()[-1].event.at:.6f}:completed")


def test_a_status_that_is_not_named_starts_nothing() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), report(told)
    run(quotient(handler, "paused", "cancelled"), store, amount=8)
    run(quotient(handler, "completed"), store, amount=0)
    assert store.status_calls() == []
    assert started_for(store) == []


def test_a_failure_can_start_one_workflow_as_an_error_and_one_as_a_status() -> None:
    told: list[Any] = []
    alerted: list[Any] = []
    store, handler, alarm = MemoryStore(), report(told), alert(alerted)
    flow = quotient(handler, "failed")
    flow.on_failure(alarm)
    failed = run(flow, store, amount=0)
    wait_for(lambda: told and alerted and not store.status_calls() and not store.error_calls())
    assert [each["run"] for each in (*told, *alerted)] == [failed.id] * 2
    assert (told[0]["status"], told[0]["message"], told[0]["outputs"]) == ("failed", "division by zero", {})


def test_each_pause_and_the_end_after_it_are_told_by_themselves() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), report(told)
    flow = Flow("asks")
    flow.add("human.approval", "ok", question="Post?")
    flow.on_status(["paused", "cancelled"], handler)
    asked = flow.run(store=store, display=False)
    wait_for(lambda: len(told) == 1 and not store.status_calls())
    assert (told[0]["status"], told[0]["pause_reason"], told[0]["finished_at"]) == ("paused", "human", None)
    asked.cancel()
    wait_for(lambda: store.row(asked.id).status == "cancelled")  # type: ignore[union-attr]  # it is there
    wait_for(lambda: "cancelled" in [each["status"] for each in told] and not store.status_calls())
    # It may have paused once more, on its way to the end.
    happened = [record.event for record in store.events(asked.id)]
    changes = [event for event in happened if isinstance(event, RunPausedEvent | RunCancelledEvent)]
    assert len(told) == len(started_for(store)) == len(changes) >= 2
    assert {each["run"] for each in told} == {asked.id}


def test_what_is_large_or_of_a_class_is_told_as_a_text_only() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), report(told)
    flow = Flow("many")
    flow.node(lambda: "x" * 100_000, id="large")
    flow.node(lambda: {"a": {1, 2}}, id="classes")
    flow.node(lambda: [1, {"b": None}], id="small")
    flow.on_status("completed", handler)
    run(flow, store)
    wait_for(lambda: told and not store.status_calls())
    assert told[0]["outputs"] == {"small": [1, {"b": None}]}
    assert set(told[0]["previews"]) == {"large", "classes", "small"}
    assert all(len(text) < 300 for text in told[0]["previews"].values())


def test_a_workflow_that_is_started_for_a_status_starts_nobody_not_even_itself() -> None:
    told: list[Any] = []
    store, handler = MemoryStore(), report(told)
    handler.on_status(["completed", "failed"], handler)
    handler.on_failure(handler)
    run(handler, store)
    wait_for(lambda: len(told) == 2 and not store.status_calls())
    (row,) = started_for(store)
    wait_for(lambda: store.row(row.id).status == "completed")  # type: ignore[union-attr]  # it is there
    assert len(list(store.rows())) == 2
    assert told[0]["run"] == "example"


def test_expressions_see_what_is_told_of_a_status() -> None:
    handler = Flow("report")
    handler.set_variable("text", "text", "{{ trigger.type }} {{ trigger.payload.status }}: {{ trigger.payload.run }}")
    store = MemoryStore()
    done = run(quotient(handler, "completed"), store, amount=8)
    wait_for(lambda: started_for(store) and not store.status_calls())
    events = [record.event for record in store.events(started_for(store)[0].id)]
    assert f"status completed: {done.id}" in str(events)


def test_a_status_for_which_nothing_can_be_started_is_refused_with_the_near_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'completed'"):
        Flow("f").on_status("complete", "jobs:tell")
    with pytest.raises(UsageError, match="'running'"):
        Flow("f").on_status(["completed", "running"], "jobs:tell")


@pytest.mark.parametrize(
    "point",
    ["run.after_finish:1", "run.created:2", "tick.after_commit:3", "tick.before_commit:3", "node.before_body:2"],
)
def test_a_kill_between_a_status_and_the_end_of_what_it_starts_is_caught_up(point: str) -> None:
    told: list[Any] = []
    handler = report(told)
    flow = quotient(handler, "completed")
    name, _, nth = point.partition(":")
    with Simulation(3) as simulation:
        with crash_at(name, nth=int(nth)), contextlib.suppress(Crash, Stuck):
            simulation.run(flow, key="k", amount=8)
            simulation.until(lambda: False)
        if not simulation.worker.dead:
            simulation.crash()
        calls._taken.clear()  # what the process that died knew
        calls._at_work.clear()
        simulation.restart()
        again = simulation.run(flow, key="k", amount=8)
        simulation.settle(again)
        simulation.settle(simulation.run(Flow("other")))
        simulation.until(lambda: told and not simulation.store.status_calls(), 60)
        assert len([each for each in again.events() if isinstance(each.event, RunCompleted)]) == 1
        assert len(started_for(simulation.store)) == 1
        assert {each["run"] for each in told} == {again.id}
