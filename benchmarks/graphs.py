"""Graphs that anybody can compute: names, what each node needs, and its value. Nothing of flownb is in here."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Sums are kept below this, so that a deep graph computes no large numbers.
MODULUS = 1_000_003
#: Nodes in a layer, and how many of the layer before one needs at most.
WIDTH, MOST = 50, 3


@dataclass(frozen=True)
class Graph:
    """What is computed."""

    shape: str
    #: The nodes that each node needs.
    edges: dict[str, tuple[str, ...]]
    #: A node's value from those of the nodes that it needs.
    value: Callable[[Sequence[int]], int]
    #: Whether nodes that need others let the loop pass once.
    suspends: bool = False

    def __len__(self) -> int:
        return len(self.edges)

    def __str__(self) -> str:
        return f"{self.shape} of {len(self):,}"

    def answer(self, values: dict[str, int]) -> dict[str, int]:
        """The values of the nodes that nobody needs."""
        needed = {need for each in self.edges.values() for need in each}
        return {name: values[name] for name in self.edges.keys() - needed}


def chain(count: int) -> Graph:
    """A row of nodes, each one more than the one before."""
    edges: dict[str, tuple[str, ...]] = {"n0": ()}
    edges |= {f"n{number}": (f"n{number - 1}",) for number in range(1, count)}
    return Graph("chain", edges, lambda before: before[0] + 1 if before else 0)


def fan(count: int) -> Graph:
    """One node and many that need it; each of them suspends once."""
    edges: dict[str, tuple[str, ...]] = {"root": ()}
    edges |= {f"leaf{number}": ("root",) for number in range(count - 1)}
    return Graph("fan-out", edges, lambda before: before[0] if before else 1, suspends=True)


def layered(count: int) -> Graph:
    """Layers of nodes, each of which needs one to three nodes of the layer before; always the same ones."""
    chance = random.Random(1)
    edges: dict[str, tuple[str, ...]] = {}
    before: list[str] = []
    for start in range(0, count, WIDTH):
        layer = [f"n{number}" for number in range(start, min(start + WIDTH, count))]
        for name in layer:
            edges[name] = tuple(chance.sample(before, min(chance.randint(1, MOST), len(before))))
        before = layer
    return Graph("layered DAG", edges, lambda found: (sum(found) + 1) % MODULUS)


SHAPES = (chain, fan, layered)
