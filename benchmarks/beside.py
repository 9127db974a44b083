"""A durable chain beside a cell that computes without a break: both want the interpreter, and neither may starve."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.flows import flow_of
from benchmarks.graphs import chain
from benchmarks.measure import Row, Size, check, scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "beside a cell"


def rows(size: Size) -> Iterator[Row]:
    """Seconds a node, and the longest moment that the cell stood still, each beside the same alone."""
    graph = chain(min(2_000, max(size.counts)))
    flow = flow_of(graph)
    rounds: list[tuple[float, float, float]] = []
    with scratch() as folder:
        for number in range(max(3, size.rounds)):
            start = time.perf_counter()
            flow.run(store=f"sqlite:///{folder}/alone{number}.db", display=False).result()
            alone = time.perf_counter() - start
            start = time.perf_counter()
            run = flow.run(store=f"sqlite:///{folder}/beside{number}.db", display=False)
            still = compute_until(lambda run=run: run.status.ended)
            rounds.append((time.perf_counter() - start, still, alone))
            check(run.result(), {f"n{len(graph) - 1}": len(graph) - 1})
    taken, still, alone = (sorted(each)[len(rounds) // 2] for each in zip(*rounds, strict=True))
    quiet = compute_until(_after(alone))
    yield Row(
        GROUP, f"durable {graph} beside a computing cell, a node", value=taken / len(graph), beside="flownb alone",
        baseline=alone / len(graph), aim=0.0005, aim_of="value",
    )  # fmt: skip
    yield Row(
        GROUP, "the cell's longest standstill", value=still, beside="the cell alone", baseline=quiet,
        aim=0.020, aim_of="value",
    )  # fmt: skip


def compute_until(ended: object) -> float:
    """Compute, as a cell does, until `ended()`; returns the longest time between two steps, in seconds."""
    longest, before = 0.0, time.perf_counter()
    while not ended():  # type: ignore[operator]
        sum(range(200))
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    return longest


def _after(seconds: float) -> object:
    last = time.perf_counter() + max(seconds, 0.2)
    return lambda: time.perf_counter() > last
