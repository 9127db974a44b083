"""Every notebook of the repository runs: with plain papermill, with our engine, and as a test by nbval."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

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


# --- the tutorial is saved with what a reader sees -------------------------------------------------------------------

TUTORIAL = next(path for path in NOTEBOOKS if path.stem == "tutorial")


def saver() -> Any:
    spec = importlib.util.spec_from_file_location("save_tutorial", TUTORIAL.parents[1] / "scripts" / "save_tutorial.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_tutorial_shows_was_made_from_its_cells() -> None:
    saved = nbformat.read(TUTORIAL, as_version=4)
    assert saved.metadata["saved_from"] == saver().digest(saved), "make it anew: python scripts/save_tutorial.py"


def test_the_tutorial_shows_a_picture_wherever_it_starts_a_run_and_none_of_them_is_at_work() -> None:
    cells = [cell for cell in nbformat.read(TUTORIAL, as_version=4).cells if cell.cell_type == "code"]
    starts = [cell for cell in cells if re.search(r"\.(run|resume)\(|attach\(", cell.source)]
    assert len(starts) >= 6
    for cell in starts:
        shown = [each["data"] for each in cell.outputs if "image/png" in each.get("data", {})]
        assert shown, cell.source
        assert re.match("run (completed|failed|paused)", shown[0]["text/plain"])
    assert not [cell for cell in cells if _failed(cell)]


def test_the_tutorial_is_small_and_belongs_to_no_machine_and_no_kernel() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    assert len(text) < 400_000
    written = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.search(r"/tmp|/root|/home|/Users|site-packages|ipykernel_|sqlite:|widget-view|widget-state", written)
