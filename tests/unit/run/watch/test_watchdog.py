"""Who blocks the loop or computes beside it is named in a warning; who does neither is left alone."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.run.threads import thread_clock
from flownb.run.watch.computing import cpu_seconds
from flownb.run.watch.lags import Lags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.run.handles.handle import Run

SECONDS = 60.0


def run_of(*bodies: Callable[..., Any]) -> Run:
    flow = Flow("watched")
    for body in bodies:
        flow.node(body)
    run = flow.run(store="memory:")
    run.result(SECONDS)
    return run


def warnings_of(run: Run) -> list[tuple[str | None, str]]:
    found = [each.event for each in run.events() if isinstance(each.event, ev.SystemWarning)]
    return [(each.node, each.message) for each in found]


def block(seconds: float) -> None:
    """Stand still as careless code does: not for a time, but until so much has passed for the watchdog too."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        threading.Event().wait(end - time.monotonic())


def test_a_node_that_blocks_the_loop_is_named_with_its_line_once() -> None:
    async def careless() -> None:
        block(0.6)
        await asyncio.sleep(0)
        block(0.6)

    ((node, message),) = warnings_of(run_of(careless))
    assert node == "careless"
    assert message.startswith("careless blocked the engine's loop for more than 250 ms, at test_watchdog.py:")
    assert "block(0.6)" in message or "in block" in message
    assert 'where="process"' in message


def test_a_task_of_a_node_is_the_nodes() -> None:
    async def starts() -> None:
        async def careless() -> None:
            await asyncio.sleep(0)
            block(0.6)

        await asyncio.create_task(careless())

    ((node, _),) = warnings_of(run_of(starts))
    assert node == "starts"


def test_who_waits_or_works_on_a_thread_blocks_nobody() -> None:
    async def waits() -> None:
        await asyncio.sleep(0.5)

    def sleeps() -> None:
        block(0.5)

    assert warnings_of(run_of(waits, sleeps)) == []


def burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(number * number for number in range(2_000))


@pytest.mark.skipif(thread_clock() is None, reason="there are no clocks of threads here")
def test_a_sync_node_that_computes_beside_fifty_async_ones_is_named_and_the_loop_stays_quick() -> None:
    over = threading.Event()
    lags: list[float] = []

    def burns() -> None:
        end = time.monotonic() + SECONDS
        while not over.is_set() and time.monotonic() < end:
            burn(0.5)
        over.set()

    async def beside() -> None:
        while not over.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.02)
            lags.append(time.monotonic() - before - 0.02)

    def look(happened: Sequence[ev.Event]) -> None:
        if any(isinstance(event, ev.SystemWarning) for event in happened):
            over.set()

    flow = Flow("burn")
    flow.node(burns)
    for number in range(50):
        flow.node(beside, id=f"beside_{number}")
    run = flow.run(store="memory:")
    run.watch(look)
    run.result(2 * SECONDS)
    ((node, message),) = warnings_of(run)
    assert node == "burns"
    assert "without a break beside 50 other nodes" in message
    assert 'where="process" gives it a core of its own' in message
    # 10 to 30 ms on a quiet machine; benchmarks/ measures it. Here it must not hang.
    assert sorted(lags)[int(len(lags) * 0.99)] < 0.5


def test_one_that_computes_alone_slows_down_nobody() -> None:
    def alone() -> None:
        burn(4.0)

    assert warnings_of(run_of(alone)) == []


def test_the_clock_of_a_thread_that_has_ended_crashes_nothing() -> None:
    clocks: list[int | None] = []
    thread = threading.Thread(target=lambda: clocks.append(thread_clock()))
    thread.start()
    thread.join()
    assert cpu_seconds(clocks[0]) >= 0.0
    assert cpu_seconds(None) == 0.0


def test_it_sleeps_when_no_run_is_at_work() -> None:
    run_of(lambda_node)
    watchdog = engine().watchdog
    end = time.monotonic() + SECONDS
    while not watchdog._asleep:
        assert time.monotonic() < end
        threading.Event().wait(0.05)
    run_of(lambda_node)
    assert not watchdog.found


def lambda_node() -> int:
    return 1


def test_quantiles_of_lags() -> None:
    lags = Lags()
    assert lags.share(0.99) == 0.0
    for number in range(2_000):
        lags.add(number / 1000)
    assert lags.share(0.5) == 1.5
    assert lags.share(1.0) == 1.999
