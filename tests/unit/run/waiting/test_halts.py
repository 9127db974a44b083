"""What breakpoints and steps promise, on the real engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunPaused
from flownb.errors import NotFound
from flownb.model.events import SystemInfo
from flownb.model.status import NodeStatus, PauseReason
from flownb.run.request import Request
from flownb.run.start import start
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


def chain() -> Flow:
    flow = Flow("chain")

    @flow.node
    def a() -> int:
        return 1

    @flow.node
    def b(a: int) -> int:
        return a + 1

    @flow.node
    def c(b: int) -> int:
        return b + 1

    @flow.node
    async def beside() -> str:
        return "beside"

    return flow


def run(flow: Flow) -> Run:
    return flow.run(store="memory:", display=False)


def halted(run: Run) -> dict[str, str]:
    wait_for(lambda: run.resting)
    assert run.pause_reason is PauseReason.BREAKPOINT, run
    return {node.id: str(node.status) for node in run}


def test_a_run_halts_before_a_node_and_the_rest_goes_on() -> None:
    flow = chain()
    flow.breakpoint("b")
    stopped = run(flow)
    assert halted(stopped) == {"a": "completed", "b": "pending", "c": "pending", "beside": "completed"}
    assert stopped.state.message == "Stopped before b; run.step() runs one node, run.resume() goes on."
    with pytest.raises(RunPaused, match="breakpoint"):
        stopped.result(5)
    assert stopped.resume().result(5) == {"c": 3, "beside": "beside"}


def test_a_step_runs_one_node() -> None:
    flow = chain()
    flow.breakpoint("b")
    stopped = run(flow)
    halted(stopped)
    stopped.step()
    wait_for(lambda: stopped["b"].status is NodeStatus.COMPLETED)
    assert halted(stopped)["c"] == "pending"
    stopped.step()
    assert stopped.result(5) == {"c": 3, "beside": "beside"}


def test_a_breakpoint_is_set_and_cleared_on_a_run_that_rests() -> None:
    flow = chain()
    flow.breakpoint("b")
    stopped = run(flow)
    halted(stopped)
    stopped.breakpoint("c")
    stopped.resume()
    wait_for(lambda: stopped["b"].status is NodeStatus.COMPLETED)
    assert halted(stopped)["c"] == "pending"
    stopped.breakpoint("c", on=False)
    assert stopped.resume().result(5)["c"] == 3


def test_a_breakpoint_is_set_on_a_run_at_work() -> None:
    flow, go, begun = Flow("live"), threading.Event(), threading.Event()

    @flow.node
    def slow() -> int:
        begun.set()
        go.wait(5)
        return 1

    @flow.node
    def then(slow: int) -> int:
        return slow

    live = run(flow)
    begun.wait(5)
    live.breakpoint("then")
    go.set()
    assert halted(live)["then"] == "pending"
    assert live.resume().result(5) == {"then": 1}


def test_a_breakpoint_inside_a_loop_holds_each_round() -> None:
    flow = Flow("loop")
    with flow.loop("each", over=[1, 2]):

        @flow.node
        def same(item: int) -> int:
            return item

    flow.breakpoint("same")
    stopped = run(flow)
    assert halted(stopped) == {"each": "running", "each[0].same": "pending", "each[1].same": "pending"}
    stopped.step()
    wait_for(lambda: stopped["each[0].same"].status is NodeStatus.COMPLETED)
    halted(stopped)
    assert stopped.resume().result(5) == {"each": [1, 2]}


def test_another_process_halts_where_the_first_did(tmp_path: Any) -> None:
    flow, url = chain(), f"sqlite:///{tmp_path}/flownb.db"
    flow.breakpoint("b")
    first = flow.run(store=url, display=False, key="k")
    halted(first)
    again = flow.run(store=url, display=False, key="k")
    assert again.id == first.id
    assert again.pause_reason is PauseReason.BREAKPOINT
    assert again.resume().result(5)["c"] == 3


def test_a_headless_run_ignores_breakpoints_and_says_so() -> None:
    flow = chain()
    request = Request(definition=flow.definition(), store=run(flow).store, breakpoints=("b",), headless=True)
    headless = start(request)
    assert headless.result(5)["c"] == 3
    told = [record.event.message for record in headless.events() if isinstance(record.event, SystemInfo)]
    assert told == ["Breakpoints do not count in a headless run: nothing stops before b."]


def test_only_a_node_has_a_breakpoint() -> None:
    flow = chain()
    with pytest.raises(NotFound, match="has no node 'bb'"):
        flow.breakpoint("bb")
    done = run(flow)
    done.result(5)
    with pytest.raises(NotFound, match="has no node 'bb'"):
        done.breakpoint("bb")
