"""A thousand runs that each ask a person in the middle, and go on with the answer; ten thousand that wait.

Beside raw SQLite, which writes the same rows, a transaction a run and step; and the peers that can pause.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flownb
from benchmarks import peers, plain
from benchmarks.measure import Row, Size, check, scratch
from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "people"
_SECONDS = 0.2
_HELD = 8_000_000
_OPENED, _LISTED = 2.0, 0.050
#: How many runs wait where it is measured what waiting costs, for each that is paused and resumed.
_MANY = 10


def asking() -> Flow:
    """Five nodes: two, a question that names a value, and two more."""
    flow = Flow("asking")

    @flow.node
    async def n0() -> int:
        return 0

    @flow.node
    async def n1(n0: int) -> int:
        return n0 + 1

    ok = flow.approval("n2", "Go on with {{ n1 }}?", after="n1")

    @flow.node(after=[ok.approved])
    async def n3(n1: int) -> int:
        return n1 + 1

    @flow.node
    async def n4(n3: int) -> int:
        return n3 + 1

    flow.definition()
    return flow


def rows(size: Size) -> Iterator[Row]:
    """Paused and resumed where they are held, and by a process that has nothing but the store; then waiting alone."""
    flow = asking()
    numbers = itertools.count()
    taken: dict[str, list[float]] = {}
    beside: dict[str, list[float]] = {}
    with scratch(on_disk=True) as folder:
        held(flow, f"sqlite:///{folder}/warm.db", min(50, size.runs))
        for _ in range(size.rounds):
            number = next(numbers)
            found = held(flow, f"sqlite:///{folder}/held{number}.db", size.runs)
            found["cold"] = cold(flow, f"sqlite:///{folder}/cold{number}.db", size.runs)
            for what, value in found.items():
                taken.setdefault(what, []).append(value)
            for what, value in zip(
                ("pause", "resume"), plain.people(folder / f"raw{number}.db", size.runs), strict=True
            ):
                beside.setdefault(what, []).append(value)
        figure = {what: statistics.median(values) for what, values in taken.items()}
        raw = {what: statistics.median(values) for what, values in beside.items()}
        many = f"{size.runs:,} runs of 5 nodes"
        yield Row(
            GROUP, f"{many}, each to its question", value=figure["pause"], beside="raw SQLite", baseline=raw["pause"],
            aim=_SECONDS, aim_of="value",
        )  # fmt: skip
        yield Row(
            GROUP, f"{many}, answered one by one and resumed where held", value=figure["resume"], beside="raw SQLite",
            baseline=raw["resume"], aim=_SECONDS, aim_of="value",
        )  # fmt: skip
        yield Row(
            GROUP, f"{many}, answered and resumed by a fresh process", value=figure["cold"], beside="raw SQLite",
            baseline=raw["resume"], aim=_SECONDS, aim_of="value", note="its imports and the opening not counted",
        )  # fmt: skip
        found = _in_process("hold", f"sqlite:///{folder}/hold.db", str(size.runs))
        yield Row(
            GROUP, f"held by {size.runs:,} handles on paused runs", unit="B", value=found["held"], aim=_HELD,
            aim_of="value", note="what the second as many add to the resident set",
        )  # fmt: skip
        yield from waiting(flow, f"sqlite:///{folder}/waiting.db", size)
    yield from peers.pausing(GROUP, size)


def held(flow: Flow, url: str, count: int) -> dict[str, float]:
    """Seconds to pause, and to answer and resume, with the handles of all runs."""
    from flownb.store.place import open_store

    store = open_store(url)
    start = time.perf_counter()
    runs = paused_runs(flow, store, count)
    paused = time.perf_counter()
    asked = {each.run: each.id for each in flownb.inbox(store)}
    check(len(asked), count)
    begin = time.perf_counter()
    for run in runs:
        run.decide(asked[run.id])
    for run in runs:
        check(run.result()["n4"], 3)
    end = time.perf_counter()
    store.close()
    return {"pause": paused - start, "resume": end - begin}


def paused_runs(flow: Flow, store: Any, count: int) -> list[Any]:
    """Runs that have all come to their question."""
    runs = [flow.run(store=store, display=False) for _ in range(count)]
    while not all(run.resting for run in runs):
        time.sleep(0.001)
    return runs


def cold(flow: Flow, url: str, count: int) -> float:
    """Seconds that a process takes to answer and resume runs that it has never seen."""
    from flownb.store.place import open_store

    store = open_store(url)
    paused_runs(flow, store, count)
    store.close()
    return float(_in_process("resume", url, str(count))["seconds"])


def waiting(flow: Flow, url: str, size: Size) -> Iterator[Row]:
    """What runs cost that only wait."""
    from flownb.store.place import open_store

    count = _MANY * size.runs
    store = open_store(url)
    for _ in range(_MANY):
        paused_runs(flow, store, size.runs)
    store.close()
    found = _in_process("look", url, str(count))
    yield Row(GROUP, f"opening a store with {count:,} paused runs", value=found["opened"], aim=_OPENED, aim_of="value")
    yield Row(GROUP, f"listing {count:,} approvals", value=found["listed"], aim=_LISTED, aim_of="value")
    yield Row(GROUP, f"held for {count:,} paused runs by a process that has listed them", unit="B", value=found["held"])


def _in_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.people", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _hold(url: str, count: int) -> dict[str, float]:
    """Hold runs that have come to their question."""
    from flownb.store.place import open_store

    flow = asking()
    paused_runs(flow, open_store(f"{url}-warm"), 50)
    store = open_store(url)
    first = paused_runs(flow, store, count)  # what the store and the allocator take once
    before = _resident()
    runs = paused_runs(flow, store, count)
    after = _resident()
    check(len(first) + len(runs), 2 * count)
    return {"held": float(after - before)}


def _resume(url: str, count: int) -> dict[str, float]:
    """Answer everything that is asked, and go on with all of it."""
    from flownb.store.place import open_store

    flow, store = asking(), open_store(url)
    start = time.perf_counter()
    asked = flownb.inbox(store)
    check(len(asked), count)
    for each in asked:
        each.approve()
    for run in flow.resume(store=store):
        check(run.result()["n4"], 3)
    return {"seconds": time.perf_counter() - start}


def _look(url: str, count: int) -> dict[str, float]:
    """Open and list, and keep nothing."""
    from flownb.store.place import open_store

    start = time.perf_counter()
    store = open_store(url)
    check(len(list(store.rows(limit=1))), 1)
    opened = time.perf_counter() - start
    took = []
    before = _resident()
    for _ in range(5):
        start = time.perf_counter()
        check(len(flownb.inbox(store)), count)
        took.append(time.perf_counter() - start)
    return {"opened": opened, "listed": statistics.median(took), "held": float(_resident() - before)}


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    does = {"hold": _hold, "look": _look, "resume": _resume}[sys.argv[1]]
    print(json.dumps(does(sys.argv[2], int(sys.argv[3]))))
