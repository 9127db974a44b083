"""One run and several processes: Ctrl-C, exits, pauses and resumptions, as other processes see them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

import flownb

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = r"""
import asyncio, os, sys, threading, time
from pathlib import Path
import flownb
from flownb import Flow

flow = Flow("shared")

@flow.node
def first():
    return 1

@flow.node
def second(first):
    os.write(1, b"second\n")
    while not Path("go").exists():
        time.sleep(0.01)
    return first + 1

@flow.node
def third(second):
    return second * 10

def shown(wait):
    try:
        print(wait(), flush=True)
    except flownb.FlownbError as error:
        print(type(error).__name__, flush=True)
"""
SECONDS = 30.0

Python: TypeAlias = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """`python(code)` starts a process in which the flow `shared` can be imported from `program`."""
    (tmp_path / "program.py").write_text(PROGRAM)

    def start(code: str, *flags: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-u", *flags, "-c", f"from program import *\n{code}"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(flownb.__file__).parents[1]}"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  no threads yet
        )

    return start


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=SECONDS)[0].strip()


RESULT = r"""
run = flow.run(key="k")
threading.Timer(0.5, os.write, [1, b"waiting\n"]).start()
run.result()
"""
AWAIT = r"""
async def main():
    run = flow.run(key="k")
    while not run["second"].attempts: pass
    asyncio.get_running_loop().call_soon(os.write, 1, b"waiting\n")
    await run
asyncio.run(main())
"""
PAUSE = """
run = flow.run(key="k")
while not run["second"].attempts: pass
run.pause()
Path("go").touch()
shown(run.result)
"""


@pytest.mark.parametrize("waits", [RESULT, AWAIT], ids=["result", "await"])
def test_ctrl_c_in_a_script_leaves_a_paused_run_that_can_be_resumed(python: Python, waits: str, tmp_path: Path) -> None:
    script = python(waits)
    assert {line(script), line(script)} == {"second", "waiting"}
    script.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in rest(script)
    assert script.returncode == -signal.SIGINT  # a shell says 130
    (row,) = flownb.runs()
    assert (row.status, row.pause_reason) == ("paused", "manual")
    assert rest(python('shown(flow.run(key="k").result)')) == "RunPaused"
    (tmp_path / "go").touch()
    assert rest(python('shown(flow.run(key="k").resume().result)')) == "second\n{'third': 20}"


def test_an_interpreter_that_ends_while_a_run_works_does_not_hang_and_says_nothing(
    python: Python, tmp_path: Path
) -> None:
    script = python('flow.run(key="k")\nwhile not flow.run(key="k")["second"].attempts: pass', "-X", "dev")
    assert rest(script) in ("", "second")
    assert script.returncode == 0
    assert [row.status for row in flownb.runs()] == ["running"]
    (tmp_path / "go").touch()
    assert rest(python('shown(flow.run(key="k").result)')) == "second\n{'third': 20}"


def test_who_follows_a_run_leaves_it_paused_when_its_owner_pauses_it_and_goes(python: Python, tmp_path: Path) -> None:
    owner = python('run = flow.run(key="k")\nwhile not run["second"].attempts: pass\nrun.pause()\nshown(run.result)')
    assert line(owner) == "second"
    follower = python(
        'run = flow.run(key="k")\nprint(run.status, flush=True)\nend = time.monotonic() + 20\n'
        'while run.status != "paused" and time.monotonic() < end: time.sleep(0.01)\n'
        "time.sleep(2.5)\nprint(run.status)"  # longer than it takes to notice that an owner is gone
    )
    assert line(follower) == "running"
    (tmp_path / "go").touch()
    assert rest(owner) == "RunPaused"
    assert rest(follower) == "paused"


def test_who_awaits_a_paused_run_sees_that_another_process_resumes_it(python: Python) -> None:
    assert rest(python(PAUSE)) == "second\nRunPaused"
    waiter = python(
        "async def main():\n"
        '    run = flow.run(key="k")\n    print(run.status, flush=True)\n    return await run\n'
        "print(asyncio.run(main()))"
    )
    assert line(waiter) == "paused"
    assert rest(python('shown(flow.run(key="k").resume().result)')) == "{'third': 20}"
    assert rest(waiter) == "{'third': 20}"
