"""A flow that writes down each time one of its nodes has an effect; run by the crash tests, and killed by them.

    python workload.py SHAPE KEY EFFECTS

The store is `FLOWNB_STORE`. Prints READY when the run is started and `RESULT <json>` at its end. To run it again with
the same key is to resume it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

NAP = 0.004


def effect(path: str, ctx: Any) -> None:
    """One line, in one write: the effect that a receiver would see."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{ctx.path} {ctx.idempotency_key} {ctx.attempt}\n".encode())
    os.close(handle)


def chain(effects: str) -> Flow:
    """Twelve nodes in a row, async and sync in turn."""
    flow = Flow("chain")

    async def first(ctx: Any) -> int:
        await asyncio.sleep(NAP)
        effect(effects, ctx)
        return 1

    async def step(before: int, ctx: Any) -> int:
        await asyncio.sleep(NAP)
        effect(effects, ctx)
        return before * 2 % 1_000_003 + 1

    def slow_step(before: int, ctx: Any) -> int:
        time.sleep(NAP)
        effect(effects, ctx)
        return before * 3 % 1_000_003 + 1

    flow.node(first, id="n0")
    for number in range(1, 12):
        flow.node(slow_step if number % 2 else step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    return flow


def fan(effects: str) -> Flow:
    """One node, ten that need it, one that needs them all."""
    flow = Flow("fan")

    def root(ctx: Any) -> int:
        effect(effects, ctx)
        return 7

    async def leaf(root: int, ctx: Any) -> int:
        await asyncio.sleep(NAP * (1 + int(ctx.path[4:]) % 3))
        effect(effects, ctx)
        return root * int(ctx.path[4:])

    flow.node(root)
    for number in range(10):
        flow.node(leaf, id=f"leaf{number}")
    flow.merge("all", *[f"leaf{number}" for number in range(10)], mode="append")

    @flow.node(inputs={"values": "all"})
    def total(values: list[int], ctx: Any) -> int:
        effect(effects, ctx)
        return sum(values)

    return flow


def branch(effects: str) -> Flow:
    """Five decisions in a row; what is not taken is skipped, and the join goes on."""
    flow = Flow("branch")

    def start(ctx: Any) -> int:
        effect(effects, ctx)
        return 5

    def even(value: int, ctx: Any) -> int:
        time.sleep(NAP)
        effect(effects, ctx)
        return value // 2

    def odd(value: int, ctx: Any) -> int:
        time.sleep(NAP)
        effect(effects, ctx)
        return value * 3 + 1

    flow.node(start, id="v0")
    for number in range(5):
        before = f"v{number}"
        test = flow.condition(f"is_even{number}", f"{before} % 2 == 0")
        flow.node(even, id=f"even{number}", inputs={"value": before}, after=test.true)
        flow.node(odd, id=f"odd{number}", inputs={"value": before}, after=test.false)
        flow.merge(f"v{number + 1}", f"even{number}", f"odd{number}", mode="first")
    return flow


SHAPES: dict[str, Callable[[str], Flow]] = {"chain": chain, "fan": fan, "branch": branch}


def main() -> None:
    shape, key, effects = sys.argv[1:4]
    run = SHAPES[shape](effects).run(key=key, display=False)
    print("READY", run.id, flush=True)
    print("RESULT", json.dumps(run.result(60)), flush=True)


if __name__ == "__main__":
    main()
