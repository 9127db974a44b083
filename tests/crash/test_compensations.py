"""A process killed while a failed run is undone: the rest is undone, nothing twice, and the handler is told once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from flownb import Flow, RunFailed

flow = Flow("trip")

def effect(ctx):
    with open("effects", "a") as file:
        file.write(ctx.path + " " + ctx.idempotency_key.partition(":")[2] + chr(10))

def book(number):
    flow.node(effect, id=f"undo{number}")
    before = f"book{number - 1}" if number else None
    flow.node(lambda: number, id=f"book{number}", after=before, compensation=f"undo{number}")

for number in range(4):
    book(number)
flow.node(lambda: 1 / 0, id="bad", after="book3", on_error="compensate")
failed = flow.error_handler("failed")
flow.node(effect, id="tell", after=failed)
try:
    flow.run(key="k").result()
except RunFailed as error:
    print(error)
"""
ALL = ["undo3", "undo2", "undo1", "undo0", "tell"]


def run(folder: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_FAULT": fault} if fault else dict(os.environ)
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60)


@pytest.mark.parametrize(
    "fault",
    [
        "run.ending",
        "run.compensating:1",
        "run.compensating:3",
        "run.compensating:4",
        "node.after_body:7",
        "run.after_finish",
    ],
)
def test_a_kill_in_the_middle_of_undoing_loses_nothing(tmp_path: Path, fault: str) -> None:
    killed = run(tmp_path, fault)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = run(tmp_path)
    assert "failed at bad" in done.stdout, done.stdout + done.stderr
    effects = [line.split() for line in (tmp_path / "effects").read_text().splitlines()]
    assert all(path == key for path, key in effects)
    told = [path for path, _ in effects]
    assert list(dict.fromkeys(told)) == ALL
    # What was in flight when the process died, its end not committed, has the same key the second time.
    between = fault in ("run.ending", "run.compensating:1", "run.after_finish")
    assert len(told) == len(ALL) + (not between)
