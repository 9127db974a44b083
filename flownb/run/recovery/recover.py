"""Reading a run back from its journal, and what must be done about it before it can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import Conflict, NotFound, StoreCorrupt, near_names
from flownb.model import events as ev
from flownb.model.document import from_json
from flownb.model.fold import apply
from flownb.model.state import COMPLETED, PENDING, RUNNING, WAITING, RunState
from flownb.model.status import FailurePolicy, NodeStatus, OnCrash, OnError, PauseReason, RunStatus
from flownb.model.topology import Topology
from flownb.model.workflow import Workflow
from flownb.run.definition import shape_of
from flownb.run.recovery.migrate import inputs_after, undecided
from flownb.run.waiting.decisions import ask_about_doubt
from flownb.run.waiting.halts import passed
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.model.events import Record
    from flownb.run.definition import Definition
    from flownb.store.contract import RunRow, Store

#: What a node waits for that a person lets begin again.
_ASKS: Final = (PauseReason.IN_DOUBT, PauseReason.ERROR, PauseReason.HUMAN)


def require_row(store: Store, run_id: str) -> RunRow:
    """The run's row.

    Raises:
        NotFound: no such run; the message lists near ids.
    """
    row = store.row(run_id)
    if row is None:
        known = [each.id for each in store.rows(limit=200)]
        rest = near_names(run_id, known) if known else " It has no runs yet."
        raise NotFound(f"There is no run {run_id!r} in {store.url}.{rest}")
    return row


def read_state(store: Store, row: RunRow, topology: Topology | None = None) -> RunState:
    """The state of a run, folded from its events.

    Args:
        store: where it is.
        row: which run.
        topology: the compiled definition, where the caller has it; else the pinned one is read. Events of nodes that it
            does not have (after a migration) are passed over.

    Raises:
        StoreCorrupt: the pinned definition is missing.
    """
    if topology is None:
        topology = pinned_shape(store, row)
    return state_of(topology, row.id, row.workflow, store.events(row.id))


def state_of(topology: Topology, run_id: str, workflow: str, records: Iterable[Record]) -> RunState:
    """The state of a run, folded from its events; see `read_state`."""
    state = RunState(topology, run_id)
    state.workflow = workflow
    for record in records:
        apply_known(state, record.event)
    return state


def apply_known(state: RunState, event: ev.Event) -> None:
    """Fold an event; one of a node that the definition does not have, after a migration, only counts."""
    if isinstance(event, ev.NodeEvent) and event.node not in state.topology.index:
        state.seq += 1
    else:
        apply(state, event)


def pinned_shape(store: Store, row: RunRow) -> Topology:
    """The compiled graph of the definition that a run is pinned to; an empty one for a notebook without a flow."""
    if not row.definition:
        return Topology(Workflow(name=row.workflow), {})
    document = store.definition(row.definition)
    if document is None:
        raise StoreCorrupt(
            f"The definition {row.definition} of run {row.id} is missing in {store.url}.", place=store.url
        )
    return shape_of(from_json(document))


def resumption(
    state: RunState,
    definition: Definition,
    now: float,
    *,
    retry: bool,
    cause: str = "",
    skip: Iterable[str] = (),
    again: Iterable[str] = (),
    live: Callable[[int], bool] | None = None,
) -> list[ev.Event]:
    """The events with which a run goes on after its process died, it was paused, or it failed.

    Committed nodes stay. Nodes that were in flight follow `on_crash`; a node between two attempts simply starts again.
    A *transient* result, which only the dead process had, is computed again if a node that will run needs it.

    Args:
        state: the run as its journal tells it.
        definition: the program that goes on.
        now: the time of the events.
        retry: whether failed nodes, and those that ended because of them, are set back.
        skip: nodes that somebody ended as skipped while the run rested.
        again: nodes in doubt, or that ask, of which somebody said that they are to run again; the others ask on.
        live: whether this process has a node's value itself, so that a transient one is not lost.
        cause: for the record; by default `recovered` where something was in flight.
    """
    refuse_undone(state)
    paths = state.topology.paths
    about_to_end = state.ending is not None or state.stopping is not None
    ends = about_to_end and state.status is not RunStatus.FAILED  # it goes on with its end
    wanted = {state.topology.index[path] for path in again if path in state.topology.index}
    back: set[int] = set(state.reset_numbers(_chosen(state, definition, wanted))) if retry and not ends else set()
    if retry:
        back |= {number for number, wait in state.waits.items() if wait.waits_for == PauseReason.ERROR}
    skipped = [state.topology.index[path] for path in skip if path in state.topology.index]
    skipped = [number for number in skipped if state.node_status[number] != COMPLETED]
    flight = _flight(state, definition)
    begins, asks, fails = (
        [number for number, fate in flight.items() if fate is policy and number not in skipped]
        for policy in (OnCrash.RERUN, OnCrash.ASK, OnCrash.FAIL)
    )
    back.update(begins)
    back |= {number for number, wait in state.waits.items() if wait.waits_for in _ASKS} & wanted
    lost, gone = lost_values(state, definition, back, live or (lambda _: False))
    back |= lost | gone
    why = cause or ("recovered" if flight else "command")
    moved = definition.hash if state.definition not in ("", definition.hash) else ""
    inputs = None
    if moved:
        back |= undecided(state)
        inputs = inputs_after(state, definition)
    reset = tuple(paths[number] for number in sorted(back))
    again_on = ev.RunResumed(at=now, reset=reset, cause=why, definition=moved, inputs=inputs, passed=passed(state))
    events: list[ev.Event] = [again_on]
    for number in asks:
        events += ask_about_doubt(state, paths[number], now)
    for number in sorted(gone):
        events += ask_about_doubt(state, paths[number], now, values.lost_sentence(paths[number], state.output[number]))
    events += [_crashed(paths[number], now) for number in fails]
    events += [_skipped(paths[number], now) for number in skipped]
    return events


def _flight(state: RunState, definition: Definition) -> dict[int, OnCrash]:
    """The nodes that were in flight, and what becomes of each; one between two attempts simply starts again."""
    found = {}
    for number in range(len(state.topology.paths)):
        if state.node_status[number] == RUNNING:
            policy = definition.body(state.topology, number).on_crash
            found[number] = OnCrash.RERUN if number in state.retries else policy
    return found


def _chosen(state: RunState, definition: Definition, wanted: set[int]) -> set[int] | None:
    """Of a failed run, the failed nodes that run again where somebody named some; None for all of them."""
    named = {number for number in wanted if number in state.failures}
    if state.status is not RunStatus.FAILED or not named:
        return None
    for number in list(named):  # what failed in a loop needs the loop, and the loop what failed in it
        named.update(state.inside(number))
        around = number
        while around >= state.flat:
            around = state.block_of[around - state.flat].loop
            named.add(around)
    if definition.workflow.settings.failures == FailurePolicy.FAIL_FAST:  # else the run would end at once
        nodes = state.topology.nodes
        named |= {number for number in state.unhandled if nodes[number].on_error is not OnError.CONTINUE}
    return named


def refuse_undone(state: RunState) -> None:
    """What a run has undone can't be built upon.

    Raises:
        Conflict: it failed, and its compensations ran.
    """
    begun = state.ending.undo if state.ending is not None and state.status is RunStatus.FAILED else ()
    undone = [path for path in begun if state.status_of(path) not in (NodeStatus.SKIPPED, NodeStatus.CANCELLED)]
    if undone:
        raise Conflict(
            f"Run {state.run_id} failed and was undone: {', '.join(undone)} ran. It can't go on from there; start it "
            "anew.",
            run=state.run_id,
        )


def _skipped(path: str, now: float) -> ev.NodeSkipped:
    return ev.NodeSkipped(at=now, node=path, reason=ev.Reason(group="command", message="skipped by a command"))


def _crashed(path: str, now: float) -> ev.NodeFailedEvent:
    error = ev.Failure(
        type="ProcessDied",
        message=f"The process died while {path} ran, and its on_crash is fail.",
        error_class="dependency",
    )
    return ev.NodeFailedEvent(at=now, node=path, error=error)


def lost_values(
    state: RunState, definition: Definition, back: set[int], live: Callable[[int], bool]
) -> tuple[set[int], set[int]]:
    """Completed nodes whose transient result is gone and needed by a node that will run; their own needs as well.

    First those that simply run again, then those about which somebody is asked first. What must never run again
    (`on_crash="fail"`) is in neither: who reads it fails with a sentence that says what is missing.
    """
    will_run = {n for n, status in enumerate(state.node_status) if status in (PENDING, WAITING)} | back
    lost: set[int] = set()
    gone: set[int] = set()
    queue = list(will_run)
    while queue:
        number = queue.pop()
        for argument in state.topology.arguments[number]:
            for wire in argument.wires:
                source = wire.source
                if source in will_run or state.node_status[source] != COMPLETED:
                    continue
                carried = state.port_values.get(source, {}).get(wire.port or "", state.output[source])
                if live(source) or not values.is_transient(carried):
                    continue
                policy = definition.body(state.topology, source).on_crash
                if policy is OnCrash.FAIL:
                    continue
                (lost if policy is OnCrash.RERUN else gone).add(source)
                will_run.add(source)
                queue.append(source)
    return lost, gone
