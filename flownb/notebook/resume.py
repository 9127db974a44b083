"""Going on with a recorded run in a process that has only its record: by its pinned program."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import NotFound, UsageError
from flownb.model.status import PauseReason, RunStatus
from flownb.notebook import travel
from flownb.notebook.adoption import resume_in_process
from flownb.notebook.beneath import holder_of
from flownb.notebook.document import check_writable, notebook_of, pinned_text, read_notebook, text_of, write_text
from flownb.notebook.kernels import choose
from flownb.notebook.outcome import STOPPED, Outcome, may_go_on, outcome_of, stamp_of, tell
from flownb.notebook.parameters import parse_all, read
from flownb.notebook.perform import Job, perform
from flownb.notebook.takeover import end_survivors
from flownb.notebook.watching import Watcher
from flownb.run.handles.follow import Follower
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from nbformat import NotebookNode

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Program, RunRow, Store

_LOOK_SECONDS: Final = 0.1
#: How long a handle may take to read what a process that has ended wrote.
_CATCH_UP_SECONDS: Final = 5.0


def resume(
    store: Store,
    run_id: str,
    *,
    output: Path | None = None,
    migrate: bool = False,
    wait: bool = False,
    on_event: Callable[[Any], None] | None = None,
) -> Outcome:
    """Go on with a run that was paused, failed or killed; follow it where a living process has it.

    A finished run is not touched: its outcome comes from the record. A run that waits for something that has not come
    stays paused.

    Args:
        store: where the run is.
        run_id: which; one beneath a notebook's run means the notebook's, one that a subflow began that of the flow.
        output: where the output notebook goes, if not where it went before.
        migrate: execute the program as it is now, not as it was pinned.
        wait: stay through pauses.
        on_event: told about events, cells and notices, in the caller's thread.

    Raises:
        NotFound: no such run, or its program is gone.
        DefinitionDrift: the program changed, and `migrate` is off, or what changed can't be moved.
    """
    row = require_row(store, run_id)
    row = holder_of(store, row)
    if output is not None:
        check_writable(output)
    return go_on(store, row, asked=True, output=output, migrate=migrate, wait=wait, on_event=on_event)


def go_on(
    store: Store,
    row: RunRow,
    *,
    asked: bool,
    output: Path | None = None,
    migrate: bool = False,
    wait: bool = False,
    on_event: Callable[[Any], None] | None = None,
    watched: Callable[[Any], None] | None = None,
) -> Outcome:
    """What a start with a run's key, or a resumption, does with the run that is there (the table of DESIGN §15).

    Args:
        asked: whether somebody asked to go on; else it is a start with the run's key.
        watched: handed the `Headless` of an execution before it begins.
        store: where it is.
        row: the run.
        output: as in `resume`, like the rest.
        migrate: the same.
        wait: the same.
        on_event: the same.
    """
    while True:
        row = require_row(store, row.id)
        holder = store.owner_of(row.id)
        if holder is not None and holder[1] and not RunStatus(row.status).ended:
            if not _follow(store, row, on_event):
                return outcome_of(store, row.id, interrupted=True)
            asked = False  # somebody else went on with it meanwhile
            continue
        if not may_go_on(store, row, read_state(store, row), time.time(), asked=asked):
            if not wait or not _waits(row):
                return _at_rest(store, row, output)
            if not _rest_a_moment():
                return outcome_of(store, row.id, interrupted=True)
            continue
        outcome = _execute(
            store, row, asked=asked, output=output, migrate=migrate, wait=wait, on_event=on_event, watched=watched
        )
        if outcome is not None:
            return outcome


def _rest_a_moment() -> bool:
    """Time passes; False for Ctrl-C."""
    try:
        time.sleep(_LOOK_SECONDS * 5)
    except KeyboardInterrupt:
        return False
    return True


def _waits(row: RunRow) -> bool:
    return row.status == RunStatus.PAUSED and row.pause_reason in (
        PauseReason.HUMAN,
        PauseReason.EVENT,
        PauseReason.TIMER,
    )


def _at_rest(store: Store, row: RunRow, output: Path | None) -> Outcome:
    """The outcome of a run that nothing is to be done about; `-o` is written from the record."""
    recorded = _recorded_output(store, row)
    executed = recorded is not None and _set_straight(store, row, recorded)
    if output is not None and not (executed and output == recorded):
        from flownb.notebook.report import notebook_report

        write_text(output, notebook_report(store, row.id))
    return outcome_of(store, row.id, output)


def _recorded_output(store: Store, row: RunRow) -> Path | None:
    program = store.program(row.program) if row.program else None
    recorded = program.details.get("output") if program is not None else None
    return Path(recorded) if recorded else None


def _set_straight(store: Store, row: RunRow, path: Path) -> bool:
    """Whether a file is the executed notebook of a run; where its runner died late, it is told what came of it."""
    with contextlib.suppress(OSError, ValueError, UsageError):
        notebook = notebook_of(path.read_text(encoding="utf-8"), str(path))
        if notebook.metadata.get("flownb", {}).get("run") != row.id:
            return False
        stamp = stamp_of(store, row)
        if notebook.metadata["flownb"] != stamp:
            notebook.metadata["flownb"] = stamp
            write_text(path, text_of(notebook))
        return True
    return False


def _follow(store: Store, row: RunRow, on_event: Callable[[Any], None] | None) -> bool:
    """Watch a run that a living process has until it rests or its owner dies; False for Ctrl-C."""
    watcher = Watcher(store, row.id, after=row.seq)
    tell(on_event, f"Run {row.id} is at work in another process; this one follows it.")
    try:
        while True:
            news = watcher.news()
            if on_event is not None:
                for record in news:
                    on_event(record)
            now = require_row(store, row.id)
            if RunStatus(now.status).ended:
                return True
            holder = store.owner_of(row.id)
            if holder is None or not holder[1]:
                return True
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        tell(on_event, f"Run {row.id} goes on in its own process.")
        return False


# --- by kind of program -----------------------------------------------------------------------------------------------


def _execute(
    store: Store,
    row: RunRow,
    *,
    asked: bool,
    output: Path | None,
    migrate: bool,
    wait: bool,
    on_event: Callable[[Any], None] | None,
    watched: Callable[[Any], None] | None,
) -> Outcome | None:
    """Claim the run and execute its program; None where another process was faster."""
    program = store.program(row.program) if row.program else None
    if program is None:
        raise NotFound(
            f"The program of run {row.id} is not in {store.url}: it was started by a script or a test, which must go "
            "on with it itself, or it was deleted."
        )
    end_survivors(store, row.id)
    if program.kind not in ("notebook", "cells"):
        return _in_process(store, row, program, migrate=migrate, wait=wait)
    notebook, packed, kernel = _document(store, row, program, migrate=migrate)
    owner = current_owner()
    lease = store.claim(row.id, owner)
    if lease is None:
        return None
    session: dict[str, Any] = {"retry": asked, "migrate": migrate, "wait": wait}
    if migrate:
        session["program"] = store.put_program(msgspec.structs.replace(program, source=pinned_text(notebook)))
    session |= {name: program.details[name] for name in _SESSION if name in program.details}
    if program.kind == "cells":
        session["recorded"] = program.details["recorded"]
        session["call"] = program.details["call"]
    tell(on_event, f"Going on with run {row.id}.")
    return perform(
        Job(
            store=store,
            row=row,
            lease=lease,
            owner=owner,
            notebook=notebook,
            title=Path(program.target).name if program.kind == "notebook" else f"the cells of {program.target}",
            path=program.target,
            folder=program.directory,
            kernel=kernel,
            parameters=packed,
            session=session,
            output=output or _recorded_output(store, row),
            on_event=on_event,
            watched=watched,
        )
    )


#: What the session gets from the program's details as it is.
_SESSION: Final = ("until", "parent", "parent_node")


def _document(
    store: Store, row: RunRow, program: Program, *, migrate: bool
) -> tuple[NotebookNode, dict[str, Any], str]:
    """The notebook to execute, its parameters, and its kernel."""
    if not Path(program.directory).is_dir():
        raise NotFound(f"The folder {program.directory}, where run {row.id} works, is gone.")
    if migrate and program.kind == "cells":
        raise UsageError(
            f"Run {row.id} was started in an interactive kernel, and goes on with the cells that were executed there: "
            "there is no file to go over to. Run the changed cells in its kernel, or start it anew."
        )
    packed: dict[str, Any] = program.details.get("parameters", {})
    asked = program.details.get("kernel")
    if program.kind == "cells" or not migrate:
        notebook = notebook_of(program.source, f"the pinned program of run {row.id}")
    else:
        path = Path(program.target)
        bare = read_notebook(path)
        values = travel.unpack_all(packed, store.artifacts)
        declared = read(bare, path.name)
        notebook = travel.inject(bare, declared, parse_all(declared, values, name=path.name))
    choice = choose(notebook, asked, Path(program.target).name)
    return notebook, packed, choice.name


def _in_process(store: Store, row: RunRow, program: Program, *, migrate: bool, wait: bool) -> Outcome:
    """A module's flow or a JSON document goes on in this process."""
    from flownb.notebook.programs import resume_target

    run = resume_target(store, row, program, migrate=migrate)
    interrupted = wait_for(run, wait=wait)
    return outcome_of(store, run.id, interrupted=interrupted)


