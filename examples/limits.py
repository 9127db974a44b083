"""Counting primes in processes of their own, two at a time, beside a search that would never end.

From the repository's root:

    flownb run examples.limits:flow
    flownb run examples.limits:flow -p below 100000
    flownb run examples/limits.json

Each node here runs in a process that can be ended with all that it has started, and may use so much memory and CPU time
and no more. The search for an odd perfect number is ended by its limit, and its fallback says so.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flownb import Flow, Settings

flow = Flow(
    "limits", description="Primes, counted within limits.", settings=Settings(resources={"core": 2}, timeout=300)
)


@flow.node
def thirds(below: int = 50_000) -> list[list[int]]:
    """Three ranges of the same length."""
    edges = [2, below // 3, 2 * below // 3, below]
    return [list(edge) for edge in pairwise(edges)]


def count_primes(ctx: Any, start: int, end: int) -> int:
    """How many primes there are from `start` to `end`, the latter excluded."""
    found = 0
    for number in range(max(start, 2), end):
        if number % 10_000 == 0:
            ctx.progress((number - start) / (end - start))
        found += all(number % divisor for divisor in range(2, int(number**0.5) + 1))
    return found


LIMITS = {"memory_mb": 200, "cpu_seconds": 120, "resources": {"core": 1}}


@flow.node(where="process", limits=LIMITS)
def low(thirds: list[list[int]], ctx: Any) -> int:
    """Primes in the first range."""
    return count_primes(ctx, *thirds[0])


@flow.node(where="process", limits=LIMITS)
def middle(thirds: list[list[int]], ctx: Any) -> int:
    """Primes in the second range."""
    return count_primes(ctx, *thirds[1])


@flow.node(where="process", limits=LIMITS)
def high(thirds: list[list[int]], ctx: Any) -> int:
    """Primes in the third range."""
    return count_primes(ctx, *thirds[2])


@flow.node(where="process", limits={"memory_mb": 200, "cpu_seconds": 0.5}, fallback="none found in half a second")
def odd_perfect() -> str:
    """Look for an odd number that is the sum of its divisors; nobody has ever found one."""
    number = 3
    while sum(divisor for divisor in range(1, number // 2 + 1) if number % divisor == 0) != number:
        number += 2
    return str(number)


@flow.node
def report(low: int, middle: int, high: int, odd_perfect: str) -> str:
    """What came out."""
    return f"{low + middle + high:,} primes; odd perfect numbers: {odd_perfect}"
