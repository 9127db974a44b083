"""A headless run that is killed at each of its named points, in the runner or in the kernel, and then resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flownb.notebook.resume import resume
from flownb.notebook.runner import execute
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNNER = """
import sys
from flownb.notebook.runner import execute
sys.exit(execute(sys.argv[1], output=sys.argv[2], store=sys.argv[3], key="k").exit_code)
"""


@pytest.mark.parametrize(
    ("point", "status"),
    [
        ("run.created", -9),  # in the runner: the run is there, its kernel is not
        ("notebook.cell_done:2", -9),
        ("notebook.before_save:2", -9),
        ("notebook.finished", -9),  # the end is committed, the output notebook is not
        ("tick.before_commit:2", 1),  # in the kernel: its runner says that it died
        ("tick.after_commit:2", 1),
        ("node.before_body:3", 1),
        ("node.after_body:2", 1),
    ],
)
def test_what_was_committed_is_never_done_again(
    point: str,
    status: int,
    *,
    write_notebook: Any,
    flow_cell: str,
    ran: Callable[[], list[str]],
    tmp_path: Path,
    own_store: str,
) -> None:
    path = write_notebook(
        flow_cell, "outcome = await flow.run(n=1)", "import flownb\nflownb.result('three', outcome['three'])"
    )
    output = tmp_path / "out.ipynb"
    killed = subprocess.run(
        [sys.executable, "-c", RUNNER, str(path), str(output), own_store],
        env={**os.environ, "FLOWNB_FAULT": point},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert killed.returncode == status, killed.stderr
    store = open_store(own_store)
    row = store.find_key("k")
    assert row is not None
    committed = [each.event.node for each in store.events(row.id) if type(each.event).__name__ == "NodeCompleted"]  # type: ignore[attr-defined]  # nodes have one

    again = execute(path, output=output, store=own_store, key="k")  # the way of a cron job
    done = again if again.status != "failed" else resume(store, row.id)

    assert (done.run_id, done.error, done.status, done.results) == (row.id, None, "completed", {"three": 104})
    lines = ran()
    assert [lines.count(name) for name in committed] == [1] * len(committed)
    assert {lines.count(name) for name in ("one", "two", "three")} <= {1, 2}
    document = json.loads(output.read_text())
    assert document["metadata"]["flownb"] == {
        "run": row.id,
        "status": "completed",
        "workflow": "counting",
        "definition_hash": store.row(row.id).definition,  # type: ignore[union-attr]  # it is there
    }
    assert [cell["id"] for cell in document["cells"]] == ["cell-0", "cell-1", "cell-2"]
