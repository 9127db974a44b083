"""The contracts on imports hold here, and notice what they are there for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = "The house: imports point down"
JUPYTER = "Nothing below notebook imports Jupyter"


def lint(folder: Path) -> tuple[int, str]:
    """The exit status and the report of import-linter in a folder with a `flownb` and a `pyproject.toml`."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that a test may spoil."""
    shutil.copytree(ROOT / "flownb", tmp_path / "flownb", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_of_the_house_keeps_the_contracts() -> None:
    status, report = lint(ROOT)
    assert status == 0, report


@pytest.mark.parametrize(
    ("file", "line", "contract", "said"),
    [
        ("store/spoilt.py", "import flownb.run", HOUSE, "flownb.store is not allowed to import flownb.run"),
        (
            "model/spoilt.py",
            "def later():\n    from flownb import run",
            HOUSE,
            "flownb.model is not allowed to import flownb.run",
        ),
        ("ids.py", "from flownb.model import status", HOUSE, "flownb.ids is not allowed to import flownb.model"),
        ("attic/__init__.py", "", HOUSE, "flownb.attic"),
        ("model/status.py", "import nbformat", JUPYTER, "flownb.model is not allowed to import nbformat"),
        (
            "run/spoilt.py",
            "def later():\n    import IPython.display",
            JUPYTER,
            "flownb.run is not allowed to import IPython",
        ),
    ],
)
def test_a_wrong_import_breaks_a_contract(copy: Path, file: str, line: str, contract: str, said: str) -> None:
    for path in (copy / "flownb" / "run" / "__init__.py", copy / "flownb" / file):
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as source:
            source.write(f"\n{line if path.match(file) else ''}\n")
    status, report = lint(copy)
    assert status == 1, report
    assert f"{contract} BROKEN" in report
    assert said in report


def test_what_is_for_jupyter_may_import_it(copy: Path) -> None:
    (copy / "flownb" / "notebook").mkdir(exist_ok=True)
    for name in ("__init__", "spoilt"):
        with (copy / "flownb" / "notebook" / f"{name}.py").open("a", encoding="utf-8") as source:
            source.write("\nimport papermill\nimport flownb.model\n")
    status, report = lint(copy)
    assert status == 0, report
