"""Notebooks in kernels that were started ahead, and in usual ones where those can't be had."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flownb.notebook.environment import environment
from flownb.notebook.runner import execute
from flownb.notebook.warm import warm_kernels

if TYPE_CHECKING:
    from pathlib import Path

LOOK = """
import os, sys, flownb
__main__ = sys.modules["__main__"]
flownb.result("pid", os.getpid())
flownb.result("ahead", sys.orig_argv[1] == "-c")
flownb.result("folder", os.getcwd())
flownb.result("path", sys.path)
flownb.result("argv", sys.argv[0])
flownb.result("mine", os.environ.get("MINE", ""))
flownb.result("store", os.environ["FLOWNB_STORE"])
flownb.result("names", sorted(name for name in vars(__main__) if name in ("importlib", "order", "main", "helper")))
flownb.result("pandas", "pandas" in sys.modules)
import helper
"""


@pytest.fixture(autouse=True)
def none_left() -> Any:
    yield
    warm_kernels.close()


def test_it_is_in_the_notebooks_folder_and_environment_and_has_run_nothing(
    write_notebook: Any, tmp_path: Path, own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "else where"
    folder.mkdir()
    (folder / "helper.py").write_text("")
    write_notebook(LOOK, name="else where/nb.ipynb")
    monkeypatch.setenv("MINE", "yes")

    usual = execute(folder / "nb.ipynb", store=own_store)
    warm_kernels.start(environment("sqlite:///another.db"))
    (waiting,) = [process.pid for process, _ in warm_kernels._waiting]
    ahead = execute(folder / "nb.ipynb", store=own_store)

    assert ahead.status == usual.status == "completed"
    assert (usual.results["ahead"], ahead.results["ahead"], ahead.results["pid"]) == (False, True, waiting)
    assert ahead.results["folder"] == str(folder)
    assert ahead.results["mine"] == "yes"
    assert ahead.results["store"] == own_store
    for name in ("folder", "path", "argv", "mine", "store", "names", "pandas"):
        assert ahead.results[name] == usual.results[name]
    assert len(warm_kernels) == 0


def test_one_that_dies_before_it_is_needed_costs_nothing_but_its_time(
    write_notebook: Any, tmp_path: Path, own_store: str
) -> None:
    (tmp_path / "helper.py").write_text("")
    notebook = write_notebook(LOOK)
    warm_kernels.start(environment(own_store))
    for process, _ in warm_kernels._waiting:
        process.kill()
        process.wait()
    outcome = execute(notebook, store=own_store)
    assert outcome.status == "completed"
    assert outcome.results["ahead"] is False


def test_kept_ones_are_there_again_for_the_next_notebook(write_notebook: Any, own_store: str) -> None:
    notebook = write_notebook("import os, sys, flownb\nflownb.result('ahead', sys.orig_argv[1] == '-c')")
    warm_kernels.keep(1)
    first = execute(notebook, store=own_store)
    assert len(warm_kernels) == 1
    second = execute(notebook, store=own_store)
    assert [each.results["ahead"] for each in (first, second)] == [False, True]


def test_a_notebook_with_warm_has_one_ready_for_the_notebooks_in_it(
    write_notebook: Any, tmp_path: Path, own_store: str
) -> None:
    write_notebook("import sys, flownb\nflownb.result('ahead', sys.orig_argv[1] == '-c')", name="child.ipynb")
    parent = """
import flownb
flow = flownb.Flow("parent")
flow.add("notebook.run", "child", path="child.ipynb")
run = flow.run()
"""
    write_notebook(parent, "await run\nflownb.result('ahead', run['child'].output['ahead'])", name="parent.ipynb")

    def ahead(*options: str) -> str:
        command = [sys.executable, "-m", "flownb", "run", "parent.ipynb", *options, "--json"]
        env = {**os.environ, "FLOWNB_STORE": own_store}
        ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False)
        assert ended.returncode == 0, ended.stderr
        return str(ended.stdout)

    assert '"ahead": false' in ahead().replace('":false', '": false')
    assert '"ahead": true' in ahead("--warm").replace('":true', '": true')
