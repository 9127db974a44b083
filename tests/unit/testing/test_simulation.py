from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import UserList
from typing import Any

import pytest

from flownb import Flow, RetryPolicy, RunFailed
from flownb.model.status import RunStatus
from flownb.testing import Crash, Simulation, Stuck, VirtualClock, check_journal, crash_at


class Log(UserList[str]):
    """What ran; no list, because the contents of a list that a function encloses count as its code."""


def diamond(ran: Log | None = None) -> Flow:
    flow = Flow("diamond")

    def note(ctx: Any) -> None:
        if ran is not None:
            ran.append(ctx.path)

    @flow.node
    async def top(ctx: Any) -> int:
        await asyncio.sleep(100)
        note(ctx)
        return 1

    @flow.node(retry=RetryPolicy(attempts=3, delay=5))
    async def left(top: int, ctx: Any) -> int:
        note(ctx)
        if ctx.attempt == 1:
            raise ValueError("once")
        return top + 1

    @flow.node
    def right(top: int, ctx: Any) -> int:
        note(ctx)
        print("right")
        return top + 2

    @flow.node
    async def bottom(left: int, right: int, ctx: Any) -> int:
        note(ctx)
        return await asyncio.to_thread(lambda: left + right)

    return flow


def journal(seed: int) -> bytes:
    with Simulation(seed) as simulation:
        run = simulation.run(diamond())
        assert simulation.result(run) == {"bottom": 5}
        check_journal(run.events())
        return simulation.journal(run.id)


def test_sleeps_and_delays_take_no_real_time() -> None:
    before = time.monotonic()
    with Simulation() as simulation:
        simulation.result(simulation.run(diamond()))
        assert simulation.clock.monotonic() > 100
    assert time.monotonic() - before < 20


def test_one_seed_gives_one_journal_byte_for_byte_and_another_seed_another() -> None:
    assert journal(1) == journal(1)
    assert len({journal(seed) for seed in range(4)}) == 4


def test_one_seed_gives_one_journal_in_another_process_too() -> None:
    code = "import sys; from tests.unit.testing.test_simulation import journal; sys.stdout.buffer.write(journal(5))"
    for hash_seed in ("1", "2"):
        ended = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            timeout=60,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        )
        assert ended.stdout == journal(5)


def test_a_worker_that_crashes_runs_nothing_more_and_another_goes_on() -> None:
    ran: Log = Log()
    with Simulation(3) as simulation, crash_at("tick.after_commit", nth=2) as point:
        run = simulation.run(diamond(ran), key="k")
        with pytest.raises(Crash):
            simulation.result(run)
        assert point.crashed
        assert ran == ["top"]
        simulation.restart()
        again = simulation.run(diamond(ran), key="k")
        assert again.id == run.id
        assert simulation.result(again) == {"bottom": 5}
        assert ran.count("top") == 1
        check_journal(again.events())


def test_a_crash_inside_a_node_writes_nothing_of_it() -> None:
    with Simulation(3) as simulation, crash_at("node.after_body", nth=1):
        run = simulation.run(diamond(), key="k")
        with pytest.raises(Crash):
            simulation.settle(run)
        row = simulation.store.beneath.row(run.id)
        assert (row.status, row.seq) == (RunStatus.RUNNING, 2)
        assert simulation.store.beneath.orphans() == [run.id]


def test_a_crash_comes_after_as_many_callbacks_as_it_was_set_to() -> None:
    with Simulation(3) as simulation:
        run = simulation.run(diamond(), key="k")
        simulation.crash_after(5)
        with pytest.raises(Crash):
            simulation.settle(run)
        assert simulation.steps == 5


def test_a_second_worker_follows_the_first_and_takes_over_when_it_dies() -> None:
    with Simulation(4) as simulation:
        first = simulation.worker
        run = simulation.run(diamond(), key="k")
        simulation.idle(1)
        simulation.restart()
        other = simulation.run(diamond(), key="k")
        assert other.id == run.id
        assert not other.resting
        simulation.idle(1)
        simulation.crash(first)
        assert simulation.result(other) == {"bottom": 5}


def test_commands_of_a_second_worker_reach_the_first() -> None:
    with Simulation(4) as simulation:
        run = simulation.run(diamond(), key="k")
        simulation.idle(1)
        with simulation.on(simulation.restart()):
            simulation.run(diamond(), key="k").cancel()
        simulation.settle(run)
        assert run.status is RunStatus.CANCELLED


def test_a_run_that_can_not_go_on_is_reported_with_all_that_is_known() -> None:
    flow = Flow("stuck")

    @flow.node
    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    with Simulation(9) as simulation:
        run = simulation.run(flow)
        with pytest.raises(Stuck, match=r"(?s)seed 9.*in flight=\['never'\].*node_started|NodeStarted.*orphans: none"):
            simulation.settle(run, seconds=30)


def test_what_a_node_raises_comes_out_as_of_any_run() -> None:
    flow = Flow("bad")

    @flow.node
    def bad() -> None:
        raise ValueError("bad")

    with Simulation() as simulation, pytest.raises(RunFailed, match="ValueError: bad"):
        simulation.result(simulation.run(flow))


def test_a_clock_moves_as_it_is_told() -> None:
    clock = VirtualClock(wall=1000.0)
    clock.advance(5)
    clock.jump(-100)
    assert (clock.monotonic(), clock.wall()) == (5.0, 905.0)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)
