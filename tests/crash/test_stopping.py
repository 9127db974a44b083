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
