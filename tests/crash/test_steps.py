"""A process killed between, before and after the steps of a node: what is committed is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import json, sys
from flownb import Flow

flow = Flow("steps")

def effect(name):
    with open("effects", "a") as file:
        file.write(name + chr(10))
    return {"done": name}

@flow.node
def on_thread(ctx):
    return [ctx.step(f"t{number}", effect, f"t{number}")["done"] for number in range(4)]

@flow.node
async def on_loop(on_thread, ctx):
    async def part(name):
        return effect(name)
    return [(await ctx.step(f"l{number}", part, f"l{number}"))["done"] for number in range(4)]

print(json.dumps(flow.run(key="k").result()["on_loop"]))
"""
NAMES = [f"{kind}{number}" for kind in "tl" for number in range(4)]


def run(folder: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_FAULT": fault} if fault else dict(os.environ)
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60)


@pytest.mark.parametrize("nth", [1, 3, 6, 8])
@pytest.mark.parametrize("point", ["step.done", "tick.after_commit"])
def test_a_committed_step_is_not_done_again(tmp_path: Path, point: str, nth: int) -> None:
    killed = run(tmp_path, f"{point}:{nth}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [f"l{number}" for number in range(4)]
    effects = Counter((tmp_path / "effects").read_text().split())
    assert sorted(effects) == sorted(NAMES)
    twice = [name for name, count in effects.items() if count > 1]
    # Only what was done and not committed when the process died.
    assert twice == ([NAMES[nth - 1]] if point == "step.done" else [])
