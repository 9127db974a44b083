"""Random flows under random crashes, in virtual time: the result is that of the run without a crash."""

from __future__ import annotations

import contextlib
import os
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import RunError, StoreError
from flownb.faults import POINTS
from flownb.model import events as ev
from flownb.run.recovery.recover import read_state
from flownb.testing import Crash, Simulation, Stuck, check_journal, crash_at
from tests.property import routing
from tests.property.random_flows import Outside, random_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb import Flow
    from flownb.model.events import Record
    from flownb.model.state import RunState
    from flownb.run.handles.handle import Run

SEEDS = 500
#: Of a branching flow, how likely a place in it is a switch, a join, a loop, a parallel or a run beneath.
BRANCHES = 0.5
POINTS_OF_A_FLOW = [point for point in POINTS if not point.startswith(("notebook.", "artifact."))]
MOST_LIVES = 30


#: What whoever works on a run takes from its state; a replay takes nothing.
_TAKEN = ("topology", "ready", "finished_blocks")


class End(msgspec.Struct, frozen=True):
    """How a run ended, as far as it must not depend on chance."""

    status: str
    outputs: dict[str, Any]
    nodes: dict[str, str]


def end_of(run: Run) -> End:
    state = run.state
    return End(str(run.status), run.outputs, {path: str(state.status_of(path)) for path in state.topology.paths})


def folded(state: RunState) -> dict[str, Any]:
    """All that a state says of its run, but what is ready: a replay takes nothing from there."""
    return {name: getattr(state, name) for name in state.FIELDS if name not in _TAKEN}


def without_a_crash(seed: int, branches: float) -> End:
    with Simulation(seed) as simulation:
        flow = random_flow(seed, Outside(), branches=branches)
        run = simulation.run(flow, key="k")
        simulation.settle(run)
        routing.check(run.state, flow.definition().ports)
        return end_of(run)


@contextlib.contextmanager
def mishap(simulation: Simulation, chance: random.Random) -> Iterator[None]:
    """Something that happens once in this life, or doesn't."""
    simulation.store.clear()
    match chance.choice(["moment", "moment", "point", "call before", "call after", "fault", "outage", "other"]):
        case "moment":
            simulation.crash_after(chance.randint(1, 80))
        case "point":
            with crash_at(chance.choice(POINTS_OF_A_FLOW), nth=chance.randint(1, 8)):
                yield
            return
        case "call before":
            simulation.store.fail_at(chance.randint(1, 30), error=Crash)
        case "call after":
            simulation.store.fail_at(chance.randint(1, 30), how="after_commit")
        case "fault":
            simulation.store.fail_at(chance.randint(1, 30), how=chance.choice(["ack_lost", "before_commit"]))
        case "outage":
            simulation.store.fail_at(chance.randint(1, 30), times=chance.randint(2, 6))
        case _:
            simulation.restart()  # the earlier worker lives on
            simulation.crash_after(chance.randint(1, 200))
    yield


def lives(simulation: Simulation, flow: Flow, chance: random.Random) -> Run:
    """Start the run, and again after each mishap, until it rests."""
    mishaps = chance.randint(1, 4)
    for life in range(MOST_LIVES):
        if life >= mishaps:
            simulation.store.clear()
            for worker in simulation.workers:
                worker.left = None
        with mishap(simulation, chance) if life < mishaps else contextlib.nullcontext():
            try:
                run = simulation.run(flow, key="k")
                simulation.settle(run)
                run.result(0)  # raises what the run was lost for
            except RunError:
                return run
            except (Crash, StoreError):
                if simulation.worker.dead or chance.random() < 0.5:
                    simulation.crash()
                    simulation.restart()
            else:
                return run
    raise AssertionError("It did not come to an end.")


