"""What a subflow promises: one child, whatever happens to either of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunCancelled, RunFailed, RunPaused
from flownb.errors import InvalidWorkflow, UsageError
from flownb.model import events as ev
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from flownb.run.handles.describe import describe
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.place import open_store
from flownb.testing import Crash, Simulation, check_journal, crash_at
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store=open_store("memory:"), display=False, **inputs)


def billing(**nodes: Callable[..., Any]) -> Flow:
    """A flow with the inputs `order` and `currency`."""
    flow = Flow("billing")

    @flow.node
    async def price(order: dict[str, float]) -> float:
        return order["amount"] * 2

    @flow.node
    async def bill(price: float, currency: str = "EUR") -> str:
        return f"{price:g} {currency}"

    for name, function in nodes.items():
        flow.node(function, id=name)
    return flow


def shop(child: Flow | str, **options: Any) -> Flow:
    flow = Flow("shop")

    @flow.node
    async def load() -> dict[str, float]:
        return {"amount": 21}

    flow.subflow("billed", child, inputs={"order": load}, **options)

    @flow.node
    async def send(billed: dict[str, Any]) -> Any:
        return billed["bill"]

    return flow


def child_of(parent: Run, node: str = "billed") -> str:
    wait_for(lambda: parent[node].child is not None)
    child = parent[node].child
    assert child is not None
    return child


# --- what it does -----------------------------------------------------------------------------------------------------


def test_its_output_is_a_table_of_the_outputs_of_the_flow() -> None:
    done = run(shop(billing()))
    assert done.result(5) == {"send": "42 EUR"}
    assert done["billed"].output == {"bill": "42 EUR"}


def test_inputs_come_by_edges_and_by_values_that_may_be_templates() -> None:
    done = run(shop(billing(), values={"currency": "{{ load.amount }} USD"}))
    assert done.result(5) == {"send": "42 21 USD"}


def test_a_node_and_its_child_name_one_another() -> None:
    done = run(shop(billing()))
    done.result(5)
    child = child_of(done)
    above, beneath = describe(done.store, done.id), describe(done.store, child)
    assert above["nodes"]["billed"]["child"] == child
    assert (beneath["parent"], beneath["parent_node"], beneath["trigger"]) == (done.id, "billed", "flow")
    assert beneath["key"] == f"{done.id}:billed"
    begun = [record.event for record in done.events() if isinstance(record.event, ev.ChildStarted)]
    assert [(each.node, each.run, each.workflow) for each in begun] == [("billed", child, "billing")]
    assert done["send"].child is None


def test_a_large_value_is_the_same_in_the_child() -> None:
    import pandas as pd

    flow, inner = Flow("outer"), Flow("inner")
    flow.node(lambda: pd.DataFrame({"a": [1, 2]}), id="load")
    inner.node(lambda rows: rows.assign(b=rows.a * 2), id="twice")
    flow.subflow("sub", inner, inputs={"rows": "load"})
    flow.node(lambda sub: list(sub["twice"].b), id="last")
    assert run(flow).result(5) == {"last": [2, 4]}


def test_it_runs_the_flow_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "billing_flow.py").write_text(
        "from flownb import Flow\nflow = Flow('billing')\n\n@flow.node\ndef bill(order):\n    return order['amount']\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert run(shop("billing_flow:flow")).result(5) == {"send": 21}
    finally:
        sys.modules.pop("billing_flow", None)


TRANSFORM = {
    "format": 1,
    "name": "billing",
    "variables": [{"name": "order", "type": "object"}],
    "nodes": [{"id": "bill", "type": "control.transform", "config": {"fields": {"total": "{{ order.amount + 1 }}"}}}],
}


def test_it_runs_a_workflow_file_and_knows_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flow = shop("billing.json")
    assert "There is no workflow billing.json" in str(flow.validate()[0])
    (tmp_path / "billing.json").write_text(json.dumps(TRANSFORM))
    flow = shop("billing.json")
    assert flow.validate() == []
    assert [port.name for port in flow.registry.ports_of(flow.build().nodes[1]).inputs] == ["order"]
    assert run(flow).result(5) == {"send": {"total": 22}}


def test_it_runs_the_newest_definition_of_a_workflow_of_the_store() -> None:
    store = open_store("memory:")
    inner = Flow("billing")
    inner.variable("order")
    inner.add("control.transform", "bill", fields={"total": "{{ order.amount + 1 }}"})
    inner.run(order={"amount": 1}, store=store, display=False).result(5)
    assert shop("billing").run(store=store, display=False).result(5) == {"send": {"total": 22}}


def test_an_unknown_workflow_is_a_sentence() -> None:
    with pytest.raises(RunFailed, match="No workflow 'biling' has run in memory:"):
        run(shop("biling")).result(5)


def test_it_can_be_in_a_loop_each_round_with_a_child_of_its_own() -> None:
    flow, inner = Flow("loops"), Flow("inner")
    inner.node(lambda n: n * 10, id="tens")
    each = flow.loop("each", over=[1, 2, 3])
    with each:
        flow.subflow("sub", inner, inputs={"n": each.item})
    done = run(flow)
    assert done.result(5) == {"each": [{"tens": 10}, {"tens": 20}, {"tens": 30}]}
    assert len({done[f"each[{n}].sub"].child for n in range(3)}) == 3


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_failed_child_fails_the_node_with_its_node_and_its_run() -> None:
    def tax(price: float) -> float:
        raise ValueError("no tax today")

    failed = run(shop(billing(tax=tax)))
    with pytest.raises(RunFailed, match=r"billing failed at tax: ValueError: no tax today \(its run is "):
        failed.result(5)
    assert child_of(failed) in str(failed["billed"].error)


def test_a_retry_goes_on_with_the_child_and_repeats_nothing() -> None:
    tries: list[str] = []

    async def tax(price: float) -> float:
        tries.append("tax")
        if len(tries) < 3:
            raise OSError("again")
        return price

    done = run(shop(billing(tax=tax), retry={"attempts": 3, "delay": 0}))
    assert done.result(5) == {"send": "42 EUR"}
    state = read_state(done.store, require_row(done.store, child_of(done)))
    assert state.attempts[state.topology.index["price"]] == 1
    assert len([row for row in done.store.rows() if row.parent == done.id]) == 1


def test_a_resumed_run_goes_on_with_the_child_that_failed() -> None:
    broken = [True]

    def tax(price: float) -> float:
        if broken:
            raise ValueError("no")
        return price

    failed = run(shop(billing(tax=tax)))
    with pytest.raises(RunFailed):
        failed.result(5)
    broken.clear()
    assert failed.resume().result(5) == {"send": "42 EUR"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": {"curency": "USD"}}, "billing has no input 'curency'. Did you mean"),
        ({"values": {"price": 3}}, "'price' is a node, not an input"),
    ],
)
def test_wrong_inputs_are_a_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RunFailed, match=message):
        run(shop(billing(), **options)).result(5)


def test_a_missing_input_is_a_sentence() -> None:
    flow = Flow("shop")
    flow.subflow("billed", billing())
    with pytest.raises(RunFailed, match=r"The input 'order' \(\w+\) is missing"):
        run(flow).result(5)


def test_what_is_wrong_with_a_flow_is_found_before_the_run() -> None:
    inner = billing()
    inner.node(lambda a: a, id="after")
    with pytest.raises(InvalidWorkflow, match="billed: .*No node can have the id 'after'"):
        run(shop(inner))


def test_a_flow_that_runs_itself_comes_to_an_end() -> None:
    flow = Flow("self")
    flow.subflow("again", flow)
    with pytest.raises(RunFailed, match="20 runs lie beneath one another already"):
        run(flow).result(20)


def test_a_flow_that_runs_itself_may_end_by_a_condition() -> None:
    flow = Flow("self")

    @flow.node
    def more(n: int) -> int:
        return n - 1

    go = flow.condition("go", "more > 0")
    flow.subflow("again", flow, inputs={"n": more}, after=go.true)
    done = run(flow, n=3)
    done.result(5)
    beneath = {row.parent: row.id for row in done.store.rows()}
    deepest = beneath[beneath[done.id]]
    assert read_state(done.store, require_row(done.store, deepest)).inputs == {"n": 1}
    assert deepest not in beneath


def test_only_a_flow_or_a_target_is_run() -> None:
    with pytest.raises(UsageError, match="a subflow runs a Flow, `module:flow` or a workflow.json, not 3"):
        Flow("x").subflow("s", 3)  # type: ignore[arg-type]  # that is the point


def test_a_fork_begins_a_child_of_its_own_and_leaves_that_of_the_other_alone() -> None:
    done = run(shop(billing()))
    done.result(5)
    before = next(record.seq for record in done.events() if record.event == _begun(done)) + 1
    fork = done.fork(at=before, set={"load": {"amount": 1}})
    assert fork.result(5) == {"send": "2 EUR"}
    assert fork["billed"].child != done["billed"].child
    assert done["billed"].output == {"bill": "42 EUR"}


def _begun(done: Run) -> ev.ChildStarted:
    return next(record.event for record in done.events() if isinstance(record.event, ev.ChildStarted))


# --- pauses and cancellation ------------------------------------------------------------------------------------------


def paid() -> Flow:
    """A flow that waits for a signal."""
    flow = Flow("paid")
    flow.variable("order", default=None)
    flow.wait_for_event("bill", "paid")
    return flow


def test_a_child_that_waits_parks_the_node_and_its_answer_carries_both_on() -> None:
    parked = run(shop(paid()))
    wait_for(lambda: parked.status is RunStatus.PAUSED)
    assert f"billed for its run {child_of(parked)} (event)" in parked.state.message
    assert parked.pause_reason is PauseReason.EVENT
    assert parked["billed"].status is NodeStatus.WAITING
    child = _handle(parked, child_of(parked))
    child.signal("paid", "cash")
    wait_for(lambda: parked.status is RunStatus.COMPLETED)
    assert parked.result(5) == {"send": "cash"}


def _handle(parent: Run, child: str) -> Run:
    """The handle on a run of this process, as whoever began it has it."""
    import gc

    from flownb.run.handles.handle import Run as Handle

    return next(each for each in gc.get_objects() if isinstance(each, Handle) and each.id == child)


def test_a_node_whose_child_waits_holds_up_nobody_and_goes_on_beside_others() -> None:
    flow, held = shop(paid()), asyncio.Event()

    @flow.node
    async def beside() -> int:
        await held.wait()
        return 1

    going = run(flow)
    wait_for(lambda: going["billed"].status is NodeStatus.WAITING)
    assert going.status is RunStatus.RUNNING
    _handle(going, child_of(going)).signal("paid", "cash")
    wait_for(lambda: going["send"].status is NodeStatus.COMPLETED)
    going._execution.engine.loop.call_soon_threadsafe(held.set)  # type: ignore[union-attr]  # it belongs to that loop
    assert going.result(5) == {"send": "cash", "beside": 1}


def slow(begun: threading.Event) -> Flow:
    flow = Flow("slow")
    flow.variable("order", default=None)

    @flow.node
    async def first() -> int:
        begun.set()
        await asyncio.sleep(0.05)
        return 1

    @flow.node
    async def bill(first: int) -> int:
        await asyncio.sleep(0)
        return first + 1

    return flow


def test_a_pause_reaches_the_child_and_a_resumption_too() -> None:
    begun = threading.Event()
    paused = run(shop(slow(begun)))
    begun.wait(5)
    paused.pause()
    with pytest.raises(RunPaused):
        paused.result(5)
    child = require_row(paused.store, child_of(paused))
    assert (child.status, child.pause_reason) == ("paused", "manual")
    assert paused.resume().result(5) == {"send": 2}
    state = read_state(paused.store, child)
    assert state.attempts[state.topology.index["first"]] == 1


def endless(begun: threading.Event, ended: list[str]) -> Flow:
    flow = Flow("endless")
    flow.variable("order", default=None)

    @flow.node
    async def bill() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("bill")

    return flow


def test_a_cancellation_reaches_the_child_first() -> None:
    begun, ended = threading.Event(), list[str]()
    cancelled = run(shop(endless(begun, ended)))
    begun.wait(5)
    cancelled.cancel()
    with pytest.raises(RunCancelled):
        cancelled.result(5)
    assert ended == ["bill"]
    assert require_row(cancelled.store, child_of(cancelled)).status == "cancelled"


def test_a_cancellation_reaches_a_child_that_rests_and_what_is_beneath_it() -> None:
    middle = Flow("middle")
    middle.subflow("inner", paid())
    flow = Flow("outer")
    flow.subflow("billed", middle)
    parked = run(flow)
    wait_for(lambda: parked.status is RunStatus.PAUSED)
    child = child_of(parked)
    grandchild = read_state(parked.store, require_row(parked.store, child)).children[0]
    parked.cancel()
    with pytest.raises(RunCancelled):
        parked.result(5)
    wait_for(lambda: require_row(parked.store, child).status == "cancelled")
    wait_for(lambda: require_row(parked.store, grandchild).status == "cancelled")


def test_a_skipped_node_cancels_its_child() -> None:
    begun, ended = threading.Event(), list[str]()
    skipped = run(shop(endless(begun, ended)))
    begun.wait(5)
    skipped.skip("billed")
    skipped.result(5)
    wait_for(lambda: require_row(skipped.store, child_of(skipped)).status == "cancelled")


def test_a_losing_branch_cancels_its_child() -> None:
    begun, ended = threading.Event(), list[str]()
    flow = Flow("race")
    ways = flow.parallel("ways", ["slow", "quick"], wait_for="any")
    with ways.slow:
        flow.subflow("billed", endless(begun, ended))
    with ways.quick:
        flow.node(lambda: begun.wait(5), id="quick")
    done = run(flow)
    assert done.result(5) == {"ways": {"quick": True}}
    wait_for(lambda: require_row(done.store, child_of(done, "ways[slow].billed")).status == "cancelled")


def test_a_run_that_fails_pauses_its_children_so_that_a_resumption_can_go_on_with_them() -> None:
    begun, broken = threading.Event(), [True]
    flow = shop(slow(begun))

    @flow.node
    def breaks() -> None:
        begun.wait(5)
        if broken:
            raise ValueError("no")

    failed = run(flow)
    with pytest.raises(RunFailed):
        failed.result(5)
    wait_for(lambda: require_row(failed.store, child_of(failed)).status == "paused")
    broken.clear()
    assert failed.resume().result(5)["send"] == 2


# --- killed and taken up again ----------------------------------------------------------------------------------------


def chain(effects: list[str]) -> Flow:
    inner = Flow("inner")

    @inner.node
    async def first(order: int) -> int:
        effects.append("first")
        return order + 1

    @inner.node
    async def nap(first: int) -> int:
        await asyncio.sleep(90)
        return first

    inner.delay("later", 3600, inputs={"main": "nap"})

    @inner.node
    async def bill(later: int) -> int:
        effects.append("bill")
        return later * 10

    flow = Flow("chain")
    flow.subflow("billed", inner, values={"order": 1})

    @flow.node
    async def send(billed: dict[str, int]) -> int:
        effects.append("send")
        return billed["bill"]

    return flow


@pytest.mark.parametrize("point", ["tick.before_commit", "tick.after_commit", "run.created"])
def test_whenever_it_dies_there_is_one_child_and_it_does_nothing_twice(point: str) -> None:
    for nth in itertools.count(1):
        effects: list[str] = []
        with Simulation(3) as simulation:
            with crash_at(point, nth=nth) as place:
                for _ in range(9):
                    try:
                        going = simulation.run(chain(effects), key="k")
                        simulation.settle(going, 7200)
                    except Crash:
                        simulation.restart()
                        continue
                    if going.status.ended:
                        break
                    simulation.clock.advance(3700)
            assert going.outputs == {"send": 20}
            rows = list(simulation.store.rows())
            assert sorted(row.workflow for row in rows) == ["chain", "inner"]
            for row in rows:
                check_journal(simulation.store.events(row.id))
            if point == "tick.after_commit":
                assert sorted(effects) == ["bill", "first", "send"]
        if not place.crashed:
            break
    assert nth > (2 if point == "run.created" else 12)
