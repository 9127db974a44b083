"""Nodes and handlers that misbehave: their run fails with a sentence, and nothing else is touched."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, on
from flownb.errors import UsageError
from flownb.run import bus
from flownb.run.threads import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0


def fails(body: Callable[[], Any], store: str = "memory:") -> RunFailed:
    flow = Flow("hostile")
    flow.node(body, id="bad")
    with pytest.raises(RunFailed) as caught:
        flow.run(store=store).result(timeout=SECONDS)
    return caught.value


def works() -> None:
    flow = Flow("peaceful")
    flow.node(lambda: 1, id="good")
    assert flow.run(store="memory:").result(timeout=SECONDS) == {"good": 1}


class Interrupting(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


def test_an_exception_whose_text_interrupts_ends_no_engine() -> None:
    def body() -> None:
        raise Interrupting

    assert "whose text can't be made" in str(fails(body))
    works()


def test_a_task_of_a_node_that_exits_ends_no_engine(caplog: pytest.LogCaptureFixture) -> None:
    flow = Flow("exits")

    @flow.node
    async def starts() -> int:
        async def leave() -> None:
            sys.exit(3)

        task = asyncio.create_task(leave())
        await asyncio.wait([task])
        return 1

    assert flow.run(store="memory:").result(timeout=SECONDS) == {"starts": 1}
    assert "SystemExit(3)" in caplog.text
    works()


def test_text_that_is_no_unicode_reaches_the_journal_readable(own_store: str) -> None:
    def body() -> None:
        print("file \udcff")
        raise ValueError("file \udcff")

    flow = Flow("names")
    flow.node(body, id="bad")
    run = flow.run(store=own_store)
    with pytest.raises(RunFailed, match=r"file \\udcff"):
        run.result(timeout=SECONDS)
    assert run["bad"].log == "file \\udcff\n"
    assert run["bad"].error is not None
    assert run["bad"].error.message == "file \\udcff"


def test_where_no_thread_can_be_had_the_node_fails_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from flownb.run.engine import engine

    def refuse(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    flow = Flow("crowded")
    flow.node(lambda: 1, id="sync")

    @flow.node
    async def other() -> int:
        return 2

    with monkeypatch.context() as patch:
        patch.setattr(engine().workers, "submit", refuse)
        run = flow.run(store="memory:")
        with pytest.raises(RunFailed, match="can't start new thread"):
            run.result(timeout=SECONDS)
    works()


def test_a_handler_that_exits_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def leave(_: Any) -> None:
        sys.exit(3)

    flow = Flow("heard")
    flow.node(lambda: 1, id="one")
    with on("run_started", leave), on("*", lambda event: heard.append(event.type)):
        flow.run(store="memory:").result(timeout=SECONDS)
        assert bus.drain()
    assert heard == ["run_started", "node_started", "node_completed", "run_completed"]
    assert "leave" in caplog.text


def test_a_handler_is_a_function() -> None:
    with pytest.raises(UsageError, match="can't be called"):
        on("node_completed", 3)  # type: ignore[arg-type]  # the mistake is the test


def test_workers_go_on_when_the_system_gives_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, threading.Event()

    def one(thread: threading.Thread) -> None:
        if started.is_set():
            raise RuntimeError("can't start new thread")
        started.set()
        start(thread)

    async def both() -> list[int]:
        loop = asyncio.get_running_loop()
        workers = Workers(loop)
        values: asyncio.Queue[int] = asyncio.Queue()
        both_are_submitted = threading.Event()

        def slow() -> int:
            both_are_submitted.wait(SECONDS)
            return 0

        def done(value: int, _: BaseException | None) -> None:
            values.put_nowait(value)

        monkeypatch.setattr(threading.Thread, "start", one)
        for work in (slow, lambda: 1):
            workers.submit(work, done, contextvars.copy_context())
        both_are_submitted.set()
        return [await values.get(), await values.get()]

    assert asyncio.run(asyncio.wait_for(both(), SECONDS)) == [0, 1]
