"""Committed, then published, then started; whatever a commit meets stops its own runs and no others."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed
from flownb.errors import Fenced, InternalError, StoreError
from flownb.model.events import NodeCompleted, NodeStarted
from flownb.run.engine import engine
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flownb.store.contract import Write

SECONDS = 10.0


class Disk(MemoryStore):
    """A store that waits for its disk where it has to survive the plug, and can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.durable = True
        self.turning = threading.Event()
        self.turning.set()
        self.begun = threading.Semaphore(0)
        self.threads: list[int] = []
        self.commits: list[list[Write]] = []
        self.fault: Callable[[Sequence[Write]], BaseException | None] = lambda _: None

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        if power:
            self.threads.append(threading.get_ident())
            self.begun.release()
            assert self.turning.wait(SECONDS)
        if (fault := self.fault(writes)) is not None:
            raise fault
        super().commit(writes, power=power)
        self.commits.append(list(writes))


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.turning.set()


def chain(count: int) -> Flow:
    flow = Flow("chain")

    async def first() -> int:
        return 1

    async def step(before: int) -> int:
        return before + 1

    flow.node(first, id="n0")
    for number in range(1, count):
        flow.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    return flow


def test_a_disk_that_is_waited_for_holds_up_no_other_run(disk: Disk) -> None:
    disk.turning.clear()
    waits = chain(3).run(store=disk, durability="power")
    assert disk.begun.acquire(timeout=SECONDS)
    assert chain(3).run(store="memory:").result(timeout=SECONDS) == {"n2": 3}
    assert waits["n0"].status == "running"  # decided, and nothing of it has begun
    disk.turning.set()
    assert waits.result(timeout=SECONDS) == {"n2": 3}


def test_each_step_of_a_chain_is_one_commit_and_none_is_on_the_loop(disk: Disk) -> None:
    run = chain(20).run(store=disk, durability="power")
    run.result(timeout=SECONDS)
    assert len(disk.commits) == 21
    assert len(disk.threads) == 21
    assert not {thread.ident for thread in threading.enumerate() if thread.name == "flownb-engine"} & {*disk.threads}


def test_what_happens_while_the_disk_works_goes_out_together(disk: Disk) -> None:
    flow = Flow("fan")
    go = asyncio.Event()

    async def waits() -> int:
        await go.wait()
        return 1

    async def ends() -> int:
        disk.turning.clear()
        return 1

    flow.node(ends)
    for number in range(10):
        flow.node(waits, id=f"leaf{number}")
    run = flow.run(store=disk, durability="power")
    assert disk.begun.acquire(timeout=SECONDS)  # the starts
    assert disk.begun.acquire(timeout=SECONDS)  # the end of the one that stopped the disk
    engine().loop.call_soon_threadsafe(go.set)
    loops = threading.Event()
    for _ in range(20):  # so many passes of the loop, in which the others end
        loops.clear()
        engine().loop.call_soon_threadsafe(engine().loop.call_later, 0.002, loops.set)
        assert loops.wait(SECONDS)
    disk.turning.set()
    run.result(timeout=SECONDS)
    ends_by_commit = [sum(type(e) is NodeCompleted for w in writes for e in w.events) for writes in disk.commits]
    assert ends_by_commit == [0, 1, 10]


def test_nothing_starts_before_its_start_is_committed(disk: Disk) -> None:
    started: list[bool] = []
    flow = Flow("two")

    def is_written(node: str) -> bool:
        events = [event for writes in disk.commits for write in writes for event in write.events]
        return any(type(event) is NodeStarted and event.node == node for event in events)

    async def a() -> int:
        started.append(is_written("a"))
        return 1

    async def b(a: int) -> int:
        started.append(is_written("b"))
        return a

    flow.node(a)
    flow.node(b)
    for durability in ("process", "power"):
        disk.commits.clear()
        flow.run(store=disk, durability=durability).result(timeout=SECONDS)
    assert started == [True] * 4


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_commit_that_fails_stops_its_runs_and_the_engine_goes_on(disk: Disk, durability: str) -> None:
    for fault, expected in ((StoreError("The disk is full.", place="here"), StoreError), (OSError(5), InternalError)):
        disk.fault = lambda writes, fault=fault: fault if any(w.first > 1 for w in writes) else None  # type: ignore[misc]
        with pytest.raises(expected):
            chain(3).run(store=disk, durability=durability).result(timeout=SECONDS)
    disk.fault = lambda _: None
    assert chain(3).run(store=disk, durability=durability).result(timeout=SECONDS) == {"n2": 3}


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_run_that_was_taken_away_leaves_those_of_its_commit_alone(disk: Disk, durability: str) -> None:
    taken: set[str] = set()

    def fault(writes: Sequence[Write]) -> BaseException | None:
        gone = [write.run for write in writes if write.run in taken and write.first > 1]
        return Fenced("Another process owns it now.", runs=gone) if gone else None

    disk.fault = fault
    together = asyncio.Event()
    flow = Flow("waits")

    async def waits() -> int:
        await together.wait()
        return 1

    flow.node(waits)
    runs = [flow.run(store=disk, durability=durability) for _ in range(6)]
    taken.update(run.id for run in runs[::2])
    engine().loop.call_soon_threadsafe(together.set)
    for run in runs[1::2]:
        assert run.result(timeout=SECONDS) == {"waits": 1}
    for run in runs[::2]:
        with pytest.raises(Fenced):
            run.result(timeout=SECONDS)


@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_a_node_sets_in_its_context_no_other_inherits(disk: Disk, durability: str) -> None:
    mine: contextvars.ContextVar[str] = contextvars.ContextVar("mine", default="nobody's")
    seen: list[str] = []
    flow = Flow("contexts")

    async def first() -> int:
        seen.append(mine.get())
        mine.set("first's")
        await asyncio.sleep(0)
        assert mine.get() == "first's"
        return 1

    async def step(before: int) -> int:
        seen.append(mine.get())
        mine.set("a step's")
        return before

    flow.node(first, id="n0")
    for number in range(1, 4):
        flow.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    flow.run(store=disk, durability=durability).result(timeout=SECONDS)
    assert seen == ["nobody's"] * 4


def test_the_first_step_of_a_body_is_that_of_a_task() -> None:
    flow = Flow("tasks")
    seen: dict[str, Any] = {}

    @flow.node
    async def body() -> int:
        first = asyncio.current_task()
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            seen["inner"] = group.create_task(asyncio.sleep(0, 7))
        seen["same"] = asyncio.current_task() is first is not None
        return int(seen["inner"].result())

    assert flow.run(store="memory:").result(timeout=SECONDS) == {"body": 7}
    assert seen["same"]


@pytest.mark.parametrize("naps", [0, 1])
def test_a_body_that_exits_fails_and_nothing_else_is_said(naps: int, caplog: pytest.LogCaptureFixture) -> None:
    flow = Flow("exits")

    @flow.node
    async def leaves() -> int:
        for _ in range(naps):
            await asyncio.sleep(0.001)
        sys.exit(3)

    with pytest.raises(RunFailed, match="SystemExit"):
        flow.run(store="memory:").result(timeout=SECONDS)
    assert not caplog.records
    assert chain(2).run(store="memory:").result(timeout=SECONDS) == {"n1": 2}


def test_a_large_value_of_an_async_body_is_handed_on(own_store: str) -> None:
    flow = Flow("large")

    @flow.node
    async def body() -> list[int]:
        return list(range(50_000))

    @flow.node
    async def count(body: list[int]) -> int:
        return len(body)

    assert flow.run(store=own_store).result(timeout=SECONDS) == {"count": 50_000}
