"""`--wait` in a kernel: its runs are carried through their pauses, while cells wait for them or not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from flownb.model.status import PauseReason, RunStatus
from flownb.run.handles.follow import Follower

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.run.session import Session

_LOOK_SECONDS: Final = 0.2


def stay_through_pauses(session: Session) -> None:
    """Look after the runs of a notebook from now on: one that waits for a time goes on when that has come.

    A run that waits for something else is followed, because another process may carry it on.
    """
    threading.Thread(target=_look_after, args=(session,), name="flownb-staying", daemon=True).start()


def _look_after(session: Session) -> None:
    followed: set[int] = set()
    while True:
        time.sleep(_LOOK_SECONDS)
        look_after(session.runs, followed, time.time())


def look_after(runs: list[Run], followed: set[int], now: float) -> None:
    """One look: let the runs whose time has come go on, and follow those that wait for something else.

    Args:
        runs: the runs of the notebook.
        followed: those that are followed already, by `id()`; kept from look to look.
        now: seconds since 1970.
    """
    for run in list(runs):
        if not run.resting or run.status is not RunStatus.PAUSED:
            followed.discard(id(run))
        elif run.pause_reason is PauseReason.TIMER:
            if _is_due(run, now):
                run.resume()
        elif id(run) not in followed:
            followed.add(id(run))
            run.follow(Follower(run.store, run.state, run.followed, _nobody_has_it))


def _is_due(run: Run, now: float) -> bool:
    due = [wait.until for wait in run.state.waits.values() if wait.until is not None]
    return bool(due) and min(due) <= now


def _nobody_has_it() -> None:
    """A paused run has no owner; that is what it is waited for."""
