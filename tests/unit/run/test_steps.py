"""`ctx.step`: a part of a node is done once, whatever becomes of the attempt."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RetryPolicy, RunFailed
from flownb.errors import StoreError
from flownb.model import events as ev
from flownb.run.handles.describe import describe_node
from flownb.store.memory import MemoryStore
from tests.unit.run.test_recovery import dead_owner, leave_behind, started, store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Owner, Store, Write

SECONDS = 10.0
AGAIN = RetryPolicy(attempts=3, delay=0)
__all__ = ["dead_owner", "store"]  # fixtures


def body_of(*, is_async: bool, ran: list[str], then: Callable[[Any], None]) -> Callable[[Any], Any]:
    """A node of two steps, as people would write it in both forms; `then` comes after them."""

    async def pay(order: int) -> dict[str, Any]:
        ran.append("pay")
        await asyncio.sleep(0)
        return {"order": order, "at": (1, 2)}

    def tell() -> str:
        ran.append("tell")
        return "told"

    async def on_loop(ctx: Any) -> Any:
        first = await ctx.step("pay", pay, 7)
        second = await ctx.step("tell", tell)
        then(ctx)
        return [first, second]

    def on_thread(ctx: Any) -> Any:
        first = ctx.step("pay", lambda order: asyncio.run(pay(order)), 7)
        second = ctx.step("tell", tell)
        then(ctx)
        return [first, second]

    return on_loop if is_async else on_thread


def started_run(body: Callable[..., Any], *, where: str = "memory:", **options: Any) -> Run:
    flow = Flow("steps")
    flow.node(body, id="work", **options)
    return flow.run(store=where)


EXPECTED = [{"order": 7, "at": (1, 2)}, "told"]


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("where", ["memory:", None])
def test_a_retry_gets_what_the_steps_gave(*, is_async: bool, where: str | None, own_store: str) -> None:
    ran: list[str] = []

    def fail_twice(ctx: Any) -> None:
        if ctx.attempt < 3:
            raise ValueError("not yet")

    body = body_of(is_async=is_async, ran=ran, then=fail_twice)
    run = started_run(body, where=where or own_store, retry=AGAIN)
    assert run.result(SECONDS) == {"work": EXPECTED}
    assert ran == ["pay", "tell"]
    steps = [each.event for each in run.events() if isinstance(each.event, ev.NodeStep)]
    assert [(each.node, each.name) for each in steps] == [("work", "pay"), ("work", "tell")]


@pytest.mark.parametrize("is_async", [True, False])
def test_after_a_crash_recorded_steps_are_not_done_again(store: Store, dead_owner: Owner, *, is_async: bool) -> None:
    ran: list[str] = []
    flow = Flow("crashed")
    flow.node(body_of(is_async=is_async, ran=ran, then=lambda _: None), id="work")
    done = ev.NodeStep(at=time.time(), node="work", name="pay", output={"order": 7, "at": {"$tuple": [1, 2]}})
    leave_behind(flow, store, dead_owner, [started("work"), done])
    assert flow.run(store=store, key="k").result(SECONDS) == {"work": EXPECTED}
    assert ran == ["tell"]


def test_a_resume_after_a_failure_keeps_them() -> None:
    ran: list[str] = []
    broken = [True]

    def fail_once(_: Any) -> None:
        if broken.pop():
            raise ValueError("not yet")

    run = started_run(body_of(is_async=False, ran=ran, then=fail_once))
    with pytest.raises(RunFailed):
        run.result(SECONDS)
    broken += [False]
    assert run.resume().result(SECONDS) == {"work": EXPECTED}
    assert ran == ["pay", "tell"]


class CommitCounting(MemoryStore):
    """Knows which steps are committed."""

    def __init__(self) -> None:
        super().__init__()
        self.committed: list[str] = []

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        super().commit(writes, power=power)
        self.committed += [e.name for write in writes for e in write.events if isinstance(e, ev.NodeStep)]


@pytest.mark.parametrize("is_async", [True, False])
def test_a_step_has_been_committed_when_it_returns(*, is_async: bool) -> None:
    store = CommitCounting()
    seen: list[list[str]] = []

    async def on_loop(ctx: Any) -> None:
        for name in ("a", "b"):
            await ctx.step(name, lambda: None)
            seen.append(list(store.committed))

    def on_thread(ctx: Any) -> None:
        for name in ("a", "b"):
            ctx.step(name, lambda: None)
            seen.append(list(store.committed))

    flow = Flow("commits")
    flow.node(on_loop if is_async else on_thread, id="work")
    flow.run(store=store).result(SECONDS)
    assert seen == [["a"], ["a", "b"]]


class Refusing(MemoryStore):
    """Loses its disk with the first step."""

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        if any(isinstance(event, ev.NodeStep) for write in writes for event in write.events):
            raise StoreError("the disk is gone")
        super().commit(writes, power=power)


@pytest.mark.parametrize("is_async", [True, False])
def test_a_commit_that_fails_reaches_the_step(*, is_async: bool) -> None:
    heard: list[BaseException] = []
    ended = threading.Event()

    async def on_loop(ctx: Any) -> None:
        try:
            await ctx.step("a", lambda: None)
        except BaseException as error:
            heard.append(error)
            raise
        finally:
            ended.set()

    def on_thread(ctx: Any) -> None:
        try:
            ctx.step("a", lambda: None)
        except BaseException as error:
            heard.append(error)
            raise
        finally:
            ended.set()

    flow = Flow("lost")
    flow.node(on_loop if is_async else on_thread, id="work")
    with pytest.raises(StoreError, match="the disk is gone"):
        flow.run(store=Refusing()).result(SECONDS)
    assert ended.wait(SECONDS)
    assert isinstance(heard[0], StoreError | asyncio.CancelledError)


def fails(body: Callable[..., Any], **options: Any) -> str:
    run = started_run(body, **options)
    with pytest.raises(RunFailed) as caught:
        run.result(SECONDS)
    return str(caught.value)


def test_a_name_is_used_once_an_attempt() -> None:
    def twice(ctx: Any) -> None:
        ctx.step("pay", lambda: 1)
        ctx.step("pay", lambda: 2)

    assert "The step 'pay' of work was begun twice" in fails(twice, retry=AGAIN)


@pytest.mark.parametrize("name", ["", "  ", None, 3, "x" * 300])
def test_a_name_is_a_text(name: Any) -> None:
    assert "is a text of 1 to 200 characters" in fails(lambda ctx: ctx.step(name, lambda: 1))


def test_a_step_takes_a_function() -> None:
    assert "takes a function and its arguments, not 3" in fails(lambda ctx: ctx.step("pay", 3))


def test_a_value_without_a_stored_form_is_refused_with_the_way_out() -> None:
    message = fails(lambda ctx: ctx.step("connect", threading.Lock), retry=AGAIN)
    assert "The step 'connect' of work was done and can't be remembered: it gave a lock" in message
    assert "Return plain data" in message


def test_a_forgotten_await_is_an_error_that_says_so() -> None:
    async def forgets(ctx: Any) -> int:
        ctx.step("pay", lambda: 1)
        return 2

    message = fails(forgets)
    assert "The step 'pay' of work was begun and had not ended when the node returned: write `await" in message


def test_an_async_part_in_a_plain_function_says_what_to_write() -> None:
    async def pay() -> int:
        return 1

    assert "is async and work is a plain function; write `async def`" in fails(lambda ctx: ctx.step("pay", pay))


def test_what_a_part_raises_is_raised_and_nothing_is_recorded() -> None:
    tries: list[int] = []

    def pay() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("no route")
        return len(tries)

    run = started_run(lambda ctx: ctx.step("pay", pay), retry=AGAIN)
    assert run.result(SECONDS) == {"work": 2}


def test_a_sync_part_of_an_async_node_runs_beside_the_loop() -> None:
    threads: list[int] = []

    async def work(ctx: Any) -> int:
        threads.append(threading.get_ident())
        await ctx.step("slow", lambda: threads.append(threading.get_ident()))
        return len(threads)

    assert started_run(work).result(SECONDS) == {"work": 2}
    assert threads[0] != threads[1]


def test_steps_may_be_taken_at_once_and_from_threads_of_the_node() -> None:
    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        return number

    async def on_loop(ctx: Any) -> list[int]:
        return list(await asyncio.gather(*(ctx.step(f"fetch {n}", fetch, n) for n in range(100))))

    def on_thread(ctx: Any) -> list[int]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda n: ctx.step(f"fetch {n}", lambda: n), range(100)))

    assert started_run(on_loop).result(SECONDS) == {"work": list(range(100))}
    assert started_run(on_thread).result(SECONDS) == {"work": list(range(100))}


def test_a_loop_of_the_nodes_own_awaits_its_steps() -> None:
    async def fetch() -> int:
        return 3

    def work(ctx: Any) -> int:
        async def main() -> int:
            return int(await ctx.step("fetch", fetch))

        return asyncio.run(main())

    run = started_run(work)
    assert run.result(SECONDS) == {"work": 3}
    assert run.state.steps == {0: {"fetch": 3}}


def test_a_step_has_a_key_of_its_own() -> None:
    run = started_run(lambda ctx: [ctx.step_key("pay"), ctx.step_key("page 3/12"), ctx.idempotency_key])
    pay, page, own = run.result(SECONDS)["work"]
    assert own == f"{run.id}:work"
    assert pay == f"{run.id}:work:pay"
    assert page == f"{run.id}:work:page%203%2F12"


def test_an_attempt_that_was_given_up_records_nothing_more() -> None:
    go_on, heard = threading.Event(), threading.Event()
    errors: list[str] = []

    def work(ctx: Any) -> int:
        if ctx.attempt == 2:
            return 2
        go_on.wait(SECONDS)
        try:
            ctx.step("late", lambda: 1)
        except Exception as error:
            errors.append(str(error))
            raise
        finally:
            heard.set()
        return 1

    run = started_run(work, timeout=0.05, retry=AGAIN)
    assert run.result(SECONDS) == {"work": 2}
    go_on.set()
    assert heard.wait(SECONDS)
    assert "The step 'late' of work doesn't count any more" in errors[0]
    assert run.state.steps == {}


def test_a_large_value_comes_back_from_its_artifact(own_store: str) -> None:
    size = 1_000_000

    def work(ctx: Any) -> int:
        text = ctx.step("read", lambda: "x" * size)
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return len(text)

    run = started_run(work, where=own_store, retry=AGAIN)
    assert run.result(SECONDS) == {"work": size}
    assert "$artifact" in run.state.steps[0]["read"]


def test_steps_are_shown_where_a_node_has_some(own_store: str) -> None:
    flow = Flow("shown")
    flow.node(lambda ctx: ctx.step("pay", lambda: {"id": "ch_1"}), id="with_steps")
    flow.node(lambda: 1, id="without")
    run = flow.run(store=own_store)
    run.result(SECONDS)
    assert describe_node(run.state, 0)["steps"] == {"pay": {"id": "ch_1"}}
    assert "steps" not in describe_node(run.state, 1)
