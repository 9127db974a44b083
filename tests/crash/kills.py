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
from flownb.model.events import NodeCompleted, NodeFailedEvent, NodeStarted, NodeStep, RunResumed
from flownb.store.place import open_store

if TYPE_CHECKING:
    from flownb.model.events import Record

WORKLOAD = Path(__file__).with_name("workload.py")
#: Points that a flow outside a notebook passes.
FLOW_POINTS = [point for point in POINTS if not point.startswith("notebook.") and point != "artifact.written"]
EXPECTED = {
    "chain": {"n11": 37_324},
    "fan": {"total": 315},
    "branch": {"v5": 1},
    "diamond": {"bottom": 1035},
    "steps": {"rest": 52},
    "process": {"back": 43},
}
#: Seconds after its start in which a process is killed; where nodes start processes, a run takes longer.
MOMENTS = {"process": 1.0}
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
    #: Parts of nodes that were done again although what they gave was committed.
    steps_again: int = 0
    #: Seconds from the start of a process that resumes a run to the start of its first node.
    resumed: list[float] = []

    def __str__(self) -> str:
        within = sorted(self.resumed)
        half, most = (within[len(within) // 2], within[-1]) if within else (0.0, 0.0)
        return (
            f"{self.kills} kills, {self.runs} runs, {self.nodes} nodes: {self.lost} lost, {self.again} run again, "
            f"{self.wrong} wrong, {self.keyed_effects} double effects under a key, {self.steps_again} steps again; "
            f"{self.repeated_effects} raw effects repeated ({self.repeated_effects / max(1, self.kills):.2f} a kill); "
            f"{len(within)} resumptions to their first node in {half:.2f} s at the median, {most:.2f} s at most"
        )


def kill_until_done(shape: str, seed: int, folder: Path, tally: Tally) -> None:
    """Start one run, kill its process one to three times, let it end, and count what is not as promised."""
    chance = random.Random(seed)
    url, key, effects = f"sqlite:///{folder}/flownb.db", f"key-{seed}", folder / "effects.txt"
    wanted = chance.randint(1, 3)
    result = None
    begun: list[float] = []
    for _ in range(MOST_LIVES):
        begun.append(time.time())
        how = "" if wanted <= 0 else chance.choice(["moment", "point"])
        point = f"{chance.choice(FLOW_POINTS)}:{chance.randint(1, 8)}" if how == "point" else ""
        moment = chance.uniform(0.0, MOMENTS.get(shape, 0.12)) if how == "moment" else None
        killed, result = _live(shape, url, key, effects, point=point, moment=moment)
        tally.kills += killed
        wanted -= 1
        if result is not None:
            break
    _check(shape, (url, key, effects), result, tally)
    tally.resumed += _resumptions(url, key, begun)


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
    steps = Counter((each.event.node, each.event.name) for each in records if isinstance(each.event, NodeStep))
    keys = Counter(line.split()[1] for line in effects.read_text().splitlines())
    working = {node for node in completed if node in seen}
    tally.runs += 1
    tally.nodes += len(completed)
    tally.wrong += result != EXPECTED[shape] or row.status != "completed"
    tally.lost += sum(1 for node in started if node not in completed)
    tally.again += again + sum(1 for node in completed if completed[node] != 1)
    tally.again += sum(1 for node in working if seen[node] > started[node])
    tally.steps_again += steps.total() - len(steps)
    tally.repeated_effects += sum(count - 1 for count in seen.values())
    tally.keyed_effects += len(keys) - len(seen)


def _resumptions(url: str, key: str, begun: list[float]) -> list[float]:
    """How long each process that resumed the run took from its start to the start of its first node."""
    store = open_store(url)
    row = store.find_key(key)
    assert row is not None
    events = [record.event for record in store.events(row.id)]
    store.close()
    took = []
    for number, event in enumerate(events):
        if isinstance(event, RunResumed):
            first = next((each.at for each in events[number:] if isinstance(each, NodeStarted)), None)
            if first is not None:
                took.append(first - max(at for at in begun if at <= event.at))
    return took


def _history(records: list[Record]) -> tuple[Counter[str], Counter[str], int]:
    """Starts and ends by node, and how often a node began after its result was committed."""
    started: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    again = 0
    for record in records:
        if isinstance(record.event, NodeStarted):
            started[record.event.node] += 1
            again += record.event.node in completed
        elif isinstance(record.event, NodeCompleted) or (
            isinstance(record.event, NodeFailedEvent) and record.event.port
        ):
            completed[record.event.node] += 1
    return started, completed, again
