"""What a round of a loop costs beside a node of a flat fan-out, and a run that is cached beside its first."""

from __future__ import annotations

import itertools
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measure import Row, Size, check, scratch, turns
from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = "control"
_ROUNDS = 10_000
_CACHED = 1_000
_numbers = itertools.count()


def rows(size: Size) -> Iterator[Row]:
    """Loops in memory and durable; a cache of light nodes, and one of nodes that take a millisecond."""
    smoke = size.name == "smoke"
    count = 20 if smoke else _ROUNDS
    with scratch() as folder:
        for how, store in (("in memory", "memory:"), ("durable", f"sqlite:///{folder}/loops.db")):
            yield _loop(count, how, store, 1 if smoke else max(5, size.rounds))
        for what, seconds, aim in (("light nodes", 0.0, None), ("nodes of 1 ms", 0.001, 0.10)):
            yield _cached(what, seconds, aim, folder, smoke=smoke)


def _loop(count: int, how: str, store: str, rounds: int) -> Row:
    loop, fan, items, answer = looped(), fanned(count), list(range(count)), list(range(1, count + 1))

    def ours() -> None:
        check(loop.run(store=store, display=False, items=items).result(), {"each": answer})

    def flat() -> None:
        check(len(fan.run(store=store, display=False).result()), count)

    ours()
    flat()
    taken = turns(ours, flat, rounds)
    return Row(
        GROUP, f"for_each of {count:,} light rounds, {how}, a round", value=taken.ours / count,
        beside="flat fan-out", baseline=taken.theirs / count, aim=2.0, note=taken.note,
    )  # fmt: skip


def looped() -> Flow:
    """A loop over a list, with one light node in it."""
    flow = Flow("looped")
    flow.variable("items")
    with flow.loop("each", over="items"):

        @flow.node
        async def work(item: int) -> int:
            return item + 1

    flow.definition()
    return flow


def fanned(count: int) -> Flow:
    """As many light nodes, each written down."""
    flow = Flow("fanned")

    @flow.node
    async def root() -> int:
        return 1

    async def leaf(root: int) -> int:
        return root + 1

    for number in range(count):
        flow.node(leaf, id=f"leaf{number}")
    flow.definition()
    return flow


def _cached(what: str, seconds: float, aim: float | None, folder: Path, *, smoke: bool) -> Row:
    count, rounds = (20, 1) if smoke else (_CACHED, 3)
    first, again = [], []
    flow, answer = cached(count, seconds), {f"n{count - 1}": count - 1}
    for _ in range(rounds):
        store = f"sqlite:///{folder}/cache{next(_numbers)}.db"
        for taken in (first, again):
            start = time.perf_counter()
            run = flow.run(store=store, display=False)
            check(run.result(), answer)
            taken.append(time.perf_counter() - start)
            sources = set(run.state.sources.values())
            check(sources, {"cache"} if taken is again else set())
    return Row(
        GROUP, f"a cached run of {count:,} {what}", value=median(again), beside="its first run",
        baseline=median(first), aim=aim,
    )  # fmt: skip


def cached(count: int, seconds: float) -> Flow:
    """A chain of nodes that compute so long, each of which is cached."""
    flow = Flow("cached")

    async def step(before: int = -1) -> int:
        until = time.perf_counter() + seconds
        while seconds and time.perf_counter() < until:
            pass
        return before + 1

    for number in range(count):
        flow.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"} if number else {}, cache=True)
    flow.definition()
    return flow
