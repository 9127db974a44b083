"""What a node costs in memory, and how many bytes of it are held, beside plain asyncio."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

from benchmarks import plain
from benchmarks.flows import flow_of
from benchmarks.graphs import SHAPES
from benchmarks.measure import Row, Size, check, turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.graphs import Graph

GROUP = "nodes"
BESIDE = "plain asyncio"
#: The ratio that we want.
_AIM = {"chain": 1.0, "fan-out": 2.0, "layered DAG": 2.0}
#: From here on it counts: below, a run's own cost is most of it.
_COUNTS = 1_000


def rows(size: Size) -> Iterator[Row]:
    """Two lines a shape and size, and how the largest compares with the smallest that counts."""
    for shape in SHAPES:
        costs: dict[int, float] = {}
        for count in size.counts:
            graph = shape(count)
            yield (cost := _cost(graph, size))
            assert cost.value is not None
            costs[count] = cost.value
            if count >= _COUNTS or size.name == "smoke":
                yield _held(graph)
        if len(costs) > 1 and max(costs) >= 100 * _COUNTS:
            most = max(costs)
            yield Row(
                GROUP, f"{shape(2).shape} of {most:,} over one of {_COUNTS:,}, a node", value=costs[most],
                beside=f"flownb at {_COUNTS:,}", baseline=costs[_COUNTS], aim=1.5,
            )  # fmt: skip


def _cost(graph: Graph, size: Size) -> Row:
    flow = flow_of(graph)
    expected = graph.answer(plain.run(graph))

    def ours() -> None:
        check(flow.run(store="memory:", display=False).result(), expected)

    ours()
    taken = turns(ours, lambda: plain.run(graph), size.rounds_of(len(graph)))
    aim = _AIM[graph.shape] if _COUNTS <= len(graph) < 100 * _COUNTS else None
    each, beside = taken.ours / len(graph), taken.theirs / len(graph)
    return Row(GROUP, f"{graph}, a node", value=each, beside=BESIDE, baseline=beside, aim=aim, note=taken.note)


def _held(graph: Graph) -> Row:
    """Bytes that a finished run holds: its values, its state and its events."""
    flow = flow_of(graph)
    flow.run(store="memory:", display=False).result()
    gc.collect()
    tracemalloc.start()
    run = flow.run(store="memory:", display=False)
    run.result()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / len(graph)
    tracemalloc.stop()
    del run
    aim = 1_000.0 if len(graph) >= 100 * _COUNTS else None
    return Row(GROUP, f"{graph}, bytes held a node", unit="B", value=held, aim=aim, aim_of="value")
