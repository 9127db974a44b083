"""The kernel's half of a headless run: what the client's first and last requests call.

`begin` makes this process the execution of a notebook, `rest` waits until all of its runs have come to rest, and
`end` writes how the notebook ended and tells the client. All three take and give JSON; nobody else calls them.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model import events as ev
from flownb.model.status import PauseReason, RunStatus
from flownb.notebook.environment import environment
from flownb.notebook.here import Here, here, settle_down
from flownb.notebook.staying import stay_through_pauses
from flownb.run import session as sessions
from flownb.run.engine import engine
from flownb.run.waiting.deliveries import deliveries
from flownb.store.contract import Write
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

_MIME: Final = "application/vnd.flownb+json"
_TICK: Final = 0.05
#: Seconds that the kernel's control thread gets to end once the kernel is told to.
_CONTROL_SECONDS: Final = 1.0
#: Which status speaks for the notebook: the first that any of its runs has.
_WORST: Final = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.PAUSED)


class Answer:
    """Plain data on its way to the client: a mimebundle that no display formatter changes."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude
        return {_MIME: self._data, "text/plain": ""}

    def __repr__(self) -> str:
        return f"Answer({self._data!r})"


def begin(text: str) -> Answer:
    """Make this process the execution of a notebook.

    Args:
        text: JSON with the fields of `flownb.run.session.Session` under `session`, the `parameters` in plain form, the
            notebook's `folder`, the process id of the `runner`, and how many kernels are kept `warm`.
    """
    given = json.loads(text)
    session = msgspec.convert(given["session"], sessions.Session)
    folder = given["folder"]
    if folder not in sys.path and str(Path.cwd()) == folder:
        sys.path.insert(0, folder)
    store = open_store(session.store_url)
    # A kernel without its runner writes a notebook that nobody reads: either gone counts as both gone.
    owner = current_owner(partner_pid=given["runner"])
    engine().adopt(store, owner)
    settle_down(Here(session, store, given["parameters"], owner))
    sessions.begin(session)
    if count := given.get("warm"):
        from flownb.notebook.warm import warm_kernels

        warm_kernels.keep(count)
        warm_kernels.start(environment(session.store_url), count)
    if session.wait:
        stay_through_pauses(session)
    if session.call is not None:
        from flownb.notebook.cells import follow_cells

        follow_cells(session)
    return Answer({"owner": owner.id, "pid": owner.pid})


# --- the end ----------------------------------------------------------------------------------------------------------


async def rest(pause: bool) -> None:
    """Wait until every run that the notebook started has ended, paused, or has nothing left to do.

    Args:
        pause: ask them to pause first; an interrupt while waiting does the same.
    """
    runs: list[Run] = list(_required().session.runs)
    if pause:
        _pause(runs)
    while not _at_rest(runs):
        try:
            await asyncio.sleep(_TICK)
        except (KeyboardInterrupt, asyncio.CancelledError):
            _pause(runs)


def _required() -> Here:
    if (home := here()) is None:
        raise RuntimeError("No headless notebook began in this kernel.")
    return home


def _pause(runs: list[Run]) -> None:
    for run in runs:
        if not run.resting:
            run.pause()


def _at_rest(runs: list[Run]) -> bool:
    stays = _required().session.wait
    return all(run.resting and not (stays and run.status is RunStatus.PAUSED) for run in runs)


def end(text: str) -> Answer:
    """Write how the notebook's own run ended, and let go of everything.

    Args:
        text: JSON with the `kind` of end that the cells came to (empty for the last one), `message` and `failure`.
    """
    home = _required()
    given = json.loads(text)
    session, store = home.session, home.store
    while not _at_rest(session.runs):  # where the client could not await it
        time.sleep(_TICK)
    if session.runs and session.call is None:
        _settle(home, session.runs[0], _last_event(session, given))
    if (display := sys.modules.get("flownb.notebook.display")) is not None:
        display.finish()  # the last picture shows how it ended
    deliveries().wait()
    summary = _summary(home)
    sessions.end()
    engine().retire(store)
    atexit.register(_end_control)
    return Answer(summary)


