"""What a run does about failures and about time: fail-fast, collect, a pause for an error, a time limit."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused, Settings
from flownb.model.status import FailurePolicy, PauseReason, RunStatus
from tests.unit.run.test_run import statuses
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

SECONDS = 10.0


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def fails(text: str) -> Any:
    async def body() -> None:
        await asyncio.sleep(0)
        raise ValueError(text)

    return body


def test_fail_fast_cancels_the_siblings_and_awaits_them() -> None:
    flow = Flow("fast")
    cleaned = threading.Event()

    @flow.node
    async def slow() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    flow.node(fails("at once"), id="bad")
    done = run(flow)
    with pytest.raises(RunFailed, match="failed at bad: ValueError: at once"):
        done.result(SECONDS)
    assert cleaned.is_set()
    assert statuses(done) == {"slow": "cancelled", "bad": "failed"}
    assert list(done.errors) == ["bad"]


def test_collect_lets_the_others_end_and_raises_all_errors_together() -> None:
    flow = Flow("collect", settings=Settings(failures=FailurePolicy.COLLECT))
    flow.node(fails("first"), id="a")

    @flow.node
    def b() -> None:
        raise KeyError("second")

    @flow.node
    async def c() -> int:
        await asyncio.sleep(0.05)
        return 1

    flow.node(lambda c: c + 1, id="d")
    flow.node(lambda a: a, id="e")
    done = run(flow)
    with pytest.raises(RunFailed) as caught:
        done.result(SECONDS)
    assert statuses(done) == {"a": "failed", "b": "failed", "c": "completed", "d": "completed", "e": "skipped"}
    group = caught.value.__cause__
    assert isinstance(group, ExceptionGroup)
    assert {str(each) for each in group.exceptions} == {"first", "'second'"}
    assert set(done.errors) == {"a", "b"}
    assert "and 1 more failed: " in str(caught.value)


def test_a_collecting_run_that_failed_goes_on_with_what_failed_only() -> None:
    flow = Flow("again", settings=Settings(failures=FailurePolicy.COLLECT))
    good = threading.Event()
    counted: list[int] = []

    @flow.node
    def a() -> int:
        if not good.is_set():
            raise ValueError("not yet")
        return 1

    @flow.node
    def b() -> int:
        counted.append(1)
        return 2

    flow.node(lambda a, b: a + b, id="total")
    done = run(flow)
    with pytest.raises(RunFailed):
        done.result(SECONDS)
    good.set()
    assert done.resume().result(SECONDS) == {"total": 3}
    assert counted == [1]


def test_an_interrupt_among_the_collected_errors_is_told_with_them() -> None:
    flow = Flow("interrupt", settings=Settings(failures=FailurePolicy.COLLECT))

    @flow.node
    def a() -> None:
        raise KeyboardInterrupt

    with pytest.raises(RunFailed) as caught:
        run(flow).result(SECONDS)
    assert isinstance(caught.value.__cause__, BaseExceptionGroup)


def test_on_error_pause_waits_for_somebody_to_look_and_goes_on_with_a_retry() -> None:
    flow = Flow("pause")
    good = threading.Event()

    @flow.node(on_error="pause")
    def a() -> int:
        if not good.is_set():
            raise ValueError("the disk is full")
        return 1

    flow.node(lambda: 2, id="b")
    flow.node(lambda a, b: a + b, id="total")
    done = run(flow)
    with pytest.raises(RunPaused, match=r"a failed: the disk is full.*flownb resume"):
        done.result(SECONDS)
    assert done.pause_reason is PauseReason.ERROR
    assert statuses(done) == {"a": "waiting", "b": "completed", "total": "pending"}
    assert done["a"].error is not None
    assert done["a"].error.message == "the disk is full"
    assert "it failed and waits for somebody to look" in done["a"].why
    good.set()
    done.retry("a")
    assert done.result(SECONDS) == {"total": 3}


@pytest.mark.parametrize("way", ["skip", "resume", "retry"])
def test_a_node_that_paused_for_its_error_can_be_retried_while_others_run(way: str) -> None:
    flow = Flow("live")
    go, good = threading.Event(), threading.Event()

    @flow.node(on_error="pause")
    def a() -> int:
        if not good.is_set():
            raise ValueError("no")
        return 1

    @flow.node
    def other() -> int:
        go.wait(SECONDS)
        return 2

    done = run(flow)
    wait_for(lambda: done["a"].status == "waiting")
    good.set()
    if way == "resume":
        go.set()
        wait_for(lambda: done.status is RunStatus.PAUSED)
    getattr(done, way)(*([] if way == "resume" else ["a"]))
    wait_for(lambda: done["a"].status in ("completed", "skipped"))
    go.set()
    assert done.result(SECONDS) == ({"other": 2} if way == "skip" else {"a": 1, "other": 2})


def test_a_run_that_takes_longer_than_it_may_is_stopped() -> None:
    flow = Flow("long", settings=Settings(timeout=0.2))

    @flow.node
    async def slow() -> None:
        await asyncio.sleep(600)

    flow.node(lambda slow: slow, id="next")
    done = run(flow)
    with pytest.raises(RunFailed, match=r"The run took longer than its timeout of 0\.2 s, pauses excluded") as caught:
        done.result(SECONDS)
    assert done.error is not None
    assert (done.error.error_class, caught.value.fields["node"]) == ("timeout", None)
    assert statuses(done) == {"slow": "cancelled", "next": "skipped"}


def test_a_pause_stops_the_clock_of_the_run_and_a_retry_of_a_failed_one_starts_it_anew() -> None:
    flow = Flow("clock", settings=Settings(timeout=0.5))
    go = threading.Event()

    @flow.node
    def first() -> int:
        go.wait(SECONDS)
        return 1

    @flow.node
    async def second(first: int) -> int:
        await asyncio.sleep(0.2)
        return first + 1

    done = run(flow)
    wait_for(lambda: done["first"].status == "running")
    done.pause()
    go.set()
    wait_for(lambda: done.status is RunStatus.PAUSED)
    threading.Event().wait(0.6)
    assert done.resume().result(SECONDS) == {"second": 2}
    assert done.state.active_seconds < 0.6
