"""A state machine over the public API: whatever is done in whatever order, the promises hold and every run can end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import UserDict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from flownb import Flow, RetryPolicy
from flownb.errors import Conflict, DefinitionDrift, UsageError
from flownb.model import events as ev
from flownb.model.state import COMPLETED
from flownb.model.status import RunStatus
from flownb.run.recovery.recover import read_state
from flownb.testing import Simulation, check_journal
from tests.property.test_crashes import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.run.handles.handle import Run
    from flownb.testing import Worker

NODES = ["a", "b", "c", "x", "d", "nap", "last"]
GATES = ["a", "b", "c", "d"]
KEYS = ["one", "two"]
MOST_WORKERS = 3


class World(UserDict[str, str]):
    """What the nodes at a gate are to do: nothing yet, `complete`, or `fail` once; no dict, which would be code."""

    async def gate(self, ctx: Any) -> None:
        while ctx.path not in self:  # noqa: ASYNC110  an event would belong to one worker's loop
            await asyncio.sleep(0.2)
        if self[ctx.path] == "fail":
            del self[ctx.path]
            raise ValueError(ctx.path)


def make_flow(world: World, *, edited: bool = False) -> Flow:
    """Seven nodes; four of them wait at a gate until the test lets them through."""
    flow = Flow("machine")

    gate = world.gate

    async def a(n: int, ctx: Any) -> int:
        await gate(ctx)
        return n

    async def b(a: int, ctx: Any) -> int:
        await gate(ctx)
        return a + 1

    async def c(a: int, ctx: Any) -> int:
        await gate(ctx)
        return a + 2

    def x(a: int) -> int:
        return a + 3

    async def d(ctx: Any, b: int = 0, c: int = 0, x: int = 0) -> int:
        await gate(ctx)
        return b + c + x

    async def last(d: int = 0, nap: Any = None) -> int:
        return d * 100 if edited else d * 10

    for function in (a, b, x, d):
        flow.node(function)
    flow.node(c, retry=RetryPolicy(attempts=2, delay=1, jitter=0))
    flow.delay("nap", 2, inputs={"main": "a"})
    flow.node(last)
    return flow


class Machine(RuleBasedStateMachine):
    """Workers on one store, handles on two runs, and a test that opens gates, sends commands, kills and edits."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self.world = World()
        self.flow = make_flow(self.world)
        self.other = make_flow(self.world, edited=True)
        self.open = contextlib.ExitStack()
        self.simulation = self.open.enter_context(Simulation(seed))
        self.handles: list[tuple[Worker, Run]] = []
        self.committed: dict[tuple[str, str], Any] = {}

    # --- what can be done ---------------------------------------------------------------------------------------------

    @rule(key=st.sampled_from(KEYS))
    def start(self, key: str) -> None:
        with self._somebody(0) as worker:
            self.handles.append((worker, self.simulation.run(self.flow, key=key, n=1)))

    @rule(node=st.sampled_from(GATES), what=st.sampled_from(["complete", "complete", "complete", "fail"]))
    def open_gate(self, node: str, what: str) -> None:
        self.world[node] = what

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.5, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.simulation.idle(seconds)

    @rule(count=st.integers(1, 12))
    def a_few_steps(self, count: int) -> None:
        for _ in range(count):
            self.simulation.step()

    @rule(command=st.sampled_from(["pause", "resume", "cancel", "resume", "pause"]), which=st.integers(0, 9))
    def command(self, command: str, which: int) -> None:
        self._ask(which, command)

    @rule(command=st.sampled_from(["retry", "skip"]), node=st.sampled_from(NODES), which=st.integers(0, 9))
    def command_to_a_node(self, command: str, node: str, which: int) -> None:
        self._ask(which, command, node)

    @rule(value=st.integers(0, 3), which=st.integers(0, 9))
    def set_a_variable(self, value: int, which: int) -> None:
        self._ask(which, "set", "x", value)

    @rule(which=st.integers(0, 9))
    def crash(self, which: int) -> None:
        living = self._living()
        worker = living[which % len(living)]
        self.simulation.crash(worker)
        self.handles = [(owner, run) for owner, run in self.handles if owner is not worker]
        if len(living) == 1:
            self.simulation.restart()

    @rule()
    def second_worker(self) -> None:
        if len(self._living()) < MOST_WORKERS:
            self.simulation.restart()

    @rule(key=st.sampled_from(KEYS), which=st.integers(0, 9))
    def start_what_was_edited(self, key: str, which: int) -> None:
        """Refused, or told what came of it; nothing runs of another definition."""
        row = self.simulation.store.beneath.find_key(key)
        if row is None:
            return
        with self._somebody(which), contextlib.suppress(DefinitionDrift):
            self.simulation.run(self.other, key=key, n=1)
        assert self.simulation.store.beneath.find_key(key).definition == row.definition

    @rule(key=st.sampled_from(KEYS), which=st.integers(0, 9))
    def use_a_key_for_something_else(self, key: str, which: int) -> None:
        if self.simulation.store.beneath.find_key(key) is not None:
            with self._somebody(which), pytest.raises(Conflict):
                self.simulation.run(self.flow, key=key, n=2)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def every_journal_is_sound(self) -> None:
        store = self.simulation.store.beneath
        rows = list(store.rows())
        assert sorted(row.key for row in rows) == sorted({row.key for row in rows}), "two runs of one key"
        for row in rows:
            records = store.events(row.id)
            check_journal(records)
            for record in records:
                if isinstance(record.event, ev.NodeCompleted):
                    known = self.committed.setdefault((row.id, record.event.node), record.event.output)
                    assert known == record.event.output, f"{record.event.node} has another result now"

    @invariant()
    def what_a_worker_thinks_is_what_the_journal_says(self) -> None:
        store = self.simulation.store.beneath
        for worker in self._living():
            for execution in worker.engine.executions.values():
                row = store.row(execution.run_id)
                if execution.out or row.owner != execution.lease.owner or row.fence != execution.lease.fence:
                    continue  # not committed, or not its own any more
                recorded = read_state(store, row, execution.state.topology)
                assert folded(recorded) == folded(execution.state)

    def teardown(self) -> None:
        try:
            for key in KEYS:
                row = self.simulation.store.beneath.find_key(key)
                if row is not None:
                    with self._somebody(0):
                        self._bring_to_its_end(key)
            self.every_journal_is_sound()
        finally:
            self.open.close()

    def _bring_to_its_end(self, key: str) -> None:
        """All gates are open and nothing fails any more: however it was left, the run comes to a good end."""
        for node in GATES:
            self.world[node] = "complete"
        for _ in range(6):
            for node in GATES:
                self.world[node] = "complete"
            run = self.simulation.run(self.flow, key=key, n=1)
            self.simulation.settle(run, seconds=60)
            if run.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
                break
            run.resume()
            self.simulation.settle(run, seconds=60)
        assert run.status in (RunStatus.COMPLETED, RunStatus.CANCELLED), f"it is {run.status}"
        if run.status is RunStatus.COMPLETED:
            number = run.state.topology.index["last"]
            if run.state.node_status[number] == COMPLETED:
                assert run.outputs["last"] in {10 * sum(parts) for parts in _sums()}

    # --- who does it --------------------------------------------------------------------------------------------------

    def _living(self) -> list[Worker]:
        return [worker for worker in self.simulation.workers if not worker.dead]

    @contextlib.contextmanager
    def _somebody(self, which: int) -> Iterator[Worker]:
        living = self._living()
        with self.simulation.on(living[which % len(living)]) as worker:
            yield worker

    def _ask(self, which: int, command: str, *args: Any) -> None:
        if not self.handles:
            return
        worker, run = self.handles[which % len(self.handles)]
        with self.simulation.on(worker), contextlib.suppress(UsageError):  # it makes no sense now, and says so
            getattr(run, command)(*args)


def _sums() -> Iterator[tuple[int, int, int]]:
    """What can come together at `d`: each of its three sources may have been skipped, and so may be `d`."""
    for b in (0, 2):
        for c in (0, 3):
            for x in (0, 4):
                yield b, c, x


def play(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_a_hundred_lives_of_the_machine() -> None:
    play(100, 30)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_many_long_lives_of_the_machine() -> None:
    play(3000, 50)
