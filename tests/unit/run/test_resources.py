"""Named resources: never more in use than there are, nobody waits in a circle or for ever, and all runs share them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flownb import Flow, RunCancelled, RunFailed, Settings
from flownb.model.status import RunStatus
from flownb.run.engine import engine
from flownb.run.resources import Pool, Ticket
from tests.unit.run.test_run import statuses
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

SECONDS = 10.0


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


class Watch:
    """How much is in use at once."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def body(self, **needs: int) -> Any:
        async def body() -> None:
            self.now.update(needs)
            self.most |= self.now
            await asyncio.sleep(0.002)
            self.now.subtract(needs)

        return body


def taking(flow: Flow, name: str, watch: Watch, **needs: int) -> None:
    flow.node(watch.body(**needs), id=name, limits={"resources": needs})


def test_no_more_than_there_is_is_in_use_and_one_where_nothing_is_said() -> None:
    flow, watch = Flow("gpu", settings=Settings(resources={"gpu": 3})), Watch()
    for number in range(12):
        taking(flow, f"a{number}", watch, gpu=1 + number % 3)
        taking(flow, f"b{number}", watch, desktop=1)
    assert run(flow).result(SECONDS).keys() == {node.id for node in flow.build().nodes}
    assert watch.most == {"gpu": 3, "desktop": 1}


def test_all_runs_of_a_process_share_them() -> None:
    watch = Watch()
    runs = []
    for number in range(6):
        flow = Flow(f"r{number}")
        for inner in range(5):
            taking(flow, f"n{inner}", watch, of_this_test=1)
        runs.append(run(flow))
    for each in runs:
        each.result(SECONDS)
    assert watch.most == {"of_this_test": 1}


def test_nodes_that_take_several_in_any_order_never_wait_in_a_circle() -> None:
    flow, watch = Flow("circle", settings=Settings(resources={"a": 2, "b": 2, "c": 1})), Watch()
    wants = [{"a": 1, "b": 1}, {"b": 2, "c": 1}, {"c": 1, "a": 2}, {"a": 1}, {"b": 1}, {"c": 1}]
    for number in range(30):
        taking(flow, f"n{number}", watch, **wants[number % len(wants)])
    run(flow).result(SECONDS)
    assert all(watch.most[name] <= most for name, most in {"a": 2, "b": 2, "c": 1}.items())


def test_who_needs_many_is_not_overtaken_for_ever_by_those_who_need_one() -> None:
    flow, order = Flow("fair", settings=Settings(resources={"gpu": 2}, concurrency=1_000)), []
    for number in range(20):

        async def small(number: int = number) -> None:
            await asyncio.sleep(0.001)
            order.append(number)

        flow.node(small, id=f"s{number}", limits={"resources": {"gpu": 1}})
        if number == 3:

            async def large() -> None:
                order.append(-1)

            flow.node(large, limits={"resources": {"gpu": 2}})
    run(flow).result(SECONDS)
    assert order.index(-1) <= 4


def test_who_has_none_free_keeps_nobody_else_waiting() -> None:
    flow = Flow("beside")
    go = threading.Event()

    @flow.node(limits={"resources": {"of_that_test": 1}})
    def holds() -> None:
        go.wait(SECONDS)

    flow.node(lambda: 1, id="wants", limits={"resources": {"of_that_test": 1}})
    flow.node(lambda: 2, id="free")
    running = run(flow)
    wait_for(lambda: running["free"].status == "completed")
    assert statuses(running) == {"holds": "running", "wants": "pending", "free": "completed"}
    go.set()
    assert running.result(SECONDS) == {"holds": None, "wants": 1, "free": 2}


def test_a_failed_node_gives_back_and_takes_again_for_its_next_attempt() -> None:
    flow = Flow("again")
    tries: list[str] = []

    @flow.node(limits={"resources": {"lane": 1}}, retry={"attempts": 3, "delay": 0.01, "jitter": 0.0})
    def shaky() -> str:
        tries.append("shaky")
        if len(tries) < 4:
            raise ConnectionError("not yet")
        return "done"

    @flow.node(limits={"resources": {"lane": 1}})
    def other() -> str:
        tries.append("other")
        return "other"

    assert run(flow).result(SECONDS) == {"shaky": "done", "other": "other"}


