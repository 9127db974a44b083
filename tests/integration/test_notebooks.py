"""Every notebook of the repository runs: with plain papermill, with our engine, and as a test by nbval."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def run(*command: str, cwd: Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.timeout(300)
def test_it_runs_with_plain_papermill(notebook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    folder = ["-p", "folder", str(tmp_path)] if "folder" in notebook.read_text() else []
    run("papermill", str(notebook), str(out), "--cwd", str(notebook.parent), *folder, cwd=notebook.parent)
    assert not [cell for cell in nbformat.read(out, as_version=4).cells if _failed(cell)]


@pytest.mark.timeout(300)
def test_it_runs_headless_and_says_so_in_its_metadata(notebook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    folder = ["-p", "folder", str(tmp_path)] if "folder" in notebook.read_text() else []
    run("flownb", "run", str(notebook), "-o", str(out), *folder, cwd=tmp_path)
    written = nbformat.read(out, as_version=4)
    assert written.metadata["flownb"]["status"] == "completed"
    assert not [cell for cell in written.cells if _failed(cell)]


@pytest.mark.timeout(300)
def test_it_passes_as_a_test(notebook: Path, tmp_path: Path) -> None:
    copy = tmp_path / "notebooks" / notebook.name
    copy.parent.mkdir()
    for each in NOTEBOOKS:
        (copy.parent / each.name).write_text(each.read_text())
    (tmp_path / "examples").symlink_to(notebook.parents[1] / "examples")
    run("pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", str(copy), "-c", os.devnull, cwd=copy.parent)


def _failed(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))
