"""The papermill engine by which flownb runs notebooks: papermill keeps the document, our client the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from papermill.engines import NBClientEngine, papermill_engines

from flownb.notebook.client import FlownbClient
from flownb.notebook.kernels import OWN, Kernel
from flownb.notebook.saving import OutputNotebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from flownb.notebook.headless import Headless

#: The name by which papermill is asked for it.
NAME: Final = "flownb.headless"


class HeadlessEngine(NBClientEngine):  # type: ignore[misc]  # papermill ships no types
    """Executes the notebook of a run that somebody else keeps."""

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
            output_path: not used: papermill would read braces in it as fields.
            headless: the run that this is the execution of.
            save_to: where the notebook is written while it runs.
            **kwargs: papermill's other arguments.
        """
        del output_path
        assert headless is not None
        keeper = OutputNotebook(nb, str(save_to) if save_to is not None else None)
        headless.notebook = nb
        nb.metadata.papermill["input_path"] = headless.path
        nb.metadata.papermill["output_path"] = keeper.output_path
        keeper.notebook_start()
        try:
            cls.execute_managed_notebook(keeper, kernel_name, headless=headless, **kwargs)
        finally:
            keeper.notebook_complete()
        return nb

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


papermill_engines.register(NAME, HeadlessEngine)
