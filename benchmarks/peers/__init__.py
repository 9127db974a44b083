"""flownb's peers on the same graphs, beside plain asyncio and raw SQLite in the same process.

Each runs in a process of its own, with a limit of time, by the interpreter of an environment of their own (`make bench
PEERS=1` makes it); without that, or without one of them, a line says so. They are used as their documentation shows,
with SQLite where they keep anything.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, Size, scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "peers"
ROOT = Path(__file__).parents[2]
#: Module here, name, and the module that must be there.
PEERS = (
    ("with_langgraph", "LangGraph", "langgraph"),
    ("with_hamilton", "Hamilton", "hamilton"),
    ("with_pydantic_graph", "pydantic-graph", "pydantic_graph"),
    ("with_burr", "Burr", "burr"),
    ("with_dbos", "DBOS", "dbos"),
)


#: Those that can wait for a person and go on in another process.
PAUSING = ("with_langgraph",)


def rows(size: Size) -> Iterator[Row]:
    """Each peer in turn."""
    for peer in PEERS:
        yield from _each(GROUP, peer, ("process", json.dumps(size.counts)), size)


def pausing(group: str, size: Size) -> Iterator[Row]:
    """Each peer that can pause, with as many runs as we."""
    for peer in PEERS:
        if peer[0] in PAUSING:
            yield from _each(group, peer, ("pausing", str(size.runs)), size)


def _each(group: str, peer: tuple[str, str, str], how: tuple[str, str], size: Size) -> Iterator[Row]:
    module, name, needed = peer
    own = ROOT / ".cache" / "peers" / "bin" / "python"
    interpreter = str(own) if own.exists() else sys.executable
    if interpreter == sys.executable and importlib.util.find_spec(needed) is None:
        yield Row(group, name, who=name, note="not installed: make bench PEERS=1")
        return
    with scratch(on_disk=how[0] == "pausing") as folder:
        command = [interpreter, "-m", f"benchmarks.peers.{how[0]}", module, str(folder), how[1]]
        yield from _measured(group, command, name, folder, size)


def _measured(group: str, command: list[str], name: str, folder: Path, size: Size) -> Iterator[Row]:
    """What the process tells, line by line, until it ends or its time is over."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    over = threading.Event()
    timer = threading.Timer(size.patience, lambda: (over.set(), process.kill()))
    timer.start()
    told: list[str] = []
    errors = threading.Thread(target=lambda: told.extend(process.stderr or ()), daemon=True)
    errors.start()
    doing = "its import"
    assert process.stdout is not None
    for text in process.stdout:
        if not text.startswith("{"):
            continue  # a peer that prints
        news: dict[str, Any] = json.loads(text)
        doing = news.pop("doing", "")
        if not doing:
            yield Row(group, **{"who": name, **news})
    process.wait()
    timer.cancel()
    errors.join(1)
    if over.is_set():
        yield Row(group, doing, who=name, note=f"not done within {size.patience:g} s")
    elif process.returncode:
        why = told[-1].strip()[:120] if told else f"exit status {process.returncode}"
        yield Row(group, doing, who=name, note=f"failed: {why}")
