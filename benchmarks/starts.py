"""Imports, the command line and the first result of a fresh process, over bare Python."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import flownb
from benchmarks.measure import Row, Size, scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP = "start"
BESIDE = "bare Python"
_COMPARED = "import asyncio"
FLOW = """
from flownb import Flow
flow = Flow("first")

@flow.node
def a():
    return 1

@flow.node
def b(a):
    return a + 1

@flow.node
def c(b):
    return b + 1
"""
FIRST = FLOW + "\nassert flow.run(store={!r}).result() == {{'c': 3}}\n"


def rows(size: Size) -> Iterator[Row]:
    """Seconds over bare Python, which takes turns with each."""
    compileall.compile_dir(Path(flownb.__file__).parent, quiet=2)  # as an installed package is
    with scratch() as folder:
        (folder / "first.py").write_text(FLOW)
        (folder / "memory.py").write_text(FIRST.format("memory:"))
        (folder / "sqlite.py").write_text(FIRST.format("sqlite:///first.db"))
        store = ("--store", "sqlite:///first.db")
        run = partial(_run, folder)
        run("sqlite.py")  # so that there are runs to list
        for what, command, aim in (
            (_COMPARED, ("-c", "import asyncio"), None),
            ("import flownb", ("-c", "import flownb"), None),
            ("from flownb import Flow", ("-c", "from flownb import Flow"), None),
            ("first result of three nodes, in memory", ("memory.py",), 0.120),
            ("first result of three nodes, SQLite", ("sqlite.py",), None),
            ("flownb --help", ("-m", "flownb", "--help"), 0.050),
            ("flownb runs", ("-m", "flownb", "runs", *store), None),
            ("flownb run first:flow", ("-m", "flownb", "run", "first:flow", *store), None),
        ):
            run(*command)
            (taken, busy), (bare, idle) = _turns(partial(run, *command), partial(run, "-c", "pass"), size)
            yield Row(
                GROUP, f"{what}, over bare Python", who="Python" if what == _COMPARED else "flownb",
                value=taken - bare, beside=BESIDE, baseline=bare, aim=aim, aim_of="value",
                note=f"processor {(busy - idle) * 1e3:,.0f} ms over {idle * 1e3:,.0f}",
            )  # fmt: skip


def _turns(ours: Callable[[], float], theirs: Callable[[], float], size: Size) -> list[tuple[float, float]]:
    """The median seconds of both, by the clock and of the processor: that one a busy machine distorts less."""
    taken: list[list[tuple[float, float]]] = [[], []]
    for _ in range(max(3, size.rounds * 2 + 1)):
        for work, times in zip((ours, theirs), taken, strict=True):
            start = time.perf_counter()
            spent = work()
            times.append((time.perf_counter() - start, spent))
    return [(median(clock for clock, _ in each), median(busy for _, busy in each)) for each in taken]


def _run(folder: Path, *command: str) -> float:
    """Seconds of the processor that a process took; 0 where the system doesn't say."""
    before = _spent()
    subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=folder)
    return _spent() - before


def _spent() -> float:
    found = os.times()
    return found.children_user + found.children_system
