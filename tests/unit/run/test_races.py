"""Things that come at the wrong moment: each is a sequence in virtual time that always happens the same way."""

from __future__ import annotations

import asyncio
import contextlib
from collections import UserList
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RetryPolicy, RunCancelled, RunFailed, RunPaused
from flownb.errors import InternalError, UsageError
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from flownb.testing import Crash, Simulation, check_journal, crash_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.handles.handle import Run


class Log(UserList[str]):
    """What ran; no list, because the contents of a list that a function encloses count as its code."""


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(1) as simulation:
        yield simulation
        for row in simulation.store.beneath.rows():
            check_journal(simulation.store.beneath.events(row.id))


def naps(*seconds: float, ran: Log | None = None, **options: Any) -> Flow:
    """A chain of async nodes `n0`, `n1`, … that sleep so long and return their number."""
    flow = Flow("naps")

    def nap(number: int, long: float) -> Callable[..., Any]:
        async def body(ctx: Any) -> int:
            if ran is not None:
                ran.append(f"{ctx.path}.{ctx.attempt}")
            await asyncio.sleep(long)
            return number

        return body

    for number, long in enumerate(seconds):
        flow.node(nap(number, long), id=f"n{number}", after=f"n{number - 1}" if number else None, **options)
    return flow


def flaky(ran: Log, fails: int = 1, delay: float = 10, nap: float = 30) -> Flow:
    """A node that fails at first and waits between attempts, beside one that takes longer, and one after both."""
    flow = Flow("flaky")

    @flow.node(retry=RetryPolicy(attempts=3, delay=delay, jitter=0))
    async def weak(ctx: Any) -> str:
        ran.append(f"weak.{ctx.attempt}")
        if ctx.attempt <= fails:
            raise ConnectionError("no")
        return "weak"

    @flow.node
    async def long(ctx: Any) -> str:
        ran.append("long")
        await asyncio.sleep(nap)
        return "long"

    @flow.node
    async def last(ctx: Any, weak: str = "", long: str = "") -> str:
        ran.append("last")
        return weak + long

    return flow


def types(run: Run) -> list[type[ev.Event]]:
    return [type(record.event) for record in run.events()]


# --- pause ------------------------------------------------------------------------------------------------------------


def test_a_pause_while_the_last_node_ends_comes_too_late_and_the_run_completes(simulation: Simulation) -> None:
    run = simulation.run(naps(1))
    simulation.idle(0.5)
    run.pause()
    assert simulation.result(run) == {"n0": 0}
    assert run.status is RunStatus.COMPLETED


