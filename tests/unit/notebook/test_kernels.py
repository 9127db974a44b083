from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from nbformat import v4

from flownb.errors import NotFound, UsageError
from flownb.notebook.environment import environment
from flownb.notebook.kernels import OWN, CellClient, Kernel, choose, sweep

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode


def notebook(name: str | None = None, language: str | None = None) -> NotebookNode:
    spec: dict[str, Any] = {}
    if name is not None:
        spec = {"name": name, "display_name": name}
        spec |= {"language": language} if language else {}
    made: NotebookNode = v4.new_notebook(metadata={"kernelspec": spec} if spec else {})
    return made


def test_the_own_kernel_of_a_notebook_is_taken_if_it_is_there() -> None:
    assert choose(notebook("python3"), None, "x.ipynb").name == "python3"
    assert choose(notebook(), None, "x.ipynb").name == OWN


def test_one_that_is_not_there_gives_way_to_this_interpreter_with_a_sentence() -> None:
    choice = choose(notebook("my-env", "python"), None, "x.ipynb")

    assert choice.name == OWN
    assert choice.notice == (
        f"x.ipynb asks for the kernel 'my-env', which is not installed here; it runs on {sys.executable}."
    )


def test_one_that_somebody_asks_for_must_be_there() -> None:
    with pytest.raises(NotFound, match="There is no kernel 'pyhton3' on this machine. Did you mean 'python3'"):
        choose(notebook(), "pyhton3", "x.ipynb")


@pytest.mark.parametrize(("name", "language"), [("ir", "R"), ("julia-1.10", "julia")])
def test_a_notebook_in_another_language_is_refused(name: str, language: str) -> None:
    with pytest.raises(UsageError, match=f"x.ipynb is a notebook in {language.lower()}"):
        choose(notebook(name, language), None, "x.ipynb")


def test_this_interpreter_needs_no_installed_kernel() -> None:
    kernel = Kernel(OWN)

    assert kernel.kernel_spec is not None
    assert kernel.kernel_spec.argv[:3] == [sys.executable, "-m", "ipykernel_launcher"]
    assert kernel.client_factory is CellClient


def test_the_environment_fits_another_folder_and_names_no_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([".", "lib", "/abs"]))
    monkeypatch.setenv("FLOWNB_STORE", "sqlite:///other.db")

    found = environment("sqlite:////x/flownb.db")

    assert found["PYTHONPATH"] == os.pathsep.join([str(tmp_path), str(tmp_path / "lib"), "/abs"])
    assert found["FLOWNB_STORE"] == "sqlite:////x/flownb.db"
    assert {name for name in found if name.startswith("FLOWNB_")} == {"FLOWNB_STORE"}


def test_what_killed_runners_left_is_swept_after_a_day(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    old = [f"flownb-{process.pid}-aa.json", f"flownb-{process.pid}-aa-ipc-1"]
    kept = [f"flownb-{os.getpid()}-bb.json", "kernel-1-2.json", "flownb-x-y"]
    for name in [*old, *kept]:
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1_000.0, 1_000.0))

    sweep(tmp_path, 1_000.0 + 86_000.0)
    assert {path.name for path in tmp_path.iterdir()} == {*old, *kept}
    sweep(tmp_path, 1_000.0 + 87_000.0)

    assert {path.name for path in tmp_path.iterdir()} == set(kept)
