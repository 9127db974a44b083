"""Handles: several on one run, in threads and tasks, with what Ctrl-C does left as it was."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

import flownb
from flownb import Flow, Run, RunPaused
from flownb.model.status import RunStatus
from flownb.store.place import open_store

SECONDS = 10.0


def waiting(release: threading.Event) -> Flow:
    flow = Flow("waiting")

    @flow.node
    def first() -> int:
        release.wait(SECONDS)
        return 1

    @flow.node
    def second(first: int) -> int:
        return first + 1

    return flow


def paused(flow: Flow, release: threading.Event, store: str) -> Run:
    release.clear()
    run = flow.run(store=store)
    run.pause()
    release.set()
    with pytest.raises(RunPaused):
        run.result(timeout=SECONDS)
    return run


@pytest.mark.parametrize("store", ["memory:", None])
def test_all_handles_see_what_one_resumes(store: str | None, own_store: str) -> None:
    place, release = store or own_store, threading.Event()
    first = paused(waiting(release), release, place)
    second, third = flownb.attach(first.id, store=place), flownb.attach(first.id, store=place)
    assert second.status is RunStatus.PAUSED

    async def everybody() -> list[Any]:
        tasks = [asyncio.ensure_future(each) for each in (second, third)]
        await asyncio.sleep(0)
        first.resume()
        return [await first, *[await each for each in tasks]]

    assert asyncio.run(asyncio.wait_for(everybody(), SECONDS)) == [{"second": 2}] * 3
    assert second.status is third.status is first.status is RunStatus.COMPLETED
    assert second.result() == {"second": 2}


def test_a_gather_of_runs_leaves_ctrl_c_as_it_was() -> None:
    flow = Flow("short")

    @flow.node
    async def wait(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    async def together() -> None:
        for order in ((1, 500), (500, 1)):
            await asyncio.gather(*(flow.run(store="memory:", turns=turns) for turns in order))

    before = signal.getsignal(signal.SIGINT)
    asyncio.run(together())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_result_is_there_when_it_is_committed_and_not_before(own_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(own_store)
    entered, go_on = threading.Event(), threading.Event()
    commit = store.commit

    def slow(writes: Any, *, power: bool = False) -> None:
        if any(write.release for write in writes):
            entered.set()
            assert go_on.wait(SECONDS)
        commit(writes, power=power)

    monkeypatch.setattr(store, "commit", slow)
    flow = Flow("slow disk")
    flow.node(lambda: 1, id="one")
    run = flow.run(store=store)
    assert entered.wait(SECONDS)
    with pytest.raises(TimeoutError):
        run.result(timeout=0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(run, 0.1))
    go_on.set()
    assert run.result(timeout=SECONDS) == {"one": 1}


def test_a_timeout_around_await_pauses_nothing() -> None:
    release = threading.Event()
    run = waiting(release).run(store="memory:")

    async def impatient() -> dict[str, int]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await run
        release.set()
        return await run

    assert asyncio.run(impatient()) == {"second": 2}
    assert [record.event.__struct_config__.tag for record in run.events()].count("run_paused") == 0
