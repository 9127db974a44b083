from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Told


def test_the_help_of_a_module_lists_its_inputs(cli: Callable[..., Told], module: Callable[[str], str]) -> None:
    name = module('flow = Flow("x")\n@flow.node\ndef load(month: str, limit: int = 3): return month\n')
    told = cli("run", f"{name}:flow", "--help")
    assert told.status == 0
    assert f"Inputs of {name}:flow, by -p NAME VALUE:" in told.out
    assert "  month (string)  required\n" in told.out
    assert "  limit (number)  default 3\n" in told.out


def test_the_help_of_a_notebook_lists_its_parameters_and_runs_nothing(cli: Callable[..., Told], folder: Path) -> None:
    cell = nbformat.v4.new_code_cell(
        "month: str  # as 2026-10\nlimit = 3\nopen('ran', 'w')", metadata={"tags": ["parameters"]}
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "nb.ipynb")
    told = cli("run", "--help", "nb.ipynb")
    assert "  month (str)  required; as 2026-10\n" in told.out
    assert "  limit (int)  default 3\n" in told.out
    assert not (folder / "ran").exists()


def test_options_beside_the_help_do_not_hide_the_target(cli: Callable[..., Told], folder: Path) -> None:
    variables = [{"name": "day", "type": "string", "default": "today", "description": "which day"}]
    (folder / "wf.json").write_text(json.dumps({"format": 1, "name": "wf", "variables": variables}))
    told = cli("run", "-p", "day", "x", "wf.json", "--key", "k", "-h")
    assert "  day (string)  default 'today'; which day\n" in told.out


def test_a_target_without_inputs_says_so(cli: Callable[..., Told], module: Callable[[str], str]) -> None:
    name = module('flow = Flow("x")\n@flow.node\ndef load(): return 1\n')
    assert "It takes none." in cli("run", f"{name}:flow", "--help").out


def test_a_target_that_can_not_be_read_says_so_and_the_help_is_there(cli: Callable[..., Told], folder: Path) -> None:
    assert folder.is_dir()
    told = cli("run", "none.ipynb", "--help")
    assert told.status == 0
    assert "There is no file none.ipynb." in told.out
    assert "--key TEXT" in told.out


def test_without_a_target_the_help_is_that_of_the_command(cli: Callable[..., Told]) -> None:
    told = cli("run", "--help")
    assert told.status == 0
    assert "Inputs of" not in told.out
    assert cli("run", "-p", "--help").status == 2