@pytest.mark.parametrize("way", ["cancel", "fail", "skip", "pause"])
def test_what_a_run_holds_or_waits_for_is_free_when_it_stops(way: str) -> None:
    go, flow = threading.Event(), Flow("stops")

    @flow.node(limits={"resources": {"seat": 1}}, on_error="stop")
    def holds(ctx: Any) -> None:
        while not (go.is_set() or ctx.cancelled):
            threading.Event().wait(0.005)
        if way == "fail":
            raise ValueError("no")

    for number in range(3):
        flow.node(lambda: 1, id=f"w{number}", limits={"resources": {"seat": 1}})
    other = Flow("other")
    other.node(lambda: 5, id="takes", limits={"resources": {"seat": 1}})
    running = run(flow)
    wait_for(lambda: running["holds"].status == "running")
    waiting = run(other)
    if way == "skip":
        running.skip("holds")
    elif way != "fail":
        getattr(running, way)()
    go.set() if way in ("fail", "pause") else None
    assert waiting.result(SECONDS) == {"takes": 5}
    if way == "pause":
        wait_for(lambda: running.status is RunStatus.PAUSED)
        assert running.resume().result(SECONDS)["w2"] == 1
    elif way == "skip":
        assert running.result(SECONDS)["w2"] == 1
    else:
        with pytest.raises((RunCancelled, RunFailed)):
            running.result(SECONDS)
    go.set()


def test_a_run_whose_nodes_take_nothing_has_no_claims() -> None:
    flow = Flow("plain")
    flow.node(lambda: 1, id="a")
    assert not flow.definition().takes
    assert run(flow).result(SECONDS) == {"a": 1}
    assert isinstance(engine().pool, Pool)


def test_no_more_processes_than_there_may_be_run_at_once(tmp_path: Path) -> None:
    flow = Flow("wide", settings=Settings(resources={"process": 2}))

    def body(folder: str) -> int:
        mark = Path(folder, f"{os.getpid()}.running")
        mark.touch()
        beside = len(list(Path(folder).glob("*.running")))
        time.sleep(0.05)
        mark.unlink()
        return beside

    for number in range(8):
        flow.node(body, id=f"n{number}", where="process")
    assert max(run(flow, folder=str(tmp_path)).result(30).values()) == 2


class Desk:
    """Stands for a run: it tries again when it is woken."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.running: list[Ticket] = []
        self.woken: list[Ticket] = []

    def wake(self, ticket: Ticket) -> None:
        self.woken.append(ticket)

    def go_on(self) -> None:
        while self.woken:
            ticket = self.woken.pop(0)
            if self.pool.take(ticket):
                self.running.append(ticket)


needs = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), min_size=1)


@given(asked=st.lists(needs, max_size=25), ends=st.lists(st.integers(0, 50), max_size=60))
@settings(max_examples=200)
def test_the_pool_never_gives_more_than_there_is_and_everybody_has_a_turn(
    asked: list[dict[str, int]], ends: list[int]
) -> None:
    pool, capacities = Pool(), {"a": 3, "b": 3, "c": 3}
    desk = Desk(pool)
    tickets = [Ticket(desk, number, each, capacities) for number, each in enumerate(asked)]  # type: ignore[arg-type]
    for ticket in tickets:
        if pool.take(ticket):
            desk.running.append(ticket)
    desk.go_on()
    had: list[int] = []
    for turn in [*ends, *range(2 * len(tickets))]:
        used = Counter[str]()
        for ticket in desk.running:
            used.update(ticket.needs)
        assert all(used[name] <= most for name, most in capacities.items())
        if not desk.running:
            break
        ended = desk.running.pop(turn % len(desk.running))
        had.append(ended.number)
        pool.give_back(ended)
        desk.go_on()
    assert sorted(had) == list(range(len(tickets)))