def wait_for(run: Run, *, wait: bool) -> bool:
    """Wait until a run of this process has ended or paused; with `wait`, stay through pauses.

    Returns whether Ctrl-C ended the waiting; the run is paused then.
    """
    interrupted = False
    while True:
        try:
            while not run.resting:
                time.sleep(_LOOK_SECONDS / 5)
            if interrupted or not wait or run.status is not RunStatus.PAUSED or not _come_back(run):
                return interrupted
        except KeyboardInterrupt:
            if interrupted:
                return True
            interrupted = True
            run.pause()


def _come_back(run: Run) -> bool:
    """Wait for what a paused run waits for, and go on; False where nothing comes by itself."""
    if run.pause_reason is not PauseReason.TIMER:
        return False
    due = min((each.until for each in run.state.waits.values() if each.until is not None), default=0.0)
    while time.time() < due:
        time.sleep(min(_LOOK_SECONDS, due - time.time()) if due > time.time() else 0)
    run.resume()
    return True


# --- for a handle whose program is not at hand ------------------------------------------------------------------------


def in_process_of_its_own(run: Run) -> None:
    """Start `flownb resume` for a run in a process that outlives this one, and let the handle follow it.

    Raises:
        UsageError: the run lives in memory only.
    """
    if run.url == "memory:":
        raise UsageError(f"Run {run.id} lives in the memory of one process; no other can go on with it.")
    process = resume_in_process(run.store, run.id)
    run.follow(Follower(run.store, run.state, run.followed, _nobody_yet), begins=True)
    threading.Thread(target=_until_it_ends, args=(run, process), name="flownb-resume", daemon=True).start()


def _nobody_yet() -> None:
    """The process that will have the run is on its way."""


def _until_it_ends(run: Run, process: subprocess.Popen[bytes]) -> None:
    """Wait for the process, as a parent must, and then let the handle rest on what it has recorded."""
    process.wait()
    end = time.monotonic() + _CATCH_UP_SECONDS
    while run.state.seq < require_row(run.store, run.id).seq and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    run.let_go()


__all__ = ["STOPPED", "Outcome", "go_on", "in_process_of_its_own", "resume", "wait_for"]
