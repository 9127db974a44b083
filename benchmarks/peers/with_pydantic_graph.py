"""pydantic-graph: steps of its GraphBuilder; a broadcast and a join that sums for the fan-out."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from pydantic_graph import GraphBuilder, StepContext, reduce_sum

from benchmarks.peers.case import Case, total

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _chain(count: int, place: Path) -> Callable[[], Any]:
    del place
    builder = GraphBuilder(output_type=int)

    async def first(_ctx: StepContext[None, None, None]) -> int:
        return 0

    async def step(ctx: StepContext[None, None, int]) -> int:
        return ctx.inputs + 1

    steps: list[Any] = [builder.step(step if number else first, node_id=f"n{number}") for number in range(count)]
    edges = [builder.edge_from(builder.start_node).to(steps[0])]
    edges += [builder.edge_from(before).to(after) for before, after in itertools.pairwise(steps)]
    builder.add(*edges, builder.edge_from(steps[-1]).to(builder.end_node))
    graph = builder.build()
    return lambda: asyncio.run(graph.run())


def _fan(count: int, place: Path) -> Callable[[], Any]:
    del place
    builder = GraphBuilder(output_type=int)

    async def root(_ctx: StepContext[None, None, None]) -> int:
        return 1

    async def leaf(ctx: StepContext[None, None, int]) -> int:
        await asyncio.sleep(0)
        return ctx.inputs

    first = builder.step(root, node_id="root")
    leaves: list[Any] = [builder.step(leaf, node_id=f"leaf{number}") for number in range(count - 1)]
    joined = builder.join(reduce_sum, initial=0)
    builder.add(
        builder.edge_from(builder.start_node).to(first),
        builder.edge_from(first).to(*leaves),
        builder.edge_from(*leaves).to(joined),
        builder.edge_from(joined).to(builder.end_node),
    )
    graph = builder.build()
    return lambda: asyncio.run(graph.run())


CASES = (
    Case("chain", _chain),
    Case("fan-out", _fan, total),
    Case("chain", durable=True, never="keeps nothing in SQLite by itself"),
)
