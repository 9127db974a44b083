"""`papermill --engine flownb`, and the engine by which flownb itself runs notebooks through papermill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from papermill.engines import NBClientEngine

from flownb.notebook.client import FlownbClient
from flownb.notebook.kernels import OWN, Kernel
from flownb.notebook.saving import OutputNotebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from flownb.notebook.headless import Headless


class FlownbEngine(NBClientEngine):  # type: ignore[misc]  # papermill ships no types
    """Executes a notebook as a durable run.

    flownb's runner hands over `headless`. Without it, as under `papermill --engine flownb`, the engine starts a run of
    its own in the usual store.
    """

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str | None,
        output_path: str | None = None,
        *,
        headless: Headless | None = None,
        save_to: Path | None = None,
        **kwargs: Any,
    ) -> NotebookNode:
        """Execute a notebook; papermill calls it.

        Args:
            nb: the notebook, its parameters injected.
            kernel_name: the kernel's name, or empty for the interpreter that runs flownb.
            output_path: where papermill was asked to write.
            headless: the run that this is the execution of.
            save_to: where it is written while it runs, without papermill's own handling of paths.
            **kwargs: papermill's other arguments.
        """
        if headless is None:
            from flownb.notebook.runner import execute_for_papermill

            return execute_for_papermill(nb, kernel_name, output_path, kwargs)
        keeper = OutputNotebook(nb, str(save_to) if save_to is not None else output_path)
        keeper.notebook_start()
        try:
            cls.execute_managed_notebook(keeper, kernel_name, headless=headless, **kwargs)
        finally:
            keeper.notebook_complete()
        return keeper.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: OutputNotebook, kernel_name: str | None, **kwargs: Any) -> None:
        """Execute the cells in a kernel that starts in the notebook's folder."""
        client = FlownbClient(
            nb_man,
            kwargs["headless"],
            km=Kernel(kernel_name or OWN),
            kernel_name=kernel_name or "python3",
            startup_timeout=kwargs.get("start_timeout") or 60,
            timeout=kwargs.get("execution_timeout"),
            log_output=bool(kwargs.get("log_output")),
            stdout_file=kwargs.get("stdout_file"),
            stderr_file=kwargs.get("stderr_file"),
            resources={"metadata": {"path": str(kwargs.get("folder") or Path.cwd())}},
        )
        client.execute()

    @classmethod
    def nb_kernel_name(cls, nb: NotebookNode, name: str | None = None) -> str:
        """The name as given; empty is this interpreter, so papermill must not look for one in the notebook."""
        return name if name is not None else str(super().nb_kernel_name(nb, name))
