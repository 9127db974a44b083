"""What is wrong with a notebook, as far as that shows without executing it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput, UsageError
from flownb.model.problem import Problem, Severity
from flownb.notebook.document import language_of, read_notebook
from flownb.notebook.kernels import choose
from flownb.notebook.parameters import TAG, read

if TYPE_CHECKING:
    from pathlib import Path


def problems_of_notebook(path: Path) -> list[Problem]:
    """Everything that is wrong with a notebook: its parameters, its kernel, cells that can't be compiled.

    Raises:
        NotFound: there is no such file.
        UsageError: it is no notebook.
    """
    notebook = read_notebook(path)
    problems: list[Problem] = []
    try:
        read(notebook, path.name)
    except InvalidInput as error:
        problems.append(Problem(str(error), place="parameters", code="bad_parameters"))
    try:
        choice = choose(notebook, None, path.name)
    except UsageError as error:
        return [*problems, Problem(str(error), place="metadata.kernelspec", code="bad_kernel")]
    if choice.notice:
        problems.append(Problem(choice.notice, severity=Severity.WARNING, code="missing_kernel"))
    if language_of(notebook) == "python":
        problems += [found for number, cell in enumerate(notebook.cells) if (found := _compiled(number, cell))]
    tagged = [number for number, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", [])]
    if len(tagged) > 1:
        names = ", ".join(str(number + 1) for number in tagged)
        problems.append(
            Problem(
                f"Several cells are tagged `{TAG}` ({names}); only the first declares parameters.",
                severity=Severity.WARNING,
                place=f"cells[{tagged[1]}]",
                code="several_parameter_cells",
            )
        )
    return problems


def _compiled(number: int, cell: Any) -> Problem | None:
    from IPython.core.inputtransformer2 import TransformerManager

    if cell.cell_type != "code" or cell.source.lstrip().startswith("%%"):
        return None
    try:
        text = TransformerManager().transform_cell(cell.source)
        compile(text, f"<cell {number + 1}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return Problem(
            f"Cell {number + 1} can't be compiled: line {error.lineno}: {error.msg}.",
            place=f"cells[{number}]",
            code="syntax",
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return Problem(f"Cell {number + 1} can't be compiled: {error}.", place=f"cells[{number}]", code="syntax")
    return None
