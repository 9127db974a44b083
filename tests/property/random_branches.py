"""Parts of random flows that split them, repeat them and bring them together again; the result is one number each.

Whatever is left to chance here is decided by the seed, and what comes out does not depend on the order of things: of a
parallel that waits for some of its branches, only so many can come.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from flownb import Flow

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.property.random_flows import Outside


class Ground(NamedTuple):
    """What a part is made from."""

    chance: random.Random
    flow: Flow
    outside: Outside
    number: int
    #: The nodes that give a number, and the gates so far, to which a part may add.
    values: list[str]
    gates: list[Any]


def total(value: Any) -> int:
    """One number of whatever came out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(total(each) * (place + 1) for place, each in enumerate(value)) % 100_003
    return value if isinstance(value, int) else 0


def a_switch(it: Ground) -> None:
    """A switch, whose ports are gates for what comes; and a node behind one of them."""
    chance, flow, outside, number, values, gates = it.chance, it.flow, it.outside, it.number, it.values, it.gates
    source = chance.choice(values)
    cases = {
        "a": f"default({source}, 1) % 3 == 0",
        "b": f"default({source}, 2) % 2 == 0",
        "c": f"default({source}, 3) > 50000",
    }
    choice = flow.switch(f"sw{number}", cases, mode=chance.choice(["first", "all"]))
    gates += [choice.a, choice.b, choice.c, choice.default]
    _number(flow, outside, number, after=chance.choice(gates[-4:]))


def a_join(it: Ground) -> None:
    """A node that starts when some of its gates and orders are live, with or without data."""
    chance, flow, outside, number, values, gates = it.chance, it.flow, it.outside, it.number, it.values, it.gates
    known = [*gates, *values]
    after = chance.sample(known, min(len(known), chance.randint(1, 5)))
    join = chance.choice(["any", "any", min(2, len(after)), len(after), "all"])
    data = chance.choice(values) if chance.random() < 0.4 else None
    _number(flow, outside, number, after=after, join=join, source=data, optional=chance.random() < 0.5)


def a_condition_on_an_edge(it: Ground) -> None:
    """An edge that is live for even numbers only."""
    chance, flow, outside, number, values = it.chance, it.flow, it.outside, it.number, it.values
    source = chance.choice(values)
    optional = chance.random() < 0.5
    _number(flow, outside, number, optional=optional, arity=1)
    flow.edge(source, f"n{number}", target_port="a", condition="output % 2 == 0")
    if chance.random() < 0.5:
        flow.edge(chance.choice(values), f"n{number}", target_port="after")


def a_merge(it: Ground) -> None:
    """A merge of whatever there is, and a number of it."""
    chance, flow, outside, number, values, gates = it.chance, it.flow, it.outside, it.number, it.values, it.gates
    sources = chance.sample(values, min(len(values), chance.randint(1, 4)))
    mode = chance.choice(["append", "first"])
    after = [chance.choice(gates)] if gates and chance.random() < 0.3 else None
    flow.merge(f"m{number}", *sources, mode=mode, after=after)
    _number(flow, outside, number, source=f"m{number}")


def a_loop(it: Ground) -> None:
    """A loop of some kind, rounds of which may fail, with a condition or another loop inside."""
    chance, flow, outside, number, values = it.chance, it.flow, it.outside, it.number, it.values
    name = f"each{number}"
    items = [chance.randint(0, 9) for _ in range(chance.randint(0, 4))]
    bad = chance.choice(items) if items and chance.random() < 0.3 else None
    collect = chance.random() < 0.6
    options: dict[str, Any] = {"errors": "collect" if collect else "fail"}
    # Where the first failure ends the loop, how many rounds there are must not be left to chance.
    options["concurrency"] = chance.choice([1, 2, None]) if collect or bad is None else 1
    kind = chance.random()
    if kind < 0.6:
        loop = flow.loop(name, over=items, **options)
    elif kind < 0.8:
        loop = flow.loop(name, count=len(items), **options)
    else:
        options["concurrency"] = 1
        loop = flow.loop(name, condition=f"index < {len(items)}", first=1, **options)
    with loop:
        first, outer = f"in{number}", chance.choice(values) if values and chance.random() < 0.4 else None
        _inside(flow, outside, first, bad, outer)
        if chance.random() < 0.4:
            even = flow.condition(f"even{number}", f"{first} % 2 == 0")
            _inside(flow, outside, f"then{number}", None, first, after=chance.choice([even.true, even.false]))
        elif chance.random() < 0.3:
            with flow.loop(f"deep{number}", count="index % 3"):
                _inside(flow, outside, f"low{number}", None, first)
        elif chance.random() < 0.4:
            # Where a round may fail, how far the other nodes of it come must not be left to chance.
            after = None if bad is None else first
            flow.delay(f"rest{number}", chance.uniform(0, 2), inputs={"main": loop.item}, after=after)
    if bad is None or collect:
        _number(flow, outside, number, source=name)
    else:
        flow.node(_counted(outside), id=f"fault{number}", inputs={"value": loop.error})
        _number(flow, outside, number, source=f"fault{number}")


