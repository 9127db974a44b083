from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from nbformat import v4

from flownb.notebook import saving
from flownb.notebook.saving import OutputNotebook

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(saving, "time", made)
    return made


def keeper(path: Path | None) -> OutputNotebook:
    notebook = v4.new_notebook(cells=[v4.new_code_cell("a"), v4.new_code_cell("b")], metadata={"papermill": {}})
    return OutputNotebook(notebook, str(path) if path else None)


def saved(path: Path) -> Any:
    return json.loads(path.read_text())


def test_it_is_written_at_most_every_two_seconds_and_at_the_end(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "out.ipynb"
    kept = keeper(path)
    kept.notebook_start()
    path.unlink()
    kept.cell_start(kept.nb.cells[0], 0)
    kept.cell_complete(kept.nb.cells[0], 0)
    assert not path.exists()

    clock.time += 2.0
    kept.cell_start(kept.nb.cells[1], 1)
    assert [cell["metadata"]["papermill"]["status"] for cell in saved(path)["cells"]] == ["completed", "running"]

    kept.cell_complete(kept.nb.cells[1], 1)
    kept.notebook_complete()
    assert [cell["metadata"]["papermill"]["status"] for cell in saved(path)["cells"]] == ["completed", "completed"]


def test_what_takes_long_to_write_is_written_more_rarely(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "out.ipynb"
    kept = keeper(path)
    kept._cost = 1.0
    kept._saved = clock.time
    clock.time += 19.0
    kept.save()
    assert not path.exists()

    clock.time += 1.0
    kept.save()
    assert path.exists()


def test_cells_that_never_ran_keep_saying_so(tmp_path: Path) -> None:
    path = tmp_path / "out.ipynb"
    kept = keeper(path)
    kept.notebook_start()
    kept.mark(kept.nb.cells[0], saving.PAUSED, "it waits")
    kept.notebook_complete()

    cells = saved(path)["cells"]
    assert [cell["metadata"]["papermill"]["status"] for cell in cells] == ["paused", "not-run"]
    assert cells[0]["metadata"]["flownb"] == {"status": "paused", "reason": "it waits"}


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    kept = keeper(None)
    kept.notebook_start()
    kept.notebook_complete()

    assert list(tmp_path.iterdir()) == []
