"""One headless run of a notebook, as the runner and the client share it: what it was given, and how it ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from flownb.model.events import Failure

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from nbformat import NotebookNode

    from flownb.model.events import Record


class CellProgress(msgspec.Struct, frozen=True):
    """A cell began or ended; beside the events of the runs, for whoever shows progress."""

    #: From 0.
    index: int
    count: int
    cell_id: str
    #: `running`, `completed`, `failed`, `skipped`, `paused` or `stopped`.
    status: str


class Notice(msgspec.Struct, frozen=True):
    """A sentence for the person who started it."""

    text: str


class End(msgspec.Struct):
    """How the cells of a notebook ended, where it was not simply the last one."""

    #: `paused`, `stopped`, `failed`, `died` or `interrupted`.
    kind: str
    message: str = ""
    failure: Failure | None = None
    #: The number of the cell where it ended, from 0.
    cell: int | None = None


class Summary(msgspec.Struct):
    """How the runs of a notebook stand at its end, as the kernel tells it. Values are in plain form."""

    #: A `RunStatus` of the notebook's run; empty where no flow was started.
    status: str = ""
    pause_reason: str | None = None
    message: str = ""
    results: dict[str, Any] = {}
    stopped: str | None = None
    #: The ids of the runs that were started.
    runs: list[str] = []
    #: What they asked people, each as `text` and `html`.
    asked: list[dict[str, str]] = []


class Headless:
    """What one execution needs and brings; the client is at work on another thread."""

    def __init__(
        self,
        *,
        title: str,
        path: str = "",
        session: dict[str, Any],
        environment: dict[str, str],
        started: Callable[[int], None] | None = None,
        on_event: Callable[[Record | CellProgress | Notice], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            title: what messages call the notebook.
            path: its file, for papermill's metadata.
            session: what `kernel_session.begin` gets.
            environment: the variables of the kernel's process.
            started: told the id of the kernel's process, before the first cell.
            on_event: told about cells.
        """
        self.title = title
        self.path = path
        self.session = session
        self.environment = environment
        self.on_event = on_event
        #: The document that is being executed, once it is.
        self.notebook: NotebookNode | None = None
        self._started = started
        self.end: End | None = None
        self.summary: Summary | None = None
        self.interrupted = False
        self.killed = False
        self._stop: Callable[..., None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    # --- the client says

    def attach(self, stop: Callable[..., None], loop: asyncio.AbstractEventLoop) -> None:
        """The client is at work: `stop(kill=…)` on its loop interrupts it."""
        with self._lock:
            self._stop, self._loop = stop, loop
        if self.interrupted:
            stop(kill=self.killed)

    def detach(self) -> None:
        """The client is done."""
        with self._lock:
            self._stop = self._loop = None

    def kernel_started(self, process_id: int) -> None:
        """The kernel's process is there."""
        if self._started is not None:
            self._started(process_id)

    def began(self, reply: dict[str, Any]) -> None:
        """The kernel has begun the session."""
        self.session["answer"] = reply

    def end_for_kernel(self) -> dict[str, Any]:
        """How the cells ended, for `kernel_session.end`."""
        end = self.end
        if end is None:
            return {"kind": "interrupted" if self.interrupted else ""}
        return msgspec.to_builtins(end)  # type: ignore[no-any-return]  # a dict of plain data

    def ended(self, reply: dict[str, Any]) -> None:
        """The kernel has written how the notebook ended."""
        if "error" not in reply:
            self.summary = msgspec.convert(reply, Summary)
        else:
            self.say(Notice(f"The end of {self.title} could not be settled in its kernel: {reply['error']}"))

    def say(self, event: Record | CellProgress | Notice) -> None:
        """Tell whoever watches."""
        if self.on_event is not None:
            self.on_event(event)

    # --- the runner asks

    def interrupt(self) -> None:
        """Pause the runs and end; the second time, end the kernel at once. From any thread."""
        with self._lock:
            self.killed = self.interrupted
            self.interrupted = True
            if self._stop is not None and self._loop is not None:
                stop, kill = self._stop, self.killed
                self._loop.call_soon_threadsafe(lambda: stop(kill=kill))
