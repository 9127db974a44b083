"""Runs that nobody carries on: headless ones are taken up, interactive ones are left to a person."""

from __future__ import annotations

import json
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
from flownb.model import events as ev
from flownb.notebook.adoption import adopt
from flownb.store.contract import NewRun, Program, Write
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from flownb.store.contract import Owner, Store

MODULE = """
import os, time
from pathlib import Path
from flownb import Flow
flow = Flow("crashes")

@flow.node
def first():
    return 1

@flow.node
def second(first):
    if not Path("again").exists():
        Path("again").touch()
        os.kill(os.getpid(), 9)
    return first + 1

@flow.node
def third(second):
    return second * 10
"""
SECONDS = 40.0


@pytest.fixture
def store(own_store: str) -> Store:
    return open_store(own_store)


@pytest.fixture
def dead(store: Store) -> Owner:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = msgspec.structs.replace(current_owner(), id=new_owner_id(), pid=gone.pid, pid_started=1)
    store.register(owner)
    return owner


def left_behind(store: Store, owner: Owner, run: str, kind: str = "", *, group: str | None = None) -> None:
    program = store.put_program(Program(kind=kind, target=f"{run}.x", directory="/")) if kind else ""
    new = NewRun(id=run, workflow="w", created_at=1.0, program=program, group=group)
    _, lease = store.create_run(new, owner)
    assert lease is not None
    store.commit([Write(run, lease.fence, 1, (ev.RunStarted(at=1.0, workflow="w"),))])


def test_headless_runs_are_begun_and_others_are_left_with_a_reason(store: Store, dead: Owner) -> None:
    for kind in ("notebook", "module", "json", "cells"):
        left_behind(store, dead, kind, kind)
    left_behind(store, dead, "notebook.2", "notebook", group="notebook")
    left_behind(store, dead, "script")
    left_behind(store, current_owner(), "at_work", "module")
    begun: list[str] = []
    found = adopt(store, lambda _, run: begun.append(run))
    assert begun == found.begun == ["json", "module", "notebook"]
    assert set(found.left) == {"cells", "script"}
    assert "interactive kernel" in found.left["cells"]
    assert "same key" in found.left["script"]


def test_a_paused_run_is_begun_once_it_is_answered_whatever_its_kind(store: Store, dead: Owner) -> None:
    left_behind(store, dead, "asks", "cells")
    asked = ev.ApprovalRequested(at=2.0, node="n", approval="a1", kind="in_doubt", question="?", ports=("rerun",))
    paused = ev.RunPaused(at=2.0, reason="in_doubt")
    store.commit([Write("asks", 1, 2, (asked, paused), release=True)])
    assert adopt(store, lambda _, run: None) == adopt(store, lambda _, run: None)
    assert adopt(store, lambda _, run: None).begun == []
    store.decide("asks", ev.ApprovalDecided(at=3.0, node="n", approval="a1", by="ada", port="rerun"))
    assert adopt(store, lambda _, run: None).begun == ["asks"]


@pytest.mark.timeout(90)
def test_a_crashed_headless_run_is_carried_to_its_end_at_once(store: Store, own_store: str, tmp_path: Path) -> None:
    (tmp_path / "crashing.py").write_text(MODULE)
    environment = os.environ | {"PYTHONPATH": str(Path(flownb.__file__).parents[1])}
    command = [sys.executable, "-m", "flownb", "run", "crashing:flow", "--store", own_store]
    killed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert killed.returncode == -9
    (row,) = store.rows()
    found = adopt(store)
    assert found.begun == [row.id]
    end = time.monotonic() + SECONDS
    while (now := store.row(row.id)) is not None and now.status != "completed" and time.monotonic() < end:
        time.sleep(0.05)
    shown = [sys.executable, "-m", "flownb", "show", row.id, "--json", "--store", own_store]
    document = json.loads(subprocess.run(shown, capture_output=True, check=True, env=environment).stdout)
    assert (document["status"], document["outputs"]) == ("completed", {"third": 20})
    assert document["nodes"]["first"]["attempts"] == 1
    assert adopt(store).begun == []
