"""Executing the notebook of a claimed run: papermill on a thread of its own, and the record of how it ended."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import queue
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import FlownbError, InternalError, StoreError, UsageError
from flownb.model import events as ev
from flownb.model.status import PauseReason, RunStatus
from flownb.notebook.document import text_of, write_text
from flownb.notebook.environment import environment
from flownb.notebook.headless import Headless
from flownb.notebook.outcome import Outcome, outcome_of, stamp_of, tell
from flownb.notebook.watching import Watcher
from flownb.run.failure import failure_of
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.contract import Write
from flownb.store.lease import renew_seconds
from flownb.store.owner import current_owner, process_started

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

    from flownb.store.contract import Lease, Owner, RunRow, Store

_log = logging.getLogger("flownb.notebook")
_LOOK_SECONDS: Final = 0.1
_ENDED: Final = (RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED)


class Job(msgspec.Struct, kw_only=True):
    """A claimed run and the notebook that is executed for it."""

    store: Any
    row: Any
    lease: Any
    owner: Any
    notebook: Any
    #: What messages call it.
    title: str
    #: Its file, for papermill's metadata.
    path: str = ""
    #: Where the kernel starts.
    folder: str
    #: Empty for the interpreter that runs flownb.
    kernel: str
    #: Parameters as `travel.pack` makes them.
    parameters: dict[str, Any] = {}
    #: Further fields of the session: until, retry, wait, migrate, call …
    session: dict[str, Any] = {}
    #: How many kernels the notebook's own notebooks find started ahead.
    warm: int = 0
    output: Any = None
    on_event: Any = None
    #: Handed the `Headless` before it begins, for whoever may have to interrupt it.
    watched: Any = None


def perform(job: Job) -> Outcome:
    """Execute the notebook, record how it ended, write the output notebook.

    Works in any thread, also beside a running event loop. Ctrl-C in the main thread pauses the runs; the second time
    it ends the kernel.

    Raises:
        UsageError: the notebook can't be executed at all; the run is recorded as failed.
    """
    work = _Work(job)
    try:
        error = work.run()
        _record_end(job, work.headless, error)
        work.look()
        faults.reach("notebook.finished")
        _write_output(job, work.headless)
    finally:
        with contextlib.suppress(StoreError):
            job.store.retire(job.owner.id)
    if isinstance(error, UsageError):
        raise error
    interrupted = work.headless.interrupted
    return outcome_of(job.store, job.row.id, job.output, interrupted=interrupted)


class _Work:
    """papermill on its thread, and this thread, which watches, renews the lease and hears Ctrl-C."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._renewed = time.monotonic()
        self._watcher = Watcher(job.store, job.row.id) if job.on_event is not None else None
        self.headless = Headless(
            title=job.title,
            path=job.path,
            session=_session(job),
            environment=environment(job.store.url),
            started=self._kernel_started,
            on_event=self._news.put if job.on_event is not None else None,
        )

    def run(self) -> BaseException | None:
        """Work until papermill is done; returns what went wrong beside the cells."""
        if self.job.watched is not None:
            self.job.watched(self.headless)
        threading.Thread(target=self._papermill, name="flownb-papermill", daemon=True).start()
        while not self._done.is_set():
            try:
                self._done.wait(_LOOK_SECONDS)  # not join(): an interrupted one takes the thread for ended
                self.look()
            except KeyboardInterrupt:
                self.headless.interrupt()
                if self.headless.killed:
                    self._end_kernel()
                self._say_that_it_pauses()
        return self._error

    def _end_kernel(self) -> None:
        """The second Ctrl-C: the kernel ends at once, whatever its client is waiting for."""
        if self.job.owner.partner_pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.job.owner.pid, signal.SIGKILL)

    def _say_that_it_pauses(self) -> None:
        if not self.headless.killed:
            tell(self._say, f"Run {self.job.row.id} pauses when its nodes in flight have ended.")

    def look(self) -> None:
        """Renew the lease when it is time, and tell what is new."""
        job = self.job
        if time.monotonic() - self._renewed > renew_seconds():
            self._renewed = time.monotonic()
            with contextlib.suppress(StoreError):  # locked for a moment; the next look tries again
                job.store.renew(job.owner.id)
        while not self._news.empty():
            self._say(self._news.get())
        if self._watcher is not None:
            for record in self._watcher.news():
                self._say(record)

    def _say(self, event: Any) -> None:
        if self.job.on_event is None:
            return
        try:
            self.job.on_event(event)
        except Exception as error:  # noqa: BLE001  who listens must not end what it listens to
            self.job.on_event = None
            _log.warning("Nothing more is told of run %s: its listener failed: %r", self.job.row.id, error)

    def _kernel_started(self, process_id: int) -> None:
        """The lease names the kernel and, beside it, its runner: either gone is dead."""
        job = self.job
        job.owner = msgspec.structs.replace(
            job.owner,
            pid=process_id or job.owner.pid,
            pid_started=(process_started(process_id) or 0) if process_id else job.owner.pid_started,
            partner_pid=os.getpid(),
            partner_started=process_started(os.getpid()) or 0,
        )
        job.store.register(job.owner)

    def _papermill(self) -> None:
        try:
            _execute(self.job, self.headless)
        except BaseException as error:  # noqa: BLE001  handed to the thread that waits
            self._error = error
        finally:
            self._done.set()


