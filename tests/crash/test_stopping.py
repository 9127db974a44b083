"""A node that ends the run early ends it, also where the process dies before the others in flight have stopped."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from flownb import Flow
from flownb.errors import RunFailed
from flownb.model import events as ev
from flownb.model.status import RunStatus
from flownb.testing import Crash, Simulation, check_journal, crash_at


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("point", ["tick.after_commit", "tick.published", "tick.before_commit"])
def test_a_stop_holds_whenever_the_process_dies(point: str, nth: int, failed: bool) -> None:
    flow, later = Flow("stop"), []

    @flow.node
    async def slow() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)  # it takes its time to stop
            raise
        return "slow"

    @flow.node
    def then(slow: str) -> None:
        later.append(slow)

    @flow.node
    def load() -> int:
        return 0

    flow.stop("nothing", "there are {{ load }} rows", failed=failed)

    with Simulation(nth) as simulation:
        with contextlib.suppress(Crash), crash_at(point, nth=nth):
            simulation.settle(simulation.run(flow, key="k"))
        simulation.crash()
        simulation.restart()
        run = simulation.run(flow, key="k")
        simulation.settle(run)
        if failed:
            with pytest.raises(RunFailed, match="there are 0 rows"):
                run.result(0)
        else:
            run.result(0)
        assert run.status is (RunStatus.FAILED if failed else RunStatus.COMPLETED)
        assert run.state.message == ("" if failed else "there are 0 rows")
        assert run["slow"].status == "cancelled"
        assert later == []
        check_journal(run.events())
        assert sum(isinstance(each.event, ev.RunStopping) for each in run.events()) == 1


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("point", ["tick.after_commit", "tick.before_commit"])
def test_a_cancellation_holds_once_it_is_written(point: str, nth: int) -> None:
    flow = Flow("cancelled")

    @flow.node
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
            raise

    with Simulation(nth) as simulation:
        run = simulation.run(flow, key="k")
        simulation.until(lambda: str(run["slow"].status) == "running")
        died = True
        with contextlib.suppress(Crash), crash_at(point, nth=nth):
            run.cancel()
            simulation.settle(run)
            died = False
        if died:
            simulation.crash()
            simulation.restart()
            seen = [each.event for each in simulation.store.events(run.id)]
            written = any(isinstance(each, ev.RunStopping | ev.RunCancelledEvent) for each in seen)
            run = simulation.run(flow, key="k")
            simulation.settle(run)
        assert run.status is (RunStatus.CANCELLED if not died or written else RunStatus.COMPLETED)
        check_journal(run.events())
