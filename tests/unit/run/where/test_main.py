"""What a node on the main thread promises: it runs there, while somebody waits or the loop there is idle."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

import pytest

from flownb import Flow, RunCancelled, RunFailed
from flownb.model.events import SystemWarning
from tests.unit.run.test_run import run, statuses
from tests.waiting import wait_for

SECONDS = 10.0
MAIN = threading.main_thread()


def flow_on_main() -> Flow:
    flow = Flow("main")

    @flow.node
    def before() -> bool:
        return threading.current_thread() is MAIN

    @flow.node(where="main")
    def window(before: bool, ctx: Any) -> tuple[bool, bool]:
        print("shown")
        ctx.status("open")
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)  # works on the main thread only
        return before, threading.current_thread() is MAIN

    flow.node(lambda window: [*window, threading.current_thread() is MAIN], id="after_it")
    return flow


def test_result_serves_the_main_thread_while_it_waits() -> None:
    done = run(flow_on_main())
    assert done.result(SECONDS) == {"after_it": [False, True, False]}
    assert done["window"].log == "shown\n"


async def wait_on_a_loop() -> Any:
    return await run(flow_on_main())


def test_awaiting_serves_it_too() -> None:
    assert asyncio.run(wait_on_a_loop()) == {"after_it": [False, True, False]}


def test_a_loop_on_the_main_thread_serves_it_while_it_is_idle() -> None:
    async def cell() -> Any:
        started = run(flow_on_main())
        while not started.resting:  # noqa: ASYNC110  another thread says so
            await asyncio.sleep(0.005)
        return started.outputs

    assert asyncio.run(cell()) == {"after_it": [False, True, False]}


def test_an_exception_an_exit_and_an_interrupt_are_the_nodes_own() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def fail() -> None:
        raise KeyError("mine")

    for body, kind in ((fail, KeyError), (lambda: sys.exit(3), SystemExit), (interrupt, KeyboardInterrupt)):
        flow = Flow("fails")
        flow.node(body, id="n", where="main")
        with pytest.raises(RunFailed) as caught:
            run(flow).result(SECONDS)
        assert isinstance(caught.value.__cause__, kind)


def test_a_node_that_nobody_serves_says_what_to_do_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.run.where.main.PATIENCE", 0.05)
    flow = Flow("alone")
    flow.node(lambda: 1, id="n", where="main")
    started = run(flow)

    def told() -> list[str]:
        return [r.event.message for r in started.events() if isinstance(r.event, SystemWarning)]

    wait_for(told)
    assert told()[0].startswith("n waits for the main thread, which is busy or serves nobody.")
    started.cancel()
    wait_for(lambda: started.resting)
    with pytest.raises(RunCancelled):
        started.result(SECONDS)
    assert statuses(started) == {"n": "cancelled"}


def test_waiting_on_another_thread_serves_nothing_and_the_main_thread_finds_it() -> None:
    flow = flow_on_main()
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(run(flow).result(SECONDS)))
    waiting.start()
    other = Flow("other")

    @other.node
    def wait() -> None:
        waiting.join(SECONDS)

    run(other).result(SECONDS)
    assert found == [{"after_it": [False, True, False]}]


def test_a_run_inside_a_node_on_the_main_thread_may_want_it_too() -> None:
    flow = Flow("outer")

    @flow.node(where="main")
    def outer() -> Any:
        return run(flow_on_main()).result(SECONDS)

    assert run(flow).result(SECONDS) == {"outer": {"after_it": [False, True, False]}}