def _execute(job: Job, headless: Headless) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from flownb.notebook.headless_engine import NAME

    notebook: NotebookNode = copy.deepcopy(job.notebook)
    notebook.metadata["flownb"] = {"run": job.row.id, "status": str(RunStatus.RUNNING), "workflow": job.row.workflow}
    with contextlib.suppress(PapermillExecutionError):  # the cell that failed is in `headless.end`
        papermill.execute_notebook(
            notebook,
            None,
            engine_name=NAME,
            kernel_name=job.kernel,
            language="python",
            progress_bar=False,
            headless=headless,
            save_to=job.output,
            folder=job.folder,
        )


def _session(job: Job) -> dict[str, Any]:
    row: RunRow = job.row
    return {
        "session": {
            "run_id": row.id,
            "store_url": job.store.url,
            "workflow": row.workflow,
            "owner": job.owner.id,
            "fence": job.lease.fence,
            "mode": row.mode,
            "trigger": row.trigger,
            "program": row.program,
            **job.session,
        },
        "parameters": job.parameters,
        "folder": job.folder,
        "runner": os.getpid(),
        "warm": job.warm,
    }


# --- the record of the end --------------------------------------------------------------------------------------------


def _record_end(job: Job, headless: Headless, error: BaseException | None) -> None:
    """Write what the kernel could not: the end of a notebook without a flow, of one that died, or that never began."""
    if error is None and headless.summary is not None and headless.summary.runs:
        return
    if error is not None and headless.end is None:
        expected = error if isinstance(error, FlownbError) else InternalError(f"{type(error).__name__}: {error}")
        expected.__cause__ = error if expected is not error else None
        last: ev.Event = _failed(failure_of(expected))
    else:
        last = _last(headless)
    _append(job, job.row.id, last, owns=True)
    if isinstance(last, ev.RunFailedEvent | ev.RunPaused):
        for row in job.store.rows(group=job.row.id):
            _append(job, row.id, last, owns=False)


def _last(headless: Headless) -> ev.Event:
    end, summary, now = headless.end, headless.summary, time.time()
    if end is not None and end.failure is not None:
        return _failed(end.failure)
    if headless.interrupted:
        return ev.RunPaused(at=now, reason=PauseReason.MANUAL, message="Stopped by Ctrl-C.")
    if headless.session["session"].get("call") is not None:
        return _failed(
            ev.Failure(type="Conflict", message="The cells that were executed again did not start the run again.")
        )
    if summary is None:
        return _failed(ev.Failure(type="KernelDied", message=f"The kernel of {headless.title} did not end in order."))
    message = summary.stopped or (end.message if end is not None else "")
    return ev.RunCompleted(at=now, results=summary.results, message=message)


def _failed(failure: ev.Failure) -> ev.RunFailedEvent:
    return ev.RunFailedEvent(at=time.time(), error=failure)


def _append(job: Job, run_id: str, last: ev.Event, *, owns: bool) -> None:
    """Write the last event of a run, if nobody else has written one, or owns it now."""
    store: Store = job.store
    row = require_row(store, run_id)
    final = (RunStatus.COMPLETED, RunStatus.CANCELLED) if owns else (*_ENDED, RunStatus.PAUSED)
    if row.status in final or (row.status == RunStatus.PAUSED and isinstance(last, ev.RunPaused)):
        return
    lease = _lease(job, row)
    if lease is None:
        return
    events: list[ev.Event] = []
    if owns and read_state(store, row).started_at is None:
        events.append(
            ev.RunStarted(
                at=row.created_at,
                workflow=row.workflow,
                inputs={name: each.get("value") for name, each in job.parameters.items()},
                mode=row.mode,
                trigger=row.trigger,
                parent=row.parent,
                parent_node=job.session.get("parent_node"),
            )
        )
    events.append(last)
    store.commit([Write(run=run_id, fence=lease.fence, first=row.seq + 1, events=tuple(events), release=True)])


def _lease(job: Job, row: RunRow) -> Lease | None:
    if row.id == job.row.id and row.owner == job.owner.id and row.fence == job.lease.fence:
        lease: Lease = job.lease
        return lease
    store: Store = job.store
    owner: Owner = current_owner()
    taken = store.claim(row.id, owner)
    job.owner = owner if taken is not None else job.owner
    return taken


def _without_marks(notebook: NotebookNode) -> list[Any]:
    """The cells without papermill's marks of an error: it marks one that its cell may raise as well."""
    from papermill.execute import ERROR_MARKER_TAG

    return [cell for cell in notebook.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]


def _write_output(job: Job, headless: Headless) -> None:
    """The output notebook's last state, with what it is the report of."""
    notebook = headless.notebook
    if notebook is None:
        return
    row = require_row(job.store, job.row.id)
    notebook.metadata["flownb"] = stamp_of(job.store, row)
    if row.status != RunStatus.FAILED:
        notebook.cells = _without_marks(notebook)
    path: Path | None = job.output
    if path is not None:
        notebook.metadata.setdefault("papermill", {})["output_path"] = str(path)
        write_text(path, text_of(notebook))
