"""What anybody would write: graphlib and a task a node, and a commit of raw SQLite a loop pass where it is to last."""

from __future__ import annotations

import asyncio
import graphlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.graphs import Graph


class RawJournal:
    """Two rows a node in SQLite, in one commit whenever it is asked; FULL: each is on the disk before it returns."""

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


async def compute(graph: Graph, journal: RawJournal | None = None) -> dict[str, int]:
    """All values of a graph."""
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


def run(graph: Graph, journal: RawJournal | None = None) -> dict[str, int]:
    """The same from no loop at all."""
    return asyncio.run(compute(graph, journal))


@contextmanager
def journal(place: Path) -> Iterator[RawJournal]:
    """A journal of raw SQLite that is open meanwhile."""
    opened = RawJournal(place)
    try:
        yield opened
    finally:
        opened.close()


_TABLES = """
CREATE TABLE runs(id PRIMARY KEY, status, value) WITHOUT ROWID;
CREATE TABLE events(run, seq INT, body, PRIMARY KEY(run, seq)) WITHOUT ROWID;
CREATE TABLE asked(run PRIMARY KEY, status, question) WITHOUT ROWID;
"""


def people(place: Path, count: int) -> tuple[float, float]:
    """Seconds to write down that so many runs ask a person, and that they were answered and ended; survives a kill."""
    connection = apsw.Connection(str(place))
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
    connection.execute(_TABLES)
    body = '{"type":"node_completed","at":1795242036.8,"node":"n0","output":1}'
    insert = "INSERT INTO events VALUES(?,?,?)"
    cursor = connection.cursor()
    start = time.perf_counter()
    for run in range(count):
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("INSERT INTO runs VALUES(?,'paused',NULL)", (run,))
        cursor.executemany(insert, [(run, seq, body) for seq in range(8)])
        cursor.execute("INSERT INTO asked VALUES(?,'pending','Go on with 1?')", (run,))
        cursor.execute("COMMIT")
    paused = time.perf_counter()
    for run in range(count):
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("UPDATE asked SET status='approved' WHERE run=? AND status='pending'", (run,))
        cursor.executemany(insert, [(run, seq, body) for seq in range(8, 17)])
        cursor.execute("UPDATE runs SET status='completed', value=3 WHERE id=?", (run,))
        cursor.execute("COMMIT")
    end = time.perf_counter()
    connection.close()
    return paused - start, end - paused
