"""Retry, skip and set-variable on a run at work, in every state that a node can be in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.model import commands as cmd
from flownb.model.events import NodeStarted, SystemWarning
from tests.unit.run.test_run import run, statuses
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

SECONDS = 10.0


def warnings_of(running: Run) -> list[str]:
    return [record.event.message for record in running.events() if isinstance(record.event, SystemWarning)]


@pytest.fixture
def go() -> Any:
    event = threading.Event()
    yield event
    event.set()


def flow_of_all_states(go: threading.Event, tries: list[int]) -> Flow:
    flow = Flow("states")

    @flow.node
    def running() -> int:
        go.wait(SECONDS)
        return 1

    @flow.node(retry={"attempts": 2, "delay": 300.0, "jitter": 0.0})
    def between() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("once")
        return 2

    @flow.node(on_error="pause")
    def waiting() -> int:
        raise ValueError("no")

    flow.node(lambda: 4, id="completed")
    big = flow.condition("big", "completed > 10")
    flow.node(lambda completed: completed, id="gone", after=big.true)
    flow.node(lambda running: running, id="pending")
    return flow


ALL_STATES = {
    "running": "running", "between": "running", "waiting": "waiting", "completed": "completed", "big": "completed",
    "gone": "skipped", "pending": "pending",
}  # fmt: skip


def settle(running: Run) -> None:
    number = running.state.topology.index["between"]
    wait_for(lambda: statuses(running) == ALL_STATES and number in running.state.retries)


@pytest.mark.parametrize(
    ("node", "after"), [("running", "skipped"), ("between", "skipped"), ("waiting", "skipped"), ("pending", "skipped")]
)
def test_a_node_that_has_not_ended_is_skipped_for_good(node: str, after: str, go: threading.Event) -> None:
    running = run(flow_of_all_states(go, []))
    settle(running)
    running.skip(node)
    wait_for(lambda: running[node].status == after)
    assert running[node].why == "skipped by you" or "skipped by" in running[node].why
    for other in ("between", "waiting"):
        running.skip(other)
    go.set()
    outputs = running.result(SECONDS)
    assert running[node].status == "skipped"
    assert node not in outputs


@pytest.mark.parametrize(
    ("asked", "node", "said"),
    [
        ("skip", "completed", "The skip of completed changed nothing: it is completed."),
        ("skip", "gone", "The skip of gone changed nothing: it is skipped (big took false, not true)."),
        ("retry", "running", "The retry of running changed nothing: it is running."),
        ("retry", "pending", "The retry of pending changed nothing: it is pending."),
        ("retry", "completed", "The retry of completed changed nothing: it is completed."),
        ("retry", "gone", "The retry of gone changed nothing: it is skipped (big took false, not true)."),
    ],
)
def test_what_makes_no_sense_now_changes_nothing_and_says_so(
    asked: str, node: str, said: str, go: threading.Event
) -> None:
    running = run(flow_of_all_states(go, []))
    settle(running)
    before = statuses(running)
    getattr(running, asked)(node)
    wait_for(lambda: warnings_of(running))
    assert warnings_of(running) == [said]
    assert statuses(running) == before
    running.cancel()
    go.set()


def test_a_retry_between_two_attempts_is_the_next_attempt_at_once(go: threading.Event) -> None:
    tries: list[int] = []
    running = run(flow_of_all_states(go, tries))
    settle(running)
    running.retry("between")
    wait_for(lambda: running["between"].status == "completed")
    started = [r.event for r in running.events() if isinstance(r.event, NodeStarted) and r.event.node == "between"]
    assert [event.attempt for event in started] == [1, 2]
    running.skip("waiting")
    go.set()
    assert running.result(SECONDS)["between"] == 2


def test_a_command_for_a_node_that_there_is_not_names_the_near_one(go: threading.Event) -> None:
    running = run(flow_of_all_states(go, []))
    settle(running)
    running.send(cmd.SkipNode(node="runing"))
    wait_for(lambda: warnings_of(running))
    assert (
        "The skip of runing changed nothing: the run has no such node. Did you mean 'running'"
        in warnings_of(running)[0]
    )
    running.cancel()
    go.set()


def test_a_variable_that_is_set_is_seen_by_a_node_that_runs_and_by_those_after_it(go: threading.Event) -> None:
    flow = Flow("variables")

    @flow.node
    def looks(ctx: Any) -> Any:
        while not go.is_set():
            if "price" in ctx.variables:
                return ctx.variables["price"]
            threading.Event().wait(0.005)
        return None

    @flow.node
    def later(looks: Any, ctx: Any) -> Any:
        return [looks, ctx.variables["price"]]

    running = run(flow)
    running.set("price", 3)
    assert running.result(SECONDS) == {"later": [3, 3]}
