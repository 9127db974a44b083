"""The client that executes a notebook headless: papermill's, with a session in the kernel around the cells.

Its first request begins the session (`kernel_session.begin`), its last waits until every run has come to rest and
ends it. In between it executes the cells, tells the kernel their ids, and takes in what earlier cells still put out:
the picture of a run is updated long after its cell has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from queue import Empty
from typing import TYPE_CHECKING, Any, Final

from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import v4
from papermill.clientwrap import PapermillNotebookClient

from flownb import faults
from flownb.errors import KernelDied, UsageError
from flownb.model.events import Failure
from flownb.notebook import saving
from flownb.notebook.headless import CellProgress, End
from flownb.notebook.warm import warm_kernels

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from flownb.notebook.headless import Headless
    from flownb.notebook.saving import OutputNotebook

#: Cells with these tags are left out where nobody looks, or run only there.
SKIP_HEADLESS: Final = "skip-headless"
#: What the kernel's exceptions are called, as a reply names them.
_PAUSED: Final = "RunPaused"
_STOPPED: Final = "Stopped"
#: Seconds after which a cell that is still at work is interrupted again.
_INTERRUPT_SECONDS: Final = 1.0
#: Ends that are no failure.
_IN_ORDER: Final = frozenset({"paused", "stopped", "interrupted"})
_MIME: Final = "application/vnd.flownb+json"
_MODULE: Final = '__import__("flownb.notebook.kernel_session", fromlist=["session"])'
#: Messages of an earlier cell that still change its output.
_LATE: Final = frozenset({"stream", "display_data", "update_display_data"})

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


class _CellEnded(Exception):
    def __init__(self, name: str, text: str) -> None:
        super().__init__(name)
        self.name = name
        self.text = text


class FlownbClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill ships no types
    """One execution of one notebook in one kernel."""

    nb_man: OutputNotebook

    def __init__(self, nb_man: OutputNotebook, headless: Headless, **kw: Any) -> None:
        super().__init__(nb_man, **kw)
        self.headless = headless
        self._ended_how = ""
        self._stopping: asyncio.Future[Any] | None = None
        self._executing = False
        #: Which cell a request executed, so that late messages find it.
        self._cell_of: dict[str, tuple[NotebookNode, int]] = {}

    def execute(self, **kwargs: Any) -> NotebookNode:
        """Execute the notebook; how it ended is told to `headless`."""
        with asyncio.Runner() as runner:  # nbclient's own way leaves an event loop open in each thread
            return runner.run(self._execute(**kwargs))

    async def _execute(self, **kwargs: Any) -> NotebookNode:
        headless = self.headless
        self.reset_execution_trackers()
        saver = asyncio.ensure_future(self.nb_man.keep_saving())
        where = "before its first cell"
        try:
            async with self._kernel(**kwargs):
                await self._begin()
                headless.attach(self.stop_soon, asyncio.get_running_loop())
                for index, cell in enumerate(self.nb.cells):
                    if headless.interrupted or headless.end is not None:
                        break
                    where = f"in cell {index + 1}{_first_line(cell)}"
                    await self._cell(cell, index)
                where = "after its last cell"
                await self._finish()
                self.set_widgets_metadata()
        except DeadKernelError:
            await self._died(where)
        finally:
            headless.detach()
            saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saver
            self._mark_the_rest()
        executed: NotebookNode = self.nb
        return executed

    # --- the kernel ---------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _kernel(self, **kwargs: Any) -> Any:
        """A running kernel; it ends with the block, whatever happens."""
        assert self.km is not None
        try:
            try:
                await self.async_start_new_kernel(env=self.headless.environment, **kwargs)
            except OSError as error:
                raise KernelDied(f"The kernel of {self.headless.title} can't be started: {error}.") from error
            self.headless.kernel_started(self.km.process_id)
            await self._connect()
            yield
        finally:
            if self.headless.killed and self.km is not None and self.km.has_kernel:
                await ensure_async(self.km.shutdown_kernel(now=True))
            await self._cleanup()

    async def _connect(self) -> None:
        assert self.km is not None
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            info = await self.kc.first_answer(lambda: ensure_async(self.km.is_alive()), self.startup_timeout)
        except RuntimeError as error:
            if not await ensure_async(self.km.is_alive()):
                raise DeadKernelError(str(error)) from None
            raise KernelDied(
                f"The kernel of {self.headless.title} did not answer within {self.startup_timeout} s."
            ) from None
        self.kc.allow_stdin = False
        self.nb.metadata["language_info"] = info["language_info"]
        warm_kernels.refill(self.headless.environment)

    async def _cleanup(self) -> None:
        self.owns_km = True
        if self.km is not None:
            if self.km.has_kernel and not await ensure_async(self.km.is_alive()):
                self._ended_how = await self.km.how_it_ended()
            await self._async_cleanup_kernel()

    async def _died(self, where: str) -> None:
        """Put it where the reader looks: into the cell that was running, and into the end of the run."""
        if self.headless.killed:
            return
        message = f"The kernel of {self.headless.title} died {where}.{self._ended_how}"
        for cell in self.nb.cells:
            if cell.cell_type == "code" and cell.metadata.papermill["status"] == self.nb_man.RUNNING:
                cell.outputs.append(
                    v4.new_output("error", ename="KernelDied", evalue=message, traceback=[f"KernelDied: {message}"])
                )
                self.nb_man.cell_exception(cell)
                self.nb_man.cell_complete(cell)
        failure = Failure(type="KernelDied", message=message, error_class="dependency")
        self.headless.end = End("died", message, failure)

    def stop_soon(self, *, kill: bool) -> None:
        """Somebody pressed Ctrl-C; on the loop. The cell that runs is interrupted, or the kernel ended."""
        if self._stopping is not None:
            self._stopping.cancel()
        self._stopping = asyncio.ensure_future(self._kill() if kill else self._interrupt())

    async def _kill(self) -> None:
        if self.km is not None and self.km.has_kernel:
            await ensure_async(self.km.shutdown_kernel(now=True))

    async def _interrupt(self) -> None:
        """Interrupt the kernel; again while a cell runs, because a kernel that has not begun it yet takes no notice."""
        while self.km is not None and self.km.has_kernel:
            await ensure_async(self.km.interrupt_kernel())
            await asyncio.sleep(_INTERRUPT_SECONDS)
            if not self._executing:
                return

    # --- the session --------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        argument = json.dumps(json.dumps(self.headless.session))
        reply = await self._ask("", f"{_MODULE}.begin({argument})")
        if "error" in reply:
            raise UsageError(
                f"The kernel of {self.headless.title} can't begin a run: {reply['error']} "
                f"(flownb must be installed where the kernel runs)."
            )
        self.headless.began(reply)

    async def _finish(self) -> None:
        """Wait until every run rests, and write how the notebook ended."""
        headless = self.headless
        if headless.killed:
            return
        self.nb_man.save_now()
        while True:
            stop = headless.interrupted
            reply = await self._ask(f"await {_MODULE}.rest({stop!r})", "None")
            if headless.killed:
                return
            if "error" not in reply or headless.interrupted == stop:
                break  # else it was interrupted while it waited: the runs are asked to pause now
        end = json.dumps(json.dumps(headless.end_for_kernel()))
        headless.ended(await self._ask("", f"{_MODULE}.end({end})"))
        self._show_how_it_ended()
        self._show_questions()

    async def _ask(self, code: str, expression: str) -> dict[str, Any]:
        """A request that no cell shows; returns what the expression gives, or `{"error": …}`."""
        assert self.kc is not None
        self.kc.next_metadata = {}
        message_id = self.kc.execute(
            code, silent=True, store_history=False, user_expressions={"flownb": expression}, stop_on_error=False
        )
        scratch = v4.new_code_cell()
        outputs = asyncio.ensure_future(self._async_poll_output_msg(message_id, scratch, -1))
        try:
            content = await self._reply_to(message_id)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(outputs, self.iopub_timeout)
        finally:
            outputs.cancel()
        if content["status"] != "ok":
            return {"error": f"{content.get('ename', content['status'])}: {content.get('evalue', '')}"}
        answer = content["user_expressions"]["flownb"]
        if answer["status"] != "ok":
            return {"error": f"{answer['ename']}: {answer['evalue']}"}
        found: dict[str, Any] = answer["data"].get(_MIME) or {}
        return found

    async def _reply_to(self, message_id: str) -> dict[str, Any]:
        assert self.kc is not None
        while True:
            try:
                message = await self.kc.shell_channel.get_msg(timeout=1)
            except Empty:
                await self._async_check_alive()
                continue
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content

    # --- cells --------------------------------------------------------------------------------------------------------

    async def _cell(self, cell: NotebookNode, index: int) -> None:
        headless = self.headless
        if cell.cell_type == "code" and SKIP_HEADLESS in cell.metadata.get("tags", []):
            self.nb_man.mark(cell, saving.SKIPPED, f"tagged {SKIP_HEADLESS}")
            headless.say(CellProgress(index, len(self.nb.cells), str(cell.id), saving.SKIPPED))
            return
        self.nb_man.cell_start(cell, index)
        runs = cell.cell_type == "code" and bool(cell.source.strip())
        if runs:
            headless.say(CellProgress(index, len(self.nb.cells), str(cell.id), self.nb_man.RUNNING))
        self._executing = runs
        try:
            await self.async_execute_cell(cell, index)
        except _CellEnded as ended:
            self._cell_ended(index, ended)
        except CellExecutionError as error:
            self._cell_failed(cell, index, error)
        finally:
            self._executing = False
        self.nb_man.cell_complete(cell, index)
        if headless.end is not None and headless.end.kind in _IN_ORDER:
            status = saving.STOPPED if headless.end.kind == "stopped" else saving.PAUSED
            self.nb_man.mark(cell, status, headless.end.message)
        if runs:
            headless.say(CellProgress(index, len(self.nb.cells), str(cell.id), cell.metadata.papermill["status"]))
            faults.reach("notebook.cell_done")

    async def async_execute_cell(
        self, cell: NotebookNode, cell_index: int, execution_count: int | None = None, store_history: bool = True
    ) -> NotebookNode:
        """Execute a cell; the kernel is told its id and tags."""
        assert self.kc is not None
        self.kc.next_metadata = {"cellId": cell.get("id"), "tags": list(cell.metadata.get("tags", []))}
        executed: NotebookNode = await super().async_execute_cell(cell, cell_index, execution_count, store_history)
        return executed

    def _cell_ended(self, index: int, ended: _CellEnded) -> None:
        """The cell said that the notebook ends here: it waits for something, or has nothing more to do."""
        kind = "paused" if ended.name == _PAUSED else "stopped"
        self.headless.end = End(kind, ended.text, cell=index)

    def _cell_failed(self, cell: NotebookNode, index: int, error: CellExecutionError) -> None:
        if self.headless.interrupted:
            self.headless.end = End("interrupted", "stopped by Ctrl-C", cell=index)
            return
        self.nb_man.cell_exception(cell, cell_index=index, exception=error)
        first = f"In cell {index + 1}{_first_line(cell)}"
        traceback: list[str] = next((each.traceback for each in cell.outputs if each.output_type == "error"), [])
        plain = _COLOURS.sub("", "\n".join(traceback))
        failure = Failure(type=error.ename, message=f"{first}: {error.evalue}", traceback=plain)
        self.headless.end = End("failed", f"{error.ename}: {error.evalue}", failure, cell=index)

    async def _check_raise_for_error(self, cell: NotebookNode, cell_index: int, exec_reply: Any) -> None:
        """Our own ends come first, also in a cell that may raise; `raise SystemExit(0)` is one, as in a script."""
        content = (exec_reply or {}).get("content", {})
        if content.get("status") == "error":
            name, text = content.get("ename"), content.get("evalue", "")
            if name in (_PAUSED, _STOPPED):
                raise _CellEnded(name, text)
            if name == "SystemExit" and text in ("", "0", "None"):
                raise _CellEnded(_STOPPED, "the notebook left by SystemExit")
        await super()._check_raise_for_error(cell, cell_index, exec_reply)

    def _show_how_it_ended(self) -> None:
        """Put a sentence where the exception stood with which a cell ended the notebook in order."""
        end = self.headless.end
        if end is None or end.cell is None or end.kind not in _IN_ORDER:
            return
        cell = self.nb.cells[end.cell]
        kept = [output for output in cell.outputs if output.output_type != "error"]
        data = {"text/plain": end.message, _MIME: {"ended": end.kind}}
        cell.outputs = [*kept, v4.new_output("display_data", data=data)]

    def _show_questions(self) -> None:
        """Put what the runs ask people, and were answered, where the reader looks last."""
        asked = self.headless.summary.asked if self.headless.summary is not None else []
        ran = [cell for cell in self.nb.cells if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")]
        if asked and ran:
            ran[-1].outputs += [
                v4.new_output("display_data", data={"text/plain": each["text"], "text/html": each["html"]})
                for each in asked
            ]

    def _mark_the_rest(self) -> None:
        """The cells that never ran, and why."""
        end = self.headless.end
        why = {
            "paused": "the run is paused",
            "stopped": "the notebook was ended early",
            "failed": "a cell before it failed",
            "died": "the kernel died",
            "interrupted": "it was stopped",
        }
        for cell in self.nb.cells:
            if cell.metadata.papermill["status"] == self.nb_man.PENDING:
                self.nb_man.mark(cell, saving.NOT_RUN, why.get(end.kind, "") if end else "")

    # --- messages -----------------------------------------------------------------------------------------------------

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        """Take in messages until the request is done; those of earlier cells go where they belong."""
        assert self.kc is not None
        self._cell_of[parent_msg_id] = (cell, cell_index)
        while True:
            message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            parent = message["parent_header"].get("msg_id")
            if parent == parent_msg_id and cell_index >= 0:
                try:
                    self.process_message(message, cell, cell_index)
                except CellExecutionComplete:
                    return
            elif parent == parent_msg_id and message["content"].get("execution_state") == "idle":
                return
            else:
                self._take_late(message, parent)

    def _take_late(self, message: dict[str, Any], parent: str | None) -> None:
        cell, index = self._cell_of.get(parent or "", (None, -1))
        if message["msg_type"] == "update_display_data":
            index = max(index, 0)
            cell = cell or self.nb.cells[index]
        if cell is not None and index >= 0 and message["msg_type"] in _LATE:
            self.process_message(message, cell, index)


def _first_line(cell: NotebookNode) -> str:
    """The first line of a cell, for a sentence: ` (total = load())`."""
    line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f" ({line[:60]}{'…' if len(line) > 60 else ''})" if line else ""  # noqa: PLR2004  a line's width
