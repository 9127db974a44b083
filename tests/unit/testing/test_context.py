from __future__ import annotations

import asyncio

import pytest

from flownb.testing import FakeContext


def test_what_a_node_says_is_kept() -> None:
    context = FakeContext()
    context.status("page 3/12")
    context.progress(0.25)
    assert (context.statuses, context.shares) == (["page 3/12"], [0.25])
    with pytest.raises(ValueError, match="from 0 to 1"):
        context.progress(3)


def test_the_clock_stands_until_it_is_set() -> None:
    context = FakeContext(time=5.0)
    assert context.now() == context.now() == 5.0
    context.time = 6.0
    assert context.now() == 6.0


def test_a_step_runs_once_be_it_sync_or_async() -> None:
    context = FakeContext()
    calls: list[str] = []

    async def fetch() -> int:
        calls.append("fetch")
        return 1

    async def body() -> list[int]:
        return [await context.step("fetch", fetch), await context.step("count", lambda: len(calls))]

    assert asyncio.run(body()) == [1, 1]
    calls.append("more")
    assert context.step("fetch", fetch) == 1
    assert context.step("count", lambda: len(calls)) == 1
    assert context.step("now", lambda more: len(calls) + more, 5) == 7
    assert context.step_key("now") == "testrun:node:now"
