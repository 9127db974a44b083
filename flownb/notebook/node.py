"""A notebook as a node: parameters in, results out, a run of its own beneath the flow's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from flownb.errors import InvalidInput, NodeTimeout, RunPaused, near_names
from flownb.graph.nodetype import Child, NodeType
from flownb.model.ports import MAIN, DataType, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem, Severity
from flownb.model.status import Category, OnCrash, PauseReason, RunStatus
from flownb.notebook.beneath import value_of
from flownb.notebook.headless import CellProgress, Headless
from flownb.notebook.parameters import Parameter, read
from flownb.notebook.resume import resume
from flownb.notebook.runner import execute
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.place import open_store

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node
    from flownb.notebook.outcome import Outcome
    from flownb.store.contract import Store

#: Pauses of the child that come to an end without anybody asking for it.
_COMES: Final = (PauseReason.TIMER, PauseReason.HUMAN, PauseReason.EVENT)
#: Seconds that a child may take to pause when its node is stopped; then its kernel is ended.
_GRACE: Final = 5.0
_FIELDS: Final = ("path", "parameters", "kernel", "output", "timeout")


class NotebookConfig(BaseModel):
    """The config of a notebook node."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, description="The notebook; a relative path starts in the folder of the flow.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Values by name, read by the types that the notebook declares."
    )
    kernel: str | None = Field(default=None, description="A kernel's name, if not the notebook's own.")
    output: str | None = Field(default=None, description="Where the executed notebook goes; nowhere by default.")
    timeout: float | None = Field(default=None, gt=0, description="Seconds it may take at most.")


class NotebookNode(NodeType):
    """Runs another notebook headless; its output is a table of what that returned by `flownb.result`.

    Inputs have the names of the notebook's parameters. The notebook is a run of its own, started with the attempt's
    idempotency key, so that it starts once however often the node does: what was committed in it is never run again.
    """

    type: ClassVar[str] = "notebook.run"
    title: ClassVar[str] = "Notebook"
    category: ClassVar[Category] = Category.ACTION
    on_crash: ClassVar[OnCrash] = OnCrash.RERUN
    passes_references: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = NotebookConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (), (OutputPort(MAIN, DataType.OBJECT, help="the notebook's results by name"),), open=True
    )

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """An input for each parameter of the notebook, as far as it can be read now; others stay possible."""
        declared = _declared(node.config.get("path"))
        inputs = tuple(
            InputPort(each.name, required=False, unwired=True, help=each.help)
            for each in declared or ()
            if each.name not in _FIELDS
        )
        return NodePorts(inputs, cls.ports.outputs, open=True)

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, and a word about a notebook that isn't there yet."""
        problems = super().check(node)
        path = node.config.get("path")
        if isinstance(path, str) and "{{" not in path and not problems and not Path(path).is_file():
            there = [each.name for each in Path(path).parent.glob("*.ipynb")]
            problems.append(
                Problem(
                    f"There is no notebook {path} in {Path.cwd()}.{near_names(Path(path).name, there)}",
                    severity=Severity.WARNING,
                    node=node.id,
                    place="config.path",
                    code="missing_notebook",
                )
            )
        return problems

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Run the notebook, or go on with its run.

        Raises:
            RunFailed: it failed; the message names the notebook, the cell and the run.
            InvalidInput: an input is no parameter of it, or ill-typed.
        """
        work = _Child(self.config, ctx, inputs)
        task = asyncio.ensure_future(asyncio.to_thread(work.run))
        try:
            async with asyncio.timeout(self.config.timeout):
                outcome = await asyncio.shield(task)
        except TimeoutError:
            await work.stop(task)
            raise NodeTimeout(
                f"{work.name} took longer than its timeout of {self.config.timeout:g} s.",
                node=ctx.path,
                timeout=self.config.timeout,
            ) from None
        except asyncio.CancelledError:
            await work.stop(task)
            raise
        return work.value_of(outcome)


class _Child:
    """One execution of the child; `run` is for a thread."""

    def __init__(self, config: NotebookConfig, ctx: Context, inputs: dict[str, Any]) -> None:
        self.name = Path(config.path).name
        self._config = config
        self._ctx = ctx
        self._store: Store = open_store(getattr(ctx, "store_url", None))
        self._given = {**config.parameters, **self._from_inputs(inputs)}
        self._headless: Headless | None = None
        self._stopped = False

    def _from_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs that are parameters; those that only an expression of the config needs stay here."""
        known = {each.name: each for each in _declared(self._config.path) or ()}
        written = set(re.findall(r"\w+", json.dumps(dict(self._ctx.raw), default=str)))
        for name in inputs:
            if name not in known and name not in written and name not in _FIELDS:
                raise InvalidInput(f"{self.name} has no parameter {name!r}.{near_names(name, known)}", name=name)
        return {name: value for name, value in inputs.items() if name in known and name not in _FIELDS}

    def run(self) -> Outcome:
        """Start the child, or go on with it where an attempt before this one has started it."""
        key = self._ctx.idempotency_key
        row = self._store.find_key(key)
        if row is not None:
            return resume(self._store, row.id, on_event=self._heard)
        return execute(
            self._config.path,
            self._given,
            output=self._config.output,
            store=self._store,
            key=key,
            kernel=self._config.kernel,
            trigger="flow",
            parent=self._ctx.run_id,
            parent_node=self._ctx.path,
            on_event=self._heard,
            watched=self._watch,
        )

    def _watch(self, headless: Headless) -> None:
        self._headless = headless
        row = self._store.find_key(self._ctx.idempotency_key)
        if row is not None:
            self._ctx.began(row.id, row.workflow)
        if self._stopped:
            headless.interrupt()

    def _heard(self, event: Any) -> None:
        if isinstance(event, CellProgress) and not self._stopped:
            self._ctx.status(f"cell {event.index + 1}/{event.count}")
            self._ctx.progress(event.index / event.count)

    async def stop(self, task: asyncio.Future[Outcome]) -> None:
        """Pause the child, and end its kernel if that takes too long."""
        self._stopped = True
        for _ in range(2):
            if self._headless is not None:
                self._headless.interrupt()
            await asyncio.wait([task], timeout=_GRACE)
            if task.done():
                break
        with contextlib.suppress(Exception):  # it was stopped: how it ended is not asked any more
            task.result()

    def value_of(self, outcome: Outcome) -> Any:
        """The results; or the end of the node where the child did not complete."""
        if outcome.status == RunStatus.PAUSED and outcome.pause_reason not in _COMES:
            raise RunPaused(f"{self.name}: {outcome.message}", run=outcome.run_id, reason=outcome.pause_reason)
        until = None
        if outcome.status == RunStatus.PAUSED:
            state = read_state(self._store, require_row(self._store, outcome.run_id))
            until = min((each.until for each in state.waits.values() if each.until is not None), default=None)
        error = outcome.error
        return value_of(
            self.name,
            Child(
                run=outcome.run_id,
                workflow=self.name,
                status=str(outcome.status),
                outputs=dict(outcome.results),
                error=f"{error.type}: {error.message}" if error else "",
                pause_reason=str(outcome.pause_reason) if outcome.pause_reason else None,
                until=until,
            ),
        )


def _declared(path: Any) -> list[Parameter] | None:
    """The parameters of a notebook file; None where it can't be read now."""
    if not isinstance(path, str) or "{{" in path:
        return None
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        return read(document, path)
    except (OSError, ValueError, AttributeError, TypeError, InvalidInput):
        return None
