"""Answers that a resting run got and that its journal has not yet, because nobody has the run who could write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import StoreError
from flownb.model.status import RunStatus
from flownb.run.engine import engine
from flownb.run.waiting.decisions import answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.requests import ApprovalRow


class Answers:
    """Looks into the store whenever that has changed; for a run whose program is in no process that is known."""

    def __init__(self, run: Run, changed: Callable[[], None]) -> None:
        """Begin to look.

        Args:
            run: which.
            changed: called when there is another answer; on the engine's loop.
        """
        self._run = run
        self._changed = changed
        #: By the id of the request.
        self.rows: dict[str, ApprovalRow] = {}
        self.end = engine().house.watch(run.store, self._look)

    def _look(self, changed: bool) -> None:
        if not changed:
            return
        state = self._run.state
        try:
            rests = state.status is RunStatus.PAUSED and bool(state.approvals)
            rows = {row.id: row for row in answered(self._run.store, state)} if rests else {}
        except StoreError:
            return  # locked for a moment; the next change brings another look
        if rows != self.rows:
            self.rows = rows
            self._changed()


def wanted(run: Run) -> bool:
    """Whether nobody here would hear of an answer to a run: it rests, and its program is not at hand."""
    return run.resting and not run.status.ended and not run.continues_here
