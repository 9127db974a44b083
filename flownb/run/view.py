"""What is known of a run: the half of the handle that only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import NotFound, near_names
from flownb.run.node_view import NodeView
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Generator

    from flownb.model.events import Failure, Record
    from flownb.model.state import RunState
    from flownb.model.status import PauseReason, RunStatus
    from flownb.run.executor import Execution
    from flownb.store.contract import Store


class RunView:
    """A run as its journal tells it; the live values are there where it is at work in this process."""

    def __init__(self, store: Store, state: RunState) -> None:
        self._store = store
        self._state = state
        self._execution: Execution | None = None

    @property
    def id(self) -> str:
        """The run's id, as the command line takes it."""
        return self._state.run_id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._state.workflow

    @property
    def state(self) -> RunState:
        """Everything that is known of the run; it changes while the run works."""
        return self._state

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
        return self._execution is not None and self._execution.hold and not self._execution.over

    @property
    def error(self) -> Failure | None:
        """What is recorded of the failure that ended the run."""
        if self._state.error is not None:
            return self._state.error
        failed = sorted(self._state.unhandled)
        return self._state.failures[failed[0]].error if failed else None

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
        why = f" ({self._state.pause_reason})" if self._state.pause_reason else ""
        return (
            f"run {self._state.status}{why}: {self.workflow} {self.id}, "
            f"{self._state.done} of {len(self._state.topology)} nodes"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from flownb.run.hooks import hook

        bundle = hook("bundle")
        return bundle(self, include, exclude) if bundle is not None else {"text/plain": repr(self)}

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
        if self._execution is not None:
            return self._execution.values.input(name)
        return values.load(self._state.inputs[name], self._store.artifacts)
