"""Random flows, each of a seed, whose result does not depend on the order in which things happen."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from flownb import Flow, RetryPolicy
from tests.property.random_branches import PARTS, Ground

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = ("chain", "fan", "layers", "any")


class Outside:
    """The world that nodes have effects in; it outlives every worker."""

    def __init__(self) -> None:
        #: Calls by key, raw, and the first call under each key, as a receiver counts that honours it.
        self.calls: Counter[str] = Counter()
        self.keyed: dict[str, str] = {}
        self.steps: Counter[str] = Counter()
        #: Called when a node has an effect, with its path.
        self.watch: Callable[[str], None] = lambda path: None

    def take(self, ctx: Any) -> None:
        self.watch(ctx.path)
        self.calls[ctx.path] += 1
        self.keyed[ctx.idempotency_key] = ctx.path

    def step(self, ctx: Any, name: str) -> int:
        self.steps[f"{ctx.path}:{name}"] += 1
        return len(ctx.path)


def random_flow(seed: int, outside: Outside, *, branches: float = 0.0) -> Flow:
    """A flow of 3 to 14 nodes: a chain, a fan, layers or anything, of all kinds of node.

    With `branches` there are switches, joins, loops, parallels and runs beneath in it, so likely at each place.
    """
    chance = random.Random(seed)
    flow = Flow(f"random {seed}")
    shape = chance.choice(SHAPES)
    count = chance.randint(3, 14)
    values: list[str] = []  # nodes that give a number
    gates: list[Any] = []
    for number in range(count):
        name = f"n{number}"
        sources = _sources(chance, shape, values, number, count)
        after: list[Any] = [chance.choice(gates)] if gates and chance.random() < 0.25 else []
        after += [chance.choice(values)] if values and chance.random() < 0.1 else []
        if values and chance.random() < branches:
            chance.choice(PARTS)(Ground(chance, flow, outside, number, values, gates))
            values.append(name)
            continue
        kind = chance.random()
        if kind < 0.1 and values:
            test = flow.condition(f"if{number}", f"default({chance.choice(values)}, 1) % 2 == 0")
            gates += [test.true, test.false]
        elif kind < 0.15 and values:
            flow.delay(f"nap{number}", chance.uniform(0.1, 5), inputs={"main": chance.choice(values)})
        elif kind < 0.19 and values:
            failing, rule = _failing(chance, outside, number), chance.choice(["continue", "skip"])
            flow.node(failing, id=f"lost{number}", inputs={"a": chance.choice(values)}, on_error=rule)
        if kind < 0.25 and values and number > 1:
            failing = _failing(chance, outside, number)
            wrong = flow.node(failing, id=f"bad{number}", inputs={"a": chance.choice(values)})
            flow.node(_handler(outside, number), id=name, inputs={"error": wrong.error})
        else:
            body, options = _body(chance, outside, number, len(sources))
            inputs = dict(zip("abc", sources, strict=False))
            flow.node(body, id=name, inputs=inputs, after=after or None, **options)
        values.append(name)
    return flow


def _sources(chance: random.Random, shape: str, values: list[str], number: int, count: int) -> list[str]:
    if not values:
        return []
    if shape == "chain":
        return [values[-1]]
    if shape == "fan":
        return [values[0]] if number < count - 1 else chance.sample(values, min(3, len(values)))
    recent = values[-6:-2] or values[:1] if shape == "layers" else values
    return chance.sample(recent, min(chance.randint(0 if shape == "any" else 1, 3), len(recent)))


def _body(
    chance: random.Random, outside: Outside, number: int, arity: int
) -> tuple[Callable[..., Any], dict[str, Any]]:
    nap = chance.choice([None, None, 0, chance.uniform(0, 2), chance.uniform(0, 0.2)])
    steps = chance.random() < 0.2
    late = chance.random() < 0.08
    fails = 0 if late else chance.choice([0, 0, 0, 1, 2])
    options = _options(chance, number, arity, fails=fails, late=late)
    value = _value(outside, number, fails, prints=chance.random() < 0.2)

    async def work(inputs: tuple[Any, ...], ctx: Any) -> int:
        if late:
            await asyncio.sleep(30)
        if nap is not None:
            await asyncio.sleep(nap)
        if steps:
            await ctx.step("first", outside.step, ctx, "first")
            await asyncio.sleep(0.1)
            await ctx.step("second", outside.step, ctx, "second")
        return value(inputs, ctx)

    sync = chance.random() < 0.4 and not late
    optional = chance.random() < 0.4
    return (_sync if sync else _async)(arity, optional, value if sync else work), options


def _options(chance: random.Random, number: int, arity: int, *, fails: int, late: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if fails:
        options["retry"] = RetryPolicy(attempts=3, delay=chance.uniform(0, 3), jitter=chance.choice([0, 0.5]))
    if late:
        options |= {"timeout": 1.0, "fallback": number}
    elif chance.random() < 0.1:
        options["timeout"] = 60.0
    if chance.random() < 0.05 and arity:
        options["disabled"] = True
    return options


def _value(outside: Outside, number: int, fails: int, *, prints: bool) -> Callable[..., int]:
    def value(inputs: tuple[Any, ...], ctx: Any) -> int:
        outside.take(ctx)
        if prints:
            print(f"n{number} of {ctx.attempt}")
        if ctx.attempt <= fails:
            raise ConnectionError(f"attempt {ctx.attempt}")
        return (sum(int(each or 0) * (place + 2) for place, each in enumerate(inputs)) + number * 7 + 1) % 100_003

    return value


def _async(arity: int, optional: bool, work: Callable[..., Any]) -> Callable[..., Any]:
    async def none(ctx: Any) -> Any:
        return await work((), ctx)

    async def one(a: Any, ctx: Any) -> Any:
        return await work((a,), ctx)

    async def one_or_none(ctx: Any, a: Any = None) -> Any:
        return await work((a,), ctx)

    async def two(a: Any, b: Any, ctx: Any) -> Any:
        return await work((a, b), ctx)

    async def three(ctx: Any, a: Any, b: Any = None, c: Any = None) -> Any:
        return await work((a, b, c), ctx)

    return [none, one_or_none if optional else one, two, three][arity]


def _sync(arity: int, optional: bool, value: Callable[..., Any]) -> Callable[..., Any]:
    def none(ctx: Any) -> Any:
        return value((), ctx)

    def one(a: Any, ctx: Any) -> Any:
        return value((a,), ctx)

    def one_or_none(ctx: Any, a: Any = None) -> Any:
        return value((a,), ctx)

    def two(a: Any, b: Any, ctx: Any) -> Any:
        return value((a, b), ctx)

    def three(ctx: Any, a: Any, b: Any = None, c: Any = None) -> Any:
        return value((a, b, c), ctx)

    return [none, one_or_none if optional else one, two, three][arity]


def _failing(chance: random.Random, outside: Outside, number: int) -> Callable[..., Any]:
    if chance.random() < 0.5:

        def bad(a: Any, ctx: Any) -> Any:
            outside.take(ctx)
            raise ValueError(f"bad {number}")

        return bad

    async def worse(a: Any, ctx: Any) -> Any:
        await asyncio.sleep(0.3)
        outside.take(ctx)
        raise ValueError(f"worse {number}")

    return worse


def _handler(outside: Outside, number: int) -> Callable[..., Any]:
    def handle(error: dict[str, Any], ctx: Any) -> int:
        outside.take(ctx)
        return len(error["message"]) + number

    return handle
