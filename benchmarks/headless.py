"""A notebook run by `flownb run`, beside the same one run by papermill's own command; and with a kernel started ahead.

Two notebooks: one of plain cells, where all that flownb adds is overhead, and one whose cells define and run a flow.
In one process both are called as functions, so that what remains is the kernel and the cells.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from benchmarks.measure import Row, Size, check, scratch, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP = "headless"
COLD, WARM = 1.15, 0.6
#: Seconds in which a kernel that is started ahead has done so.
_AHEAD = 3.0
_PLAIN = (
    "rows = 1000",
    "import json, statistics",
    "values = [number % 97 for number in range(rows)]",
    "statistics.mean(values)",
    "print(json.dumps({'total': sum(values)}))",
)
_FLOW = (
    "rows = 1000",
    "from flownb import Flow\nflow = Flow('report')",
    "@flow.node\ndef load(rows: int):\n    return [number % 97 for number in range(rows)]",
    "@flow.node\ndef total(load):\n    return sum(load)",
    "print({'total': flow.run(rows=rows).result()['total']})",
)
_TOTAL = sum(number % 97 for number in range(1000))


def rows(size: Size) -> Iterator[Row]:
    """The two commands, then the two functions, without and with a kernel ahead."""
    with scratch() as folder:
        for name, cells in (("plain cells", _PLAIN), ("a flow", _FLOW)):
            notebook = folder / f"{name.replace(' ', '_')}.ipynb"
            _write(notebook, cells)
            yield _commands(notebook, name, size)
            if size.name != "smoke":
                yield from _functions(notebook, name, size)


def _commands(notebook: Path, name: str, size: Size) -> Row:
    bin_ = Path(sys.executable).parent

    def ours() -> None:
        _process(notebook.parent, sys.executable, "-m", "flownb", "run", notebook.name, "-o", "ours.ipynb")
        _check(notebook.parent / "ours.ipynb")

    def theirs() -> None:
        _process(notebook.parent, str(bin_ / "papermill"), notebook.name, "theirs.ipynb", "--no-progress-bar")
        _check(notebook.parent / "theirs.ipynb")

    taken, alone, _ = turns(ours, theirs, size.rounds)
    return Row(GROUP, f"a notebook of {name}, by command", value=taken, beside="papermill", baseline=alone, aim=COLD)


def _functions(notebook: Path, name: str, size: Size) -> Iterator[Row]:
    import papermill

    from flownb.notebook.environment import environment
    from flownb.notebook.runner import execute
    from flownb.notebook.warm import warm_kernels

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ["FLOWNB_STORE"] = store = f"sqlite:///{notebook.parent}/functions.db"
    target = notebook.parent / "function.ipynb"

    def ours() -> None:
        execute(notebook, output=target, store=store)
        _check(target)

    def ahead() -> None:
        warm_kernels.start(environment(store))
        time.sleep(_AHEAD)

    def theirs() -> None:
        with _quiet():
            papermill.execute_notebook(str(notebook), str(target), progress_bar=False, cwd=str(notebook.parent))
        _check(target)

    ours()
    for how, aim, before in (("by function", COLD, _nothing), ("with a kernel ahead", WARM, ahead)):
        taken, alone = _prepared_turns(ours, theirs, before, size.rounds)
        yield Row(GROUP, f"a notebook of {name}, {how}", value=taken, beside="papermill", baseline=alone, aim=aim)
    warm_kernels.close()
    del os.environ["FLOWNB_STORE"]


def _prepared_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], before: Callable[[], None], rounds: int
) -> tuple[float, float]:
    taken, alone = [], []
    for _ in range(rounds):
        before()
        once = turns(ours, theirs, 1)
        taken.append(once.ours)
        alone.append(once.theirs)
    return sorted(taken)[len(taken) // 2], sorted(alone)[len(alone) // 2]


def _nothing() -> None:
    """No kernel ahead."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what papermill's kernels, which are processes of their own, warn of."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _write(path: Path, cells: tuple[str, ...]) -> None:
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    made[0].metadata["tags"] = ["parameters"]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec}), path)


def _process(folder: Path, *command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


def _check(notebook: Path) -> None:
    """The total that the last cell prints."""
    last = nbformat.read(notebook, as_version=4).cells[-1]
    text = "".join(output.get("text", "") for output in last.outputs).replace('"', "'").strip()
    check(text, f"{{'total': {_TOTAL}}}")
