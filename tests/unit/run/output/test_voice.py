"""What nodes say of themselves: status, progress and heartbeats, recorded seldom and never lost at the end."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, InvalidWorkflow, RetryPolicy, RunFailed
from flownb.model import events as ev
from tests.unit.run.test_recovery import dead_owner, leave_behind, started, store

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Owner, Store

SECONDS = 20.0
AGAIN = RetryPolicy(attempts=2, delay=0)
__all__ = ["dead_owner", "store"]  # fixtures


def run_of(body: Callable[..., Any], **options: Any) -> Run:
    flow = Flow("voice")
    flow.node(body, id="work", **options)
    return flow.run(store="memory:")


def said(run: Run) -> list[tuple[str, float | None]]:
    return [(e.event.text, e.event.progress) for e in run.events() if isinstance(e.event, ev.NodeProgress)]


def beats(run: Run) -> list[Any]:
    return [each.event.detail for each in run.events() if isinstance(each.event, ev.NodeHeartbeat)]


def test_a_hundred_thousand_calls_are_a_few_records_and_the_last_is_there() -> None:
    def body(ctx: Any) -> None:
        for number in range(100_000):
            ctx.status(f"page {number}")
        ctx.progress(1)

    run = run_of(body)
    run.result(SECONDS)
    assert said(run)[-1] == ("page 99999", 1.0)
    assert len(said(run)) < 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("page 3/12", "page 3/12"),
        ("two\nlines\tand   blanks\r\n", "two lines and blanks"),
        ("x" * 1_000_000, "x" * 200),
        ("half \udcff", "half \\udcff"),
        (17, "17"),
        ("\x1b[31mred", "\x1b[31mred"),
    ],
)
def test_a_status_is_one_short_line(text: Any, expected: str) -> None:
    run = run_of(lambda ctx: ctx.status(text))
    run.result(SECONDS)
    assert said(run) == [(expected, None)]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.25, 0.25), (7, 1.0), (-1, 0.0), (math.inf, 1.0), (math.nan, None), ("0.5", 0.5)]
)
def test_progress_is_a_share(share: Any, expected: float | None) -> None:
    def body(ctx: Any) -> None:
        ctx.status("at it")
        ctx.progress(share)

    run = run_of(body)
    run.result(SECONDS)
    assert said(run) == [("at it", expected)]


def test_what_can_be_no_share_is_refused() -> None:
    with pytest.raises(RunFailed, match="progress\\(\\) of work takes a share from 0 to 1, not 'half'"):
        run_of(lambda ctx: ctx.progress("half")).result(SECONDS)


@pytest.mark.parametrize("is_async", [True, False])
def test_the_next_attempt_knows_where_the_last_one_was(*, is_async: bool) -> None:
    seen: list[Any] = []

    def work(ctx: Any) -> int:
        seen.append(ctx.last_heartbeat)
        for page in range(50):
            ctx.heartbeat({"page": page})
        seen.append(ctx.last_heartbeat)
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return int(ctx.last_heartbeat["page"])

    async def on_loop(ctx: Any) -> int:
        return work(ctx)

    run = run_of(on_loop if is_async else work, retry=AGAIN)
    assert run.result(SECONDS) == {"work": 49}
    assert seen == [None, None, {"page": 49}, {"page": 49}]
    assert len(beats(run)) <= 4


def test_after_a_crash_the_next_attempt_knows_as_well(store: Store, dead_owner: Owner) -> None:
    flow = Flow("crashed")
    flow.node(lambda ctx: ctx.last_heartbeat, id="work")
    beat = ev.NodeHeartbeat(at=time.time(), node="work", detail={"$tuple": [3, 4]})
    leave_behind(flow, store, dead_owner, [started("work"), beat])
    assert flow.run(store=store, key="k").result(SECONDS) == {"work": (3, 4)}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [(threading.Lock(), "this lock has no stored form"), ("x" * 20_000, "this str takes 20,002 bytes")],
)
def test_a_detail_is_a_small_note(detail: Any, expected: str) -> None:
    with pytest.raises(RunFailed, match=f"takes a note of at most 16,384 bytes.*{expected}"):
        run_of(lambda ctx: ctx.heartbeat(detail)).result(SECONDS)


@pytest.mark.parametrize("is_async", [True, False])
def test_an_attempt_that_falls_silent_fails(*, is_async: bool) -> None:
    over = threading.Event()

    def on_thread(ctx: Any) -> int:
        ctx.heartbeat(1)
        if ctx.attempt == 1:
            over.wait(SECONDS)
        return int(ctx.last_heartbeat)

    async def on_loop(ctx: Any) -> int:
        ctx.heartbeat(1)
        if ctx.attempt == 1:
            await asyncio.sleep(SECONDS)
        return int(ctx.last_heartbeat)

    run = run_of(on_loop if is_async else on_thread, heartbeat=0.1, retry=AGAIN)
    assert run.result(SECONDS) == {"work": 1}
    over.set()
    failed = [each.event for each in run.events() if isinstance(each.event, ev.NodeRetrying)]
    assert failed[0].error.error_class == "timeout"
    assert "work has not been heard of for 0.1 s, its heartbeat" in failed[0].error.message


@pytest.mark.parametrize("sign", ["heartbeat", "status", "progress", "step"])
def test_every_sign_of_life_counts(sign: str) -> None:
    def work(ctx: Any) -> int:
        end = time.monotonic() + 1.0
        number = 0
        while time.monotonic() < end:
            number += 1
            if sign == "step":
                ctx.step(f"step {number}", lambda: None)
            else:
                getattr(ctx, sign)(number)
            threading.Event().wait(0.05)
        return 1

    assert run_of(work, heartbeat=0.5).result(SECONDS) == {"work": 1}


def test_a_heartbeat_needs_something_to_say_it_by() -> None:
    with pytest.raises(InvalidWorkflow, match="its function takes no `ctx` to say anything by"):
        run_of(lambda: 1, heartbeat=5)
    with pytest.raises(InvalidWorkflow, match="heartbeat of work is -1.0; it must be a number above 0"):
        run_of(lambda ctx: ctx.path, heartbeat=-1)


def test_a_node_in_a_process_of_its_own_says_the_same() -> None:
    def work(ctx: Any) -> Any:
        ctx.status("at it")
        ctx.progress(0.5)
        ctx.heartbeat([1, 2])
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return ctx.last_heartbeat

    run = run_of(work, where="process", retry=AGAIN)
    assert run.result(60) == {"work": [1, 2]}
    assert said(run)[-1] == ("at it", 0.5)
