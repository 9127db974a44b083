"""What a signal promises, on the real engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused
from flownb.errors import InvalidInput, UsageError
from flownb.model.commands import Signal
from flownb.model.status import NodeStatus, PauseReason
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


def waiting_flow(**options: Any) -> Flow:
    flow = Flow("waiting")
    flow.wait_for_event("wait", "paid", **options)

    @flow.node
    def book(wait: Any) -> str:
        return f"booked {wait}"

    return flow


def waits(run: Run, *nodes: str) -> bool:
    return all(run[node].status is NodeStatus.WAITING for node in nodes)


def test_a_signal_is_the_output_of_the_node_that_waits_for_it() -> None:
    run = waiting_flow().run(store="memory:", display=False)
    wait_for(lambda: run.pause_reason is PauseReason.EVENT and run.resting)
    assert "waits for the event 'paid'" in run.state.message
    run.signal("paid", {"amount": 3.5})
    assert run.result(5) == {"book": "booked {'amount': 3.5}"}
    assert run["wait"].ports == ("received",)


def test_a_signal_that_comes_first_is_kept() -> None:
    flow, go = Flow("early"), threading.Event()

    @flow.node
    def first() -> None:
        go.wait(5)

    flow.wait_for_event("one", "paid", after="first")
    flow.wait_for_event("two", "paid", after="one")
    run = flow.run(store="memory:", display=False)
    for number in (1, 2, 3):
        run.signal("paid", number)
    wait_for(lambda: len(run.state.signals.get("paid", [])) == 3)
    go.set()
    assert run.result(5) == {"two": 2}
    assert run["one"].output == 1
    assert run.state.signals == {"paid": [3]}


def test_all_who_wait_get_a_signal_and_others_wait_on() -> None:
    flow = Flow("many")
    for name, event in (("a", "paid"), ("b", "paid"), ("c", "sent")):
        flow.wait_for_event(name, event)
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.resting and waits(run, "a", "b", "c"))
    run.signal("paid")
    wait_for(lambda: run.resting and waits(run, "c") and not waits(run, "a"))
    assert run["b"].output is None
    run.signal("sent", True)
    assert run.result(5) == {"a": None, "b": None, "c": True}


def test_the_name_of_a_signal_may_be_made_from_values() -> None:
    flow = Flow("named")
    flow.variable("order")
    with flow.loop("each", over=[1, 2]):
        flow.wait_for_event("wait", "paid-{{ order }}-{{ item }}")
    run = flow.run(store="memory:", display=False, order="x")
    wait_for(lambda: run.resting)
    run.signal("paid-x-2", "two")
    run.signal("paid-x-1", "one")
    assert run.result(5) == {"each": ["one", "two"]}


def test_an_event_that_does_not_come_in_time_fires_the_timeout() -> None:
    flow = Flow("late")
    wait = flow.wait_for_event("wait", "paid", seconds=0.01)

    @flow.node(after=wait.timeout)
    def remind() -> str:
        return "reminded"

    @flow.node(after=wait.received)
    def book() -> str:
        return "booked"

    run = flow.run(store="memory:", display=False)
    assert run.result(5) == {"remind": "reminded"}
    with pytest.raises(RunFailed, match="The event 'paid' did not come within 0.01 s"):
        waiting_flow(seconds=0.01).run(store="memory:", display=False).result(5)


def test_a_signal_survives_the_process_that_got_it(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/flownb.db"
    flow = waiting_flow()
    run = flow.run(store=url, display=False, key="k")
    wait_for(lambda: run.resting)
    run.store.send(run.id, Signal(name="paid", value=7))  # as another process does
    assert flow.run(store=url, display=False, key="k").result(5) == {"book": "booked 7"}


def test_a_start_with_its_key_waits_on_without_a_signal(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/flownb.db"
    flow = waiting_flow()
    first = flow.run(store=url, display=False, key="k")
    wait_for(lambda: first.resting)
    again = flow.run(store=url, display=False, key="k")
    assert again.id == first.id
    assert again.pause_reason is PauseReason.EVENT


def test_what_can_be_no_signal_is_refused() -> None:
    run = waiting_flow().run(store="memory:", display=False)
    wait_for(lambda: run.resting)
    with pytest.raises(InvalidInput, match="name of a signal is text"):
        run.signal(3)  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidInput, match="can't carry a function"):
        run.signal("paid", lambda: 1)
    run.signal("paid", 1)
    run.result(5)
    with pytest.raises(UsageError, match="is completed"):
        run.signal("paid", 2)


def test_a_paused_run_takes_its_signal_when_it_goes_on() -> None:
    flow, go, begun = Flow("paused"), threading.Event(), threading.Event()
    flow.wait_for_event("wait", "paid")

    @flow.node
    def slow() -> str:
        begun.set()
        go.wait(5)
        return "slow"

    run = flow.run(store="memory:", display=False)
    begun.wait(5)
    wait_for(lambda: waits(run, "wait"))
    run.pause()
    run.signal("paid", 1)
    go.set()
    with pytest.raises(RunPaused):
        run.result(5)
    assert waits(run, "wait")
    assert run.resume().result(5) == {"wait": 1, "slow": "slow"}
