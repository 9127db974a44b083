"""Many small runs, all started before the first is awaited."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from benchmarks import plain
from benchmarks.flows import flow_of
from benchmarks.graphs import chain
from benchmarks.measure import Row, Size, check, scratch, turns

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "many runs"
_SECONDS = 0.2


def rows(size: Size) -> Iterator[Row]:
    """In memory and durable."""
    graph = chain(5)
    flow = flow_of(graph)
    numbers = itertools.count()

    def ours(place: str) -> None:
        url = place.format(next(numbers))
        started = [flow.run(store=url, display=False) for _ in range(size.runs)]
        for run in started:
            check(run.result(), {"n4": 4})

    async def theirs() -> None:
        for values in await asyncio.gather(*(plain.compute(graph) for _ in range(size.runs))):
            check(values["n4"], 4)

    with scratch() as folder:
        for how, place in (("in memory", "memory:"), ("durable", f"sqlite:///{folder}/many{{}}.db")):
            ours(place)
            taken, alone, _ = turns(lambda place=place: ours(place), lambda: asyncio.run(theirs()), max(3, size.rounds))
            yield Row(
                GROUP, f"{size.runs:,} runs of 5 nodes at once, {how}", value=taken, beside="plain asyncio",
                baseline=alone, aim=_SECONDS if how == "durable" else None, aim_of="value",
            )  # fmt: skip
