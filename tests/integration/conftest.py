"""Notebooks for tests that execute them in real kernels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from nbformat import v4

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Cell = str | tuple[str, ...]

#: A flow of three nodes in a row; each leaves a line in `ran.txt` when its body runs.
FLOW = """
from pathlib import Path
from flownb import Flow

def ran(name):
    with Path("ran.txt").open("a") as file:
        file.write(name + "\\n")

flow = Flow("counting")

@flow.node
def one(n: int):
    ran("one")
    return n + 1

@flow.node
def two(one):
    ran("two")
    return one * 2

@flow.node
def three(two):
    ran("three")
    return two + 100
"""


@pytest.fixture
def write_notebook(tmp_path: Path) -> Callable[..., Path]:
    """`write_notebook("cell", ("cell", "tag"), …, name="nb.ipynb")` writes a notebook and returns its path."""

    def write(*cells: Cell, name: str = "nb.ipynb", kernel: str = "python3") -> Path:
        made = []
        for number, cell in enumerate(cells):
            source, *tags = (cell,) if isinstance(cell, str) else cell
            made.append(v4.new_code_cell(source.strip(), id=f"cell-{number}", metadata={"tags": tags}))
        spec = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
        path = tmp_path / name
        path.write_text(v4.writes(v4.new_notebook(cells=made, metadata=spec)))
        return path

    return write


@pytest.fixture
def flow_cell() -> str:
    """The source of a cell that defines a flow of three nodes."""
    return FLOW


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[], list[str]]:
    """Which bodies of nodes ran, in order."""

    def lines() -> list[str]:
        path = tmp_path / "ran.txt"
        return path.read_text().splitlines() if path.exists() else []

    return lines


def cells_of(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook file as plain data, with their sources and texts joined."""
    cells: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    return cells


@pytest.fixture
def cells() -> Callable[[Path], list[dict[str, Any]]]:
    """`cells(path)` gives the cells of a notebook file."""
    return cells_of
