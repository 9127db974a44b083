"""A process that stood still past its lease comes back: nothing that it writes is accepted, and it says so."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flownb.model.events import NodeCompleted, NodeStarted, RunCompleted, RunResumed
from flownb.store.place import open_store

if TYPE_CHECKING:
    from flownb.store.contract import RunRow, Store

STALE = Path(__file__).with_name("stale.py")
RESULT = {"n5": 172}
LEASE = "0.4"
SECONDS = 60.0
LOCKED_SECONDS = 20.0


def start(url: str, key: str, effects: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"FLOWNB_STORE": url, "FLOWNB_LEASE_SECONDS": LEASE}
    return subprocess.Popen(
        [sys.executable, str(STALE), key, str(effects)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trial(folder: Path, seed: int) -> bool:
    """Stop a process in the middle of its run, let another finish it, wake the first; False where it was too late."""
    chance = random.Random(seed)
    url, effects = f"sqlite:///{folder}/flownb.db", folder / "effects.txt"
    store = open_store(url)
    stale = start(url, "k", effects)
    other: subprocess.Popen[str] | None = None
    try:
        assert stale.stdout is not None
        assert stale.stdout.readline().startswith("READY")
        wait_until(effects, lines=chance.randint(0, 4), rest=chance.uniform(0, 0.03))
        os.kill(stale.pid, signal.SIGSTOP)
        if not is_stopped(stale.pid) or (row := store.find_key("k")) is None or row.status == "completed":
            return False
        other = start(url, "k", effects)
        try:
            told, complaints = other.communicate(timeout=LOCKED_SECONDS)
        except subprocess.TimeoutExpired:
            return False  # it was stopped inside a commit, and holds SQLite's lock: nobody can take anything over
        assert other.returncode == 0, complaints
        check_history(store, row, told)
        before = store.events(row.id)
        os.kill(stale.pid, signal.SIGCONT)
        told, complaints = stale.communicate(timeout=SECONDS)
        assert (stale.returncode, store.events(row.id)) == (0, before)
        assert f"REFUSED Another process owns run {row.id} now" in told, told + complaints
        assert "STATUS completed completed" in told  # what the journal says, and not what it had meant to write
        assert complaints.count("can't go on in this process") == 1, complaints
    finally:
        for process in (stale, other):
            if process is not None:
                process.kill()
                process.communicate()
        store.close()
    return True


def is_stopped(pid: int) -> bool:
    """Wait until the signal has arrived."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state in "TZX":
            return state == "T"
        time.sleep(0.001)
    return False


def wait_until(effects: Path, *, lines: int, rest: float) -> None:
    """Until so many nodes have had their effect, and a moment longer."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        seen = effects.read_text().count("\n") if effects.exists() else 0
        if seen >= lines:
            break
        time.sleep(0.002)
    time.sleep(rest)


def check_history(store: Store, stopped: RunRow, told: str) -> None:
    (result,) = [line for line in told.splitlines() if line.startswith("RESULT")]
    assert json.loads(result[7:]) == RESULT
    records = store.events(stopped.id)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    happened = [record.event for record in records]
    assert sum(isinstance(event, RunCompleted) for event in happened) == 1
    # Who was stopped before the first commit had begun nothing that could be resumed.
    assert sum(isinstance(event, RunResumed) for event in happened) == bool(stopped.seq)
    done: set[str] = set()
    for event in happened:
        if isinstance(event, NodeStarted):
            assert event.node not in done
        if isinstance(event, NodeCompleted):
            assert event.node not in done
            done.add(event.node)
    assert len(done) == 6


def trials(folder: Path, count: int) -> None:
    seed = int(os.environ.get("FLOWNB_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}: replay with FLOWNB_SEED={seed}")
    done = tried = 0
    while done < count:
        place = folder / str(tried)
        place.mkdir()
        done += trial(place, seed + tried)
        tried += 1
        assert tried < 2 * count + 5, "the process was nearly always too fast"
    print(f"{done} trials, {tried} tried: 0 writes of a stale owner accepted")


@pytest.mark.timeout(300)
def test_nothing_that_a_stale_owner_writes_is_accepted_in_ten_trials(tmp_path: Path) -> None:
    trials(tmp_path, 10)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_nothing_that_a_stale_owner_writes_is_accepted_in_a_hundred_trials(tmp_path: Path) -> None:
    trials(tmp_path, 100)