def a_parallel(it: Ground) -> None:
    """A parallel of which just so many branches can come as it waits for; the others fail, or are gated off."""
    chance, flow, outside, number, values, gates = it.chance, it.flow, it.outside, it.number, it.values, it.gates
    name, count = f"par{number}", chance.randint(2, 4)
    names = [f"b{place}" for place in range(count)]
    comes = chance.sample(names, chance.randint(1, count))
    every = len(comes) == count and chance.random() < 0.5
    wait_for: Any = "all" if every else "any" if len(comes) == 1 else len(comes)
    # Whether a loser ends first or is cancelled is a matter of time: where they end, all go on to their ends.
    losers = "let_go_on" if chance.random() < 0.6 else "cancel"
    outer = chance.choice(values) if values and chance.random() < 0.5 else None
    ways = flow.parallel(name, dict.fromkeys(names, chance.randint(1, 9)), wait_for=wait_for, losers=losers)
    for each in names:
        inner = f"{each}_{number}"
        with ways.port(each):
            if each in comes:
                _inside(flow, outside, inner, None, outer if chance.random() < 0.7 else None, nap=chance.uniform(0, 3))
                if chance.random() < 0.4:
                    _inside(flow, outside, f"{inner}_more", None, inner)
            elif losers == "cancel":
                flow.wait_for_event(inner, "what never comes")
            elif chance.random() < 0.5:
                _inside(flow, outside, inner, ..., None, nap=chance.uniform(0, 3))
            else:
                never = flow.condition(f"no_{inner}", "item < 0")
                _inside(flow, outside, inner, None, None, after=never.true)
    gates += [ways.port(each) for each in names]
    _number(flow, outside, number, source=name if outer is None or wait_for == "all" else None, after=[name])


def a_subflow(it: Ground) -> None:
    """A run beneath, of two nodes, that naps or fails at first."""
    chance, flow, outside, number, values = it.chance, it.flow, it.outside, it.number, it.values
    inner = Flow(f"inner {number}")
    nap, fails = chance.uniform(0, 2), chance.random() < 0.3

    @inner.node(id=f"first{number}")
    async def first(ctx: Any, start: int = 1) -> int:
        await asyncio.sleep(nap)
        outside.take(ctx)
        return (start or 0) + 1

    @inner.node(
        id=f"second{number}",
        inputs={"first": f"first{number}"},
        retry={"attempts": 2, "delay": 1} if fails else None,
    )
    async def second(first: int, ctx: Any) -> int:
        if fails and ctx.attempt == 1:
            raise ConnectionError("again")
        outside.take(ctx)
        return first * 3

    inputs = {"start": chance.choice(values)} if values and chance.random() < 0.6 else {}
    flow.subflow(f"sub{number}", inner, inputs=inputs)
    _number(flow, outside, number, source=f"sub{number}")


PARTS = (a_switch, a_join, a_join, a_condition_on_an_edge, a_merge, a_loop, a_loop, a_parallel, a_parallel, a_subflow)


# --- the nodes of which they are made ---------------------------------------------------------------------------------


def _number(
    flow: Flow,
    outside: Outside,
    number: int,
    *,
    source: str | None = None,
    optional: bool = False,
    arity: int | None = None,
    **options: Any,
) -> None:
    """The node `n7`, which makes a number of what comes in at `a`, where something does."""

    async def none(ctx: Any) -> int:
        outside.take(ctx)
        return number

    async def one(a: Any, ctx: Any) -> int:
        outside.take(ctx)
        return (total(a) + number) % 100_003

    async def one_or_none(ctx: Any, a: Any = None) -> int:
        outside.take(ctx)
        return (total(a) + number) % 100_003

    takes = source is not None or arity == 1
    body: Any = none if not takes else one_or_none if optional else one
    inputs = {"a": source} if source is not None else {}
    flow.node(body, id=f"n{number}", inputs=inputs, **options)


def _inside(
    flow: Flow, outside: Outside, name: str, bad: Any, source: str | None, *, nap: float = 0.2, **options: Any
) -> None:
    """A node of a body, which fails for the item `bad`, or for every one."""

    async def inner(item: Any, ctx: Any, a: Any = 0) -> int:
        await asyncio.sleep(nap)
        outside.take(ctx)
        if bad is ... or (bad is not None and item == bad):
            raise ValueError(f"no {item}")
        return (total(item) * 5 + total(a) + 1) % 1009

    flow.node(inner, id=name, inputs={"a": source} if source is not None else {}, **options)


def _counted(outside: Outside) -> Callable[..., Any]:
    def counted(value: Any, ctx: Any) -> int:
        outside.take(ctx)
        return len(value)

    return counted