def test_a_pause_lets_the_node_in_flight_end_and_starts_no_other(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(naps(1, 1, ran=ran))
    simulation.idle(0.5)
    run.pause()
    with pytest.raises(RunPaused):
        simulation.result(run)
    assert ran == ["n0.1"]
    assert simulation.result(run.resume()) == {"n1": 1}
    assert ran == ["n0.1", "n1.1"]


def test_a_resume_at_once_after_a_pause_is_not_lost(simulation: Simulation) -> None:
    run = simulation.run(naps(1, 1))
    simulation.idle(0.5)
    run.pause()
    run.resume()
    assert simulation.result(run) == {"n1": 1}


@pytest.mark.parametrize("seed", range(8))
def test_a_resume_that_is_on_its_way_while_the_pause_is_written_is_not_lost(seed: int) -> None:
    with Simulation(seed) as simulation:
        run = simulation.run(naps(1, 1))
        simulation.idle(0.5)
        run.pause()
        execution = run._execution
        assert execution is not None
        simulation.until(lambda: execution.marked and not execution.alive)  # the tick that pauses comes next, or nearly
        run.resume()
        simulation.until(lambda: run.status is RunStatus.COMPLETED, seconds=60)


def test_a_node_whose_delay_ends_during_a_pause_that_is_taken_back_goes_on(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(flaky(ran))
    simulation.idle(5)
    run.pause()
    simulation.idle(10)  # the delay is over, `long` is in flight: the pause is not written
    run.resume()
    assert simulation.result(run) == {"last": "weaklong"}
    assert ran == ["weak.1", "long", "weak.2", "last"]


def test_a_timer_that_is_due_during_a_pause_that_is_taken_back_goes_on(simulation: Simulation) -> None:
    flow = naps(30)
    flow.delay("nap", 10)
    run = simulation.run(flow)
    simulation.idle(5)
    run.pause()
    simulation.idle(10)
    run.resume()
    simulation.result(run)
    assert run.state.status_of("nap") is NodeStatus.COMPLETED


def test_a_pause_during_a_delay_ends_it_and_a_resume_starts_the_node(simulation: Simulation) -> None:
    ran: Log = Log()
    flow = naps(ran=ran)

    @flow.node(retry=RetryPolicy(attempts=2, delay=50, jitter=0))
    async def weak(ctx: Any) -> str:
        ran.append(f"weak.{ctx.attempt}")
        if len(ran) == 1:
            raise ConnectionError("no")
        return "weak"

    run = simulation.run(flow)
    simulation.idle(1)
    run.pause()
    with pytest.raises(RunPaused):
        simulation.result(run)
    assert simulation.clock.monotonic() < 5
    assert simulation.result(run.resume()) == {"weak": "weak"}


# --- cancel -----------------------------------------------------------------------------------------------------------


def test_a_cancel_during_a_delay_ends_the_run_and_nothing_starts_any_more(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(flaky(ran))
    simulation.idle(5)
    run.cancel()
    with pytest.raises(RunCancelled):
        simulation.result(run)
    simulation.idle(60)
    assert ran == ["weak.1", "long"]


COMMANDS: dict[str, list[cmd.Command]] = {
    "cancel": [cmd.Cancel()],
    "pause": [cmd.Pause()],
    "resume": [cmd.Resume()],
    "skip": [cmd.SkipNode(node="weak")],
    "retry": [cmd.RetryNode(node="weak")],
    "set": [cmd.SetVariable(name="x", value=1)],
    "pause, resume": [cmd.Pause(), cmd.Resume()],
    "cancel, resume": [cmd.Cancel(), cmd.Resume()],
    "skip, retry": [cmd.SkipNode(node="weak"), cmd.RetryNode(node="weak")],
    "pause, cancel": [cmd.Pause(), cmd.Cancel()],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_may_come_between_any_two_steps_of_the_engine(name: str) -> None:
    steps = 0
    while True:
        steps += 1
        with Simulation(steps) as simulation:
            run = simulation.run(flaky(Log(), delay=0.05, nap=0.3))
            for _ in range(steps):
                simulation.step()
            if run.resting:
                break
            with contextlib.suppress(UsageError):  # it has just ended
                for command in COMMANDS[name]:
                    run.send(command)
            simulation.settle(run, seconds=60)
            if run.status is RunStatus.PAUSED:
                simulation.settle(run.resume(), seconds=60)
            check_journal(run.events())
            expected = {RunStatus.CANCELLED, RunStatus.COMPLETED} if "cancel" in name else {RunStatus.COMPLETED}
            assert run.status in expected, f"after {steps} steps"
    assert steps > 8


def test_a_cancel_while_a_pause_waits_for_its_nodes_cancels(simulation: Simulation) -> None:
    run = simulation.run(naps(10, 1))
    simulation.idle(1)
    run.pause()
    run.cancel()
    with pytest.raises(RunCancelled):
        simulation.result(run)
    assert simulation.clock.monotonic() < 8


def test_a_cancel_while_a_failure_stops_the_run_leaves_one_end(simulation: Simulation) -> None:
    flow = naps(100)

    @flow.node
    async def bad() -> None:
        await asyncio.sleep(1)
        raise ValueError("bad")

    @flow.node
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                continue

    run = simulation.run(flow)
    simulation.idle(2)
    run.cancel()
    with pytest.raises(RunFailed, match="bad"):
        simulation.result(run)


# --- skip and retry ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_the_result_of_a_node_that_was_skipped_while_it_ran_is_refused(simulation: Simulation, kind: str) -> None:
    flow = Flow("skipped")
    if kind == "async":

        @flow.node
        async def slow() -> int:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                await asyncio.sleep(1)
            return 7
    else:

        @flow.node
        def slow() -> int:
            return 7

    @flow.node
    async def follower(slow: int = 0) -> int:
        await asyncio.sleep(5)
        return slow

    run = simulation.run(flow)
    simulation.until(lambda: run.state.status_of("slow") is NodeStatus.RUNNING)
    run.skip("slow")
    assert simulation.result(run) == {"follower": 0}
    assert run.state.status_of("slow") is NodeStatus.SKIPPED


def test_a_node_that_is_skipped_between_two_attempts_is_not_attempted_again(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(flaky(ran))
    simulation.idle(5)
    run.skip("weak")
    assert simulation.result(run) == {"last": "long"}
    simulation.idle(60)
    assert ran == ["weak.1", "long", "last"]


def test_a_waiting_node_that_is_skipped_does_not_run_when_its_time_comes(simulation: Simulation) -> None:
    flow = naps(30)
    flow.delay("nap", 10)
    run = simulation.run(flow)
    simulation.idle(5)
    run.skip("nap")
    simulation.result(run)
    assert run.state.status_of("nap") is NodeStatus.SKIPPED


def test_a_waiting_node_that_is_retried_waits_anew_and_only_once(simulation: Simulation) -> None:
    flow = naps(30)
    flow.delay("nap", 10)
    run = simulation.run(flow)
    simulation.idle(5)
    run.retry("nap")
    simulation.result(run)
    ends = [r.event for r in run.events() if isinstance(r.event, ev.NodeCompleted) and r.event.node == "nap"]
    assert [round(end.at - 1_800_000_000) for end in ends] == [15]


def test_a_retry_of_a_failed_node_while_others_run_starts_it_again(simulation: Simulation) -> None:
    ran: Log = Log()
    flow = naps(30, ran=ran)

    @flow.node(on_error="continue")
    async def weak(ctx: Any) -> str:
        ran.append("weak")
        if ran.count("weak") == 1:
            raise ConnectionError("no")
        return "weak"

    run = simulation.run(flow)
    simulation.idle(5)
    run.retry("weak")
    assert simulation.result(run) == {"n0": 0, "weak": "weak"}


def test_a_retry_while_the_failure_stops_the_run_makes_no_mess_of_it(simulation: Simulation) -> None:
    flow = Flow("stopping")

    @flow.node
    async def bad() -> None:
        raise ValueError("bad")

    @flow.node
    async def stubborn() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(2)
            except asyncio.CancelledError:
                continue

    run = simulation.run(flow)
    simulation.idle(1)
    run.retry("bad")
    with pytest.raises(RunFailed, match="ValueError: bad"):
        simulation.result(run)
    again = run.resume()
    with pytest.raises(RunFailed, match="ValueError: bad"):
        simulation.result(again)


def test_a_pending_node_that_is_skipped_stays_skipped_when_its_sources_end(simulation: Simulation) -> None:
    run = simulation.run(naps(1, 1, 1))
    simulation.idle(0.5)
    run.skip("n1")
    simulation.result(run)
    assert run.state.status_of("n1") is NodeStatus.SKIPPED


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_resumes_at_once_in_one_process_make_one_resumption(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(naps(1, 1, ran=ran), key="k")
    simulation.idle(0.5)
    run.pause()
    simulation.settle(run)
    other = simulation.run(naps(1, 1, ran=ran), key="k")
    run.resume()
    other.resume()
    simulation.settle(run)
    simulation.settle(other)
    assert run.status is other.status is RunStatus.COMPLETED
    assert ran == ["n0.1", "n1.1"]
    assert types(run).count(ev.RunResumed) == 1


def test_two_workers_that_resume_at_once_make_one_resumption(simulation: Simulation) -> None:
    ran: Log = Log()
    run = simulation.run(naps(1, 1, 1, ran=ran), key="k")
    simulation.idle(0.5)
    run.pause()
    simulation.settle(run)
    simulation.crash()
    one = simulation.restart()
    first = simulation.run(naps(1, 1, 1, ran=ran), key="k")
    with simulation.on(simulation.restart()):
        second = simulation.run(naps(1, 1, 1, ran=ran), key="k")
        second.resume()
    with simulation.on(one):
        first.resume()
    simulation.settle(first)
    simulation.settle(second)
    assert first.status is second.status is RunStatus.COMPLETED
    assert ran == ["n0.1", "n1.1", "n2.1"]


@pytest.mark.parametrize("call", ["find_key", "events", "claim", "row"])
def test_a_key_that_is_started_again_while_its_owner_ends_the_run_finds_the_end(
    simulation: Simulation, call: str
) -> None:
    first = simulation.worker
    run = simulation.run(naps(1), key="k")
    simulation.idle(0.5)
    with simulation.on(simulation.restart()):
        before(simulation, call, lambda: settle_on(simulation, first, run))
        other = simulation.run(naps(1), key="k")
        simulation.settle(other)
        assert other.result(0) == {"n0": 0}
    assert types(run).count(ev.RunCompleted) == 1
    assert types(run)[-1] is ev.RunCompleted


@pytest.mark.parametrize("call", ["find_key", "events", "claim", "row"])
def test_a_resume_while_another_worker_finishes_the_run_changes_nothing(simulation: Simulation, call: str) -> None:
    run = simulation.run(naps(1, 1), key="k")
    simulation.idle(0.5)
    run.pause()
    simulation.settle(run)
    first = simulation.worker
    with simulation.on(simulation.restart()):
        other = simulation.run(naps(1, 1), key="k")

        def finish() -> None:
            with simulation.on(first):
                run.resume()
            settle_on(simulation, first, run)

        before(simulation, call, finish)
        other.resume()
        simulation.settle(other)
        assert other.status is RunStatus.COMPLETED
    assert types(run)[-1] is ev.RunCompleted


def before(simulation: Simulation, call: str, happen: Callable[[], None]) -> None:
    """Let something happen just before the next store call of this name."""
    guard = simulation.store._guard
    done: list[bool] = []

    def watch(name: str) -> None:
        assert guard is not None
        guard(name)
        if name == call and not done:
            done.append(True)
            happen()

    simulation.store._guard = watch


def settle_on(simulation: Simulation, worker: Any, run: Run) -> None:
    with simulation.on(worker):
        simulation.settle(run)


def test_commands_from_another_worker_that_come_when_the_run_ended_wait_for_nobody(simulation: Simulation) -> None:
    run = simulation.run(naps(1), key="k")
    simulation.idle(0.5)
    simulation.store.send(run.id, cmd.Pause())
    simulation.store.send(run.id, cmd.Cancel())
    with pytest.raises(RunCancelled):
        simulation.result(run)
    simulation.store.send(run.id, cmd.Pause())
    simulation.idle(5)
    assert run.status is RunStatus.CANCELLED


# --- ticks that are not committed, and what the engine must survive ---------------------------------------------------


@pytest.mark.parametrize("nth", range(1, 5))
def test_a_run_whose_last_tick_was_not_committed_goes_on_before_it(simulation: Simulation, nth: int) -> None:
    ran: Log = Log()
    with crash_at("tick.before_commit", nth=nth) as point, pytest.raises(Crash):
        simulation.settle(simulation.run(naps(1, 1, 1, ran=ran), key="k"))
    assert point.crashed
    simulation.restart()
    run = simulation.run(naps(1, 1, 1, ran=ran), key="k")
    assert simulation.result(run) == {"n2": 2}


def test_an_error_that_no_store_should_raise_ends_the_run_here_and_harms_no_other(simulation: Simulation) -> None:
    simulation.store.fail_at(2, only=["commit"], error=RuntimeError("what is this"))
    run = simulation.run(naps(1), key="k")
    other = simulation.run(naps(5), key="other")
    with pytest.raises(InternalError, match="what is this"):
        simulation.result(run)
    assert simulation.result(other) == {"n0": 0}
    again = simulation.run(naps(1), key="k")
    assert simulation.result(again) == {"n0": 0}


def test_a_listener_that_raises_keeps_no_node_from_starting(simulation: Simulation) -> None:
    run = simulation.run(naps(1, 1))

    def broken(happened: list[ev.Event]) -> None:
        raise ValueError("a view that can't draw")

    run.watch(broken)
    assert simulation.result(run) == {"n1": 1}


def test_output_after_a_pause_was_written_is_not_recorded_behind_it(simulation: Simulation) -> None:
    flow = Flow("talks")

    @flow.node
    async def talk() -> None:
        for _ in range(1000):
            print("on and on")
            await asyncio.sleep(0.05)

    run = simulation.run(flow)
    simulation.idle(1)
    run.pause()
    execution = run._execution
    assert execution is not None
    simulation.idle(0.1)
    from flownb.run import ending

    simulation.worker.engine.call(ending.leave, execution)
    for attempt in execution.alive.values():
        simulation.worker.engine.call(attempt.flush)
    simulation.settle(run)
    assert run.pause_reason is PauseReason.MANUAL
    assert types(run)[-1] is ev.RunPaused
