"""A process killed around the commit that sets a workflow's variable: variable and journal always agree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flownb.model.events import NodeCompleted, VariableSet
from flownb.store.place import open_store

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from flownb import Flow

flow = Flow("counter")
flow.variable("count", type="number", default=0)
flow.set_variable("one", "count", "{{ variables.count + 1 }}", scope="workflow")
flow.set_variable("two", "count", "{{ variables.count + 10 }}", scope="workflow", after="one")
flow.add("control.transform", "end", fields={"count": "variables.count"}, after="two")
print(flow.run(key="k").result()["end"]["count"])
"""


def run(folder: Path, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_FAULT": fault, "FLOWNB_STORE": f"sqlite:///{folder}/a.db"}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60)


@pytest.mark.parametrize(
    ("point", "nth"), [("tick.before_commit", 2), ("tick.after_commit", 2), ("tick.after_commit", 3)]
)
def test_a_variable_has_the_value_of_the_last_committed_event_and_is_never_set_twice(
    tmp_path: Path, point: str, nth: int
) -> None:
    killed = run(tmp_path, f"{point}:{nth}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    (row,) = store.rows()
    events = [record.event for record in store.events(row.id)]
    recorded = [each.value for each in events if isinstance(each, VariableSet)]
    completed = [each.node for each in events if isinstance(each, NodeCompleted) and each.node != "end"]
    assert recorded == [1, 11][: len(completed)]
    assert [each.event.value for each in store.variables("counter")] == recorded[-1:]
    done = run(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "11"), done.stderr
    assert [each.event.value for each in store.variables("counter")] == [11]
    store.close()
