"""Killing a real process again and again, at named points and at random moments, until its run has ended."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flownb.faults import POINTS
from flownb.model.events import NodeCompleted, NodeStarted
from flownb.store.place import open_store

if TYPE_CHECKING:
    from flownb.model.events import Record

WORKLOAD = Path(__file__).with_name("workload.py")
#: Points that a flow outside a notebook passes.
FLOW_POINTS = [point for point in POINTS if not point.startswith("notebook.") and point != "artifact.written"]
EXPECTED = {"chain": {"n11": 37_324}, "fan": {"total": 315}, "branch": {"v5": 1}}
MOST_LIVES = 40


class Tally(msgspec.Struct):
    """What came of it, over many runs."""

    runs: int = 0
    nodes: int = 0
    kills: int = 0
    lost: int = 0
    again: int = 0
    wrong: int = 0
    repeated_effects: int = 0
    keyed_effects: int = 0


def kill_until_done(shape: str, seed: int, folder: Path, tally: Tally) -> None:
    """Start one run, kill its process one to three times, let it end, and count what is not as promised."""
    chance = random.Random(seed)
    url, key, effects = f"sqlite:///{folder}/flownb.db", f"key-{seed}", folder / "effects.txt"
    wanted = chance.randint(1, 3)
    result = None
    for _ in range(MOST_LIVES):
        how = "" if wanted <= 0 else chance.choice(["moment", "point"])
        point = f"{chance.choice(FLOW_POINTS)}:{chance.randint(1, 8)}" if how == "point" else ""
        moment = chance.uniform(0.0, 0.12) if how == "moment" else None
        killed, result = _live(shape, url, key, effects, point=point, moment=moment)
        tally.kills += killed
        wanted -= 1
        if result is not None:
            break
    _check(shape, (url, key, effects), result, tally)


def _live(shape: str, url: str, key: str, effects: Path, *, point: str, moment: float | None) -> tuple[bool, object]:
    """One life of the process: whether it was killed, and its result if it came to one."""
    environment = os.environ | {"FLOWNB_STORE": url, "FLOWNB_FAULT": point}
    child = subprocess.Popen(
        [sys.executable, str(WORKLOAD), shape, key, str(effects)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        if moment is not None:
            child.stdout.readline()
            time.sleep(moment)
            child.kill()
        out, err = child.communicate(timeout=90)
        if child.returncode not in (0, -9):
            raise AssertionError(f"{shape} {key} ended with {child.returncode}:\n{err}")
    lines = [line for line in out.splitlines() if line.startswith("RESULT ")]
    return child.returncode == -9, json.loads(lines[0][7:]) if lines else None


def _check(shape: str, place: tuple[str, str, Path], result: object, tally: Tally) -> None:
    url, key, effects = place
    store = open_store(url)
    row = store.find_key(key)
    assert row is not None
    records = store.events(row.id)
    store.close()
    started, completed, again = _history(records)
    seen = Counter(line.split()[0] for line in effects.read_text().splitlines())
    keys = Counter(line.split()[1] for line in effects.read_text().splitlines())
    working = {node for node in completed if node in seen}
    tally.runs += 1
    tally.nodes += len(completed)
    tally.wrong += result != EXPECTED[shape] or row.status != "completed"
    tally.lost += sum(1 for node in started if node not in completed)
    tally.again += again + sum(1 for node in completed if completed[node] != 1)
    tally.again += sum(1 for node in working if seen[node] > started[node])
    tally.repeated_effects += sum(count - 1 for count in seen.values())
    tally.keyed_effects += len(keys) - len(seen)


def _history(records: list[Record]) -> tuple[Counter[str], Counter[str], int]:
    """Starts and ends by node, and how often a node began after its result was committed."""
    started: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    again = 0
    for record in records:
        if isinstance(record.event, NodeStarted):
            started[record.event.node] += 1
            again += record.event.node in completed
        elif isinstance(record.event, NodeCompleted):
            completed[record.event.node] += 1
    return started, completed, again
