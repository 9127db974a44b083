"""A module's workflow, started because of another one's run: in a process of its own, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flownb.store.place import open_store
from tests.waiting import wait_for

MODULE = """
import json
from flownb import Flow

alert = Flow("alert")
failed = alert.add("trigger.error", "failed")

@alert.node
def tell(failed):
    with open("told", "a") as file:
        file.write(json.dumps([failed["workflow"], failed["last_node"], failed["run"]]) + chr(10))

flow = Flow("jobs")
flow.on_failure("jobs:alert")

@flow.node
def load():
    return 1 / 0
"""


def flownb(folder: Path, *args: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_FAULT": fault} if fault else dict(os.environ)
    command = [sys.executable, "-m", "flownb", *args, "--store", "sqlite:///runs.db"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=60, env=environment)


@pytest.mark.parametrize("fault", ["", "run.after_finish"])
def test_the_workflow_of_a_module_is_started_once(tmp_path: Path, fault: str) -> None:
    (tmp_path / "jobs.py").write_text(MODULE, encoding="utf-8")
    first = flownb(tmp_path, "run", "jobs:flow", "--key", "k", fault=fault)
    assert first.returncode == (-signal.SIGKILL if fault else 1)
    if fault:
        assert not (tmp_path / "told").exists()
        assert flownb(tmp_path, "run", "jobs:flow", "--key", "k").returncode == 1  # it tells how that run ended
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    told = Path(tmp_path / "told")
    wait_for(lambda: told.exists() and not store.error_calls(), seconds=30)
    wait_for(lambda: all(row.status in ("failed", "completed") for row in store.rows()), seconds=30)
    (row,) = [row for row in store.rows() if row.workflow == "jobs"]
    assert [json.loads(line) for line in told.read_text().splitlines()] == [["jobs", "load", row.id]]
    (handler,) = [each for each in store.rows() if each.trigger == "error"]
    assert handler.workflow == "alert"


STATUS = """
from flownb import Flow

report = Flow("report")
now = report.add("trigger.status", "now")

@report.node
def tell(now):
    with open("told", "a") as file:
        file.write(" ".join([now["workflow"], now["status"], str(now["outputs"]), now["run"]]) + chr(10))

flow = Flow("jobs")
flow.on_status("completed", "jobs:report")

@flow.node
def load(n: int = 3):
    return n

asks = Flow("asks")
asks.add("human.approval", "ok", question="Post?")
asks.on_status("cancelled", "jobs:report")
"""


@pytest.mark.parametrize("fault", ["", "run.after_finish"])
def test_the_workflow_for_a_status_is_started_once_in_a_process_of_its_own(tmp_path: Path, fault: str) -> None:
    (tmp_path / "jobs.py").write_text(STATUS, encoding="utf-8")
    first = flownb(tmp_path, "run", "jobs:flow", "--key", "k", fault=fault)
    assert first.returncode == (-signal.SIGKILL if fault else 0), first.stderr
    if fault:
        assert not (tmp_path / "told").exists()
        assert flownb(tmp_path, "run", "jobs:flow", "--key", "k").returncode == 0
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    told = Path(tmp_path / "told")
    wait_for(lambda: told.exists() and not store.status_calls(), seconds=30)
    wait_for(lambda: all(row.status == "completed" for row in store.rows()), seconds=30)
    (row,) = [row for row in store.rows() if row.workflow == "jobs"]
    assert told.read_text().splitlines() == [f"jobs completed {{'load': 3}} {row.id}"]
    (handler,) = [each for each in store.rows() if each.trigger == "status"]
    assert handler.workflow == "report"


def test_a_resting_run_that_is_cancelled_from_outside_starts_what_is_named(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(STATUS, encoding="utf-8")
    flownb(tmp_path, "run", "jobs:asks")
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    (row,) = store.rows()
    assert row.status == "paused"
    assert flownb(tmp_path, "cancel", row.id).returncode == 0
    told = Path(tmp_path / "told")
    wait_for(lambda: told.exists() and not store.status_calls(), seconds=30)
    assert told.read_text().splitlines() == [f"asks cancelled {{}} {row.id}"]
