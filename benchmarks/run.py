"""What a node, a commit and a start cost, as ratios in one run: beside plain asyncio, raw SQLite and bare Python.

    python benchmarks/run.py [--quick] [--json FILE]

Machines are noisy: trust the ratios, and of those the medians. Every result is checked for the right answer.
"""

from __future__ import annotations

import argparse
import asyncio
import graphlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
BARE = "pass"


def chain(count: int) -> tuple[Flow, dict[str, tuple[str, ...]], Any]:
    """A row of async nodes; its edges by node, and its right answer."""
    flow = Flow("chain")

    async def first() -> int:
        return 0

    async def step(before: int) -> int:
        return before + 1

    flow.node(first, id="n0")
    edges: dict[str, tuple[str, ...]] = {"n0": ()}
    for number in range(1, count):
        flow.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
        edges[f"n{number}"] = (f"n{number - 1}",)
    return flow, edges, {f"n{count - 1}": count - 1}


def fan(count: int) -> tuple[Flow, dict[str, tuple[str, ...]], Any]:
    """One node and many that need it; each suspends once."""
    flow = Flow("fan")

    async def root() -> int:
        return 1

    async def leaf(root: int) -> int:
        await asyncio.sleep(0)
        return root

    flow.node(root)
    edges: dict[str, tuple[str, ...]] = {"root": ()}
    for number in range(count - 1):
        flow.node(leaf, id=f"leaf{number}")
        edges[f"leaf{number}"] = ("root",)
    return flow, edges, {f"leaf{number}": 1 for number in range(count - 1)}


async def plain(edges: dict[str, tuple[str, ...]], *, suspend: bool) -> dict[str, int]:
    """The same graph with graphlib and a task a node: what anybody would write."""
    values: dict[str, int] = {}
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def work(name: str) -> None:
        before = edges[name]
        if suspend and before:
            await asyncio.sleep(0)
        # The chain counts its steps; in the fan the root gives 1 and the leaves hand it on.
        values[name] = sum(values[each] for each in before) + (bool(before) != suspend)
        ended.put_nowait(name)

    sorter = graphlib.TopologicalSorter(edges)
    sorter.prepare()
    tasks = set()
    while sorter.is_active():
        for name in sorter.get_ready():
            task = asyncio.create_task(work(name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        sorter.done(await ended.get())
        while not ended.empty():
            sorter.done(ended.get_nowait())
    return values


def raw_sqlite(place: Path, commits: int, rows: int) -> None:
    """So many commits of so many rows, with the journal's schema and FULL."""
    connection = apsw.Connection(str(place))
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events(run TEXT, seq INT, body BLOB, PRIMARY KEY(run, seq)) WITHOUT ROWID")
    body, seq = b'{"type":"node_completed","at":1795242036.8,"node":"n1","output":1}', 0
    for _ in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events VALUES('r',?,?)", [(seq + each, body) for each in range(rows)])
        connection.execute("COMMIT")
        seq += rows
    connection.close()


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The median of several rounds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def process(*command: str) -> float:
    """Seconds of a whole process."""
    return seconds(lambda: subprocess.run([sys.executable, *command], check=True, capture_output=True), 9)


def per_node(
    make: Callable[[int], tuple[Flow, dict[str, tuple[str, ...]], Any]], count: int, folder: Path
) -> list[Any]:
    """Two rows of the table: in memory beside plain asyncio, durable beside raw SQLite."""
    flow, edges, answer = make(count)
    flow.definition()
    name = make.__name__

    def run(store: str) -> None:
        assert flow.run(store=store, display=False).result() == answer

    suspend = make is fan
    expected = asyncio.run(plain(edges, suspend=suspend))
    assert all(expected[node] == value for node, value in answer.items())
    memory, asyncio_alone = seconds(lambda: run("memory:")), seconds(lambda: asyncio.run(plain(edges, suspend=suspend)))
    numbers = iter(range(1000))
    durable = seconds(lambda: run(f"sqlite:///{folder}/{name}{count}-{next(numbers)}.db"), 3)
    commits, rows = (count + 1, 2) if make is chain else (4, count // 2)
    raw = seconds(lambda: raw_sqlite(folder / f"raw-{name}{count}-{next(numbers)}.db", commits, rows), 3)
    return [
        row(f"{name} of {count:,}, in memory, a node", memory / count, "plain asyncio", asyncio_alone / count),
        row(f"{name} of {count:,}, durable, a node", durable / count, "raw SQLite, FULL", raw / count),
    ]


def row(what: str, ours: float, beside: str, theirs: float) -> dict[str, Any]:
    """One line: ours, theirs and the ratio, in seconds."""
    return {"what": what, "seconds": ours, "beside": beside, "theirs": theirs, "ratio": ours / theirs}


def starts() -> list[Any]:
    """Import and command line, over bare Python."""
    bare = process("-c", BARE)
    return [
        row("import flownb", process("-c", "import flownb"), "bare Python", bare),
        row("import flownb and Flow", process("-c", "from flownb import Flow"), "bare Python", bare),
        row("flownb --help", process("-m", "flownb", "--help"), "bare Python", bare),
        row("a first result of three nodes", process("-c", FIRST), "bare Python", bare),
    ]


FIRST = """
from flownb import Flow
flow = Flow("first")
flow.node(lambda: 1, id="a")
flow.node(lambda a: a + 1, id="b")
flow.node(lambda b: b + 1, id="c")
assert flow.run(store="memory:").result() == {"c": 3}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="small graphs only")
    options.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = options.parse_args()
    shared_memory = Path("/dev/shm")
    rows = starts()
    with tempfile.TemporaryDirectory(dir=shared_memory if os.access(shared_memory, os.W_OK) else None) as folder:
        for count in (1_000,) if given.quick else (1_000, 10_000):
            for make in (chain, fan):
                rows += per_node(make, count, Path(folder))
    print(f"{'what':<40} {'ours':>12} {'beside':<18} {'theirs':>12} {'ratio':>7}")
    for each in rows:
        ours, theirs = (
            f"{each[key] * 1e6:,.1f} µs" if each[key] < 0.01 else f"{each[key] * 1e3:,.0f} ms"
            for key in ("seconds", "theirs")
        )
        print(f"{each['what']:<40} {ours:>12} {each['beside']:<18} {theirs:>12} {each['ratio']:>6.2f}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
