from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from nbformat import v4

from flownb.errors import NotFound, UsageError
from flownb.notebook.document import (
    check_writable,
    language_of,
    notebook_of,
    pinned_text,
    read_notebook,
    text_of,
    write_text,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_notebook_is_named_with_those_near(tmp_path: Path) -> None:
    (tmp_path / "invoices.ipynb").write_text("{}")

    with pytest.raises(NotFound, match=r"There is no notebook .*invocies\.ipynb\. Did you mean 'invoices\.ipynb'\?"):
        read_notebook(tmp_path / "invocies.ipynb")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("{", "it is no JSON"),
        ("[]", "it has no `nbformat`"),
        ('{"cells": []}', "it has no `nbformat`"),
        ('{"nbformat": "4"}', "it has no `nbformat`"),
        ('{"nbformat": 5, "cells": []}', "in notebook format 5"),
        ('{"nbformat": 0, "cells": []}', "in notebook format 0"),
        ('{"nbformat": 4}', "is no valid notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 5}', "is no valid notebook"),
        (
            '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
            "is no valid notebook",
        ),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)

    with pytest.raises(UsageError, match=reason) as caught:
        read_notebook(path)

    assert "x.ipynb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_and_folders_are_no_notebooks(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_bytes(b"\xff\xfe")

    with pytest.raises(UsageError, match="not text in UTF-8"):
        read_notebook(tmp_path / "x.ipynb")
    with pytest.raises(UsageError, match="is a folder"):
        read_notebook(tmp_path)


def test_sources_are_texts_and_every_cell_has_an_id_of_its_own() -> None:
    document = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": ["a = 1\n", "b"]},
            {"cell_type": "markdown", "metadata": {}, "source": "# x"},
        ],
    }

    found = notebook_of(json.dumps(document), "x")

    assert [cell.source for cell in found.cells] == ["a = 1\nb", "# x"]
    assert len({cell.id for cell in found.cells}) == 2
    assert (found.nbformat, found.nbformat_minor) == (4, 5)


def test_an_old_notebook_is_brought_up_to_date() -> None:
    document = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {"cells": [{"cell_type": "code", "input": ["a = 1\n", "b"], "outputs": [], "language": "python"}]}
        ],
    }

    assert [cell.source for cell in notebook_of(json.dumps(document), "x").cells] == ["a = 1\nb"]


def test_what_is_pinned_has_no_traces_of_executions() -> None:
    cell = v4.new_code_cell("a", outputs=[v4.new_output("stream", text="x")], execution_count=7)
    cell.metadata.update({"papermill": {"status": "completed"}, "flownb": {}, "tags": ["parameters"]})
    notebook = v4.new_notebook(cells=[cell], metadata={"papermill": {}, "flownb": {}, "widgets": {}, "kept": 1})

    found = json.loads(pinned_text(notebook))

    assert found["metadata"] == {"kept": 1}
    assert (found["cells"][0]["outputs"], found["cells"][0]["execution_count"]) == ([], None)
    assert found["cells"][0]["metadata"] == {"tags": ["parameters"]}
    assert len(cell.outputs) == 1


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    notebook = v4.new_notebook(cells=[v4.new_code_cell("a\nb"), v4.new_markdown_cell("ä")])
    path = tmp_path / "new" / "x.ipynb"
    write_text(path, text_of(notebook))

    assert [cell.source for cell in read_notebook(path).cells] == ["a\nb", "ä"]
    assert os.listdir(path.parent) == ["x.ipynb"]  # noqa: PTH208


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(UsageError, match="can't be written: No space left on device"):
        write_text(path, "new")

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.ipynb"]  # noqa: PTH208


def test_an_output_that_can_not_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(UsageError, match="can't be made"):
        check_writable(tmp_path / "file" / "x.ipynb")


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({}, "python"),
        ({"kernelspec": {"language": "R", "name": "ir", "display_name": "R"}}, "r"),
        ({"language_info": {"name": "julia"}}, "julia"),
    ],
)
def test_the_language_is_the_kernels(metadata: dict[str, object], language: str) -> None:
    assert language_of(v4.new_notebook(metadata=metadata)) == language
