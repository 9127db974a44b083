"""Random flows that fail and are undone, under random crashes: what was done is undone once, the newest first."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from flownb import Flow
from flownb.errors import RunError
from flownb.model import events as ev
from flownb.testing import Crash, Simulation, check_journal, crash_at

SEEDS = 40
POINTS = (
    "run.ending",
    "run.compensating",
    "tick.after_commit",
    "tick.before_commit",
    "node.after_body",
    "tick.published",
)


def saga(chance: random.Random) -> tuple[Flow, dict[str, int]]:
    """Nodes that need random earlier ones, most with a compensation, some of which fail; the last one fails."""
    flow = Flow("saga")
    calls: dict[str, int] = {}
    count = chance.randint(2, 12)

    def undo(name: str, *, well: bool) -> Any:
        def body(ctx: Any) -> None:
            calls[ctx.path] = calls.get(ctx.path, 0) + 1
            if not well:
                raise RuntimeError(f"{name} can't be undone")

        return body

    for number in range(count):
        name = f"n{number}"
        more: dict[str, Any] = {}
        if chance.random() < 0.8 or number == 0:  # a flow that undoes nothing is none
            flow.node(
                undo(name, well=chance.random() < 0.8),
                id=f"undo_{name}",
                after=[name] if chance.random() < 0.5 else None,
            )
            more["compensation"] = f"undo_{name}"
        before = [f"n{other}" for other in range(number) if chance.random() < 0.3]
        flow.node(lambda: 1, id=name, after=before, **more)
    flow.node(lambda: 1 / 0, id="bad", after=[f"n{chance.randrange(count)}"], on_error="compensate")
    flow.error_handler("failed")
    return flow, calls


def live(simulation: Simulation, flow: Flow, chance: random.Random) -> Any:
    """The run at its end, whatever becomes of the processes that it is at work in."""
    for life in range(30):
        try:
            with (
                crash_at(chance.choice(POINTS), nth=chance.randint(1, 9))
                if life < 4
                else crash_at("run.created", nth=99)
            ):
                run = simulation.run(flow, key="k")
                simulation.settle(run)
                run.result(0)
        except RunError:
            return run
        except Crash:
            simulation.crash()
            simulation.restart()
    raise AssertionError("It did not come to an end.")


@pytest.mark.parametrize("place", range(4))
def test_what_was_done_is_undone_once_and_the_newest_first(place: int) -> None:
    first = int.from_bytes(os.urandom(3)) if place else 0
    for seed in range(first, first + SEEDS // 4):
        print("seed", seed)
        chance = random.Random(seed)
        flow, calls = saga(chance)
        with Simulation(seed) as simulation:
            run = live(simulation, flow, chance)
            happened = [record.event for record in run.events()]
            check_journal(run.events())
            completed = [each.node for each in happened if isinstance(each, ev.NodeCompleted)]
            done = [name for name in completed if f"undo_{name}" in run.state.topology.index]
            ends = [each for each in happened if isinstance(each, ev.RunEnding)]
            assert len(ends) == 1
            assert list(ends[0].undo) == [f"undo_{name}" for name in reversed(done)]
            begun = [each.node for each in happened if isinstance(each, ev.NodeStarted) and each.node in ends[0].undo]
            assert list(dict.fromkeys(begun)) == list(ends[0].undo)
            assert {str(run[path].status) for path in ends[0].undo} <= {"completed", "failed"}
            assert run["failed"].status == "completed"
            assert all(times <= begun.count(path) for path, times in calls.items())
            assert isinstance(happened[-1], ev.RunFailedEvent)
            assert (happened[-1].node, run.state.left) == ("bad", 0)
