"""Waiting for a run: its events go to the display, Ctrl-C pauses it, `--wait` waits through its pauses."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from flownb.model.status import RunStatus
from flownb.run.engine import engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.cli.interrupts import Interrupts
    from flownb.cli.progress import Display
    from flownb.run.handles.handle import Run

#: Seconds between two looks at the journal, and between two at the store while the run rests.
_LOOK: Final = 0.1
_REST_LOOK: Final = 0.5


def attend(
    run: Run, display: Display, asked: Interrupts, *, after: int = 0, again: Callable[[], Run] | None = None
) -> Run:
    """Stay until the run has ended or paused, or somebody asks to stop.

    Args:
        run: what was started, resumed or followed.
        display: gets its events.
        asked: counts who asks to stop; its block began before the run did.
        after: the number of the last event that is not news.
        again: with `--wait`: makes a handle of a run that rests, which goes on if it now can.

    Returns the run: another handle, where `again` made one.

    Raises:
        KeyboardInterrupt: somebody asked twice.
        FlownbError: the run can't be followed or written any more.
    """
    seen = after
    # What the engine logs of a run that it lost is what this raises, and is said once.
    logging.getLogger("flownb.engine").addFilter(_says_news)
    while True:
        seen = _until_it_rests(run, display, seen, asked)
        paused = run.status is RunStatus.PAUSED
        if not (run.status.ended or paused or asked.asked):
            run.result(timeout=0.0)  # it was lost: this says why
        if asked.asked or again is None or not paused:
            return run
        display.say(f"Paused ({run.pause_reason}); waiting. {run.state.message}".strip())
        found = _until_it_changes(run, again, asked)
        if found is None:
            return run
        run = found


def _says_news(record: logging.LogRecord) -> bool:
    return not getattr(record, "lost", False)


def _until_it_rests(run: Run, display: Display, seen: int, asked: Interrupts) -> int:
    """Show events until the run rests; returns the number of the last one shown."""
    news = threading.Event()
    forget = run.watch(lambda _: news.set())
    pausing = False
    try:
        while True:
            resting = run.resting
            if records := run.events(seen):
                seen = records[-1].seq
                display.show(records)
            if resting:
                return seen
            if asked.asked and not pausing:
                if not at_work_here(run):
                    display.say("The run goes on in the process that has it.")
                    return seen
                pausing = True
                run.pause()
                names = ", ".join(run.state.topology.paths[number] for number in run.state.in_flight)
                display.say(f"Pausing{f': {names} still at work' if names else ''}; Ctrl-C again leaves at once.")
            news.wait(_LOOK)
            news.clear()
    finally:
        forget()


def at_work_here(run: Run) -> bool:
    """Whether this process has the run."""
    owner = run.store.owner_of(run.id)
    return owner is not None and owner[0].id == engine().owner(run.store).id


def _until_it_changes(run: Run, again: Callable[[], Run], asked: Interrupts) -> Run | None:
    """Wait until a paused run goes on, wherever that is; None where somebody asked to stop."""
    seen = run.state.seq
    due = min((wait.until for wait in run.state.waits.values() if wait.until is not None), default=None)
    idle = threading.Event()
    while not asked.asked:
        idle.wait(_REST_LOOK)
        if (due is not None and due <= time.time()) or run.events(seen):
            found = again()
            if not found.resting or found.status is not RunStatus.PAUSED:
                return found
            seen, due = max(seen, found.state.seq), None
    return None
