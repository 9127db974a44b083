"""The notebook that this process executes headless, where it does: which run its first `flow.run()` is.

The papermill engine begins a session by its first request to the kernel, never by environment: sub-notebooks and
shell commands of a cell would inherit that. Plain data; the notebook layer fills it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import Conflict

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


class Session(msgspec.Struct):
    """One execution of a notebook."""

    #: The notebook's run; its first flow takes this id, the n-th `<id>.<n>`.
    run_id: str
    store_url: str
    workflow: str
    #: Handed over by the runner, which created the run: who has it and its fence.
    owner: str = ""
    fence: int = 0
    mode: str = "production"
    trigger: str = "manual"
    program: str = ""
    until: str | None = None
    #: Whether a definition that changed since the run began is taken as it is now.
    migrate: bool = False
    #: Whether failed nodes of the recorded run are set back.
    retry: bool = True
    #: Stay through pauses.
    wait: bool = False
    #: The replayed call of an interactive run, as (cell, n-th in it); other calls return what is recorded.
    call: tuple[int, int] | None = None
    #: The runs that other calls of a replayed kernel started, by `cell:n`.
    recorded: dict[str, str] = {}
    #: The run, and the node of it, of which the notebook is a part.
    parent: str | None = None
    parent_node: str | None = None
    #: Where the replay is: the number of the cell, and how many runs it has started.
    cell: int = 0
    started: int = 0
    runs: list[Any] = []
    results: dict[str, Any] = {}
    stopped: str | None = None

    def next_id(self) -> str:
        """The id of the run that starts now; empty for a call of a replayed kernel that nothing is recorded of."""
        self.started += 1
        if self.call is not None and self.call != (self.cell, self.started):
            return self.recorded.get(f"{self.cell}:{self.started}", "")
        number = len(self.runs) + 1
        return self.run_id if number == 1 else f"{self.run_id}.{number}"

    def check_same_flow(self, run_id: str, recorded: str, name: str) -> None:
        """On resume, the n-th flow must be the one that was the n-th before.

        Raises:
            Conflict: it is another flow.
        """
        if recorded != name:
            raise Conflict(
                f"Run {run_id} was the flow {recorded!r}; the notebook now starts {name!r} in its place. "
                f"Start the notebook anew, or put the flows back in their order."
            )

    def add(self, run: Run) -> None:
        """Count a run that was started."""
        self.runs.append(run)


_session: Session | None = None


def begin(session: Session) -> None:
    """From now on this process executes that notebook."""
    global _session  # noqa: PLW0603  one notebook a process, and cells have no other place to find it
    _session = session


def end() -> None:
    """No notebook any more."""
    global _session  # noqa: PLW0603
    _session = None


def current() -> Session | None:
    """The notebook that this process executes headless."""
    return _session
