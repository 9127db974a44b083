"""What a node, a commit and a start cost, as ratios in one run: beside plain asyncio, raw SQLite and bare Python.

    python benchmarks/run.py [--quick | --full] [--json FILE]

Machines are noisy: trust the ratios. Ours and theirs take turns, and the figure is the median of the rounds. Every
result is checked for the right answer.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import graphlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BARE = "pass"
#: Sums are kept below this, so that a deep graph computes no large numbers.
MODULUS = 1_000_003


@dataclass
class Graph:
    """A flow, and what anybody else needs to compute the same."""

    name: str
    flow: Flow
    #: The nodes that each node needs.
    edges: dict[str, tuple[str, ...]]
    #: A node's value from those of the nodes that it needs.
    value: Callable[[Sequence[int]], int]
    #: Whether nodes that need others let the loop pass once.
    suspends: bool


def chain(count: int) -> Graph:
    """A row of async nodes."""
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
    return Graph("chain", flow, edges, lambda before: before[0] + 1 if before else 0, False)


def fan(count: int) -> Graph:
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
    return Graph("fan", flow, edges, lambda before: before[0] if before else 1, True)


def layered(count: int) -> Graph:
    """Layers of at most 50 nodes, each of which needs one to three nodes of the layer before; always the same ones."""
    flow = Flow("layered")

    async def source() -> int:
        return 1

    async def one(a: int) -> int:
        return (a + 1) % MODULUS

    async def two(a: int, b: int) -> int:
        return (a + b + 1) % MODULUS

    async def three(a: int, b: int, c: int) -> int:
        return (a + b + c + 1) % MODULUS

    chance = random.Random(1)
    edges: dict[str, tuple[str, ...]] = {}
    before: list[str] = []
    for start in range(0, count, 50):
        layer = [f"n{number}" for number in range(start, min(start + 50, count))]
        for name in layer:
            needs = tuple(chance.sample(before, min(chance.randint(1, 3), len(before))))
            flow.node((source, one, two, three)[len(needs)], id=name, inputs=dict(zip("abc", needs, strict=False)))
            edges[name] = needs
        before = layer
    return Graph("layered", flow, edges, lambda found: (sum(found) + 1) % MODULUS, False)


class RawJournal:
    """Two rows a node in SQLite, in one FULL commit whenever it is asked."""

    def __init__(self, place: Path) -> None:
        self._connection = apsw.Connection(str(place))
        self._connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE events(run, seq INT, body, PRIMARY KEY(run, seq)) WITHOUT ROWID")
        self._seq = 0

    def commit(self, ended: Sequence[str], started: Sequence[str]) -> None:
        """One row for each node that ended or starts."""
        bodies = [f'{{"type":"node_completed","at":1795242036.8,"node":"{name}","output":1}}' for name in ended]
        bodies += [f'{{"type":"node_started","at":1795242036.8,"node":"{name}"}}' for name in started]
        first, self._seq = self._seq, self._seq + len(bodies)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO events VALUES('r',?,?)", list(enumerate(bodies, first)))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


async def plain(graph: Graph, journal: RawJournal | None = None) -> dict[str, int]:
    """The same graph with graphlib and a task a node, and a commit a loop pass: what anybody would write."""
    values: dict[str, int] = {}
    queue: asyncio.Queue[str] = asyncio.Queue()
    edges, value, suspends = graph.edges, graph.value, graph.suspends

    async def work(name: str) -> None:
        needs = edges[name]
        if suspends and needs:
            await asyncio.sleep(0)
        values[name] = value([values[each] for each in needs])
        queue.put_nowait(name)

    sorter = graphlib.TopologicalSorter(edges)
    sorter.prepare()
    tasks = set()
    ended: list[str] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        if journal is not None:
            journal.commit(ended, ready)
        for name in ready:
            task = asyncio.create_task(work(name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        ended = [await queue.get()]
        while not queue.empty():
            ended.append(queue.get_nowait())
        sorter.done(*ended)
    if journal is not None:
        journal.commit(ended, ())
    return values


def turns(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """The median seconds of both, which take turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, times in zip((ours, theirs), taken, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def row(what: str, ours: float, beside: str, theirs: float, unit: str = "s") -> dict[str, Any]:
    """One line: ours, theirs and the ratio, in seconds or bytes."""
    return {"what": what, "unit": unit, "ours": ours, "beside": beside, "theirs": theirs, "ratio": ours / theirs}


def per_node(graph: Graph, folder: Path) -> list[dict[str, Any]]:
    """Three rows of the table: in memory beside plain asyncio, durable beside raw SQLite, and bytes held a node."""
    graph.flow.definition()
    count, name = len(graph.edges), f"{graph.name} of {len(graph.edges):,}"
    rounds = 7 if count <= 1_000 else 3 if count <= 10_000 else 1
    expected = asyncio.run(plain(graph))
    answer = {
        node: expected[node] for node in expected.keys() - {need for each in graph.edges.values() for need in each}
    }
    numbers = iter(range(1000))

    def run(store: str) -> Any:
        started = graph.flow.run(store=store, display=False)
        assert started.result() == answer
        return started

    def durable() -> None:
        run(f"sqlite:///{folder}/{graph.name}{count}-{next(numbers)}.db")

    def raw() -> None:
        journal = RawJournal(folder / f"raw-{graph.name}{count}-{next(numbers)}.db")
        assert asyncio.run(plain(graph, journal)) == expected
        journal.close()

    run("memory:")
    memory, asyncio_alone = turns(lambda: run("memory:"), lambda: asyncio.run(plain(graph)), rounds)
    written, raw_written = turns(durable, raw, rounds)
    tracemalloc.start()
    kept = run("memory:")
    held = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    return [
        row(f"{name}, in memory, a node", memory / count, "plain asyncio", asyncio_alone / count),
        row(f"{name}, durable, a node", written / count, "asyncio, raw SQLite", raw_written / count),
        row(f"{name}, memory held, a node", held, "1 kB", 1000, "B"),
    ]


def at_once(runs: int, folder: Path) -> list[dict[str, Any]]:
    """Many small runs, all started before the first is awaited."""
    graph = chain(5)
    graph.flow.definition()

    def many(urls: Iterator[str]) -> None:
        store = next(urls)
        started = [graph.flow.run(store=store, display=False) for _ in range(runs)]
        assert all(each.result() == {"n4": 4} for each in started)

    async def theirs() -> None:
        assert all(each["n4"] == 4 for each in await asyncio.gather(*(plain(graph) for _ in range(runs))))

    numbers = iter(range(1000))
    rows = []
    for how, store in (("in memory", "memory:"), ("durable", f"sqlite:///{folder}/many")):
        urls = (store if store == "memory:" else f"{store}{number}.db" for number in numbers)
        taken = turns(functools.partial(many, urls), lambda: asyncio.run(theirs()), 3)
        rows.append(row(f"{runs:,} runs of 5 nodes at once, {how}", taken[0], "plain asyncio", taken[1]))
    return rows


def starts() -> list[dict[str, Any]]:
    """Imports and the command line, in seconds over bare Python."""

    def process(*command: str) -> Callable[[], Any]:
        return lambda: subprocess.run([sys.executable, *command], check=True, capture_output=True)

    rows = []
    for what, command in (
        ("import flownb", ("-c", "import flownb")),
        ("import flownb and Flow", ("-c", "from flownb import Flow")),
        ("flownb --help", ("-m", "flownb", "--help")),
        ("import asyncio", ("-c", "import asyncio")),
        ("a first result of three nodes", ("-c", FIRST)),
    ):
        ours, bare = turns(process(*command), process("-c", BARE), 9)
        rows.append(row(f"{what}, over bare Python", ours - bare, "bare Python", bare))
    return rows


FIRST = """
from flownb import Flow
flow = Flow("first")
flow.node(lambda: 1, id="a")
flow.node(lambda a: a + 1, id="b")
flow.node(lambda b: b + 1, id="c")
assert flow.run(store="memory:").result() == {"c": 3}
"""


def shown(value: float, unit: str) -> str:
    """A figure of the table."""
    if unit == "B":
        return f"{value:,.0f} B"
    return f"{value * 1e6:,.1f} µs" if value < 0.001 else f"{value * 1e3:,.1f} ms"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    size = options.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="graphs of 1,000 nodes only")
    size.add_argument("--full", action="store_true", help="graphs of 100,000 nodes as well; takes minutes")
    options.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = options.parse_args()
    shared_memory = Path("/dev/shm")
    rows = starts()
    with tempfile.TemporaryDirectory(dir=shared_memory if os.access(shared_memory, os.W_OK) else None) as folder:
        for count in (1_000,) if given.quick else (1_000, 10_000, 100_000) if given.full else (1_000, 10_000):
            for make in (chain, fan, layered):
                rows += per_node(make(count), Path(folder))
        rows += at_once(1_000, Path(folder))
    print(f"{'what':<48} {'ours':>12} {'beside':<20} {'theirs':>12} {'ratio':>7}")
    for each in rows:
        ours, theirs = (shown(each[key], each["unit"]) for key in ("ours", "theirs"))
        print(f"{each['what']:<48} {ours:>12} {each['beside']:<20} {theirs:>12} {each['ratio']:>7.2f}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
