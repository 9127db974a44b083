"""Going back in time: another run, which begins with what a run had until one of its events and goes on from there.

What had ended by then stays as it was, and is in the journal of the new run; what was in flight starts anew, under keys
of its own. Where something is changed on the way, all that depends on it runs again. The fork is recorded in one
transaction, as a run that rests; whoever has its program, or `flownb resume`, goes on with it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError, InvalidInput, UsageError, near_names
from flownb.graph.nodetype import Output
from flownb.graph.references import references_of
from flownb.graph.registry import registry
from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.ports import MAIN
from flownb.model.state import COMPLETED, FAILED, PENDING, RUNNING, SKIPPED, RunState
from flownb.model.status import PauseReason, RunMode
from flownb.run.body import reads_variables
from flownb.run.inputs import Values
from flownb.run.recovery.recover import apply_known, pinned_shape
from flownb.run.variables import storable
from flownb.services import masking
from flownb.services.identity import user
from flownb.store import values
from flownb.store.contract import NewRun, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flownb.graph.registry import Registry
    from flownb.model.events import Record
    from flownb.model.topology import Topology
    from flownb.model.workflow import Node
    from flownb.store.contract import Owner, RunRow, Store

#: Where the value of a node came from that somebody has set in a fork.
SET: Final = "set"
#: Events of a node that are not about how it ended, or that another run can't share.
_LEFT_BEHIND: Final = (
    ev.ResultCached | ev.BreakpointSet | ev.ApprovalRequested | ev.ApprovalVoted | ev.ApprovalDecided
    | ev.ApprovalExpired | ev.ApprovalRefused | ev.ApprovalReminded
    | ev.ApprovalNotified
)  # fmt: skip
_ENDED: Final = (COMPLETED, SKIPPED, FAILED)
#: What an attempt has done for the one after it, although it has not come to its end.
_KEPT_IN_FLIGHT: Final = ev.NodeStep | ev.NodeHeartbeat | ev.IterationStarted


def fork(
    store: Store,
    row: RunRow,
    owner: Owner,
    new_id: str,
    *,
    at: int | None,
    changes: Mapping[str, Any],
    now: float,
    by: str,
    group: str | None = None,
) -> str:
    """Record a fork of a run, at rest; returns its id.

    Args:
        store: where the run is, and the fork will be.
        row: which run.
        owner: who writes it.
        new_id: the id of the fork.
        at: the number of the event that is the last they share; None for the newest.
        changes: values by the name of a variable, an input or a node, which stands for that node's output.
        now: the time.
        by: who asks.
        group: the notebook's run beneath which it is listed.

    Raises:
        InvalidInput: there is no such event, nothing of such a name, or a value doesn't fit.
        UsageError: it is no run of its own.
    """
    records = store.events(row.id)
    if group is None and row.group not in (None, row.id):
        raise UsageError(f"Run {row.id} is a part of run {row.group}, whose notebook starts it; fork that one.")
    happened = records[: _place(row, records, at)]
    topology = pinned_shape(store, row)
    before = RunState(topology, row.id)
    for record in happened:
        apply_known(before, record.event)
    made = _Fork(store, before, [record.event for record in happened], dict(changes), now=now, by=by)
    new = NewRun(
        id=new_id,
        workflow=row.workflow,
        kind=row.kind if group is None else "flow",
        mode=RunMode.MANUAL,
        trigger="fork",
        group=group,
        definition=row.definition,
        program=row.program,
        created_at=now,
    )
    events = made.events(topology, new_id, before.definition or row.definition)
    if masking.known is not None:
        events = [masking.known.struct(event) for event in events]
    # Announced, so that the run and its journal are one transaction: half a fork would be a run that begins anew.
    lease = store.announce_run(new, owner)
    try:
        store.commit([Write(new_id, lease.fence, 1, events, release=True)])
    except BaseException:
        with contextlib.suppress(FlownbError):
            store.release(lease)
            store.delete_run(new_id)
        raise
    return new_id


def _place(row: RunRow, records: Sequence[Record], at: int | None) -> int:
    """The number of the last event that is shared."""
    began = next((each.seq for each in records if isinstance(each.event, ev.RunStarted)), None)
    if began is None or not row.definition:
        raise UsageError(f"Run {row.id} has started no flow, so there is nothing to go back to.")
    if at is None:
        return len(records)
    if isinstance(at, bool) or not isinstance(at, int) or not began <= at <= len(records):
        raise InvalidInput(
            f"Run {row.id} has the events {began} to {len(records)} to go back to, and not {at!r:.40}; "
            f"`flownb events {row.id}` lists them.",
            name="at",
        )
    return at


class _Fork:
    """What becomes of one run's history."""

    def __init__(
        self, store: Store, before: RunState, happened: list[ev.Event], changes: dict[str, Any], *, now: float, by: str
    ) -> None:
        self._store = store
        self._before = before
        self._happened = happened
        self._now, self._by = now, by
        self._declared = {each.name: each for each in before.topology.workflow.variables}
        self._nodes: dict[int, Output] = {}
        self._inputs: dict[str, Any] = {}
        self._variables: dict[str, Any] = {}
        for name, value in changes.items():
            self._sort_in(name, value)
        self._stale = self._affected()
        self._kept = self._standing()

    # --- what is changed

    def _sort_in(self, name: str, value: Any) -> None:
        topology, artifacts = self._before.topology, self._store.artifacts
        number = topology.index.get(name)
        if number is not None and number < topology.flat:
            self._nodes[number] = self._output(number, name, value)
            node = topology.nodes[number]
            if node.type == "control.set_variable" and isinstance(variable := node.config.get("name"), str):
                self._variables[variable] = storable(self._declared, artifacts, variable, value)
        elif name in self._declared:
            self._inputs[name] = storable(self._declared, artifacts, name, value)
            if name in self._before.variables:
                self._variables[name] = self._inputs[name]
        elif name in self._before.variables or name in _set_by_nodes(topology):
            self._variables[name] = storable(self._declared, artifacts, name, value)
        else:
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        topology = self._before.topology
        inside = {member.id for body in topology.all_bodies() for member in body.members}
        if name in inside or name in topology.index:
            raise InvalidInput(
                f"{name} is inside a loop or a branch, which is changed as a whole: set the output of the node that "
                "it lies in.",
                name=name,
            )
        known = [*topology.paths[: topology.flat], *self._declared, *self._before.variables, *_set_by_nodes(topology)]
        raise InvalidInput(
            f"{topology.workflow.name} has no node, input or variable {name!r} to set.{near_names(name, known)}",
            name=name,
        )

    def _output(self, number: int, path: str, value: Any) -> Output:
        """What a node gives in the fork; by which ports, a whole `Output` says, or what it did in the run."""
        ports = registry.ports_of(self._before.topology.nodes[number])
        names = [port.name for port in ports.outputs if port.name != MAIN]
        output = value if isinstance(value, Output) else Output(value)
        if output.ports is None and names:
            word = str(value).lower() if isinstance(value, bool | str) else ""
            if word in names:
                output = msgspec.structs.replace(output, ports=(word,))
            elif self._before.node_status[number] == COMPLETED and number in self._before.ports:
                output = msgspec.structs.replace(output, ports=self._before.ports[number])
            else:
                raise InvalidInput(
                    f"{path} leaves by {' or '.join(names)}: say which, as Output(value, ports=({names[0]!r},)).",
                    name=path,
                )
        if unknown := [port for port in output.ports or () if port not in names]:
            raise InvalidInput(f"{path} has no port {unknown[0]!r}.{near_names(unknown[0], names)}", name=path)
        return output

    # --- what it makes of the nodes

    def _affected(self) -> set[int]:
        """The nodes that a change reaches, and those whose value is lost although one of them needs it."""
        topology = self._before.topology
        reached = {target for number in self._nodes for target in topology.succ[number]}
        if self._inputs or self._variables:
            reached |= {number for number in range(topology.flat) if self._reads(number)}
        queue = list(reached)
        while queue:
            for target in topology.succ[queue.pop()]:
                if target not in reached:
                    reached.add(target)
                    queue.append(target)
        reached -= self._nodes.keys()
        return reached | self._lost(reached)

    def _reads(self, number: int) -> bool:
        """Whether a node, or one in its body, may read one of the inputs and variables that are changed."""
        topology = self._before.topology
        if any(name in self._inputs for name in topology.from_inputs(number)):
            return True
        inside = [] if number not in topology.bodies else [topology.bodies[number]]
        for body in inside:  # grows while it is walked
            inside += [*body.inside.values(), *body.branches.values()]
        nodes = [topology.nodes[number], *(member for body in inside for member in body.members)]
        return any(_may_read(node, self._inputs, registry) for node in nodes)

    def _lost(self, reached: set[int]) -> set[int]:
        """Completed nodes whose value only the process of the run had, and that a node which will run needs."""
        before = self._before
        will_run = {n for n in range(before.topology.flat) if n in reached or before.node_status[n] == PENDING}
        lost: set[int] = set()
        queue = list(will_run)
        while queue:
            for argument in before.topology.arguments[queue.pop()]:
                for wire in argument.wires:
                    source = wire.source
                    if source in will_run or source in self._nodes or before.node_status[source] != COMPLETED:
                        continue
                    carried = before.port_values.get(source, {}).get(wire.port or "", before.output[source])
                    if values.is_transient(carried):
                        lost.add(source)
                        will_run.add(source)
                        queue.append(source)
        return lost

    def _standing(self) -> set[str]:
        """The paths of the nodes, and the instances in loops, whose end is the fork's too."""
        before = self._before
        back = {*before.reset_numbers(), *self._nodes}
        begins_anew = self._stale | self._nodes.keys()
        stand: set[int] = set()
        for number in range(len(before.topology.paths)):
            outermost, status = self._outermost(number), before.node_status[number]
            if outermost in begins_anew:
                continue
            within = number >= before.flat and outermost in stand  # of a loop that has ended, all that it came to
            if (within and status not in (PENDING, RUNNING)) or (status in _ENDED and number not in back):
                stand.add(number)
        return {before.topology.paths[number] for number in stand}

    def _outermost(self, number: int) -> int:
        before = self._before
        while number >= before.flat:
            number = before.block_of[number - before.flat].loop
        return number

    # --- its journal

    def events(self, topology: Topology, run_id: str, definition: str) -> list[ev.Event]:
        """The first events of the fork, up to its pause."""
        now, source = self._now, self._before
        events: list[ev.Event] = [ev.RunForked(at=now, source=source.run_id, seq=source.seq)]
        began = ev.RunStarted(
            at=now,
            workflow=source.workflow,
            definition=definition,
            inputs={**source.inputs, **self._inputs},
            mode=RunMode.MANUAL,
            trigger="fork",
            by=user() if source.started_by else "",
            payload=source.payload,
        )
        events += [began, *self._carried()]
        events += [
            ev.VariableSet(at=now, name=name, value=plain, by=self._by) for name, plain in self._variables.items()
        ]
        state = RunState(topology.origin, run_id)
        for event in events:
            apply(state, event)
        live = Values(state, self._store.artifacts)
        for number, output in self._nodes.items():
            events.append(self._given(live, number, output))
        events += [
            ev.SystemInfo(at=now, node=source.topology.paths[number], message=self._remark(number))
            for number in sorted(self._stale)
            if source.node_status[number] in _ENDED
        ]
        message = f"forked from run {source.run_id} at its event {source.seq}; `flownb resume {run_id}` goes on"
        events.append(ev.RunPaused(at=now, reason=PauseReason.MANUAL, message=message))
        return events

    def _remark(self, number: int) -> str:
        """Why a node that had ended runs again."""
        topology = self._before.topology
        sources = [wire.source for wire in topology.entering[number]]
        changed = [topology.paths[each] for each in sources if each in self._nodes]
        if not changed and (self._inputs or self._variables) and self._reads(number):
            changed = [*self._inputs, *(name for name in self._variables if name not in self._inputs)]
        if changed:
            return (
                f"it ran again because {' and '.join(changed)} {'was' if len(changed) == 1 else 'were'} set in the fork"
            )
        again = [topology.paths[each] for each in sources if each in self._stale]
        if again:
            return f"it ran again because {again[0]}, before it, did"
        return "it ran again because its value was known only in the process that had made it"

    def _carried(self) -> Iterator[ev.Event]:
        """The events of the run that stand in the fork."""
        reset: dict[str, int] = {}
        for place, event in enumerate(self._happened):
            if isinstance(event, ev.RunResumed):
                reset |= dict.fromkeys(event.reset, place)
        for place, event in enumerate(self._happened):
            if isinstance(event, ev.VariableSet):
                if event.node is None or event.node in self._kept:
                    yield msgspec.structs.replace(event, scope="run")  # the workflow's own value is no part of the run
            elif isinstance(event, ev.SignalReceived):
                # Who waits again gets it again.
                yield msgspec.structs.replace(event, nodes=tuple(each for each in event.nodes if each in self._kept))
            elif isinstance(event, ev.NodeEvent) and self._stands(event, since=reset.get(event.node, 0), place=place):
                yield event

    def _stands(self, event: ev.NodeEvent, *, since: int, place: int) -> bool:
        """Whether an event of a node is part of the fork's history."""
        path, index = event.node, self._before.topology.index
        if isinstance(event, _LEFT_BEHIND) or path not in index:
            return False
        if path in self._kept:
            return place >= since or isinstance(event, _KEPT_IN_FLIGHT)
        begins_anew = self._outermost(index[path]) in self._stale | self._nodes.keys()
        return isinstance(event, _KEPT_IN_FLIGHT) and not begins_anew

    def _given(self, live: Values, number: int, output: Output) -> ev.NodeCompleted:
        """How a node ends whose output somebody has set."""
        path = self._before.topology.paths[number]
        stored = {port: values.store(each, self._store.artifacts) for port, each in output.values.items()}
        whole = values.store(output.value, self._store.artifacts)
        if whole.transient or any(each.transient for each in stored.values()):
            kind = type(output.value).__name__
            raise InvalidInput(
                f"The output of {path} can't be a {kind}: it is journaled, and that has no stored form.", name=path
            )
        return ev.NodeCompleted(
            at=self._now,
            node=path,
            output=whole.plain,
            ports=output.ports,
            values={port: each.plain for port, each in stored.items()},
            verdicts=live.verdicts(number, output),
            source=SET,
        )


def _set_by_nodes(topology: Topology) -> Iterable[str]:
    """The variables that nodes of the definition set by name."""
    found: dict[str, None] = {}
    for node in topology.workflow.nodes:
        if node.type == "control.set_variable":
            several, name = node.config.get("values"), node.config.get("name")
            found |= dict.fromkeys(several if isinstance(several, dict) else [name] if isinstance(name, str) else [])
    return found


def _may_read(node: Node, inputs: Mapping[str, Any], known: Registry) -> bool:
    """Whether a node may read variables, or one of these inputs, by an expression or by its parameters."""
    try:
        cls = known.get(node.type)
    except FlownbError:
        return True  # a type that is not installed here may read whatever it likes
    if reads_variables(node, cls):
        return True
    params = node.config.get("params", {}) if "function" in node.config else {}
    return any(name in params for name in inputs) or bool(references_of(node, cls).names & inputs.keys())
