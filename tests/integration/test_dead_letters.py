"""`flownb dead-letters` as people call it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from pathlib import Path
from flownb import Flow

flow = Flow("orders")

@flow.node
def load():
    return 3

@flow.node
def charge(load, ctx):
    with open("keys", "a") as file:
        file.write(ctx.idempotency_key + "\\n")
    if not Path("open").exists():
        raise ConnectionError("the shop is closed")
    return load * 2
"""


def flownb(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flownb", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=60)


def test_what_failed_is_listed_shown_run_again_and_dropped(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text(MODULE, encoding="utf-8")
    assert flownb(tmp_path, "run", "orders:flow").returncode == 1
    listed = flownb(tmp_path, "dead-letters", "--json")
    (letter,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (letter["workflow"], letter["node"], letter["run_status"]) == ("orders", "charge", "failed")
    assert letter["id"] == f"{letter['run']}:charge"
    shown = flownb(tmp_path, "dead-letters", "show", letter["id"])
    assert "ConnectionError: the shop is closed" in shown.stdout
    wrong = flownb(tmp_path, "dead-letters", "retry", f"{letter['run']}:chrge")
    assert (wrong.returncode, "Did you mean" in wrong.stderr) == (2, True)

    assert flownb(tmp_path, "dead-letters", "retry", letter["id"]).returncode == 1  # it is closed as before
    assert len(flownb(tmp_path, "dead-letters", "--json").stdout.splitlines()) == 1
    (tmp_path / "open").touch()
    again = flownb(tmp_path, "dead-letters", "retry", "--all")
    assert (again.returncode, "charge: 6" in again.stdout) == (0, True), again.stderr
    assert flownb(tmp_path, "dead-letters").stdout.startswith("There are no dead letters")
    assert set((tmp_path / "keys").read_text().split()) == {letter["id"]}

    (tmp_path / "open").unlink()
    assert flownb(tmp_path, "run", "orders:flow").returncode == 1
    dropped = flownb(tmp_path, "dead-letters", "drop", "--all")
    assert "charge dropped" in dropped.stdout
    assert flownb(tmp_path, "dead-letters", "--json").stdout == ""
