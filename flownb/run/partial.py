"""What a run does not run: what it isn't asked for, what an earlier run has done already, what is pinned.

`until` runs a node and what it needs. `from_` runs a node and what follows from it; of the rest, what is not *stale*
(`model/fingerprint.py`) is taken from the newest earlier run. `only` runs some nodes, on earlier outputs whatever has
become of them. All of it is recorded when the run begins: such nodes are completed or skipped from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput, near_names
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.fingerprint import digest_of, node_key
from flownb.model.state import COMPLETED, SKIPPED, STATUSES, RunState
from flownb.model.status import RunMode
from flownb.run.recovery.recover import read_state
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from flownb.model.bodies import LoopBody
    from flownb.model.topology import Topology
    from flownb.run.request import Request

#: How many earlier runs are looked through for outputs that can be used again.
_MOST_LOOKED_AT = 20
#: Where a value came from that says nothing about what the node would give.
_NOT_ITS_OWN = frozenset({"pinned", "disabled", "fallback"})


def check_part(request: Request) -> None:
    """Before anything is recorded: a start that is refused must leave no run and use up no key.

    Raises:
        InvalidInput: there is no node of that name, or two ways to choose a part are used at once.
    """
    asked = {"until": _listed(request.until), "from_": _listed(request.from_), "only": request.only}
    given = [name for name, nodes in asked.items() if nodes]
    if len(given) > 1:
        raise InvalidInput(f"A run takes one of until, from_ and only, and got {' and '.join(given)}.", name=given[1])
    index = request.definition.topology.index
    for name, nodes in {**asked, "pins": tuple(request.pins)}.items():
        for node in nodes:
            if node not in index:
                what = f"to run {name.strip('_')}" if name != "pins" else "to pin"
                raise InvalidInput(
                    f"{request.definition.workflow.name} has no node {node!r} {what}.{near_names(node, index)}",
                    name=name,
                )
    if request.only:
        list(_only(request, RunState(request.definition.topology), {}, 0.0))


def shortcuts(request: Request, state: RunState, inputs: Mapping[str, Any], now: float) -> list[ev.Event]:
    """The events with which nodes are completed or skipped when the run begins; `inputs` are in plain form."""
    events: list[ev.Event] = [*_breakpoints(request, now), *_pinned(request, now)]
    if request.until is not None:
        topology = state.topology
        needed = _closure([topology.index[request.until]], lambda n: [wire.source for wire in topology.entering[n]])
        events += _left_out(topology, needed, f"not needed: the run is until {request.until}", now)
    elif request.from_ is not None:
        events += _from(request, state, inputs, now)
    elif request.only:
        events += _only(request, state, inputs, now)
    return events


def uses_pins(request: Request) -> bool:
    """Whether there are pinned outputs that count."""
    return bool(request.pins) and _is_watched(request)


def _is_watched(request: Request) -> bool:
    """Whether somebody is in front of the run: pins and breakpoints count only then."""
    return not request.headless and request.mode != RunMode.PRODUCTION


def _breakpoints(request: Request, now: float) -> Iterator[ev.Event]:
    if request.breakpoints and not _is_watched(request):
        names = ", ".join(request.breakpoints)
        yield ev.SystemInfo(
            at=now, message=f"Breakpoints do not count in a headless run: nothing stops before {names}."
        )
        return
    for path in request.breakpoints:
        yield ev.BreakpointSet(at=now, node=path)


# --- pinned -----------------------------------------------------------------------------------------------------------


def _pinned(request: Request, now: float) -> Iterator[ev.Event]:
    if not request.pins:
        return
    if not uses_pins(request):
        names = ", ".join(request.pins)
        yield ev.SystemInfo(at=now, message=f"Pinned outputs do not count in a headless run: {names} run as usual.")
        return
    for path, value in request.pins.items():
        output = value if isinstance(value, Output) else Output(value)
        plain = {port: values.store(each, request.store.artifacts).plain for port, each in output.values.items()}
        stored = values.store(output.value, request.store.artifacts).plain
        yield ev.NodeCompleted(at=now, node=path, output=stored, ports=output.ports, values=plain, source="pinned")


# --- a part -----------------------------------------------------------------------------------------------------------


def _listed(node: str | None) -> tuple[str, ...]:
    return () if node is None else (node,)


def _closure(first: Iterable[int], around: Callable[[int], list[int]]) -> set[int]:
    found: set[int] = set()
    queue = list(first)
    while queue:
        number = queue.pop()
        if number not in found:
            found.add(number)
            queue += around(number)
    return found


def _left_out(topology: Topology, kept: Collection[int], message: str, now: float) -> Iterator[ev.Event]:
    reason = ev.Reason(group="command", message=message)
    for number, path in enumerate(topology.paths):
        if number not in kept:
            yield ev.NodeSkipped(at=now, node=path, reason=reason)


def _from(request: Request, state: RunState, inputs: Mapping[str, Any], now: float) -> Iterator[ev.Event]:
    topology = state.topology
    assert request.from_ is not None
    to_run = _closure([topology.index[request.from_]], lambda number: topology.succ[number])
    earlier = _earlier(request, [path for number, path in enumerate(topology.paths) if number not in to_run])
    if earlier is None:
        return
    same = current(state.topology, inputs, earlier)
    for number, path in enumerate(topology.paths):
        event = _again(earlier, path, now) if number in same - to_run else None
        if event is not None:
            yield event
            yield ev.SystemInfo(at=now, node=path, message=f"that run is {earlier.run_id}")
        elif number not in to_run:
            message = f"it ran again because {_change(topology, inputs, earlier, number, same)}"
            yield ev.SystemInfo(at=now, node=path, message=message)


def _only(request: Request, state: RunState, inputs: Mapping[str, Any], now: float) -> Iterator[ev.Event]:
    topology = state.topology
    asked = {topology.index[path] for path in request.only}
    sources = {wire.source for number in asked for wire in topology.entering[number]} - asked
    earlier = _earlier(request, [topology.paths[number] for number in sources])
    same = current(state.topology, inputs, earlier) if earlier is not None else set()
    for number in sorted(sources):
        path = topology.paths[number]
        event = _again(earlier, path, now) if earlier is not None else None
        if event is None:
            raise InvalidInput(
                f"{' and '.join(request.only)} can't run alone: no earlier run has an output of {path}. "
                f"Use until=, which runs what is needed.",
                name="only",
            )
        if number not in same:
            message = f"{path} has changed since its earlier output, which is used all the same."
            yield ev.SystemWarning(at=now, message=message, node=path)
        yield event
    yield from _left_out(topology, asked | sources, f"not asked for: the run is only {', '.join(request.only)}", now)


def _earlier(request: Request, wanted: Collection[str]) -> RunState | None:
    """The newest earlier run of the workflow that has left none of the wanted nodes out."""
    name = request.definition.workflow.name
    rows = [*request.store.rows(workflow=name, limit=_MOST_LOOKED_AT)]
    if request.session is not None:  # those of the same notebook are listed beneath it
        rows += request.store.rows(workflow=name, group=request.session.run_id, limit=_MOST_LOOKED_AT)
        rows.sort(key=lambda row: row.created_at, reverse=True)
    for row in rows:
        if row.definition:
            state = read_state(request.store, row)
            if COMPLETED in state.node_status and not any(_was_left_out(state, path) for path in wanted):
                return state
    return None


def _was_left_out(state: RunState, path: str) -> bool:
    number = state.topology.index.get(path)
    reason = state.reasons.get(number) if number is not None else None
    return reason is not None and reason.group in ("command", "run")


def _again(earlier: RunState, path: str, now: float) -> ev.Event | None:
    """How a node ended in an earlier run, as an event of this one; None where that can't be used."""
    number = earlier.topology.index.get(path)
    if number is None:
        return None
    if earlier.node_status[number] == SKIPPED:
        return ev.NodeSkipped(at=now, node=path, reason=earlier.reasons[number])
    if earlier.node_status[number] != COMPLETED or values.is_transient(earlier.output[number]):
        return None
    return ev.NodeCompleted(
        at=now,
        node=path,
        output=earlier.output[number],
        ports=earlier.ports.get(number),
        values=earlier.port_values.get(number, {}),
        verdicts=earlier.verdicts.get(number, {}),
        source="reused",
    )


