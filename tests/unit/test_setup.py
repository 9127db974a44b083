"""The set-up of the clone, run in a copy with a Python that only writes down what it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Answers as Python does; an environment that it makes has a copy of it. Dies as if killed where DIE_AT says.
PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
  *"$DIE_AT"*) kill -9 $$ ;;
  "-I -c "*) echo "$0" ;;
  --version) echo Python 3.11.99 ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


class Clone:
    """A copy of what the set-up reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.calls = folder / "calls"
        self.python = folder / "bin dir" / "python"
        self.folder.mkdir()
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        for name in ("pyproject.toml", "requirements.lock", "requirements-lab.lock"):
            shutil.copy(ROOT / name, self.folder)
        self.python.parent.mkdir()
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)

    def setup(self, *arguments: str, die_at: str = "never", **variables: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        own = {"CALLS": str(self.calls), "DIE_AT": die_at, "PYTHON": str(self.python)}
        return subprocess.run(
            [self.folder / "scripts" / "setup", *arguments],
            env={**os.environ, **own, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def installed(self) -> list[str]:
        """What the last set-up had pip install, in order."""
        lines = [line for line in self.calls.read_text().splitlines() if "pip install" in line]
        return [line.split()[-1] for line in lines]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_the_first_set_up_installs_locked_packages_by_hash_and_flownb(clone: Clone) -> None:
    ended = clone.setup()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert clone.installed() == ["requirements.lock", "."]
    assert all(line.startswith("setup: ") for line in ended.stdout.splitlines())
    pip = [line for line in clone.calls.read_text().splitlines() if "requirements.lock" in line]
    assert all("--require-hashes" in line and "--no-deps" in line for line in pip)


def test_the_second_does_nothing_and_says_nothing(clone: Clone) -> None:
    clone.setup()
    ended = clone.setup()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert clone.installed() == []


@pytest.mark.parametrize("die_at", ["-m venv", "requirements.lock", "--editable"])
def test_a_set_up_that_was_killed_is_made_anew_by_the_next(clone: Clone, die_at: str) -> None:
    assert clone.setup(die_at=die_at).returncode != 0
    left = clone.folder / ".venv" / "half-installed"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    assert clone.setup().returncode == 0
    assert clone.installed() == ["requirements.lock", "."]
    assert not left.exists()


def test_a_new_lock_makes_the_environment_anew(clone: Clone) -> None:
    clone.setup()
    with (clone.folder / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    clone.setup()
    assert clone.installed() == ["requirements.lock", "."]


def test_a_change_of_pyproject_installs_only_flownb(clone: Clone) -> None:
    clone.setup()
    with (clone.folder / "pyproject.toml").open("a") as pyproject:
        pyproject.write("# changed\n")
    clone.setup()
    assert clone.installed() == ["."]
    clone.setup()
    assert clone.installed() == []


def test_a_moved_clone_makes_the_environment_anew(clone: Clone) -> None:
    clone.setup()
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    clone.setup()
    assert clone.installed() == ["requirements.lock", "."]


def test_the_lab_comes_on_top_and_stays(clone: Clone) -> None:
    clone.setup()
    clone.setup("--lab")
    assert clone.installed() == ["requirements-lab.lock", "."]
    for arguments in ([], ["--lab"]):
        clone.setup(*arguments)
        assert clone.installed() == []


def test_a_lab_that_was_killed_is_made_anew(clone: Clone) -> None:
    clone.setup()
    assert clone.setup("--lab", die_at="requirements-lab.lock").returncode != 0
    clone.setup("--lab")
    assert clone.installed() == ["requirements.lock", "requirements-lab.lock", "."]


def test_a_python_that_does_not_fit_is_named(clone: Clone) -> None:
    ended = clone.setup(PYTHON="/no/such/python")
    assert ended.returncode == 1
    assert ended.stderr == "setup: PYTHON=/no/such/python is no Python 3.11 or newer that has its venv module\n"
    assert not (clone.folder / ".venv").exists()


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_a_missing_system_package_fails_in_ci_and_is_named_elsewhere(clone: Clone, ci: str, status: int) -> None:
    for name in ("apt-get", "sudo", "dpkg-query"):  # a system that has none of them, or where they do nothing
        tool = clone.python.parent / name
        tool.write_text("#!/bin/sh\nexit 1\n")
        tool.chmod(0o755)
    ended = clone.setup("--apt", "bash surely-missing", CI=ci, PATH=f"{clone.python.parent}:{os.environ['PATH']}")
    assert ended.returncode == status
    assert "surely-missing" in ended.stderr


def test_an_unknown_argument_is_refused(clone: Clone) -> None:
    ended = clone.setup("--labs")
    assert (ended.returncode, ended.stderr) == (2, "setup: unknown argument --labs\n")
