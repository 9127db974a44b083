"""What a node costs where it is to survive a kill, beside raw SQLite with one FULL commit a loop pass; and how many
commits and fsyncs that takes.

In memory-backed files an fsync costs nothing, so that the work shows; on the disk it is most of all. They are counted
in a run of their own, by a file system between SQLite and the real one: it counts the same wherever Python runs.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from benchmarks import plain
from benchmarks.flows import flow_of
from benchmarks.graphs import SHAPES, chain, fan
from benchmarks.measure import Row, Size, check, scratch, turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.graphs import Graph

GROUP = "durable"
BESIDE = "raw SQLite, FULL"
_AIM = {"chain": 1.5, "fan-out": 1.0, "layered DAG": None}
_numbers = itertools.count()


def rows(size: Size) -> Iterator[Row]:
    """Seconds a node in memory-backed files, the same on disk, and counts."""
    with scratch() as folder:
        for shape in SHAPES:
            for count in size.counts:
                graph = shape(count)
                for durability in ("process", "power"):
                    if durability == "process" or count <= 10_000:
                        yield _cost(graph, durability, folder, size, "memory-backed files")
    with scratch(on_disk=True) as folder:
        for shape in (chain, fan):
            graph = shape(min(1_000, max(size.counts)))
            for durability in ("process", "power"):
                yield _cost(graph, durability, folder, size, "disk")
        for shape in (chain, fan):
            yield from _counted(shape(min(1_000, max(size.counts))), folder)


def _cost(graph: Graph, durability: str, folder: Path, size: Size, where: str) -> Row:
    flow = flow_of(graph)
    expected = plain.run(graph)
    answer = graph.answer(expected)
    url = f"sqlite:///{folder}/ours{next(_numbers)}.db"

    def ours() -> None:
        check(flow.run(store=url, durability=durability, display=False).result(), answer)

    ours()  # opens the store
    with plain.journal(folder / f"raw{next(_numbers)}.db") as journal:
        taken = turns(ours, lambda: check(plain.run(graph, journal), expected), size.rounds_of(len(graph)))
    aimed = where != "disk" and len(graph) in (1_000, 10_000)
    return Row(
        GROUP,
        f"{graph}, {durability}, {where}, a node",
        value=taken.ours / len(graph),
        beside=BESIDE,
        baseline=taken.theirs / len(graph),
        aim=_AIM[graph.shape] if aimed else None,
        note=taken.note if where != "disk" else "",
    )


def _counted(graph: Graph, folder: Path) -> Iterator[Row]:
    flow = flow_of(graph)
    with counting() as raw, plain.journal(folder / f"raw{next(_numbers)}.db") as journal:
        raw.clear()
        plain.run(graph, journal)
    for durability in ("process", "power"):
        url = f"sqlite:///{folder}/counted{next(_numbers)}.db"
        with counting() as counts:
            for _ in range(2):  # the first opens the store
                counts.clear()
                flow.run(store=url, durability=durability, display=False).result()
        for what in ("commits", "fsyncs"):
            most = 1.05 if graph.shape == "chain" else 0.05
            yield Row(
                GROUP, f"{graph}, {durability}, {what} a node", unit="", value=getattr(counts, what) / len(graph),
                beside=BESIDE, baseline=getattr(raw, what) / len(graph),
                aim=most if durability == "power" else None, aim_of="value",
            )  # fmt: skip


@dataclass
class Counts:
    """What SQLite did."""

    commits: int = 0
    fsyncs: int = 0

    def clear(self) -> None:
        """Count from here on."""
        self.commits = self.fsyncs = 0


@contextmanager
def counting() -> Iterator[Counts]:
    """Count commits and fsyncs of the connections that this process opens meanwhile."""
    counts = Counts()
    usual = apsw.vfs_names()[0]

    class File(apsw.VFSFile):
        def xSync(self, flags: int) -> None:  # noqa: N802  SQLite's name
            counts.fsyncs += 1
            super().xSync(flags)

    class FileSystem(apsw.VFS):
        def __init__(self) -> None:
            super().__init__(f"counting{next(_numbers)}", usual, makedefault=True)

        def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  SQLite's name
            return File(usual, name, flags)

    def commit() -> bool:
        counts.commits += 1
        return False

    def opened(connection: apsw.Connection) -> None:
        connection.set_commit_hook(commit)

    system = FileSystem()
    apsw.connection_hooks.append(opened)
    try:
        yield counts
    finally:
        apsw.connection_hooks.remove(opened)
        apsw.set_default_vfs(usual)
        _kept.append(system)  # connections of a store outlive this


_kept: list[apsw.VFS] = []
