"""`papermill --engine flownb`: papermill's own command runs a notebook as a durable run in the usual store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from papermill.engines import NBClientEngine
from papermill.iorw import write_ipynb

if TYPE_CHECKING:
    from nbformat import NotebookNode


class FlownbEngine(NBClientEngine):  # type: ignore[misc]  # papermill ships no types
    """papermill loads and parameterizes the notebook, and raises for a failed cell; the run is flownb's."""

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, output_path: str | None = None, **kwargs: Any
    ) -> NotebookNode:
        """Execute a notebook as a run; papermill calls it.

        Args:
            nb: the notebook, its parameters injected by papermill.
            kernel_name: the kernel's name.
            output_path: where papermill was asked to write.
            **kwargs: papermill's other arguments; of these only `input_path` counts.
        """
        from flownb.notebook.runner import execute_document  # not at the top: whoever imports papermill loads this file

        target = kwargs.get("input_path")
        executed, outcome = execute_document(nb, kernel_name, target if isinstance(target, str) else "")
        if output_path is not None:
            write_ipynb(executed, output_path)
        if outcome.message:
            print(f"flownb: {outcome.message}", file=sys.stderr)  # noqa: T201  papermill's command has no other place
        return executed
