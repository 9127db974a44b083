"""The live values of a run: what nodes returned, and what the next ones are given.

Inputs are read-only by contract. What can be changed in place is given out as a copy (frames, by copy-on-write), as a
view that can't be written (arrays), or decoded afresh (small containers), so that a run and its resumption compute
the same.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.graph.nodetype import Output
from flownb.model.ports import ERROR
from flownb.model.state import CANCELLED, COMPLETED, FAILED, SKIPPED
from flownb.model.wires import CAPTURE, DATA
from flownb.run.live import LIVE, weight_of
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.bodies import Brought
    from flownb.model.state import RunState
    from flownb.model.topology import Wire
    from flownb.run.body import Body
    from flownb.store.artifacts.contract import ArtifactStore

_UNCHANGEABLE: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_MISSING: Final = object()
#: Whole numbers below this are their own stored form.
_SURE_INT: Final = 2**63
_CONTAINERS: Final = frozenset({dict, list, set, tuple})
_CARRIES: Final = frozenset({DATA, CAPTURE})
_ENDED: Final = frozenset({COMPLETED, FAILED, SKIPPED, CANCELLED})


class Unloaded(dict[str, Any]):
    """The inputs of a node of which some are on disk: `load()` gives all of them, and may take its time."""

    __slots__ = ("_body", "_source")

    def __init__(self, values: Values, arguments: dict[str, Any], body: Body | None = None) -> None:
        super().__init__(arguments)
        self._source = values
        #: Whose they are, where they are mapped, converted or looked at.
        self._body = body

    def load(self) -> dict[str, Any]:
        """The inputs themselves.

        Raises:
            StoreError: one can't be restored.
            NotFound: its artifact is gone.
            InvalidInput: one can't be converted to the type that its parameter takes, or doesn't fit its schema.
            ExpressionError: what one is made of can't be evaluated.
        """
        found, body = self.as_they_came(), self._body
        if body is None:
            return found
        if body.mapping is not None:
            found = body.mapping.apply(self._source, body.number, found)
        for name, cross in (body.crossings or {}).items():
            if name in found:
                found[name] = cross(found[name])
        return found

    def as_they_came(self) -> dict[str, Any]:
        """The same, neither mapped nor converted, and nobody looks at them.

        Raises:
            StoreError: one can't be restored.
            NotFound: its artifact is gone.
        """
        return {name: self._one(each) for name, each in self.items()}

    def _one(self, value: Any) -> Any:
        if type(value) is _Later:
            return self._source.output(value.number, value.port)
        if type(value) is _LaterInput:
            return self._source.input(value.name)
        return [self._one(each) for each in value.items] if type(value) is _LaterMany else value


def loaded(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a node; what has to be loaded is loaded now."""
    return inputs.load() if type(inputs) is Unloaded else inputs


