"""The output notebook while it grows: written no more often than needed, and never lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from papermill.engines import NotebookExecutionManager
from papermill.iorw import write_ipynb

from flownb import faults
from flownb.notebook.document import text_of, write_text

if TYPE_CHECKING:
    from nbformat import NotebookNode

_SECONDS: Final = 2.0
#: A save may take at most one part in so many of the time.
_SHARE: Final = 20
#: Beside papermill's own: `pending`, `running`, `completed`, `failed`.
SKIPPED: Final = "skipped"
NOT_RUN: Final = "not-run"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"


class OutputNotebook(NotebookExecutionManager):  # type: ignore[misc]  # papermill ships no types
    """papermill's keeper of a notebook's state, which writes two files a cell, with a sense of time."""

    def __init__(self, notebook: NotebookNode, output_path: str | None) -> None:
        super().__init__(notebook, output_path=output_path, progress_bar=False, autosave_cell_every=0)
        self._saved = 0.0
        self._cost = 0.0
        self._unsaved = False

    def save(self, **kwargs: Any) -> None:
        """Note that there is something to save; it is written when enough time has passed."""
        del kwargs
        self._unsaved = True
        if time.monotonic() - self._saved >= max(_SECONDS, self._cost * _SHARE):
            self.save_now()

    def save_now(self) -> None:
        """Write the notebook as it is."""
        self._unsaved = False
        if self.output_path is None:
            return
        faults.reach("notebook.before_save")
        start = time.monotonic()
        if "://" in str(self.output_path):
            write_ipynb(self.nb, self.output_path)  # papermill knows s3, gs, abs …
        else:
            write_text(Path(self.output_path), text_of(self.nb))
        self._saved = time.monotonic()
        self._cost = self._saved - start

    def autosave_cell(self, **kwargs: Any) -> None:
        """Something was put out; papermill calls it for each message."""
        del kwargs
        self._unsaved = True

    async def keep_saving(self) -> None:
        """Write what is unsaved every now and then, also in the middle of a long cell; until it is cancelled."""
        while True:
            await asyncio.sleep(_SECONDS / 4)
            if self._unsaved:
                self.save()

    def mark(self, cell: NotebookNode, status: str, reason: str = "") -> None:
        """Say how a cell ended, where it is not simply completed or failed."""
        cell.metadata.papermill["status"] = status
        cell.metadata["flownb"] = {"status": status, **({"reason": reason} if reason else {})}

    def notebook_start(self, **kwargs: Any) -> None:
        """Clear what an older execution left."""
        for cell in self.nb.cells:
            cell.metadata.pop("flownb", None)
        super().notebook_start(**kwargs)

    def notebook_complete(self, **kwargs: Any) -> None:
        """The last words, and the last save. Cells that never ran keep saying so."""
        del kwargs
        self.end_time = self.now()
        papermill = self.nb.metadata.papermill
        papermill["end_time"] = self.end_time.isoformat()
        if self.start_time is not None:
            papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        for cell in self.nb.cells:
            if cell.metadata.papermill["status"] == self.PENDING:
                cell.metadata.papermill["status"] = NOT_RUN
        self.save_now()
