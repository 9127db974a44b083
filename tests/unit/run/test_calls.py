"""Workflows that are started because a run failed: once for each failure, and never in a chain."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed
from flownb.model.events import RunFailedEvent
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
