"""Nodes that act on their run: variables, an early end, a pause where a node failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


def run(flow: Flow, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def test_a_variable_that_a_node_set_is_seen_by_those_after_it() -> None:
    flow = Flow("variables")

    @flow.node
    def load() -> dict[str, int]:
        return {"n": 3}

    flow.set_variable("keep", "n", "{{ load.n }}")
    flow.add("control.set_variable", "more", values={"a": 1, "b": [1, 2]}, after="keep")
    big = flow.condition("big", "variables.n > 2 and variables.b.1 == 2", after="more")

    @flow.node(after=big.true)
    def read(ctx: Any) -> list[Any]:
        return [ctx.variables["n"], ctx.variables["a"]]

    done = run(flow)
    assert done.result(5) == {"read": [3, 1]}
    assert done.state.variables == {"n": 3, "a": 1, "b": [1, 2]}


def test_a_function_sets_variables_with_its_output() -> None:
    from flownb import Output

    flow = Flow("output")

    @flow.node
    def work() -> Output:
        return Output(7, variables={"seen": True})

    @flow.node
    def bad(work: int) -> Output:
        return Output(work, variables={"thing": object()})

    failed = run(flow)
    with pytest.raises(RunFailed, match="bad: the variable 'thing' can't be a object"):
        failed.result(5)
    assert failed.state.variables == {"seen": True}


@pytest.mark.parametrize("failed", [False, True])
def test_a_stop_ends_the_run_early(failed: bool) -> None:
    flow = Flow("stop")

    @flow.node
    def load() -> int:
        return 0

    some = flow.condition("some", "load > 0")
    flow.stop("nothing", "there is nothing to do: {{ load }} rows", failed=failed, after=some.false)

    @flow.node
    async def slow() -> str:
        await asyncio.sleep(60)
        return "slow"

    @flow.node(after="nothing")
    def never() -> str:
        raise AssertionError

    stopped = run(flow)
    if failed:
        with pytest.raises(RunFailed, match="Stopped: there is nothing to do: 0 rows"):
            stopped.result(10)
    else:
        stopped.result(10)
        assert stopped.status is RunStatus.COMPLETED
        assert stopped.state.message == "there is nothing to do: 0 rows"
    assert {node.id: str(node.status) for node in stopped} == {
        "load": "completed",
        "some": "completed",
        "nothing": "completed",
        "slow": "cancelled",
        "never": "cancelled",
    }


def fragile() -> tuple[Flow, dict[str, bool]]:
    flow, world = Flow("fragile"), {"broken": True}

    @flow.node(on_error="pause")
    def fetch() -> str:
        if world["broken"]:
            raise OSError("no network")
        return "fetched"

    @flow.node
    def use(fetch: str) -> str:
        return fetch

    @flow.node
    def beside() -> str:
        return "beside"

    return flow, world


def test_a_failed_node_pauses_the_run_and_a_resumption_tries_again() -> None:
    flow, world = fragile()
    paused = run(flow)
    with pytest.raises(RunPaused, match="fetch failed: no network"):
        paused.result(5)
    assert paused.pause_reason is PauseReason.ERROR
    assert paused["fetch"].status is NodeStatus.WAITING
    assert paused["fetch"].error is not None
    assert paused["beside"].output == "beside"
    with pytest.raises(RunPaused):
        paused.resume().result(5)
    world["broken"] = False
    paused.retry("fetch")
    assert paused.result(5) == {"use": "fetched", "beside": "beside"}


def test_a_node_that_paused_its_run_can_be_skipped() -> None:
    flow, _ = fragile()
    paused = run(flow)
    wait_for(lambda: paused.resting)
    paused.skip("fetch")
    assert paused.result(5) == {"beside": "beside"}
    assert paused["use"].why == "no value for fetch: fetch was skipped (data fetch.main->use.fetch)"


def test_a_start_with_its_key_waits_on_where_a_node_failed(tmp_path: Any) -> None:
    flow, world = fragile()
    url = f"sqlite:///{tmp_path}/flownb.db"
    first = flow.run(store=url, display=False, key="k")
    wait_for(lambda: first.resting)
    world["broken"] = False
    again = flow.run(store=url, display=False, key="k")
    assert again.pause_reason is PauseReason.ERROR
    assert again.resume().result(5) == {"use": "fetched", "beside": "beside"}
