"""A question inside a run that another began: the one above pauses with it, and the answer carries both on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flownb.model import events as ev
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INNER = """
from pathlib import Path
from flownb import Flow

def did(name):
    with Path("effects").open("a") as file:
        file.write(name + "\\n")
    return name

inner = Flow("inner")

@inner.node
def first(n: int = 1):
    did("first")
    return n

ok = inner.approval("ok", "Post {{ first }}?", after=first)

@inner.node(after=ok.approved)
def post(first):
    did("post")
    return first + 1
"""
OUTER = """
flow = Flow("outer")

@flow.node
def load():
    did("load")
    return 40

{node}

@flow.node
def last(sub):
    did("last")
    return sub["post"]
"""


def flownb(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flownb", *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["subflow", "notebook"])
def test_the_answer_to_a_question_beneath_carries_both_on(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str, kind: str
) -> None:
    node = 'flow.subflow("sub", inner, inputs={"n": load})'
    if kind == "notebook":
        path = write_notebook(("n = 1", "parameters"), INNER, "run = inner.run(n=n)", "import flownb",
                              "flownb.result('post', (await run)['post'])")  # fmt: skip
        node = f'flow.add("notebook.run", "sub", path={str(path)!r}, after=load, parameters={{"n": 40}})'
    (tmp_path / "jobs.py").write_text(INNER + OUTER.replace("{node}", node))

    paused = flownb("run", "jobs:flow", cwd=tmp_path)

    assert paused.returncode == 75, paused.stderr
    store = open_store(own_store)
    (asked,) = store.approvals()
    outer = next(row for row in store.rows() if row.workflow == "outer")
    assert asked.run != outer.id
    assert (outer.status, outer.pause_reason) == ("paused", "human")
    undecided = flownb("resume", outer.id, cwd=tmp_path)
    assert undecided.returncode == 75, undecided.stderr
    decided = flownb("approve", asked.id, cwd=tmp_path)
    assert decided.returncode == 0, decided.stderr

    done = flownb("resume", outer.id, "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == {"last": 41}
    assert (tmp_path / "effects").read_text().split() == ["load", "first", "post", "last"]
    kinds = [type(record.event) for record in store.events(asked.run)]
    assert (kinds.count(ev.ApprovalRequested), kinds.count(ev.ApprovalDecided)) == (1, 1)
