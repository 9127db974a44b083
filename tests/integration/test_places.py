"""Nodes in processes and on the main thread, in the kernel of a notebook and in a script."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_interactive import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFINED = """
import os, threading
from dataclasses import dataclass
from flownb import Flow

HERE = os.getpid()
factor = 3

@dataclass
class Pair:
    number: int
    pid: int

def helper(number):
    return number * factor

flow = Flow("places")

@flow.node
def start():
    return 14

@flow.node(where="process", limits={"memory_mb": 500})
def away(start):
    print("printed there")
    return Pair(helper(start), os.getpid())

@flow.node(where="main")
def window(away):
    return [away.number, away.pid != HERE, threading.current_thread() is threading.main_thread()]
"""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    front = Front(tmp_path)
    yield front
    front.close()


def test_functions_and_classes_of_a_notebook_go_to_a_process_and_the_idle_kernel_serves_its_main_thread(
    front: Front,
) -> None:
    assert front.run(DEFINED)["status"] == "ok"
    assert front.run("run = flow.run(display=False)")["status"] == "ok"
    for _ in range(400):
        if front.value("run.status") == "completed":
            break
    assert front.value("run.outputs") == "{'window': [42, True, True]}"
    assert front.value("run['away'].log") == "printed there"
    assert front.value("type(run['away'].output) is Pair") == "True"


def test_a_cell_that_awaits_or_waits_serves_it_too(front: Front) -> None:
    assert front.run(DEFINED)["status"] == "ok"
    assert front.run("awaited = await flow.run(display=False)")["status"] == "ok"
    assert front.value("awaited") == "{'window': [42, True, True]}"
    assert front.run("waited = flow.run(display=False).result(60)")["status"] == "ok"
    assert front.value("waited") == "{'window': [42, True, True]}"


def test_a_script_and_a_module_do_as_well(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"{DEFINED}\nprint(flow.run(display=False).result(60))\n")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert (done.stdout, done.stderr) == ("{'window': [42, True, True]}\n", "")
    (tmp_path / "module.py").write_text(DEFINED)
    code = "from module import flow; print(flow.run(display=False).result(60))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert (done.stdout, done.stderr) == ("{'window': [42, True, True]}\n", "")