# --- what is stale ----------------------------------------------------------------------------------------------------


def current(topology: Topology, inputs: Mapping[str, Any], earlier: RunState) -> set[int]:
    """The nodes of a run whose end in an earlier one still stands: nothing that it depends on has changed.

    Args:
        topology: of the run that begins.
        inputs: the run's inputs, in plain form.
        earlier: another run of the workflow, maybe of another definition.
    """
    same: set[int] = set()
    need = list(topology.need)
    order = [number for number, count in enumerate(need) if not count]
    for number in order:  # grows while it is walked
        if _stands(topology, inputs, earlier, number, same):
            same.add(number)
        for target in topology.succ[number]:
            need[target] -= 1
            if not need[target]:
                order.append(target)
    return same


def _stands(topology: Topology, inputs: Mapping[str, Any], earlier: RunState, number: int, same: set[int]) -> bool:
    before = earlier.topology.index.get(topology.paths[number])
    if before is None or before >= earlier.flat or not _ended_well(earlier, before):
        return False
    wires = topology.entering[number]
    if not all(wire.source in same for wire in wires):
        return False
    names = topology.from_inputs(number)
    return (
        _what_it_is(topology, number) == _what_it_is(earlier.topology, before)
        and {(wire.id, wire.condition) for wire in wires}
        == {(wire.id, wire.condition) for wire in earlier.topology.entering[before]}
        and all(inputs.get(name) == earlier.inputs.get(name) for name in names)
    )


