"""The same graphs as flows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.graphs import MODULUS
from flownb import Flow

if TYPE_CHECKING:
    from benchmarks.graphs import Graph


def flow_of(graph: Graph) -> Flow:
    """A flow of async nodes, its definition made."""
    flow = _FLOWS[graph.shape](graph)
    flow.definition()
    return flow


def _chain(graph: Graph) -> Flow:
    flow = Flow("chain")

    async def first() -> int:
        return 0

    async def step(before: int) -> int:
        return before + 1

    for name, needs in graph.edges.items():
        flow.node(step if needs else first, id=name, inputs=dict(zip(("before",), needs, strict=False)))
    return flow


def _fan(graph: Graph) -> Flow:
    flow = Flow("fan")

    async def root() -> int:
        return 1

    async def leaf(root: int) -> int:
        await asyncio.sleep(0)
        return root

    for name, needs in graph.edges.items():
        flow.node(leaf if needs else root, id=name)
    return flow


def _layered(graph: Graph) -> Flow:
    flow = Flow("layered")

    async def source() -> int:
        return 1

    async def one(a: int) -> int:
        return (a + 1) % MODULUS

    async def two(a: int, b: int) -> int:
        return (a + b + 1) % MODULUS

    async def three(a: int, b: int, c: int) -> int:
        return (a + b + c + 1) % MODULUS

    for name, needs in graph.edges.items():
        flow.node((source, one, two, three)[len(needs)], id=name, inputs=dict(zip("abc", needs, strict=False)))
    return flow


_FLOWS = {"chain": _chain, "fan-out": _fan, "layered DAG": _layered}