def _end_control() -> None:
    """End the thread that answers the shutdown request before ipykernel stops the one that sends its last output.

    ipykernel stops them the other way round; where the answer comes late, its thread waits ten seconds for a flush that
    nobody does any more, and the client kills the kernel after two and a half.
    """
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is None or not kernelapp.IPKernelApp.initialized():
        return
    control = getattr(kernelapp.IPKernelApp.instance(), "control_thread", None)
    if control is not None and control.is_alive():
        control.stop()
        control.join(_CONTROL_SECONDS)


def _last_event(session: sessions.Session, given: dict[str, Any]) -> ev.Event:
    """The end of the notebook's own run: its status is the worst of its runs, and a failed cell is worse."""
    now = time.time()
    runs: list[Run] = session.runs
    if given.get("failure"):
        return ev.RunFailedEvent(at=now, error=msgspec.convert(given["failure"], ev.Failure))
    if given["kind"] == "interrupted":
        return ev.RunPaused(at=now, reason=PauseReason.MANUAL, message="Stopped by Ctrl-C.")
    for status in _WORST:
        run = next((each for each in runs if _status(each) is status), None)
        if run is None:
            continue
        if status is RunStatus.FAILED:
            failure = run.error or ev.Failure(type="RunFailed", message=f"Run {run.id} failed.")
            return ev.RunFailedEvent(at=now, error=failure, node=_failed_node(run, runs[0]))
        if status is RunStatus.CANCELLED:
            return ev.RunCancelledEvent(at=now, by=run.state.message)
        until = [wait.until for wait in run.state.waits.values() if wait.until is not None]
        reason = run.pause_reason or PauseReason.MANUAL
        return ev.RunPaused(at=now, reason=reason, message=run.state.message, until=min(until, default=None))
    stopped = session.stopped or (given["message"] if given["kind"] == "stopped" else "")
    return ev.RunCompleted(at=now, results=session.results, message=stopped)


def _status(run: Run) -> RunStatus:
    """A run's status; one that is held has failed when a failure of it is handled by nobody."""
    return RunStatus.FAILED if run.state.unhandled and not run.status.ended else run.status


def _failed_node(run: Run, first: Run) -> str | None:
    """The node that failed, where it is one of the notebook's own run."""
    if run is not first:
        return None
    number = next(iter(sorted(run.state.unhandled)), None)
    return run.state.error_node or (run.state.topology.paths[number] if number is not None else None)


def _settle(home: Here, run: Run, last: ev.Event) -> None:
    """Write the last event of the notebook's own run: through its execution where it is held, else by a claim."""
    if run.settle_held(last):
        return
    state = run.state
    if state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        return
    same = isinstance(last, ev.RunPaused) and state.status is RunStatus.PAUSED
    if same or (isinstance(last, ev.RunFailedEvent) and state.status is RunStatus.FAILED):
        return
    lease = home.store.claim(run.id, home.owner)
    if lease is None:
        return
    if len(home.store.events(run.id)) != state.seq:
        home.store.release(lease)  # another process went on with the run meanwhile, and its word is the newer one
        return
    home.store.commit([Write(run=run.id, fence=lease.fence, first=state.seq + 1, events=(last,), release=True)])


def _summary(home: Here) -> dict[str, Any]:
    session = home.session
    row = home.store.row(session.run_id) if session.runs else None
    return {
        "status": row.status if row is not None else "",
        "pause_reason": row.pause_reason if row is not None else None,
        "results": session.results,
        "stopped": session.stopped,
        "runs": [run.id for run in session.runs],
        "asked": [
            {"text": each.text(), "html": each._repr_html_()}
            for run in session.runs
            if run.state.approvals
            for each in run.approvals
        ],
    }
