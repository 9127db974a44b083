"""The wall clock jumps by a day, in either direction: within a process only the other clock counts."""

from __future__ import annotations

import pytest

from flownb import Flow, NodeTimeout, RetryPolicy, RunFailed, RunPaused
from flownb.model.events import RunPaused as Paused
from flownb.run.handles.describe import describe
from flownb.testing import Simulation

DAY = 86_400.0
JUMPS = [DAY, -DAY]


def patient(seconds: float) -> Flow:
    flow = Flow("patient")

    @flow.node
    async def first() -> int:
        return 1

    flow.delay("wait", seconds=seconds, after="first")

    @flow.node(after="wait")
    async def last(first: int) -> int:
        return first + 1

    return flow


@pytest.mark.parametrize("jump", JUMPS)
def test_a_wait_within_a_process_takes_its_time_whatever_the_wall_clock_says(jump: float) -> None:
    with Simulation(1) as simulation:
        run = simulation.run(patient(30))
        simulation.until(lambda: run["wait"].status == "waiting")
        before = simulation.clock.monotonic()
        simulation.clock.jump(jump)
        assert simulation.result(run) == {"last": 2}
        assert 29 <= simulation.clock.monotonic() - before <= 31
        for node in describe(simulation.store, run.id)["nodes"].values():
            assert node["duration_ms"] is None or node["duration_ms"] >= 0  # no node took less than no time
        assert describe(simulation.store, run.id)["duration_ms"] >= 0


@pytest.mark.parametrize("jump", JUMPS)
def test_a_timeout_counts_the_time_that_passes(jump: float) -> None:
    flow = Flow("slow")

    @flow.node(timeout=10)
    async def slow() -> None:
        import asyncio

        await asyncio.sleep(100)

    with Simulation(2) as simulation:
        run = simulation.run(flow)
        simulation.until(lambda: run["slow"].status == "running")
        before = simulation.clock.monotonic()
        simulation.clock.jump(jump)
        with pytest.raises(RunFailed, match="longer than its timeout of 10 s"):
            simulation.result(run)
        assert 9 <= simulation.clock.monotonic() - before <= 16
        assert NodeTimeout.__name__ in str(run.error)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_retry_waits_its_delay(jump: float) -> None:
    flow, tries = Flow("retries"), list[float]()

    with Simulation(3) as simulation:

        @flow.node(retry=RetryPolicy(attempts=2, delay=20, jitter=0))
        async def flaky() -> int:
            tries.append(simulation.clock.monotonic())
            if len(tries) == 1:
                simulation.clock.jump(jump)
                raise OSError("once")
            return 1

        assert simulation.result(simulation.run(flow)) == {"flaky": 1}
        assert 19 <= tries[1] - tries[0] <= 21


@pytest.mark.parametrize("jump", JUMPS)
def test_a_lease_is_neither_lost_nor_kept_by_a_jump(jump: float) -> None:
    with Simulation(4) as simulation:
        run = simulation.run(patient(50))
        simulation.until(lambda: run["wait"].status == "waiting")
        simulation.clock.jump(jump)
        other = simulation.restart()
        with simulation.on(other):
            assert simulation.store.owner_of(run.id) is not None
            assert simulation.store.claim(run.id, other.engine.owner(simulation.store)) is None
        assert simulation.result(run) == {"last": 2}


def test_a_parked_timer_is_due_when_the_wall_clock_says_so() -> None:
    with Simulation(5) as simulation:
        flow = patient(600)
        run = simulation.run(flow, key="k")
        with pytest.raises(RunPaused, match="timer"):
            simulation.result(run)
        (paused,) = [record.event for record in run.events() if isinstance(record.event, Paused)]
        assert paused.until == pytest.approx(simulation.clock.wall() + 600, abs=5)
        simulation.clock.jump(-DAY)
        again = simulation.run(flow, key="k")
        simulation.settle(again)
        assert again.status == "paused"  # a day early, by the only clock that outlives a process
        simulation.clock.jump(DAY + 600)
        assert simulation.result(simulation.run(flow, key="k")) == {"last": 2}
