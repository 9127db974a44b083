"""What a run promises, on the real engine with a store in memory."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, Output, RetryPolicy, RunCancelled, RunFailed, RunPaused, Settings
from flownb.errors import Conflict, InvalidInput, NotFound, UsageError
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Write


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def statuses(done: Run) -> dict[str, str]:
    return {node.id: str(node.status) for node in done}


def test_a_chain_hands_values_on() -> None:
    flow = Flow("chain")

    @flow.node
    def first(start: int) -> int:
        return start + 1

    @flow.node
    async def second(first: int) -> int:
        return first * 10

    done = run(flow, start=4)
    assert done.result() == {"second": 50}
    assert done.status is RunStatus.COMPLETED
    assert done["first"].output == 5
    assert done["second"].inputs == {"first": 5}
    assert statuses(done) == {"first": "completed", "second": "completed"}


def test_a_run_returns_before_its_nodes_have_ended() -> None:
    flow = Flow("slow")
    go = threading.Event()

    @flow.node
    def wait() -> str:
        go.wait(5)
        return "done"

    started = run(flow)
    assert not started.status.ended
    go.set()
    assert started.result(5) == {"wait": "done"}


def test_nodes_that_wait_for_nothing_of_each_other_run_at_once() -> None:
    flow = Flow("parallel")
    meet = threading.Barrier(2, timeout=5)

    @flow.node
    def left() -> int:
        return meet.wait()

    @flow.node
    def right() -> int:
        return meet.wait()

    assert set(run(flow).result(10).values()) == {0, 1}


def test_a_sync_node_delays_no_async_node() -> None:
    flow = Flow("mixed")
    go = threading.Event()

    @flow.node
    def blocks() -> None:
        go.wait(5)

    @flow.node
    async def quick() -> str:
        await asyncio.sleep(0)
        go.set()
        return "quick"

    assert run(flow).result(10)["quick"] == "quick"


def branching(amount: int) -> Flow:
    flow = Flow("invoices")

    @flow.node
    def total() -> dict[str, int]:
        return {"amount": amount}

    big = flow.condition("big", "total.amount > 1000")

    @flow.node(after=big.true)
    def post(total: dict[str, int]) -> str:
        return f"posted {total['amount']}"

    @flow.node(after=big.false)
    def archive() -> str:
        return "archived"

    @flow.node(after=[post, archive])
    def end() -> str:
        return "end"

    return flow


def test_only_the_taken_branch_runs_and_the_join_completes() -> None:
    done = run(branching(2000))
    assert done.result() == {"end": "end"}
    assert statuses(done) == {
        "total": "completed",
        "big": "completed",
        "post": "completed",
        "archive": "skipped",
        "end": "completed",
    }
    assert done["big"].ports == ("true",)
    assert "took true, not false" in done["archive"].why
    assert statuses(run_to_end(branching(5)))["post"] == "skipped"


def run_to_end(flow: Flow, /, **inputs: Any) -> Run:
    done = run(flow, **inputs)
    done.result(10)
    return done


def test_a_failure_stops_the_run_and_says_where() -> None:
    flow = Flow("fails")

    @flow.node
    def load() -> int:
        raise ValueError("no such sheet")

    @flow.node
    def use(load: int) -> int:
        return load

    @flow.node(after=load)
    def later() -> None: ...

    failed = run(flow)
    with pytest.raises(RunFailed, match="failed at load: ValueError: no such sheet") as caught:
        failed.result(5)
    assert isinstance(caught.value.__cause__, ValueError)
    assert failed.status is RunStatus.FAILED
    assert statuses(failed) == {"load": "failed", "use": "skipped", "later": "skipped"}
    assert failed["use"].why == "no value for load: load failed"
    error = failed["load"].error
    assert error is not None
    assert "no such sheet" in error.traceback
    assert "flownb/run" not in error.traceback
    with pytest.raises(NotFound, match="it is skipped"):
        _ = failed["use"].output


def test_a_failure_cancels_what_runs_beside_it() -> None:
    flow = Flow("siblings")
    started = asyncio.Event()

    @flow.node
    async def slow() -> None:
        started.set()
        await asyncio.sleep(60)

    @flow.node
    async def bad() -> None:
        await started.wait()
        raise ValueError("bad")

    @flow.node(after=slow)
    def never() -> None: ...

    failed = run(flow)
    with pytest.raises(RunFailed):
        failed.result(10)
    assert statuses(failed) == {"slow": "cancelled", "bad": "failed", "never": "skipped"}


def failing(on_error: str, **more: Any) -> Run:
    flow = Flow("policy")

    @flow.node(on_error=on_error, **more)
    def bad() -> int:
        raise ValueError("bad")

    @flow.node
    def needs(bad: int) -> int:
        return bad

    @flow.node
    def free() -> str:
        return "free"

    done = run(flow)
    with contextlib.suppress(RunFailed):
        done.result(5)
    return done


def test_continue_lets_the_rest_go_on_and_the_run_fails() -> None:
    done = failing("continue")
    assert done.status is RunStatus.FAILED
    assert statuses(done) == {"bad": "failed", "needs": "skipped", "free": "completed"}


def test_skip_lets_the_run_complete() -> None:
    done = failing("skip")
    assert done.status is RunStatus.COMPLETED
    assert statuses(done) == {"bad": "skipped", "needs": "skipped", "free": "completed"}


def test_a_fallback_is_the_value() -> None:
    done = failing("fallback", fallback=7)
    assert done.outputs == {"needs": 7, "free": "free"}


def test_the_error_port_gets_what_is_known_of_the_failure() -> None:
    flow = Flow("port")

    @flow.node
    def bad() -> int:
        raise ValueError("bad")

    @flow.node
    def good(bad: int) -> int:
        return bad

    @flow.node(inputs={"error": bad.error})
    def handle(error: dict[str, Any]) -> str:
        return f"{error['type']}: {error['message']} in {error['node']}"

    done = run(flow)
    assert done.result(5) == {"handle": "ValueError: bad in bad"}
    assert statuses(done) == {"bad": "failed", "good": "skipped", "handle": "completed"}
    assert done.status is RunStatus.COMPLETED


def test_a_retry_repeats_until_it_works() -> None:
    flow = Flow("retry")
    tries = []

    @flow.node(retry=RetryPolicy(attempts=3, delay=0.0))
    def flaky(ctx: Any) -> int:
        tries.append((ctx.attempt, ctx.idempotency_key))
        if len(tries) < 3:
            raise ConnectionError("again")
        return len(tries)

    done = run(flow)
    assert done.result(5) == {"flaky": 3}
    assert [attempt for attempt, _ in tries] == [1, 2, 3]
    assert {key for _, key in tries} == {f"{done.id}:flaky"}
    assert done["flaky"].attempts == 3


def test_a_retry_policy_names_what_it_repeats() -> None:
    flow = Flow("picky")
    tries = []

    @flow.node(retry=RetryPolicy(attempts=3, delay=0.0, on=("ConnectionError",)))
    def bad() -> None:
        tries.append(1)
        raise ValueError("never gets better")

    with pytest.raises(RunFailed):
        run(flow).result(5)
    assert len(tries) == 1


@pytest.mark.parametrize("is_async", [True, False])
def test_a_timeout_ends_the_node_and_its_late_result_is_refused(is_async: bool) -> None:
    flow = Flow("late")
    go = threading.Event()
    returned = threading.Event()

    async def waits() -> str:
        await asyncio.sleep(60)
        return "late"

    def blocks() -> str:
        go.wait(10)
        returned.set()
        return "late"

    flow.node(waits if is_async else blocks, id="slow", timeout=0.05)
    done = run(flow)
    with pytest.raises(RunFailed, match=r"slow took longer than its timeout of 0.05 s"):
        done.result(5)
    go.set()
    if not is_async:
        assert returned.wait(5)
    assert done["slow"].status is NodeStatus.FAILED
    error = done["slow"].error
    assert error is not None
    assert error.error_class == "timeout"


def test_cancel_ends_the_run_now() -> None:
    flow = Flow("cancel")
    entered = threading.Event()

    @flow.node
    async def waits() -> None:
        entered.set()
        await asyncio.sleep(60)

    @flow.node
    def later(waits: None) -> None: ...

    going = run(flow)
    assert entered.wait(5)
    going.cancel()
    with pytest.raises(RunCancelled):
        going.result(5)
    assert going.status is RunStatus.CANCELLED
    assert set(statuses(going).values()) <= {"cancelled", "skipped"}
    with pytest.raises(UsageError, match="final"):
        going.resume()


def test_pause_lets_nodes_in_flight_end_and_resume_goes_on() -> None:
    flow = Flow("pause")
    entered, go = threading.Event(), threading.Event()
    ran = []

    @flow.node
    def first() -> int:
        ran.append("first")
        entered.set()
        go.wait(5)
        return 1

    @flow.node
    def second(first: int) -> int:
        ran.append("second")
        return first + 1

    going = run(flow)
    assert entered.wait(5)
    going.pause()
    go.set()
    with pytest.raises(RunPaused, match="manual"):
        going.result(5)
    assert going.pause_reason is PauseReason.MANUAL
    assert ran == ["first"]
    assert going.resume().result(5) == {"second": 2}
    assert ran == ["first", "second"]


def test_a_failed_run_resumes_where_it_failed() -> None:
    flow = Flow("again")
    broken = [True]
    ran = []

    @flow.node
    def first() -> int:
        ran.append("first")
        return 1

    @flow.node
    def second(first: int) -> int:
        ran.append("second")
        if broken:
            raise ValueError("broken")
        return first + 1

    going = run(flow)
    with pytest.raises(RunFailed):
        going.result(5)
    broken.clear()
    assert going.resume().result(5) == {"second": 2}
    assert ran == ["first", "second", "second"]


def test_what_a_node_prints_logs_and_warns_is_its_own() -> None:
    flow = Flow("says")

    @flow.node
    def loud(ctx: Any) -> None:
        print("printed")
        ctx.logger.info("logged")

    @flow.node
    async def other() -> None:
        print("from the other")

    done = run(flow)
    done.result(5)
    assert "printed" in done["loud"].log
    assert "logged" in done["loud"].log
    assert "from the other" not in done["loud"].log
    assert done["other"].log == "from the other\n"


def test_services_can_be_replaced_for_a_run() -> None:
    flow = Flow("services", services={"mail": "real"})

    @flow.node
    def send(ctx: Any) -> str:
        return str(ctx.services["mail"])

    assert run(flow).result(5) == {"send": "real"}
    assert flow.run(store="memory:", services={"mail": "fake"}).result(5) == {"send": "fake"}


def test_a_missing_service_says_how_to_give_it() -> None:
    flow = Flow("services")

    @flow.node
    def send(ctx: Any) -> Any:
        return ctx.services["mail"]

    with pytest.raises(RunFailed, match="no service 'mail'.*flow.run\\(services="):
        run(flow).result(5)


def test_one_key_starts_one_run() -> None:
    flow = Flow("keyed")
    ran = []

    @flow.node
    def once(n: int) -> int:
        ran.append(n)
        return n

    first = flow.run(store="memory:", key="k1", n=1)
    second = flow.run(store="memory:", key="k1", n=1)
    assert first.result(5) == second.result(5) == {"once": 1}
    assert first.id == second.id
    assert ran == [1]
    with pytest.raises(Conflict, match="'k1' belongs to run"):
        flow.run(store="memory:", key="k1", n=2)


def test_inputs_are_checked_before_anything_runs() -> None:
    flow = Flow("inputs")

    @flow.node
    def load(path: str, limit: int = 5) -> str:
        return f"{path}:{limit}"

    assert run(flow, path="a").result(5) == {"load": "a:5"}
    with pytest.raises(InvalidInput, match=r"no input 'pth'.*Did you mean 'path'.*'path' \(string\) is missing"):
        run(flow, pth="a")
    with pytest.raises(InvalidInput, match="'load' is a node.*pin"):
        run(flow, path="a", load=1)


def test_until_runs_only_what_is_needed() -> None:
    flow = Flow("until")

    @flow.node
    def a() -> int:
        return 1

    @flow.node
    def b(a: int) -> int:
        return a + 1

    @flow.node
    def c(b: int) -> int:
        return b + 1

    done = flow.run(store="memory:", until="b")
    done.result(5)
    assert statuses(done) == {"a": "completed", "b": "completed", "c": "skipped"}
    with pytest.raises(InvalidInput, match="no node 'bb'"):
        flow.run(store="memory:", until="bb")


def test_a_node_chooses_its_ports() -> None:
    flow = Flow("ports")

    @flow.node(ports=("even", "odd"))
    def sort(n: int) -> Output:
        return Output(n, ports=("even",) if n % 2 == 0 else ("odd",), values={"even": n // 2} if n % 2 == 0 else {})

    flow.node(lambda half: half, id="half", inputs={"half": sort.even})

    @flow.node(after=sort.odd)
    def odd() -> str:
        return "odd"

    assert run(flow, n=8).result(5) == {"half": 4}
    assert run(flow, n=3).result(5) == {"odd": "odd"}


def test_an_await_in_any_loop_gives_the_outputs() -> None:
    flow = Flow("awaited")

    @flow.node
    async def one() -> int:
        await asyncio.sleep(0.01)
        return 1

    async def main() -> dict[str, Any]:
        return await run(flow)

    assert asyncio.run(main()) == {"one": 1}


def test_a_short_delay_is_awaited() -> None:
    flow = Flow("delay")
    flow.delay("nap", 0.01)

    @flow.node(after="nap")
    def awake() -> str:
        return "awake"

    assert run(flow).result(5)["awake"] == "awake"


def test_a_long_delay_parks_the_run() -> None:
    flow = Flow("park")
    flow.delay("nap", 3600)
    parked = run(flow)
    with pytest.raises(RunPaused, match="timer"):
        parked.result(5)
    assert parked.status is RunStatus.PAUSED
    assert "flownb resume" in parked.state.message


def test_mutating_an_input_changes_nobody_elses() -> None:
    flow = Flow("readonly")

    @flow.node
    def make() -> dict[str, list[int]]:
        return {"items": [1, 2]}

    @flow.node
    def spoil(make: dict[str, list[int]]) -> int:
        make["items"].append(3)
        return len(make["items"])

    @flow.node(after=spoil)
    def count(make: dict[str, list[int]]) -> int:
        return len(make["items"])

    assert run(flow).result(5) == {"count": 2}
    assert run_to_end(flow)["make"].output == {"items": [1, 2]}


def test_a_system_exit_in_a_node_is_its_failure_and_the_engine_lives() -> None:
    flow = Flow("exits")

    @flow.node
    def leaves() -> None:
        raise SystemExit(3)

    @flow.node
    async def leaves_too() -> None:
        raise KeyboardInterrupt

    with pytest.raises(RunFailed):
        run(flow).result(5)
    assert run(branching(1)).result(5) == {"end": "end"}


def test_a_wide_flow_and_a_long_chain_need_no_recursion() -> None:
    flow = Flow("wide")

    async def leaf(root: int) -> int:
        return root

    @flow.node
    async def root() -> int:
        return 1

    for number in range(1500):
        flow.node(leaf, id=f"leaf{number}")
    assert sum(run(flow).result(60).values()) == 1500

    chain = Flow("long")

    async def start() -> int:
        return 0

    async def step(before: int) -> int:
        return before + 1

    chain.node(start, id="n0")
    for number in range(1, 1500):
        chain.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    assert run(chain).result(60) == {"n1499": 1499}


def test_a_disabled_node_lets_its_input_pass() -> None:
    flow = Flow("disabled")

    @flow.node
    def load() -> list[int]:
        return [1, 2]

    @flow.node(disabled=True)
    def spoil(load: list[int]) -> list[int]:
        raise ValueError("it must not run")

    @flow.node
    def count(spoil: list[int]) -> int:
        return len(spoil)

    done = run(flow)
    assert done.result(5) == {"count": 2}
    assert "disabled" in done["spoil"].why


def test_a_concurrency_limit_holds() -> None:
    flow = Flow("narrow", settings=Settings(concurrency=2))
    alive, most = 0, 0

    async def work() -> None:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        await asyncio.sleep(0.001)
        alive -= 1

    for number in range(10):
        flow.node(work, id=f"w{number}")
    done = run_to_end(flow)
    assert most == 2
    assert done.status is RunStatus.COMPLETED


def test_a_flow_without_nodes_completes() -> None:
    assert run(Flow("empty")).result(5) == {}


def test_a_function_as_a_condition_takes_its_parameters_and_passes_its_input_on() -> None:
    flow = Flow("asked")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    big = flow.condition("big", lambda limit: limit > 2, inputs={"main": load})
    flow.node(lambda found: sum(found), id="sum", inputs={"found": big.true})  # noqa: PLW0108  `sum` has no names
    assert run(flow, limit=3).result(5) == {"sum": 6}
    assert run(flow, limit=1).result(5) == {}


def test_a_conditional_edge_carries_only_where_its_condition_holds() -> None:
    flow = Flow("conditional")

    @flow.node
    def total(n: int) -> dict[str, int]:
        return {"amount": n}

    @flow.node
    def big() -> str:
        return "big"

    @flow.node
    def small() -> str:
        return "small"

    flow.edge(total, big, target_port="after", condition="output.amount > 10")
    flow.edge(total, small, target_port="after", condition="total.amount <= 10")
    assert run(flow, n=50).result(5) == {"big": "big"}
    done = run_to_end(flow, n=5)
    assert done.outputs == {"small": "small"}
    assert "condition" in done["big"].why


def test_the_error_port_can_be_conditional_too() -> None:
    flow = Flow("conditional error")

    @flow.node
    def bad(n: int) -> None:
        raise (ValueError if n else KeyError)("bad")

    @flow.node
    def value() -> str:
        return "value"

    @flow.node
    def key() -> str:
        return "key"

    flow.edge(bad, value, port="error", target_port="after", condition="output.type == 'ValueError'")
    flow.edge(bad, key, port="error", target_port="after", condition="output.type == 'KeyError'")
    assert run(flow, n=1).result(5) == {"value": "value"}
    assert run(flow, n=0).result(5) == {"key": "key"}


def test_an_end_counts_once_it_is_committed() -> None:
    class Slow(MemoryStore):
        def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
            if any(write.release for write in writes):
                at_end.set()
                go.wait(5)
            super().commit(writes, power=power)

    at_end, go = threading.Event(), threading.Event()
    flow = Flow("committed")
    flow.node(lambda: 1, id="one")
    going = flow.run(store=Slow(), display=False)
    assert at_end.wait(5)
    assert str(going.status) == "running"
    with pytest.raises(TimeoutError):
        going.result(0.05)
    go.set()
    assert going.result(5) == {"one": 1}
    assert str(going.status) == "completed"
