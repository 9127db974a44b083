"""What an engine does beside its runs costs the same, however many there are."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from flownb import Flow
from flownb.errors import Fenced
from flownb.run.engine import engine
from flownb.store.memory import MemoryStore

SECONDS = 20.0


class Counting(MemoryStore):
    """Counts what is asked of it by the engine's looks."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def version(self) -> int:
        self.calls["version"] += 1
        return super().version()

    def waiting(self) -> set[str]:
        self.calls["waiting"] += 1
        return super().waiting()

    def receive(self, runs: Any) -> Any:
        self.calls["receive"] += 1
        return super().receive(runs)

    def renew(self, owner_id: str) -> None:
        self.calls["renew"] += 1
        super().renew(owner_id)

    def held(self, owner_id: str) -> dict[str, int]:
        self.calls["held"] += 1
        return super().held(owner_id)


def on_loop(function: Any) -> Any:
    done, found = threading.Event(), []

    def call() -> None:
        found.append(function())
        done.set()

    engine().call(call)
    assert done.wait(SECONDS)
    return found[0]


def looks(count: int) -> tuple[Counter[str], Counter[str]]:
    """What ten looks ask while `count` runs are at work: when nothing happens, and when a command is left for one."""
    store, flow = Counting(), Flow("waits")
    gate: list[asyncio.Event] = []

    @flow.node
    async def waits() -> None:
        if not gate:
            gate.append(asyncio.Event())
        await gate[0].wait()

    runs = [flow.run(store=store, display=False) for _ in range(count)]
    while any(run["waits"].status != "running" for run in runs):
        runs[-1]._settled.wait(0.001)
    house = engine().house
    place = house._places[id(store)]

    def ten() -> Counter[str]:
        house._look_at(place, pulse=False)
        store.calls.clear()
        for _ in range(10):
            house._look_at(place, pulse=False)
        return Counter(store.calls)

    def ten_with_a_command() -> Counter[str]:
        house._look_at(place, pulse=False)
        store.calls.clear()
        from flownb.model.commands import SetVariable

        store.send(runs[0].id, SetVariable(name="x", value=1))
        for _ in range(10):
            house._look_at(place, pulse=False)
        return Counter(store.calls)

    found = on_loop(ten), on_loop(ten_with_a_command)
    engine().call(gate[0].set)
    for run in runs:
        run.result(SECONDS)
    return found


def test_a_look_asks_the_same_of_a_store_for_one_run_as_for_a_thousand() -> None:
    few, many = looks(1), looks(1000)
    assert few[0] == many[0] == Counter(version=10)
    assert few[1] == many[1]
    assert many[1]["receive"] == 1


def test_an_owner_that_overslept_its_lease_looks_whether_its_runs_are_still_its_own() -> None:
    store, flow = Counting(), Flow("sleeps")
    stopped = threading.Event()

    @flow.node
    async def sleeps() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    run = flow.run(store=store, display=False)
    while run["sleeps"].status != "running":
        run._settled.wait(0.001)
    house = engine().house
    place = house._places[id(store)]
    store._runs[run.id].fence += 1  # another process took it meanwhile

    def in_time() -> None:
        place.renewed = engine().loop.time() - house._lease_seconds / 2
        house._look_at(place, pulse=False)

    def too_late() -> None:
        place.renewed = engine().loop.time() - house._lease_seconds
        house._look_at(place, pulse=False)

    on_loop(in_time)
    assert (store.calls["renew"], store.calls["held"]) == (1, 0)
    on_loop(too_late)
    assert store.calls["held"] == 1
    with pytest.raises(Fenced, match="Another process owns run"):
        run.result(SECONDS)
    assert stopped.wait(SECONDS)  # what was in flight is stopped although it had nothing to write
