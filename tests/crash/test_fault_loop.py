"""A fault at the first, the second, … the last store call of a run: whatever fails, the run comes to its result."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb import Flow, RetryPolicy
from flownb.errors import StoreError
from flownb.model.events import NodeCompleted, NodeStarted
from flownb.store.memory import MemoryStore
from flownb.store.sqlite import SqliteStore
from flownb.testing import Crash, Simulation, check_journal, crash_at
from flownb.testing.faulty_store import How

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flownb.model.events import Record
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.lease import Liveness

SEED = 12
RESULT = {"last": 34}


class Receiver:
    """Somebody outside who honours the idempotency key: the second effect under one key is none."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.nodes: dict[str, str] = {}

    def take(self, ctx: Any) -> None:
        self.calls[ctx.path] += 1
        self.nodes[ctx.idempotency_key] = ctx.path


def twelve(receiver: Receiver) -> Flow:
    """Twelve nodes: a chain that forks, sync and async, a retry, a decision, an error that is handled, a join."""
    flow = Flow("twelve")

    async def first(n: int, ctx: Any) -> int:
        receiver.take(ctx)
        return n + 1

    async def step(before: int, ctx: Any) -> int:
        await asyncio.sleep(0.05)
        receiver.take(ctx)
        return before + 1

    def sync_step(before: int, ctx: Any) -> int:
        receiver.take(ctx)
        print("half-way")
        return before * 2

    async def flaky(before: int, ctx: Any) -> int:
        receiver.take(ctx)
        if ctx.attempt == 1:
            raise ConnectionError("once")
        return before

    def bad(before: int, ctx: Any) -> int:
        receiver.take(ctx)
        raise ValueError("always")

    def handled(error: dict[str, Any], ctx: Any) -> int:
        receiver.take(ctx)
        return len(error["message"])

    async def slow(before: int, ctx: Any) -> int:
        await asyncio.sleep(0.7)  # a lease is renewed in that time
        receiver.take(ctx)
        return before

    def last(one: int, two: int, three: int, ctx: Any) -> int:
        receiver.take(ctx)
        return one + two + three

    flow.node(first, id="n1")
    flow.node(sync_step, id="n2", inputs={"before": "n1"})
    flow.node(step, id="n3", inputs={"before": "n2"})
    flow.node(flaky, id="n4", inputs={"before": "n3"}, retry=RetryPolicy(attempts=2, delay=0.1))
    big = flow.condition("big", "n3 > 5")
    flow.node(sync_step, id="yes", inputs={"before": "n3"}, after=big.true)
    flow.node(step, id="no", inputs={"before": "n3"}, after=big.false)
    wrong = flow.node(bad, id="wrong", inputs={"before": "n2"})
    flow.node(handled, id="n8", inputs={"error": wrong.error})
    flow.node(slow, id="n9", inputs={"before": "yes"})
    flow.node(step, id="n10", inputs={"before": "n9"})
    flow.node(last, inputs={"one": "n4", "two": "n8", "three": "n10"})
    return flow


def busy() -> Flow:
    """Another run of the same process, for whose sake it goes on to say that it lives."""
    flow = Flow("busy")

    @flow.node
    async def wait() -> None:
        await asyncio.sleep(3600)

    return flow


def life(simulation: Simulation, flow: Flow) -> tuple[Run, dict[str, Any]]:
    run = simulation.run(flow, key="k", n=3)
    return run, simulation.result(run, seconds=600)


def again(records: Sequence[Record]) -> list[str]:
    """Nodes that began after their result was committed."""
    done: set[str] = set()
    found = []
    for record in records:
        if isinstance(record.event, NodeStarted) and record.event.node in done:
            found.append(record.event.node)
        if isinstance(record.event, NodeCompleted):
            done.add(record.event.node)
    return found


class Case(msgspec.Struct, frozen=True):
    """A kind of fault, and where it comes."""

    how: How
    error: type[BaseException]
    #: How many calls in a row fail.
    times: int = 1
    #: Whether the run had crashed half-way, and the fault meets the one who resumes it.
    resuming: bool = False
    #: Whether whoever was told of a fault asks again in the same process, which has other runs as well.
    same_process: bool = False

    def __str__(self) -> str:
        when = "resume" if self.resuming else "start"
        where = "same engine" if self.same_process else "new engine"
        return f"{when}, {self.how} {self.error.__name__} x{self.times}, {where}"


