"""A notebook that asks: it ends, is answered from another process, and is finished by a third."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import nbformat
import pytest

from flownb.model import events as ev
from flownb.store.place import open_store
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLOW = """
from pathlib import Path
import pandas as pd
from flownb import Flow

def ran(name):
    with Path("ran.txt").open("a") as file:
        file.write(name + "\\n")

flow = Flow("invoices")

@flow.node
def load(amount: float):
    ran("load")
    return pd.DataFrame({"supplier": ["<b>Acme</b>", "Brunner"], "amount": [amount, 500.0]})

@flow.node
def total(load):
    ran("total")
    return {"amount": float(load.amount.sum()), "rows": len(load)}

big = flow.condition("big", "total.amount > 1000")
ok = flow.approval("ok", "Post {{ total.amount }} EUR from {{ total.rows }} invoices?", after=big.true, preview="load")

@flow.node(after=[ok.approved, big.false])
def post(total):
    ran("post")
    return f"posted {total['amount']}"
"""


def flownb(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flownb", *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def texts(notebook: Path, media_type: str = "text/plain") -> str:
    """Everything that its outputs show, in one text."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("data", {}).get(media_type, output.get("text", ""))) for output in outputs)


@pytest.mark.timeout(200)
def test_three_processes_and_an_edit_between_them(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(
        ("amount = 900.0", "parameters"),
        FLOW,
        "run = flow.run(amount=amount)",
        "outputs = await run",
        "Path('last.txt').write_text(outputs['post'])",
    )
    out = tmp_path / "out.ipynb"

    paused = flownb("run", str(path), "-o", str(out), cwd=tmp_path)

    assert paused.returncode == 75, paused.stderr
    store = open_store(own_store)
    (asked,) = store.approvals()
    assert "ok asks: Post 1400.0 EUR from 2 invoices?" in paused.stderr
    assert f"flownb approve {asked.id}" in paused.stderr
    written = nbformat.read(out, as_version=4)
    assert written.metadata["flownb"]["status"] == "paused"
    assert written.metadata["flownb"]["audit"][asked.run]["entries"] == 1
    assert [cell.metadata.papermill["status"] for cell in written.cells][-1] == "not-run"
    assert f"flownb approve {asked.id}" in texts(out)
    html = texts(out, "text/html")
    assert f'data-approval="{asked.id}" data-status="pending"' in html
    assert "<b>Acme</b>" not in html
    undecided = flownb("resume", asked.run, cwd=tmp_path)
    assert (undecided.returncode, "ok asks: Post 1400.0 EUR" in undecided.stderr) == (75, True)

    path.write_text(path.read_text().replace("posted", "edited").replace("> 1000", "> 9000"))
    decided = flownb("approve", asked.id, "--comment", "checked", cwd=tmp_path)
    assert (decided.returncode, f"flownb resume {asked.run}" in decided.stderr) == (0, True)

    done = flownb("resume", asked.run, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran.txt").read_text().split() == ["load", "total", "post"]
    assert (tmp_path / "last.txt").read_text() == "posted 1400.0"  # the pinned program, not the edited one
    written = nbformat.read(out, as_version=4)
    assert written.metadata["flownb"]["status"] == "completed"
    assert [cell.metadata.papermill["status"] for cell in written.cells] == ["completed"] * 5
    assert f'data-approval="{asked.id}" data-status="approved"' in texts(out, "text/html")
    kinds = [type(record.event) for record in store.events(asked.run)]
    assert (kinds.count(ev.ApprovalRequested), kinds.count(ev.ApprovalDecided)) == (1, 1)
    verified = flownb("verify", str(out), cwd=tmp_path)
    assert (verified.returncode, "All 2 entries" in verified.stdout) == (0, True)


@pytest.mark.timeout(200)
def test_approve_can_carry_the_run_on_itself(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(("amount = 900.0", "parameters"), FLOW, "run = flow.run(amount=amount)")
    assert flownb("run", str(path), cwd=tmp_path).returncode == 75
    (asked,) = open_store(own_store).approvals()
    done = flownb("approve", asked.id, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran.txt").read_text().split() == ["load", "total", "post"]


@pytest.mark.timeout(200)
def test_wait_keeps_the_process_until_somebody_answers(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(("amount = 900.0", "parameters"), FLOW, "run = flow.run(amount=amount)", "await run")
    command = [sys.executable, "-m", "flownb", "run", str(path), "--wait", "--json"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    store = open_store(own_store)
    (asked,) = wait_for(store.approvals, 60.0)
    assert flownb("reject", asked.id, cwd=tmp_path).returncode == 0
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    document = json.loads(out)
    assert (document["status"], document["approvals"][0]["port"]) == ("completed", "rejected")
    assert document["nodes"]["post"]["status"] == "skipped"


@pytest.mark.timeout(200)
def test_plain_papermill_waits_and_prints_the_line_that_answers(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(("amount = 900.0", "parameters"), FLOW, "run = flow.run(amount=amount)", "await run")
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(path), str(out), "--cwd", str(tmp_path), "--no-progress-bar"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    store = open_store(own_store)
    (asked,) = wait_for(store.approvals, 60.0)
    assert flownb("approve", asked.id, cwd=tmp_path).returncode == 0
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert re.search(rf"flownb approve {asked.id}", texts(out))
    assert (tmp_path / "ran.txt").read_text().split() == ["load", "total", "post"]


@pytest.mark.timeout(100)
def test_the_owner_goes_on_when_another_process_answers(tmp_path: Path, own_store: str) -> None:
    program = FLOW + 'run = flow.run(amount=900.0)\nprint(run.result()["post"], flush=True)\n'
    running = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    store = open_store(own_store)
    (asked,) = wait_for(store.approvals, 60.0)
    wait_for(lambda: next(store.rows()).status == "paused", 30.0)
    began = time.time()
    assert flownb("approve", asked.id, cwd=tmp_path).returncode == 0
    out, _ = running.communicate(timeout=60)
    assert out.splitlines()[-1] == "posted 1400.0"
    decided = next(r.event.at for r in store.events(asked.run) if isinstance(r.event, ev.ApprovalDecided))
    went_on = next(r.event.at for r in store.events(asked.run) if isinstance(r.event, ev.RunResumed))
    assert began < decided
    assert went_on - decided < 5.0  # 0.3 s where nothing else is at work