def check_promises(simulation: Simulation, run: Run, outside: Outside) -> None:
    records = run.events()
    check_journal(records)
    keys = [row.key for row in simulation.store.rows()]
    assert None not in keys, "a run beneath has no key"
    assert len(set(keys)) == len(keys), "one key, two runs"
    assert run.id == simulation.store.find_key("k").id
    assert _begun_again(records) == [], "a committed node began again"
    recorded = read_state(simulation.store, simulation.store.row(run.id), run.state.topology)
    assert folded(recorded) == folded(run.state), "the live state is not the fold of the journal"
    assert sorted(outside.keyed.values()) == sorted(outside.calls), "a node had two keys"
    every = [each for row in simulation.store.rows() for each in simulation.store.events(row.id)]
    started = {record.event.node for record in every if isinstance(record.event, ev.NodeStarted)}
    assert set(outside.calls) <= started, "a body ran that the journal does not know"
    assert simulation.store.row(run.id).owner is None, "somebody still has it"


def check_started(simulation: Simulation, path: str) -> None:
    """No body runs before the journal of its run says so."""
    store = simulation.store.beneath
    events = [record.event for row in store.rows() for record in store.events(row.id)]
    assert any(isinstance(event, ev.NodeStarted) and event.node == path for event in events), f"{path} ran unannounced"


def _begun_again(records: list[Record]) -> list[str]:
    done: set[str] = set()
    again = []
    for record in records:
        if isinstance(record.event, ev.NodeStarted) and record.event.node in done:
            again.append(record.event.node)
        elif isinstance(record.event, ev.NodeCompleted):
            done.add(record.event.node)
    return again


def play(seed: int, branches: float = 0.0) -> bytes:
    """One seed: the same end with mishaps as without, and all promises kept; gives the journal."""
    expected = without_a_crash(seed, branches)
    outside = Outside()
    with Simulation(seed + 1) as simulation:
        outside.watch = lambda path: check_started(simulation, path)
        flow = random_flow(seed, outside, branches=branches)
        run = lives(simulation, flow, random.Random(-seed))
        simulation.store.clear()
        check_promises(simulation, run, outside)
        routing.check(run.state, flow.definition().ports)
        assert end_of(run) == expected
        return simulation.journal(run.id)


def play_all(first: int, count: int, branches: float = 0.0) -> None:
    for seed in range(first, first + count):
        try:
            play(seed, branches)
        except (Exception, Crash, Stuck) as error:
            which = "one_branching_seed" if branches else "one_seed"
            replay = f"FLOWNB_SEED={seed} .venv/bin/pytest tests/property/test_crashes.py -k {which}"
            raise AssertionError(f"Seed {seed} fails. Replay it: {replay}") from error


#: Fresh seeds each time, that can be had again.
FIRST = int(os.environ.get("FLOWNB_SEED", random.SystemRandom().randrange(10**6)))


@pytest.mark.parametrize("part", range(5))
def test_random_crashes_change_no_result(part: int) -> None:
    count = SEEDS // 5
    first = FIRST + part * count
    print(f"seeds {first} to {first + count - 1}: again with FLOWNB_SEED={FIRST}")
    play_all(first, count)


def test_one_seed_plays_the_same_every_time() -> None:
    assert play(FIRST) == play(FIRST)


@pytest.mark.parametrize("part", range(5))
def test_random_crashes_change_no_result_where_ways_part_and_meet(part: int) -> None:
    count = SEEDS // 5
    first = FIRST + part * count
    print(f"branching seeds {first} to {first + count - 1}: again with FLOWNB_SEED={FIRST}")
    play_all(first, count, BRANCHES)


def test_one_branching_seed_plays_the_same_every_time() -> None:
    assert play(FIRST, BRANCHES) == play(FIRST, BRANCHES)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_twenty_thousand_branching_seeds() -> None:
    print(f"20,000 branching seeds from FLOWNB_SEED={FIRST}")
    play_all(FIRST, 20_000, BRANCHES)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_twenty_thousand_seeds() -> None:
    print(f"20,000 seeds from FLOWNB_SEED={FIRST}")
    play_all(FIRST, 20_000)
