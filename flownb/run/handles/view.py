"""What is known of a run: the half of the handle that only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import FlownbError, NotFound, near_names
from flownb.model.status import RunStatus
from flownb.run.engine import engine
from flownb.run.handles.node_view import NodeView
from flownb.run.recovery.recover import read_state, require_row
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Generator

    from flownb.model.events import Failure, Record
    from flownb.model.state import RunState
    from flownb.model.status import PauseReason
    from flownb.run.executor import Execution
    from flownb.run.inputs import Values  # noqa: TC004  a struct's hints are read by coders only
    from flownb.store.contract import Lease, RunRow, Store


class Left(msgspec.Struct, frozen=True):
    """The values of a finished run that are in no store."""

    values: Values


class RunView:
    """A run as its journal tells it; the live values are there where it is at work in this process."""

    def __init__(self, store: Store, state: RunState) -> None:
        self._store = store
        self._id = state.run_id
        self._shape = state.topology.origin
        self._known: RunState | None = state
        self._execution: Execution | None = None
        #: What is in no store, of a finished run that has left memory.
        self._left: Left | None = None
        #: The fence under which it came to rest here; 0 where it did not.
        self._fence = 0

    @property
    def _state(self) -> RunState:
        """The state; read from the store where the run has left memory."""
        known = self._known
        if known is None:
            known = self._known = read_state(self._store, require_row(self._store, self._id), self._shape)
            self._expect_to_leave(known)
        return known

    @_state.setter
    def _state(self, state: RunState) -> None:
        self._known, self._shape = state, state.topology.origin

    def _expect_to_leave(self, state: RunState) -> None:
        """A finished run is in memory: not for long."""
        minutes = state.topology.workflow.settings.memory_minutes
        home = engine() if self._execution is None else self._execution.engine
        home.departures.expect(self, 60 * minutes)

    def leave(self) -> None:
        """Drop from memory what the store has: state, live values and execution; on the loop.

        What has no stored form stays as long as this handle lives, because there is no other place for it.
        """
        state, execution = self._known, self._execution
        if state is not None and execution is None and state.status is RunStatus.PAUSED and self._left is not None:
            self._left = self._left if self._left.values.only_here() else None
        if state is None or not state.status.ended or (execution is not None and not execution.gone):
            return
        if execution is not None:
            self._left = Left(execution.values) if execution.values.only_here() else None
            self._execution = None
        self._known = None

    @property
    def left_behind(self) -> Execution | Left | None:
        """What this process has of the run beside its record, and what goes on can use."""
        return self._execution or self._left

    def knows(self, lease: Lease) -> bool:
        """Whether nobody can have written to the run, which is claimed by `lease`, since it came to rest here."""
        return self._known is not None and self._fence == lease.fence - 1

    def came_to_rest(self, row: RunRow) -> None:
        """The state was read after this row of the run: where nobody has it, nothing was written in between."""
        self._fence = row.fence if row.owner is None else 0

    def park(self) -> None:
        """The run is paused and not at work any more: what is recorded of it need not be kept beside its state."""
        execution = self._execution
        if execution is None or not execution.gone or execution.lost is not None:
            return
        self._fence, self._execution = execution.lease.fence, None
        if execution.values.holds_any():
            self._left = Left(execution.values)
            self._expect_to_leave(execution.state)

    @property
    def id(self) -> str:
        """The run's id, as the command line takes it."""
        return self._id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._state.workflow

    @property
    def state(self) -> RunState:
        """Everything that is known of the run; it changes while the run works."""
        return self._state

    @property
    def execution_state(self) -> dict[str, Any]:
        """The same as plain data: `global`, `nodes` (output and meta of each), `variables`, `trigger`."""
        from flownb.run.handles.execution_state import execution_state

        return execution_state(self._state)

    @property
    def status(self) -> RunStatus:
        """Where the run is."""
        return self._state.status

    @property
    def pause_reason(self) -> PauseReason | None:
        """What a paused run waits for."""
        return self._state.pause_reason

    @property
    def held(self) -> bool:
        """Whether its end is written when the notebook that started it has ended."""
        execution = self._execution
        return execution is not None and execution.hold and not execution.over

    @property
    def error(self) -> Failure | None:
        """What is recorded of the failure that ended the run."""
        state = self._state
        if state.error is not None:
            return state.error
        failed = sorted(state.unhandled)
        return state.failures[failed[0]].error if failed else None

    @property
    def errors(self) -> dict[str, Failure]:
        """What is recorded of the failures that nothing handled, by node, oldest first."""
        state = self._state
        failed = sorted(state.unhandled, key=lambda number: state.node_finished[number])
        return {state.topology.paths[number]: state.failures[number].error for number in failed}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by node id: of the `control.output` nodes if there are any, else of the sinks.

        Skipped ones are absent.
        """
        return {path: self.value(path) for path in self._state.outputs()}

    @property
    def store(self) -> Store:
        """The store where the run is kept."""
        return self._store

    @property
    def url(self) -> str:
        """Where the run is kept."""
        return self._store.url

    def __getitem__(self, path: str) -> NodeView:
        if path not in self._state.topology.index:
            raise NotFound(
                f"{self.workflow} has no node {path!r}.{near_names(path, self._state.topology.paths)}", node=path
            )
        return NodeView(self, self._state.topology.index[path])

    def __iter__(self) -> Generator[NodeView, None, None]:
        for number in range(len(self._state.topology)):
            yield NodeView(self, number)

    def __len__(self) -> int:
        return len(self._state.topology)

    def __repr__(self) -> str:
        try:
            state = self._state
        except FlownbError as error:  # it has left memory, and its store is gone or closed
            return f"run {self.id}: {error}"
        why = f" ({state.pause_reason})" if state.pause_reason else ""
        return f"run {state.status}{why}: {state.workflow} {self.id}, {state.done} of {len(state.topology)} nodes"

    def _ipython_display_(self) -> None:
        from flownb.run.hooks import hook

        shows = hook("shows")
        if shows is None or not shows(self):
            raise NotImplementedError  # its mimebundle is what is shown

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from flownb.run.hooks import hook

        bundle = hook("bundle")
        return bundle(self, include, exclude) if bundle is not None else {"text/plain": repr(self)}

    def view(self, renderer: str = "canvas") -> Any:
        """The run as a view of its own, live in a notebook: `run.view()` as the last line of any cell shows it there.

        Args:
            renderer: what draws the graph: `canvas`, or `cytoscape` (ipycytoscape) for graphs of up to 300 nodes.

        Raises:
            InvalidInput: there is no such renderer, or the graph is too large for it.
            MissingExtra: what the renderer needs is not installed.
        """
        from flownb.run.hooks import hook

        view = hook("view")
        assert view is not None  # it ships with flownb
        return view(self, renderer)

    def at(self, seq: int) -> RunView:
        """The run as it was when its event number `seq` had happened; only to look at.

        Raises:
            InvalidInput: it has no such event.
        """
        from flownb.run.handles.history import History

        return History(self._store, self._id, self._shape).at(seq)

    def events(self, after: int = 0) -> list[Record]:
        """The journal of the run from `seq > after` on, in order."""
        return self._store.events(self.id, after)

    def value(self, path: str, port: str | None = None) -> Any:
        """The live value that a completed node returned.

        Raises:
            NotFound: no such node.
            StoreError: it can't be restored, as a transient value of a process that is gone.
        """
        view = self[path]
        execution = self._execution
        if execution is not None:
            return execution.values.output(view.number, port)
        left = self._left
        if left is not None and left.values.is_live(view.number):
            return left.values.output(view.number, port)
        ports = self._state.port_values.get(view.number, {})
        plain = ports[port] if port in ports else self._state.output[view.number]
        return values.load(plain, self._store.artifacts)

    def input(self, name: str) -> Any:
        """An input of the run.

        Raises:
            NotFound: it has no such input.
        """
        if name not in self._state.inputs:
            raise NotFound(f"Run {self.id} has no input {name!r}.{near_names(name, self._state.inputs)}")
        at_hand = self._execution or self._left
        if at_hand is not None:
            return at_hand.values.input(name)
        return values.load(self._state.inputs[name], self._store.artifacts)
