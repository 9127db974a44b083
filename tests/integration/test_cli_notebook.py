"""`flownb run notebook.ipynb` as people call it, in real kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
Write = Any


def flownb(folder: Path, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "flownb", *args],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path} | options,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


PARAMETERS = ("n: int = 1  # where to begin\nzip_code = '0'\nfail = False", "parameters")


def test_a_notebook_runs_with_typed_parameters_and_stdout_has_the_document_alone(
    write_notebook: Write, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path
) -> None:
    write_notebook(
        PARAMETERS,
        flow_cell,
        "import flownb\nprint('from a cell')\nrun = flow.run(n=n)",
        "out = await run\nflownb.result('total', [out['three'], zip_code])",
    )
    args = ["run", "nb.ipynb", "-p", "n", "4", "-p", "zip_code", "0123", "-o", "deep/out.ipynb", "--key", "k", "--json"]
    done = flownb(tmp_path, *args)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["outputs"] == {"total": [110, "0123"]}
    assert (document["key"], document["status"], document["mode"]) == ("k", "completed", "production")
    assert list(document["nodes"]) == ["one", "two", "three"]
    out = tmp_path / "deep" / "out.ipynb"
    assert nbformat.read(out, 4).metadata.flownb.run == document["id"]
    assert done.stderr == f"flownb: wrote {out}\n"

    again = flownb(tmp_path, *args)
    assert (again.returncode, json.loads(again.stdout)) == (0, document)
    assert ran() == ["one", "two", "three"]

    resumed = flownb(tmp_path, "resume", document["id"], "-o", "again.ipynb")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.splitlines()[1:] == ["total: [110, '0123']"]
    assert nbformat.read(tmp_path / "again.ipynb", 4).metadata.flownb.status == "completed"
    drawn = flownb(tmp_path, "graph", "deep/out.ipynb", "-o", "run.svg")
    assert drawn.returncode == 0, drawn.stderr


def test_wrong_parameters_are_told_at_once_and_start_nothing(
    write_notebook: Write, tmp_path: Path, own_store: str
) -> None:
    write_notebook(PARAMETERS, "open('ran', 'w')")
    done = flownb(tmp_path, "run", "nb.ipynb", "-p", "n", "x", "-p", "fial", "yes", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "n is 'x'; it must be a whole number (int)." in done.stderr
    assert "nb.ipynb has no parameter 'fial'. Did you mean 'fail'?" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert not Path(own_store.removeprefix("sqlite:///")).exists() or list(open_store(own_store).rows()) == []


def test_a_killed_notebook_goes_on_and_shows_only_what_is_new(
    write_notebook: Write, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    kill = "import os\nif not os.path.exists('killed'):\n    open('killed', 'w')\n    os.kill(os.getppid(), 9)\n"
    write_notebook(PARAMETERS, flow_cell, "run = flow.run(n=n)", f"await run\n{kill}    os.kill(os.getpid(), 9)")
    killed = flownb(tmp_path, "run", "nb.ipynb")
    assert killed.returncode == -signal.SIGKILL
    (row,) = open_store(own_store).rows()
    done = flownb(tmp_path, "resume", row.id)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith(f"✔ completed  {row.workflow}  {row.id}")
    assert second == "three: 104"
    assert f"Run {row.id} goes on" in done.stderr
    assert "running" not in done.stderr  # what ran before the kill is no news
    assert ran() == ["one", "two", "three"]


@pytest.mark.timeout(150)
def test_a_failed_notebook_leaves_with_1_and_a_sentence(write_notebook: Write, tmp_path: Path) -> None:
    write_notebook(PARAMETERS, "if fail:\n    raise ValueError('as asked')")
    done = flownb(tmp_path, "run", "nb.ipynb", "-p", "fail", "yes", "-o", "out.ipynb")
    assert done.returncode == 1
    assert done.stdout.startswith("✖ failed  nb  ")
    assert "as asked" in done.stderr
    assert "`flownb resume " in done.stderr
    notebook = nbformat.read(tmp_path / "out.ipynb", 4)
    assert notebook.metadata.flownb.status == "failed"
    assert any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", []))
