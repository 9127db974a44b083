"""`run["load"]`: what people read of one node of a run."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput, NotFound
from flownb.model.events import NodeOutput
from flownb.model.state import COMPLETED, FAILED, STATUSES
from flownb.run.handles.describe import input_digests
from flownb.run.handles.why import why
from flownb.run.hooks import hook
from flownb.run.output.held import settled
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.events import Failure
    from flownb.model.status import NodeStatus
    from flownb.run.handles.view import RunView


class NodeView:
    """A node as it is now; look again and it may have changed."""

    def __init__(self, run: RunView, number: int) -> None:
        self._run = run
        self.number = number

    @property
    def id(self) -> str:
        """The node's path."""
        return self._run.state.topology.paths[self.number]

    @property
    def status(self) -> NodeStatus:
        """Where the node is."""
        return STATUSES[self._run.state.node_status[self.number]]

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return self._run.state.attempts[self.number]

    @property
    def output(self) -> Any:
        """What it returned.

        Raises:
            NotFound: it has no output; the message says why.
            StoreError: it can't be restored here.
        """
        if self._run.state.node_status[self.number] != COMPLETED:
            raise NotFound(f"{self.id} has no output: it is {self.status}. {self.why}".strip(), node=self.id)
        return self._run.value(self.id)

    @property
    def plain(self) -> Any:
        """The stored form of its output: JSON data, with references to what is large."""
        return self._run.state.output[self.number]

    @property
    def transient(self) -> bool:
        """Whether its output has no stored form and lives only in the process that made it."""
        return values.is_transient(self.plain)

    @property
    def preview(self) -> dict[str, Any]:
        """What views show of its output, as data; `store/forms/preview.py` tells the shape. Nothing is loaded."""
        return values.preview_of(self.plain)

    @property
    def digest(self) -> str | None:
        """The digest of its output; None before there is one, and for what lives in memory only."""
        done = self._run.state.node_status[self.number] == COMPLETED
        return values.digest_of(self.plain) if done else None

    @property
    def input_digests(self) -> dict[str, str | list[str | None] | None]:
        """The digests of what it was given, by parameter; nothing is loaded for it."""
        return input_digests(self._run.state, self.number)

    @property
    def memory(self) -> int | None:
        """The most bytes that it used, where it ran in a process of its own; else nobody can tell its part."""
        return self._run.state.memory.get(self.number)

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports that fired beside `main`."""
        return self._run.state.ports.get(self.number, ())

    @property
    def child(self) -> str | None:
        """The id of the run that it has begun beneath this one; None if it has begun none."""
        return self._run.state.children.get(self.number)

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was or would be given, by parameter: from nodes, and from the run's inputs; dead edges are absent."""
        state = self._run.state
        given: dict[str, Any] = {}
        for argument in state.topology.arguments[self.number]:
            live = [
                wire
                for wire in argument.wires
                if state.node_status[wire.source] in (COMPLETED, FAILED) and state.edge_is_live(wire)
            ]
            found = [self._run.value(state.topology.paths[wire.source], wire.port) for wire in live]
            if argument.many:
                given[argument.name] = found
            elif found:
                given[argument.name] = found[0]
        of_round = state.topology.from_round(self.number)
        brought = state.topology.brought.get(self.number, ())
        if of_round or brought:
            block = state.block_of[self.number - state.flat]
            known = {"item": values.load(block.item, self._run.store.artifacts), "index": block.index}
            given.update({name: known[name] for name in of_round})
            for each in brought:
                value = known[each.what]
                given[each.parameter] = [value, *given.get(each.parameter, ())] if each.many else value
        for name in state.topology.from_inputs(self.number):
            if name in state.inputs and name not in given:
                given[name] = self._run.input(name)
        return given

    @property
    def log(self) -> str:
        """What it printed, logged and warned, so far; of a line that was overwritten, as by a progress bar, its end."""
        return settled("".join(each.text for each in self._written()))

    @property
    def displays(self) -> list[dict[str, Any]]:
        """What it displayed, in order: values by media type, as `image/png` (base64 as in notebooks, or bytes)."""
        artifacts = self._run.store.artifacts
        shown = [each.data for each in self._written() if each.data is not None]
        return [{name: values.load(plain, artifacts) for name, plain in data.items()} for data in shown]

    def _written(self) -> Iterator[NodeOutput]:
        for record in self._run.events():
            if isinstance(record.event, NodeOutput) and record.event.node == self.id:
                yield record.event

    @property
    def error(self) -> Failure | None:
        """What is recorded of its failure, or of the last failed attempt while it is tried again."""
        failed = self._run.state.failures.get(self.number)
        if failed is not None:
            return failed.error
        retrying = self._run.state.retries.get(self.number)
        return retrying.error if retrying is not None else None

    @property
    def seconds(self) -> float | None:
        """How long it took, in seconds; None before its end."""
        state = self._run.state
        start, end = state.node_started[self.number], state.node_finished[self.number]
        return end - start if start and end else None

    @property
    def why(self) -> str:
        """Why it is as it is, in a sentence."""
        return why(self._run.state, self.number)

    def take(self, name: str | None = None) -> Any:
        """Its output, for your namespace: `run["clean"].take()` makes the variable `clean` in the notebook.

        The value comes back as well; outside of a notebook that is all.

        Args:
            name: of the variable; by default the node's id.

        Raises:
            InvalidInput: this is no name for a variable.
            NotFound: it has no output; the message says why.
            StoreError: it can't be restored here.
        """
        named = self._run.state.topology.nodes[self.number].id if name is None else name
        if not isinstance(named, str) or not named.isidentifier() or keyword.iskeyword(named):
            raise InvalidInput(
                f"{named!r:.60} is no name for a variable; give one, as run[{self.id!r}].take('value').", name="name"
            )
        value = self.output
        assign = hook("assign")
        if assign is not None:
            assign(named, value)
        return value

    def __repr__(self) -> str:
        return f"{self.id}: {self.status} ({self.why})"
