"""What a paused run needs lies elsewhere when it goes on: its store, its notebook, or both were moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

from flownb.store.place import open_store
from tests.integration.test_approvals import FLOW, flownb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELLS = ("amount = 900.0", "parameters"), FLOW, "run = flow.run(amount=amount)", "outputs = await run"


@pytest.mark.timeout(200)
def test_a_store_and_a_notebook_that_were_moved_are_found_where_they_are(
    write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_notebook(*CELLS)
    before, after = tmp_path / "before", tmp_path / "after"
    out = tmp_path / "out.ipynb"
    place = ("--store", f"sqlite:///{before}/.flownb/flownb.db")
    paused = flownb("run", str(path), "-o", str(out), *place, cwd=tmp_path)
    assert paused.returncode == 75, paused.stderr
    store = open_store(place[1])
    (asked,) = store.approvals()
    store.close()

    before.rename(after)
    path.rename(tmp_path / "moved.ipynb")
    gone = flownb("approve", asked.id, *place, cwd=tmp_path)
    assert gone.returncode != 0
    place = ("--store", f"sqlite:///{after}/.flownb/flownb.db")
    decided = flownb("approve", asked.id, *place, cwd=tmp_path)
    assert (decided.returncode, f"flownb resume {asked.run}" in decided.stderr) == (0, True)
    done = flownb("resume", asked.run, *place, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran.txt").read_text().split() == ["load", "total", "post"]
    written = nbformat.read(out, as_version=4)
    assert written.metadata["flownb"]["status"] == "completed"
    assert [cell.metadata.papermill["status"] for cell in written.cells] == ["completed"] * 4
    verified = flownb("verify", asked.run, *place, cwd=tmp_path)
    assert (verified.returncode, "All 2 entries" in verified.stdout) == (0, True)


@pytest.mark.timeout(200)
def test_migrate_shows_what_was_edited_while_it_waited_and_keeps_what_is_done(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(*CELLS)
    assert flownb("run", str(path), cwd=tmp_path).returncode == 75
    (asked,) = open_store(own_store).approvals()
    path.write_text(path.read_text().replace("posted", "edited"))
    assert flownb("approve", asked.id, cwd=tmp_path).returncode == 0

    done = flownb("resume", asked.run, "--migrate", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "edited" in done.stderr + done.stdout
    assert (tmp_path / "ran.txt").read_text().split() == ["load", "total", "post"]
    told = flownb("show", asked.run, "--json", cwd=tmp_path)
    assert "edited 1400.0" in told.stdout
