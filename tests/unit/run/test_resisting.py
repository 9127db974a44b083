"""Nodes that resist cancelling: the run is stopped in time all the same, and nothing of them is left or counts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunCancelled, Settings
from flownb.model.events import SystemWarning
from flownb.model.status import RunStatus
from tests.unit.run.test_run import statuses
from tests.unit.run.where.test_process import is_alive
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 30.0
#: Lets go of everything that these nodes hold on to, so that no thread and no task outlives its test.
over = threading.Event()
late: list[str] = []


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    over.clear()
    late.clear()
    yield
    over.set()


def note(folder: str, name: str, text: object = "") -> None:
    with Path(folder, name).open("a") as file:
        print(text or os.getpid(), file=file, flush=True)


# --- on the loop ------------------------------------------------------------------------------------------------------


async def swallows(folder: str) -> str:
    note(folder, "swallows")
    while not over.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
    late.append("swallows")
    return "late"


async def cleans_up_for_ever(folder: str) -> str:
    note(folder, "cleans_up_for_ever")
    try:
        await asyncio.sleep(600)
    finally:
        while not over.is_set():  # noqa: ASYNC110  another thread sets it
            await asyncio.sleep(0.05)
        late.append("cleans_up_for_ever")
    return "late"


async def shields(folder: str) -> str:
    async def inner() -> None:
        while not over.is_set():  # noqa: ASYNC110  another thread sets it
            await asyncio.sleep(0.05)

    note(folder, "shields")
    task = asyncio.create_task(inner())
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    late.append("shields")
    return "late"


async def takes_it_back(folder: str) -> str:
    note(folder, "takes_it_back")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    while not over.is_set():  # noqa: ASYNC110  another thread sets it
        await asyncio.sleep(0.05)
    return "late"


async def answers_instead(folder: str) -> str:
    note(folder, "answers_instead")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        return "a value all the same"
    return ""


async def exits_instead(folder: str) -> None:
    note(folder, "exits_instead")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        sys.exit(3)


async def interrupts_instead(folder: str) -> None:
    note(folder, "interrupts_instead")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def waits_for_a_thread(folder: str) -> str:
    note(folder, "waits_for_a_thread")
    waiting = asyncio.create_task(asyncio.to_thread(over.wait, SECONDS))
    while not waiting.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(waiting)
    return "late"


async def groups(folder: str) -> str:
    async def stubborn() -> None:
        while not over.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    note(folder, "groups")
    async with asyncio.TaskGroup() as group:
        group.create_task(stubborn())
        group.create_task(asyncio.sleep(600))
    return "late"


# --- on threads -------------------------------------------------------------------------------------------------------


def sleeps(folder: str) -> str:
    note(folder, "sleeps")
    over.wait(SECONDS)
    late.append("sleeps")
    return "late"


def computes(folder: str) -> str:
    note(folder, "computes")
    while not over.is_set():
        time.sleep(0.001)
    return "late"


def reads_a_socket(folder: str) -> bytes:
    near, far = socket.socketpair()
    with near, far:
        note(folder, "reads_a_socket")
        near.settimeout(0.05)
        while not over.is_set():
            with suppress(TimeoutError):
                return near.recv(1)
    return b""


def joins_a_thread(folder: str) -> str:
    note(folder, "joins_a_thread")
    thread = threading.Thread(target=over.wait, args=(SECONDS,))
    thread.start()
    thread.join()
    return "late"


def waits_for_a_shell(folder: str) -> int:
    shell = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600 & echo $! > \"$0\"; wait", f"{folder}/of_a_shell"])
    note(folder, "waits_for_a_shell", shell.pid)
    return shell.wait()


def ends_badly_when_asked(folder: str, ctx: Any) -> None:
    note(folder, "ends_badly_when_asked")
    while not ctx.cancelled:
        time.sleep(0.01)
    sys.exit("not now")


# --- in processes -----------------------------------------------------------------------------------------------------


def ignores_the_signal(folder: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(folder, "ignores_the_signal")
    while True:
        time.sleep(1)


def catches_everything(folder: str) -> None:
    note(folder, "catches_everything")
    while True:
        with suppress(BaseException):
            time.sleep(1)


def has_daemons(folder: str) -> None:
    for _ in range(3):
        if not os.fork():
            os.setsid()
            if os.fork():
                os._exit(0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note(folder, "of_has_daemons")
            time.sleep(600)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    note(folder, "has_daemons")
    time.sleep(600)


def is_stopped(folder: str) -> None:
    note(folder, "is_stopped")
    os.kill(os.getpid(), signal.SIGSTOP)


def computes_in_c(folder: str) -> int:
    note(folder, "computes_in_c")
    return len(str(7 ** (7**9)))


def masks_signals(folder: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    note(folder, "masks_signals")
    time.sleep(600)


def forks_on(folder: str) -> None:
    note(folder, "forks_on")
    while True:
        if not os.fork():
            time.sleep(0.5)
            os._exit(0)
        time.sleep(0.01)
        with suppress(OSError):
            os.waitpid(-1, os.WNOHANG)


ON_THE_LOOP: list[Callable[..., Any]] = [
    swallows, cleans_up_for_ever, shields, takes_it_back, answers_instead, exits_instead, interrupts_instead,
    waits_for_a_thread, groups,
]  # fmt: skip
ON_THREADS: list[Callable[..., Any]] = [
    sleeps,
    computes,
    reads_a_socket,
    joins_a_thread,
    waits_for_a_shell,
    ends_badly_when_asked,
]
IN_PROCESSES: list[Callable[..., Any]] = [
    ignores_the_signal, catches_everything, has_daemons, is_stopped, computes_in_c, masks_signals, forks_on,
]  # fmt: skip
GIVEN_UP: list[Callable[..., Any]] = [
    swallows, cleans_up_for_ever, shields, takes_it_back, waits_for_a_thread, groups, sleeps, computes, reads_a_socket,
    joins_a_thread,
]  # fmt: skip


def test_twenty_two_kinds_of_node_that_resist_cancelling_hold_up_no_run(tmp_path: Path) -> None:
    flow = Flow("resisting", settings=Settings(resources={"process": len(IN_PROCESSES)}))
    for body in (*ON_THE_LOOP, *ON_THREADS):
        flow.node(body)
    for body in IN_PROCESSES:
        flow.node(body, where="process")
    nodes = [node.id for node in flow.build().nodes]
    assert len(nodes) >= 20
    running = flow.run(store="memory:", display=False, folder=str(tmp_path))
    wait_for(lambda: all((tmp_path / name).exists() for name in nodes), SECONDS)
    wait_for(lambda: (tmp_path / "of_a_shell").exists() and len(pids(tmp_path / "of_has_daemons")) == 3)
    asked = time.monotonic()
    running.cancel()
    with pytest.raises(RunCancelled):
        running.result(SECONDS)
    assert time.monotonic() - asked < 6.0
    ended = {name for name, status in statuses(running).items() if status != "cancelled"}
    assert ended == {"answers_instead", "waits_for_a_shell"}  # they gave a value in time: that counts

    told = [record.event for record in running.events() if isinstance(record.event, SystemWarning)]
    assert {warning.node for warning in told} == {body.__name__ for body in GIVEN_UP}
    said = {str(warning.node): warning.message for warning in told}
    assert re.search(r"caught its cancellation and goes on at .*await asyncio\.sleep", said["swallows"])
    assert re.search(r"goes on at .*await asyncio\.shield\(task\)", said["shields"])
    assert re.search(r"on a thread, which can't be stopped at .*over\.wait\(SECONDS\)", said["sleeps"])

    left = [
        pid for name in (*(body.__name__ for body in IN_PROCESSES), "of_has_daemons") for pid in pids(tmp_path / name)
    ]
    left += [*pids(tmp_path / "waits_for_a_shell"), *pids(tmp_path / "of_a_shell")]
    assert len(left) >= 12
    wait_for(lambda: not any(is_alive(pid) for pid in left), 1.0)

    seq, before = running.state.seq, statuses(running)
    over.set()
    wait_for(lambda: {"swallows", "cleans_up_for_ever", "shields", "sleeps"} <= set(late))
    threading.Event().wait(0.1)
    assert (running.status, running.state.seq) == (RunStatus.CANCELLED, seq)
    assert statuses(running) == before


def pids(file: Path) -> list[int]:
    return [int(each) for each in file.read_text().split()] if file.exists() else []


def test_a_process_that_a_thread_has_started_for_good_stays(tmp_path: Path) -> None:
    flow = Flow("detached")

    @flow.node
    def detaches(folder: str, ctx: Any) -> None:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        try:
            note(folder, "pid", child.pid)
            while not ctx.cancelled:
                time.sleep(0.01)
            note(folder, "asked")
            over.wait(SECONDS)
        finally:
            child.kill()
            child.wait()

    running = flow.run(store="memory:", display=False, folder=str(tmp_path))
    wait_for(lambda: pids(tmp_path / "pid"))
    running.cancel()
    wait_for(lambda: pids(tmp_path / "asked"))
    assert is_alive(pids(tmp_path / "pid")[0])
    over.set()
    with pytest.raises(RunCancelled):
        running.result(SECONDS)


def test_a_node_that_goes_on_after_its_timeout_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.run.watch.leftovers.CANCEL_SECONDS", 0.2)
    flow = Flow("late")

    @flow.node(timeout=0.1, on_error="continue")
    async def stubborn() -> str:
        while not over.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)
        return "late"

    @flow.node
    def other() -> str:
        over.wait(SECONDS)
        return "done"

    running = flow.run(store="memory:", display=False)
    wait_for(lambda: [r for r in running.events() if isinstance(r.event, SystemWarning) and r.event.node == "stubborn"])
    assert running["stubborn"].status == "failed"
    over.set()
    wait_for(lambda: running["other"].status == "completed")
    assert running["stubborn"].status == "failed"
