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

from flownb import Flow, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

NAP = 0.004


def effect(path: str, ctx: Any) -> None:
    """One line, in one write: the effect that a receiver would see."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{ctx.path} {ctx.idempotency_key} {ctx.attempt}\n".encode())
    os.close(handle)


def step_effect(path: str, node: str, name: str, key: str) -> None:
    """The effect of a step inside a node."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{node}/{name.replace(' ', '-')} {key} 0\n".encode())
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


def diamond(effects: str) -> Flow:
    """A fork and a join, with a retry, an error that is handled, and a node that the first of two lets go."""
    flow = Flow("diamond")

    async def top(ctx: Any) -> int:
        await asyncio.sleep(NAP)
        effect(effects, ctx)
        return 3

    def left(top: int, ctx: Any) -> int:
        time.sleep(NAP)
        if ctx.attempt == 1:
            raise ConnectionError("once")
        effect(effects, ctx)
        return top * 2

    async def right(top: int, ctx: Any) -> int:
        await asyncio.sleep(NAP * 2)
        effect(effects, ctx)
        return top * 5

    def bad(right: int, ctx: Any) -> int:
        effect(effects, ctx)
        raise ValueError(f"{right} is too much")

    def handled(error: dict[str, Any], ctx: Any) -> int:
        effect(effects, ctx)
        return len(error["message"])

    async def early(ctx: Any) -> int:
        effect(effects, ctx)
        return 1000

    def bottom(left: int, right: int, handled: int, early: int, ctx: Any) -> int:
        effect(effects, ctx)
        return left + right + handled + early

    flow.node(top)
    flow.node(left, retry=RetryPolicy(attempts=3, delay=0.01))
    flow.node(right)
    wrong = flow.node(bad)
    flow.node(handled, inputs={"error": wrong.error})
    flow.node(early, after=["left", "right"], join="any")
    flow.node(bottom)
    return flow


def steps(effects: str) -> Flow:
    """Three nodes that do their work in steps, async, sync and both."""
    flow = Flow("steps")

    def part(path: str, name: str, key: str) -> int:
        time.sleep(NAP / 2)
        step_effect(effects, path, name, key)
        return len(name)

    async def walk(ctx: Any) -> int:
        total = 0
        for number in range(4):
            name = f"leg {number}"
            total += await ctx.step(name, part, ctx.path, name, f"{ctx.idempotency_key}:{number}")
        effect(effects, ctx)
        return total

    def climb(walk: int, ctx: Any) -> int:
        total = walk
        for number in range(4):
            name = f"metre {number}"
            total += ctx.step(name, part, ctx.path, name, f"{ctx.idempotency_key}:{number}")
        effect(effects, ctx)
        return total

    def rest(climb: int, ctx: Any) -> int:
        effect(effects, ctx)
        sigh: int = ctx.step("sigh", part, ctx.path, "sigh", f"{ctx.idempotency_key}:0")
        return climb + sigh

    for function in (walk, climb, rest):
        flow.node(function)
    return flow


def process(effects: str) -> Flow:
    """A node on the loop, two in processes of their own, one on a thread."""
    flow = Flow("process")

    async def start(ctx: Any) -> int:
        effect(effects, ctx)
        return 2

    def away(start: int, ctx: Any) -> int:
        time.sleep(NAP)
        effect(effects, ctx)
        return start * 3

    def away_too(away: int, ctx: Any) -> int:
        effect(effects, ctx)
        return away * 7

    def back(away_too: int, ctx: Any) -> int:
        effect(effects, ctx)
        return away_too + 1

    flow.node(start)
    flow.node(away, where="process")
    flow.node(away_too, where="process")
    flow.node(back)
    return flow


SHAPES: dict[str, Callable[[str], Flow]] = {
    "chain": chain,
    "fan": fan,
    "branch": branch,
    "diamond": diamond,
    "steps": steps,
    "process": process,
}


def main() -> None:
    shape, key, effects = sys.argv[1:4]
    run = SHAPES[shape](effects).run(key=key, display=False)
    print("READY", run.id, flush=True)
    print("RESULT", json.dumps(run.result(60)), flush=True)


if __name__ == "__main__":
    main()
