from __future__ import annotations

from typing import TYPE_CHECKING

from nbformat import v4

from flownb.notebook.checking import problems_of_notebook

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, *sources: str, tags: tuple[str, ...] = (), **metadata: object) -> Path:
    cells = [v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    path.write_text(v4.writes(v4.new_notebook(cells=cells, metadata=metadata)))
    return path


def test_a_sound_notebook_has_no_problems(tmp_path: Path) -> None:
    path = write(tmp_path / "x.ipynb", "%matplotlib inline\nx = await thing()\n!ls", "%%bash\nthis is ( no python", "")

    assert problems_of_notebook(path) == []


def test_cells_that_can_not_be_compiled_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.ipynb", "a = 1", "b = = 2", "for")

    found = problems_of_notebook(path)

    assert [(each.code, each.place) for each in found] == [("syntax", "cells[1]"), ("syntax", "cells[2]")]
    assert found[0].message.startswith("Cell 2 can't be compiled: line 1: ")


def test_parameters_that_can_not_be_read_are_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "x.ipynb", "b = = 2", "c = 1", tags=("parameters",))

    assert {each.code for each in problems_of_notebook(path)} == {
        "bad_parameters",
        "syntax",
        "several_parameter_cells",
    }


def test_a_kernel_that_is_not_there_is_a_warning_and_another_language_a_problem(tmp_path: Path) -> None:
    missing = write(tmp_path / "x.ipynb", kernelspec={"name": "my-env", "display_name": "x", "language": "python"})
    other = write(tmp_path / "y.ipynb", kernelspec={"name": "ir", "display_name": "R", "language": "R"})

    assert [(each.code, str(each.severity)) for each in problems_of_notebook(missing)] == [
        ("missing_kernel", "warning")
    ]
    assert [each.code for each in problems_of_notebook(other)] == ["bad_kernel"]
