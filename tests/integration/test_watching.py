"""What one process writes is felt in the others within 0.3 s: events, commands and answers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

import flownb
from flownb.ids import new_owner_id
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.status import RunStatus
from flownb.store.owner import current_owner
from flownb.store.place import open_store
from tests.unit.run.test_recovery import completed, leave_behind, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.flow import Flow
    from flownb.store.contract import Store

PROGRAM = """
import asyncio, sys, time
from flownb import Flow

ticks = Flow("ticks")

async def tick(before=0):
    await asyncio.sleep(0.05)
    return 1

ticks.node(tick, id="n0")
for number in range(1, 60):
    ticks.node(tick, id=f"n{number}", inputs={"before": f"n{number - 1}"})

asking = Flow("asking")

@asking.node
def first():
    return 1

@asking.node(on_crash="ask")
def second(first):
    return first + 1
"""
OWNER = """
from program import *
run = ticks.run(key="ticks")
asked = [asking.run(key=f"k{number}") for number in range(10)]
while any(each.status != "paused" for each in asked):
    time.sleep(0.01)
print("ready", run.id, flush=True)
sys.stdin.read()
"""
MOST = 0.3


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    """The flow that asks, as the other process imports it."""
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("program").asking
    del sys.modules["program"]


def ten_in_doubt(flow: Flow, store: Store) -> None:
    """Ten runs that a process left behind when it died."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = msgspec.structs.replace(current_owner(), id=new_owner_id(), pid=gone.pid, pid_started=1)
    for number in range(10):
        left = [started("first"), completed("first", 1), started("second")]
        leave_behind(flow, store, dead, left, key=f"k{number}")


def percentiles(what: str, late: list[float]) -> str:
    late = sorted(late)
    return f"{what}: {len(late)}, p50 {late[len(late) // 2] * 1000:.0f} ms, most {late[-1] * 1000:.0f} ms"


@pytest.mark.timeout(90)
def test_events_commands_and_answers_arrive_within_three_tenths_of_a_second(
    program: Flow, own_store: str, tmp_path: Path
) -> None:
    store = open_store(own_store)
    ten_in_doubt(program, store)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{Path(flownb.__file__).parents[1]}"}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    with owner:
        assert owner.stdout is not None
        _, run_id = owner.stdout.readline().split()
        seen: list[float] = []
        followed = flownb.attach(run_id)
        forget = followed.watch(lambda happened: seen.extend(time.time() - event.at for event in happened))
        told = []
        for number, asked in enumerate(store.approvals()):
            store.send(run_id, cmd.SetVariable(name=f"v{number}", value=time.time()))
            told.append((asked.run, time.time()))
            decision = ev.ApprovalDecided(at=time.time(), node="second", approval=asked.id, by="ada", port="rerun")
            store.decide(asked.run, decision)
            time.sleep(0.13)  # so that the looks of the other process are met at every place
        wait_until_completed(store, [run for run, _ in told])
        forget()
        obeyed = [r.event for r in store.events(run_id) if isinstance(r.event, ev.VariableSet)]
        owner.kill()
    commands = [event.at - event.value for event in obeyed]
    answers = [went_on(store, run) - at for run, at in told]
    for what, late in (("events", seen), ("commands", commands), ("answers", answers)):
        print(percentiles(what, late))
        assert len(late) >= 10
        assert max(late) < MOST, percentiles(what, late)


def wait_until_completed(store: Store, runs: list[str]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        rows = [store.row(run) for run in runs]
        if all(row is not None and row.status == RunStatus.COMPLETED for row in rows):
            return
        time.sleep(0.02)
    raise AssertionError([row and row.status for row in rows])


def went_on(store: Store, run: str) -> float:
    return next(
        r.event.at for r in store.events(run) if isinstance(r.event, ev.ApprovalDecided | ev.RunResumed) and r.seq > 8
    )
