"""What a peer is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.graphs import Graph


def last(graph: Graph, values: dict[str, int]) -> int:
    """The value of the last node."""
    return values[f"n{len(graph) - 1}"]


def total(graph: Graph, values: dict[str, int]) -> int:
    """The sum of what nobody needs."""
    return sum(graph.answer(values).values())


@dataclass(frozen=True)
class Case:
    """A shape that a peer computes."""

    #: `chain`, `fan-out` or `layered DAG`.
    shape: str
    #: From a number of nodes and a place for a file: what runs it once and returns the value.
    prepare: Callable[[int, Path], Callable[[], Any]] = lambda _count, _place: lambda: None
    answer: Callable[[Graph, dict[str, int]], Any] = last
    durable: bool = False
    #: Why it can't be, in a sentence.
    never: str = ""
