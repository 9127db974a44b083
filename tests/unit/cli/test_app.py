from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from flownb.cli.app import _COMMANDS, app, run_app
from flownb.errors import EnvironmentFault, FlownbError, NotFound, RunCancelled, RunFailed, RunPaused, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Told


def test_the_help_lists_every_command(cli: Callable[..., Told]) -> None:
    told = cli("--help")
    assert told.status == 0
    assert all(f"  {name} " in told.out for name in _COMMANDS)


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_has_a_help_with_an_example(cli: Callable[..., Told], name: str) -> None:
    told = cli(name, "--help")
    assert told.status == 0
    assert "Example: flownb " + name in told.out.replace("\n  ", " ")
    assert len(_COMMANDS[name][1]) < 60


@pytest.mark.parametrize("name", [name for name in _COMMANDS if name not in ("demo", "validate")])
def test_every_command_takes_a_store(cli: Callable[..., Told], name: str) -> None:
    assert "--store URL" in cli(name, "--help").out


def test_an_unknown_command_names_the_near_ones(cli: Callable[..., Told]) -> None:
    told = cli("resum")
    assert (told.status, told.out) == (2, "")
    assert "There is no command 'resum'. Did you mean 'resume'?" in told.err


def test_an_unknown_option_is_wrong_use(cli: Callable[..., Told]) -> None:
    told = cli("runs", "--stauts", "failed")
    assert told.status == 2
    assert "--status" in told.err
    assert "`flownb runs --help` shows how" in told.err


def test_without_a_command_the_help_is_shown(cli: Callable[..., Told]) -> None:
    told = cli()
    assert told.status == 2
    assert "Commands:" in told.out + told.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RunPaused("It waits."), 75),
        (RunFailed("It failed."), 1),
        (RunCancelled("It was cancelled."), 1),
        (UsageError("Not so."), 2),
        (NotFound("Not there."), 2),
        (EnvironmentFault("No disk."), 1),
        (FlownbError("Oh."), 1),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
    ],
)
def test_each_kind_of_failure_has_its_exit_status(error: BaseException, status: int) -> None:
    @click.command()
    def fails() -> None:
        raise error

    assert run_app(fails, []) == status


def test_a_failure_is_one_harmless_sentence_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def fails() -> None:
        raise UsageError("There is no node '\x1b[2J'.")

    run_app(fails, [])
    out, err = capsys.readouterr()
    assert (out, err) == ("", "flownb: There is no node '\\x1b[2J'.\n")


@pytest.mark.parametrize("args", [["--help"], ["runs"], ["runs", "--json"], ["show", "x"]])
def test_looking_loads_nothing_heavy(args: list[str]) -> None:
    heavy = ["pydantic", "papermill", "pandas", "numpy", "IPython", "networkx", "PIL", "rich", "nbformat", "pyarrow"]
    program = (
        "import json, sys\nfrom flownb.cli.app import app, run_app\n"
        f"run_app(app, {args!r})\nprint(json.dumps([m for m in {heavy!r} if m in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_the_help_loads_click_and_little_else() -> None:
    program = (
        "import sys\nfrom flownb.cli.app import app, run_app\nrun_app(app, ['--help'])\n"
        "print([m for m in ('msgspec', 'apsw', 'asyncio', 'flownb.run', 'flownb.store') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    line = f"{sys.executable} -m flownb --help | head -1 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_group_has_the_version(cli: Callable[..., Told]) -> None:
    assert "flownb" in cli("--version").out
    assert app.name == "app"
