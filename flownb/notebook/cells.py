"""What an interactive kernel executed, so that a run started in it can be carried on when the kernel is gone.

Pinned are the last successful execution of each cell, in the order of execution, and the cell that starts the run,
with the number of the call in it. On replay only that call attaches to the run; other calls of `flow.run()` show what
they started at the time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.graph.spec import Origin
from flownb.store.contract import Program

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.run.session import Session
    from flownb.store.contract import Store

_REPLAYED: Final = "replayed-"


class Executed(msgspec.Struct):
    """One execution of a cell."""

    cell: str
    source: str
    #: The number of the execution in this kernel, since flownb watches.
    number: int
    label: str = ""
    #: The runs that it started, in order.
    runs: list[str] = []


class Cells:
    """The executions of one shell; it watches from the moment that flownb is first used in it."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._number = 0
        #: The last successful execution of each cell, oldest first.
        self.done: dict[str, Executed] = {}
        for count, source in _history(shell):
            self.done[f"#{count}"] = Executed(f"#{count}", source, 0)
        self.current = _current(shell)
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def _before(self, info: Any) -> None:
        self._number += 1
        count = self._shell.execution_count
        cell = getattr(info, "cell_id", None) or f"#{count}"
        self.current = Executed(str(cell), info.raw_cell or "", self._number, f"cell In [{count}]")

    def _after(self, result: Any) -> None:
        current = self.current
        if not result.success or not current.source.strip():
            return
        self.done.pop(current.cell, None)
        for name, each in list(self.done.items()):
            if name.startswith("#") and each.source == current.source:
                del self.done[name]  # from before the ids were known: the same cell
        self.done[current.cell] = current

    def program(self) -> Program:
        """The cells up to the call that is being made now."""
        from nbformat import v4

        from flownb.notebook.document import text_of

        earlier = [each for each in self.done.values() if each.cell != self.current.cell]
        cells = [*earlier, self.current]
        made = [v4.new_code_cell(source=each.source, id=f"{_REPLAYED}{n}") for n, each in enumerate(cells)]
        recorded = {
            f"{number}:{nth}": run for number, each in enumerate(cells) for nth, run in enumerate(each.runs, start=1)
        }
        call = [len(cells) - 1, len(self.current.runs) + 1]
        return Program(
            kind="cells",
            target=self.current.label or "an interactive kernel",
            directory=str(Path.cwd()),
            source=text_of(v4.new_notebook(cells=made)),
            details={"call": call, "recorded": recorded},
        )


def _history(shell: Any) -> list[tuple[int, str]]:
    """What was executed without an error before flownb watched: (execution count, source), without the current cell."""
    manager = shell.history_manager
    failed = set(getattr(manager, "exceptions", None) or {})
    sources = list(manager.input_hist_raw)
    return [(count, source) for count, source in enumerate(sources[:-1]) if source.strip() and count not in failed]


def _current(shell: Any) -> Executed:
    """The cell that is being executed, where no hook has seen it begin."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    sources = list(shell.history_manager.input_hist_raw)
    source = parent.get("content", {}).get("code") or (sources[-1] if sources else "")
    count = shell.execution_count
    cell = parent.get("metadata", {}).get("cellId") or f"#{count}"
    return Executed(str(cell), source, 0, f"cell In [{count}]")


_cells: Cells | None = None


def cells() -> Cells | None:
    """The executions of this process's shell; None outside of IPython."""
    global _cells  # noqa: PLW0603  one shell a process
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return None
    if _cells is None or _cells._shell is not shell:  # noqa: SLF001  the same file
        _cells = Cells(shell)
    return _cells


def origin() -> Origin | None:
    """Which execution of which cell is going on, for the rule of who replaces whom."""
    watched = cells()
    if watched is None:
        return None
    current = watched.current
    return Origin(current.cell, current.number, current.label)


def pin(store: Store) -> str:
    """Keep what this kernel executed up to now; returns the program's digest, empty outside of IPython."""
    watched = cells()
    return store.put_program(watched.program()) if watched is not None else ""


def started(run: Run) -> None:
    """A call of `flow.run()` in the current cell came to this run."""
    watched = cells()
    if watched is not None:
        watched.current.runs.append(run.id)


def follow_cells(session: Session) -> None:
    """While pinned cells are executed again, say in the session which one it is."""
    module = sys.modules["IPython"]

    def before(info: Any) -> None:
        cell = str(getattr(info, "cell_id", None) or "")
        if cell.startswith(_REPLAYED):
            session.cell, session.started = int(cell.removeprefix(_REPLAYED)), 0

    module.get_ipython().events.register("pre_run_cell", before)