def _change(topology: Topology, inputs: Mapping[str, Any], earlier: RunState, number: int, same: set[int]) -> str:
    """What makes a node stale, in words."""
    run, path = earlier.run_id, topology.paths[number]
    before = earlier.topology.index.get(path)
    if before is None or before >= earlier.flat:
        return f"run {run} did not have it"
    if not _ended_well(earlier, before):
        what = earlier.sources.get(before) or str(STATUSES[earlier.node_status[before]])
        return f"in run {run} it was {what}" + ("" if what != "completed" else ", and its value is gone")
    if _what_it_is(topology, number) != _what_it_is(earlier.topology, before):
        return f"its code or config has changed since run {run}"
    wires = topology.entering[number]
    if again := [topology.paths[wire.source] for wire in wires if wire.source not in same]:
        return f"{again[0]}, before it, did"
    other = [name for name in topology.from_inputs(number) if inputs.get(name) != earlier.inputs.get(name)]
    return f"its input {other[0]} is another than in run {run}" if other else f"its edges have changed since run {run}"


def _ended_well(earlier: RunState, number: int) -> bool:
    status = earlier.node_status[number]
    if status == SKIPPED:
        return earlier.reasons[number].group not in ("command", "run")
    own = earlier.sources.get(number) not in _NOT_ITS_OWN
    return status == COMPLETED and own and not values.is_transient(earlier.output[number])


def _what_it_is(topology: Topology, number: int) -> str:
    key = node_key(topology.nodes[number])
    body = topology.bodies.get(number)
    return key if body is None else digest_of([key, _inside(body)])


def _inside(body: LoopBody) -> list[Any]:
    return [
        [node_key(node) for node in body.members],
        sorted(wire.id for wire in body.wires),
        sorted(each.wire.id for each in body.captured),
        [_inside(body.inside[place]) for place in sorted(body.inside)],
        sorted(body.brought),
        [[name, _inside(branch)] for name, branch in body.branches.items()],
    ]
