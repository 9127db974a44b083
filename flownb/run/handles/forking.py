"""A fork that is made where its program is: in a script, in a kernel, or in a notebook that is executed headless.

In a notebook it has its place among the runs that the notebook starts, so that cells that are executed again find it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flownb.errors import Conflict, UsageError
from flownb.run.engine import engine
from flownb.run.hooks import hook
from flownb.run.recovery.fork import fork
from flownb.run.recovery.recover import read_state, require_row
from flownb.run.session import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.run.joining import Continuation
    from flownb.run.session import Session


def fork_here(run: Any, continuation: Continuation | None, at: int | None, changes: Mapping[str, Any]) -> Any:
    """The fork of a run, at work.

    Args:
        run: its handle.
        continuation: what carries the run on in this process, where its program is at hand.
        at: the number of the event that is the last they share.
        changes: values by name.
    """
    session = current()
    if session is not None and session.runs:
        return _in_session(run, session, continuation, at, changes)
    row = require_row(run.store, run.id)
    if continuation is None and not row.program:
        raise UsageError(f"The program of run {run.id} is not at hand here, and how it was started is unknown.")
    made = _handle(run, _record(run, engine().new_id(), at, changes))
    made.continues_by(continuation)
    made.resume()
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        _show(made)
    return made


def _record(run: Any, new_id: str, at: int | None, changes: Mapping[str, Any], group: str | None = None) -> str:
    home, store = engine(), run.store
    row = require_row(store, run.id)
    owner = home.owner(store)
    return fork(store, row, owner, new_id, at=at, changes=changes, now=home.now(), by="you", group=group)


def _handle(run: Any, run_id: str) -> Any:
    return type(run)(run.store, read_state(run.store, require_row(run.store, run_id), run.state.topology.origin))


def _show(made: Any) -> None:
    """As a run that is started in a cell."""
    for name in ("started", "display"):
        if (told := hook(name)) is not None:
            told(made)


def _in_session(
    run: Any,
    session: Session,
    continuation: Continuation | None,
    at: int | None,
    changes: Mapping[str, Any],
) -> Any:
    run_id = session.next_id()
    known = run.store.row(run_id) if run_id else None
    if session.call is not None:  # cells of a kernel that are executed again: nothing but their one run starts
        if known is None:
            raise Conflict(
                f"The cells that are executed again for run {session.run_id} fork a run here, which they did not do "
                "when they were recorded; nothing was started."
            )
    elif known is None:
        _record(run, run_id, at, changes, group=session.run_id)
    made = _handle(run, run_id)
    if session.call is None:
        session.add(made)
    if session.call is not None or made.state.status.ended:
        made.settle()
        return made
    made.continues_by(continuation)
    return made.resume()
