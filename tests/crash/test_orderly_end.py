"""A process that ends in order, whatever its engine is doing: status 0, not a word, nothing inside SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import asyncio, threading, time
from flownb import Flow
flow = Flow("short")

@flow.node
async def one():
    return 1

@flow.node
def two(one):
    return one + 1
"""
BUSY = """
@flow.node
async def waits():
    await asyncio.sleep(100)

@flow.node
def sleeps():
    time.sleep(100)

@flow.node
async def chats():
    while True:
        print("still here")
        await asyncio.sleep(0.001)
"""
FOLLOW = """
import flownb
follow = flownb.attach(run.id)
threading.Thread(target=lambda: [flownb.runs() for _ in range(10_000)], daemon=True).start()
"""
WAYS = {
    "done": BEGIN + "run = flow.run()\nrun.result()\n",
    "at work": BEGIN + BUSY + "run = flow.run()\nwhile run['two'].status != 'completed': time.sleep(0.001)\n",
    "at once": BEGIN + BUSY + "run = flow.run()\n",
    "pausing": BEGIN + BUSY + "run = flow.run()\nrun.pause()\n",
    "read by a thread": BEGIN + BUSY + "run = flow.run()\n" + FOLLOW,
    "in memory": BEGIN + BUSY + "run = flow.run(store='memory:')\n",
    "many": BEGIN + "runs = [flow.run() for _ in range(50)]\n",
    "forked": BEGIN
    + """
run = flow.run()
run.result()
import multiprocessing, os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which this is about
child = multiprocessing.get_context("fork").Process(target=lambda: flow.run().result())
child.start()
child.join(30)
raise SystemExit(child.exitcode)
""",
    "an error": BEGIN + "run = flow.run()\nraise SystemExit(0)\n",
}


def end_often(folder: Path, count: int) -> None:
    """Let processes end in each of the ways in turn, four at once."""
    ways = list(WAYS.items())
    running: list[tuple[str, subprocess.Popen[str]]] = []
    for number in range(count + 4):
        if number >= 4:
            way, process = running.pop(0)
            said, complaints = process.communicate(timeout=60)
            assert (process.returncode, complaints) == (0, ""), f"{way}: {process.returncode}: {complaints}{said}"
        if number < count:
            way, program = ways[number % len(ways)]
            environment = os.environ | {"FLOWNB_STORE": f"sqlite:///{folder}/{number % 3}.db"}
            process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-W", "default", "-c", program],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            running.append((way, process))


@pytest.mark.timeout(120)
def test_twenty_seven_short_processes_end_without_a_word(tmp_path: Path) -> None:
    end_often(tmp_path, 27)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_two_hundred_short_processes_end_without_a_word(tmp_path: Path) -> None:
    end_often(tmp_path, 200)