KINDS: list[tuple[How, type[BaseException]]] = [
    ("before_commit", StoreError),
    ("ack_lost", StoreError),
    ("before_commit", Crash),  # with a `Crash` the process dies, else it lives on and is told a lie
    ("after_commit", Crash),
]
OUTAGES: list[tuple[How, int]] = [("ack_lost", 1), ("before_commit", 4)]
CASES = [
    *(Case(how, error, resuming=resuming) for how, error in KINDS for resuming in (False, True)),
    *(
        Case(how, StoreError, times, resuming, same_process=True)
        for how, times in OUTAGES
        for resuming in (False, True)
    ),
]


def fault_at(nth: int, case: Case, make: Callable[[Liveness], Store]) -> tuple[str, str]:
    """One run with a fault at its nth store call; the name of that call, and what went wrong."""
    receiver = Receiver()
    flow = twelve(receiver)
    with Simulation(SEED, store=make, lease_seconds=2) as simulation:
        if case.resuming:
            with crash_at("tick.after_commit", nth=7), pytest.raises(Crash):
                life(simulation, flow)
            simulation.restart()
        simulation.store.fail_at(nth, how=case.how, error=case.error, times=case.times)
        for _ in range(case.times + 1):
            try:
                run, result = life(simulation, flow)
                break
            except (StoreError, Crash):
                go_on(simulation, case)
        call = simulation.store.failed[0] if simulation.store.failed else ""
        simulation.store.clear()
        return call, "; ".join(faults(simulation, run, result, receiver))


def go_on(simulation: Simulation, case: Case) -> None:
    """Whoever was told of the fault tries again, in another process if the one at hand died, or as the case wants."""
    if not case.same_process and not simulation.worker.dead:
        simulation.crash()
    if simulation.worker.dead:
        simulation.restart()
    elif not simulation.worker.engine.executions:
        with contextlib.suppress(StoreError):
            simulation.run(busy())


def faults(simulation: Simulation, run: Run, result: object, receiver: Receiver) -> Iterator[str]:
    check_journal(run.events())
    yield from (f"{node} ran again" for node in again(run.events()))
    row = simulation.store.row(run.id)
    if result != RESULT or row.status != "completed":
        yield f"result {result}, {row.status}"
    if row.owner is not None:
        yield f"{row.owner} still has it"
    if sorted(receiver.nodes.values()) != sorted(receiver.calls):
        yield f"keys {receiver.nodes}"
    if len(list(simulation.store.rows(workflow="twelve"))) != 1:
        yield "two runs of one key"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whichever_store_call_fails_the_run_comes_to_its_result(case: Case) -> None:
    fail_each(case, lambda nth, liveness: MemoryStore(liveness=liveness))


@pytest.mark.parametrize("case", [CASES[0], CASES[-3]], ids=str)
def test_whichever_call_of_sqlite_fails_the_run_comes_to_its_result(case: Case, tmp_path: Path) -> None:
    fail_each(case, lambda nth, liveness: SqliteStore(tmp_path / f"{nth}.db", liveness=liveness))


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whichever_call_of_sqlite_fails_in_whatever_way(case: Case, tmp_path: Path) -> None:
    fail_each(case, lambda nth, liveness: SqliteStore(tmp_path / f"{nth}.db", liveness=liveness))


def fail_each(case: Case, make: Callable[[int, Liveness], Store]) -> None:
    covered: Counter[str] = Counter()
    nth = 0
    while True:
        nth += 1
        call, fault = fault_at(nth, case, functools.partial(make, nth))
        if not call:
            break
        covered[call] += 1
        assert not fault, f"call {nth}, {call}: {fault}"
    print(f"{case}: recovered at {covered.total()} of {nth - 1} calls: {dict(covered)}")
    expected = {"claim", "events", "receive"} if case.resuming else {"create_run", "put_definition"}
    assert expected | {"find_key", "register", "commit", "version", "renew"} <= {*covered}