def unchanged(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same for a node whose body does not run: nothing is made of them, so that nothing of it can fail."""
    return inputs.as_they_came() if type(inputs) is Unloaded else inputs


class _Later(msgspec.Struct, frozen=True):
    """In the place of a node's output that is on disk."""

    number: int
    port: str | None


class _LaterMany(msgspec.Struct, frozen=True):
    """In the place of the values of a port that takes several, some of which are on disk."""

    items: list[Any]


class _LaterInput(msgspec.Struct, frozen=True):
    """In the place of an input of the run that is on disk."""

    name: str


class Values:
    """Live values by node; what is not here is loaded from its plain form when it is needed."""

    def __init__(self, state: RunState, artifacts: ArtifactStore) -> None:
        self._state = state
        self._artifacts = artifacts
        self._live: dict[int, Output] = {}
        #: Nodes with large values that can be let go of, and have readers that have not ended.
        self.large: set[int] = set()
        #: Nodes whose values lie in artifacts, wholly or in part.
        self._held: set[int] = set()
        #: What this process was given for the run's inputs; where an input has no stored form, there is no other.
        self.given: Mapping[str, Any] = {}

    def keep(self, number: int, output: Output, plain: Any = _MISSING, held: int = 0) -> None:
        """Remember what a node returned, unless its stored form is the value itself.

        Of a value that can be let go of, `held` bytes are in artifacts.
        """
        if output.value is not plain or output.values:
            self._live[number] = output
        if held:
            self._held.add(number)
            self.large.add(number)
            LIVE.add(self, number, _weight(output, held))

    def drop(self, number: int) -> None:
        """Let go of a value; who wants it loads it."""
        self._live.pop(number, None)

    def holds_any(self) -> bool:
        """Whether there is anything that is not simply what is recorded."""
        inputs = self._state.inputs
        return bool(self._live) or any(values.is_transient(inputs.get(name)) for name in self.given)

    def only_here(self) -> bool:
        """Let go of everything that has a stored form; returns whether anything is left."""
        state = self._state
        LIVE.forget(self)
        self._held.clear()
        self.large.clear()
        self._live = {number: each for number, each in self._live.items() if self._is_transient(number)}
        self.given = {name: each for name, each in self.given.items() if values.is_transient(state.inputs.get(name))}
        return bool(self._live or self.given)

    def _is_transient(self, number: int) -> bool:
        ports = self._state.port_values.get(number, {})
        return any(values.is_transient(each) for each in (self._state.output[number], *ports.values()))

    def release(self) -> None:
        """Let go first of large values whose readers have all ended."""
        state = self._state
        status = state.node_status
        for number in list(self.large):
            readers = (wire.target for wire in state.topology.leaving[number] if wire.group in _CARRIES)
            if all(status[target] in _ENDED for target in readers):
                self.large.discard(number)
                LIVE.done(self, number)

    def rebase(self, state: RunState) -> None:
        """Serve another state of the same run: what nodes returned stays, for those that are still completed."""
        self._state = state
        self._live = {n: each for n, each in self._live.items() if state.node_status[n] in (COMPLETED, FAILED)}
        self._held.intersection_update(self._live)
        self.large = set(self._held)

    def encode(self, value: Any) -> Any:
        """The plain form of a value."""
        if type(value) is int and -_SURE_INT < value < _SURE_INT:  # what loops count in
            return value
        return values.store(value, self._artifacts).plain

    def decode(self, plain: Any) -> Any:
        """The value of a plain form."""
        return plain if type(plain) in _UNCHANGEABLE else values.load(plain, self._artifacts)

    def input(self, name: str) -> Any:
        """An input of the run; its recorded form, where there is one, wins over what the program says now."""
        plain = self._state.inputs[name]
        if values.is_transient(plain) and name in self.given:
            return self._hand_out(self.given[name], plain)
        return self.decode(plain)

    def output(self, number: int, port: str | None = None) -> Any:
        """What a node's port carries, safe to hand out."""
        live = self._live.get(number)
        if live is None:
            plain = self._plain(number, port)
            return plain if type(plain) in _UNCHANGEABLE else self._load(number, port, plain)
        value = live.values[port] if port is not None and port in live.values else live.value
        if type(value) in _UNCHANGEABLE:
            return value
        if number in self._held:
            LIVE.used(self, number)
            if type(value) in _CONTAINERS:  # nobody else may see what one reader does with it
                return values.load(self._plain(number, port), self._artifacts)
        return self._hand_out(value, self._plain(number, port))

    def as_returned(self, number: int) -> Output:
        """What a completed node returned, with the values of its ports, safe to hand out."""
        ports = {port: self.output(number, port) for port in self._state.port_values.get(number, {})}
        return Output(self.output(number), self._state.ports.get(number), ports)

    def _at_hand(self, number: int, port: str | None) -> Any:
        """The same, or what stands for it where that may take long."""
        live = self._live.get(number)
        if live is None:
            plain = self._plain(number, port)
            if type(plain) in (dict, list) and values.artifacts_in(plain):
                return _Later(number, port)
        elif self._held and number in self._held:
            value = live.values[port] if port is not None and port in live.values else live.value
            if type(value) in _CONTAINERS:
                return _Later(number, port)
        return self.output(number, port)

    def is_live(self, number: int) -> bool:
        """Whether this process has the value itself."""
        return number in self._live

    def _plain(self, number: int, port: str | None) -> Any:
        ports = self._state.port_values.get(number)
        if ports is not None and port in ports:
            return ports[port]
        return self._state.output[number]

    def _load(self, number: int, port: str | None, plain: Any) -> Any:
        value = self.decode(plain)
        if port is None and (digest := values.artifact_of(plain)) is not None and type(value) not in _CONTAINERS:
            # A frame is read from disk once, however many nodes want it, as long as there is room.
            self.keep(number, Output(value), held=self._artifacts.size(digest))
            return self._hand_out(value, None)
        return value

    def _hand_out(self, value: Any, plain: Any) -> Any:
        cls = type(value)
        if cls in _UNCHANGEABLE:
            return value
        if cls in _CONTAINERS and plain is not None:
            return value if values.is_transient(plain) else values.load(plain, self._artifacts)
        if cls.__module__.startswith("pandas") and "pandas" in sys.modules:
            return value.copy(deep=False) if hasattr(value, "copy") else value
        if (numpy := sys.modules.get("numpy")) is not None and cls is numpy.ndarray:
            view = value.view()
            view.flags.writeable = False
            return view
        return value

    # --- what a node gets ---------------------------------------------------------------------------------------------

    def arguments(self, body: Body) -> dict[str, Any]:
        """The inputs of a node by parameter: data edges that are live, and inputs of the run.

        Where one of them has to be loaded, they come as `Unloaded`.
        """
        state = self._state
        arguments: dict[str, Any] = {}
        later = body.crossings is not None
        if body.sources is not None and not state.dead:
            live, output = self._live, state.output
            for name, source in body.sources:
                plain = output[source]
                whole = source not in live and type(plain) in _UNCHANGEABLE
                arguments[name] = value = plain if whole else self._at_hand(source, None)
                later = later or type(value) is _Later
            return Unloaded(self, arguments) if later else arguments
        for argument in state.topology.arguments[body.number]:
            if argument.many:
                carried = [self._at_hand(w.source, w.port) for w in argument.wires if self._carries(w)]
                far = any(type(each) is _Later for each in carried)
                arguments[argument.name] = _LaterMany(carried) if far else carried
                later = later or far
            elif self._carries(wire := argument.wires[0]):
                arguments[argument.name] = value = self._at_hand(wire.source, wire.port)
                later = later or type(value) is _Later
        for name in body.from_round:
            arguments[name] = self.round(body.number)[name]
        if body.brought:
            _bring(body.brought, self.round(body.number), arguments)
        for name in body.from_inputs:
            if name in state.inputs:
                plain = state.inputs[name]
                far = (
                    type(plain) in (dict, list) and not values.is_transient(plain) and bool(values.artifacts_in(plain))
                )
                arguments[name] = _LaterInput(name) if far else self.input(name)
                later = later or far
        return Unloaded(self, arguments, body) if later else arguments

    def round(self, number: int) -> dict[str, Any]:
        """Inside a loop: the item of the round, and its number."""
        state = self._state
        if number < state.flat:
            return {}
        block = state.block_of[number - state.flat]
        return {"item": self.decode(block.item), "index": block.index}

    def around(self, number: int) -> dict[str, Any]:
        """What every expression of a node sees: the run, what started it, variables, inputs, the round of a loop."""
        state = self._state
        given = {name: self.input(name) for name in state.inputs}
        return {
            "run": {"id": state.run_id, "mode": state.mode},
            "trigger": {"type": state.trigger, "payload": state.payload},
            "variables": {**given, **{name: self.decode(plain) for name, plain in state.variables.items()}},
            **given,
            **self.round(number),
        }

    def plain_arguments(self, body: Body) -> dict[str, Any]:
        """The inputs of a node in plain form."""
        state = self._state
        plain: dict[str, Any] = {}
        for argument in state.topology.arguments[body.number]:
            carried = [self._plain(wire.source, wire.port) for wire in argument.wires if self._carries(wire)]
            if argument.many:
                plain[argument.name] = carried
            elif carried:
                plain[argument.name] = carried[0]
        if body.from_round or body.brought:
            block = state.block_of[body.number - state.flat]
            known = {"item": block.item, "index": block.index}
            plain |= {name: known[name] for name in body.from_round}
            _bring(body.brought, known, plain)
        return plain | {name: state.inputs[name] for name in body.from_inputs if name in state.inputs}

    def sources(self, body: Body) -> dict[str, list[str]]:
        """Of each port that is `many`, the ids of the nodes that its values come from."""
        topology = self._state.topology
        found = {
            argument.name: [topology.paths[wire.source] for wire in argument.wires if self._carries(wire)]
            for argument in topology.arguments[body.number]
            if argument.many
        }
        if body.brought:
            loop = topology.paths[self._state.block_of[body.number - self._state.flat].loop]
            for each in body.brought:
                if each.many:
                    found[each.parameter] = [loop, *found.get(each.parameter, ())]
        return found

    def _carries(self, wire: Wire) -> bool:
        state = self._state
        return state.node_status[wire.source] in (COMPLETED, FAILED) and wire.number not in state.dead

    # --- expressions --------------------------------------------------------------------------------------------------

    def verdicts(self, number: int, output: Output, *, failed: bool = False) -> dict[str, bool]:
        """The verdict of each conditional edge whose port fires, of a node that is about to commit `output`.

        In scope are the run's inputs and, under `output` and the node's id, what the edge carries.

        Raises:
            ExpressionError: a condition can't be evaluated.
        """
        fired = {ERROR} if failed else {None, *(output.ports or ())}
        leaving = self._state.topology.leaving[number]
        conditional = [wire for wire in leaving if wire.condition is not None and wire.port in fired]
        if not conditional:
            return {}
        from flownb.expr import compile_condition

        path = self._state.topology.paths[number]
        inputs = {name: self.input(name) for name in self._state.inputs}
        verdicts = {}
        for wire in conditional:
            assert wire.condition is not None
            carried = output.values.get(wire.port, output.value) if wire.port else output.value
            scope = inputs | {"output": carried, path: carried}
            verdicts[wire.id] = bool(compile_condition(wire.condition).evaluate(scope))
        return verdicts


def _bring(brought: tuple[Brought, ...], round_: Mapping[str, Any], arguments: dict[str, Any]) -> None:
    """What edges from a loop into its body bring, before what comes from elsewhere to the same port."""
    for each in brought:
        value = round_[each.what]
        if not each.many:
            arguments[each.parameter] = value
            continue
        others = arguments.get(each.parameter, [])
        if type(others) is _LaterMany:
            arguments[each.parameter] = _LaterMany([value, *others.items])
        else:
            arguments[each.parameter] = [value, *others]


def _weight(output: Output, held: int) -> int:
    """About how many bytes an output takes in memory, where `held` are stored of it."""
    every = (output.value, *output.values.values())
    return max(held, sum(weight_of(each, 0) for each in every))
