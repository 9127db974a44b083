"""Eight processes want the same at once: a run is taken once, and a key starts one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from flownb.store.contract import NewRun
from flownb.store.owner import current_owner
from flownb.store.sqlite import SqliteStore

CLAIMANT = Path(__file__).with_name("claimant.py")
PROCESSES = 8
RUNS = 2_000
STARTS = 1_000


def at_once(what: str, path: Path, *more: str) -> list[Any]:
    """Start the processes, let them go together, and collect what they print."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        subprocess.Popen(
            [sys.executable, str(CLAIMANT), what, str(path), f"p{number}", *more],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        told = [json.loads(child.stdout.readline()) for child in children if child.stdout is not None]
        for child in children:
            child.communicate(timeout=60)
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert [child.returncode for child in children] == [0] * PROCESSES
    return told


def test_no_run_is_claimed_twice(tmp_path: Path) -> None:
    path = tmp_path / "flownb.db"
    store = SqliteStore(path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = msgspec.structs.replace(current_owner(), pid=gone.pid)
    for number in range(RUNS):  # half were never owned, half by a process that died
        new = NewRun(id=f"r{number:04}", workflow="w", created_at=float(number))
        store.create_run(new, dead if number % 2 else None)
    taken = [run for each in at_once("claim", path) for run in each]
    assert len(taken) == RUNS
    assert len(set(taken)) == RUNS
    assert store.check() == []
    store.close()


def test_one_key_starts_one_run_also_in_a_store_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "new" / "flownb.db"
    told = at_once("start", path, str(STARTS // PROCESSES))
    assert sum(begun for begun, _ in told) == 1
    ids = {run for _, runs in told for run in runs}
    store = SqliteStore(path)
    assert [row.id for row in store.rows()] == list(ids)
    assert store.check() == []
    store.close()
