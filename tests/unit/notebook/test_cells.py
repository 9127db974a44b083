from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flownb.notebook.cells import Cells

if TYPE_CHECKING:
    from flownb.store.contract import Program


class Shell:
    """As much of IPython's shell as is watched."""

    def __init__(self, *before: str) -> None:
        self.execution_count = len(before)
        self.history_manager = SimpleNamespace(input_hist_raw=["", *before], exceptions={})
        self.hooks: dict[str, Any] = {}
        self.events = SimpleNamespace(register=self.hooks.__setitem__)

    def run(self, source: str, cell: str | None = None, *, success: bool = True, during: Any = None) -> None:
        self.execution_count += 1
        self.history_manager.input_hist_raw.append(source)
        self.hooks["pre_run_cell"](SimpleNamespace(raw_cell=source, cell_id=cell))
        if during is not None:
            during()
        self.hooks["post_run_cell"](SimpleNamespace(success=success))


def sources(program: Program) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(program.source)["cells"]]


def pinned_in(shell: Shell, cells: Cells, source: str, cell: str | None = None) -> Program:
    found: list[Program] = []
    shell.run(source, cell, during=lambda: found.append(cells.program()))
    return found[0]


def test_the_last_successful_execution_of_each_cell_is_pinned_in_order() -> None:
    shell = Shell("import flownb")
    cells = Cells(shell)
    shell.run("a = 1", "A")
    shell.run("b = 1", "B")
    shell.run("c = 1", "C")
    shell.run("a = 2", "A")
    shell.run("b = (", "B", success=False)

    program = pinned_in(shell, cells, "flow.run()", "R")

    assert sources(program) == ["b = 1", "c = 1", "a = 2", "flow.run()"]
    assert program.details == {"call": [3, 1], "recorded": {}}


def test_the_cell_that_starts_a_run_again_stands_once() -> None:
    shell = Shell("import flownb")
    cells = Cells(shell)
    shell.run("flow.run(n=1)", "R")
    shell.run("x", "X")

    assert sources(pinned_in(shell, cells, "flow.run(n=2)", "R")) == ["x", "flow.run(n=2)"]


def test_what_was_executed_before_flownb_watched_comes_from_the_history() -> None:
    shell = Shell("a = 1", "1 / 0", "", "import flownb; flow.run()")
    shell.history_manager.exceptions = {2: {"ename": "ZeroDivisionError"}}
    cells = Cells(shell)

    program = cells.program()

    assert sources(program) == ["a = 1", "import flownb; flow.run()"]
    assert program.details["call"] == [1, 1]


def test_a_cell_from_before_is_not_there_twice_when_it_comes_again_with_its_id() -> None:
    shell = Shell("a = 1", "import flownb")
    cells = Cells(shell)
    shell.hooks["post_run_cell"](SimpleNamespace(success=True))
    shell.run("a = 1", "A")

    assert sources(pinned_in(shell, cells, "flow.run()", "R")) == ["import flownb", "a = 1", "flow.run()"]


def test_runs_are_counted_by_cell_and_call() -> None:
    shell = Shell("import flownb")
    cells = Cells(shell)
    shell.run("other.run()\nother.run()", "O", during=lambda: cells.current.runs.extend(["first", "second"]))
    found: list[Program] = []

    def twice() -> None:
        cells.current.runs.append("third")
        found.append(cells.program())

    shell.run("flow.run()\nflow.run()", "R", during=twice)

    assert found[0].details == {"call": [1, 2], "recorded": {"0:1": "first", "0:2": "second", "1:1": "third"}}


def test_a_shell_without_cell_ids_takes_each_execution_for_a_cell() -> None:
    shell = Shell("import flownb")
    cells = Cells(shell)
    shell.run("a = 1")
    shell.run("a = 2")

    assert sources(pinned_in(shell, cells, "flow.run()")) == ["a = 1", "a = 2", "flow.run()"]


def test_every_execution_has_a_number_of_its_own() -> None:
    shell = Shell("import flownb")
    cells = Cells(shell)
    seen = [cells.current.number]
    for _ in range(2):
        shell.run("x", "X", during=lambda: seen.append(cells.current.number))

    assert len(set(seen)) == 3
