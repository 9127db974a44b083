"""A flow of a module that runs another, from the command line: killed, signalled, resumed by either's id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flownb.store.place import open_store

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from pathlib import Path
from flownb import Flow

def did(name):
    with Path("effects").open("a") as file:
        file.write(name + "\\n")
    return name

inner = Flow("inner")

@inner.node
def ask(n: int):
    did("ask")
    return n

inner.wait_for_event("paid", "paid", after="ask")

@inner.node
def book(ask, paid):
    did("book")
    return ask + paid

flow = Flow("outer")

@flow.node
def load():
    did("load")
    return 40

flow.subflow("sub", inner, inputs={"n": load})

@flow.node
def last(sub):
    did("last")
    return sub["book"]
"""


def flownb(folder: Path, *arguments: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_STORE": f"sqlite:///{folder}/flownb.db"}
    if fault:
        environment["FLOWNB_FAULT"] = fault
    command = [sys.executable, "-m", "flownb", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60)


@pytest.mark.parametrize("fault", ["node.after_body:2", "run.created:2"])
def test_one_child_whatever_happens_and_either_id_resumes_it(tmp_path: Path, fault: str) -> None:
    (tmp_path / "orders.py").write_text(MODULE)
    arguments = ["run", "orders:flow", "--key", "k", "--json"]
    assert flownb(tmp_path, *arguments, fault=fault).returncode == -signal.SIGKILL
    paused = flownb(tmp_path, *arguments)
    assert paused.returncode == 75, paused.stderr
    outer = json.loads(paused.stdout)
    child = outer["nodes"]["sub"]["child"]
    told = flownb(tmp_path, "signal", child, "paid", "2")
    assert told.returncode == 0, told.stderr
    resumed = flownb(tmp_path, "resume", child, "--json")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr

    done = json.loads(resumed.stdout)
    assert (done["id"], done["status"], done["outputs"]) == (outer["id"], "completed", {"last": 42})
    store = open_store(f"sqlite:///{tmp_path}/flownb.db")
    assert {row.workflow: row.parent for row in store.rows()} == {"inner": outer["id"], "outer": None}
    effects = (tmp_path / "effects").read_text().split()
    assert sorted(set(effects)) == ["ask", "book", "last", "load"]
    assert len(effects) == 4 + (fault == "node.after_body:2")  # its result was not committed
    store.close()
