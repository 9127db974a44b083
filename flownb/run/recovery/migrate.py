"""Whether a run can go over to another definition, and what it takes along: pure.

What is committed stays as it is, so everything that it is told by must still be there: the node, its type, the ports it
took, the verdicts of its edges. What was not decided is decided anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.registry import registry
from flownb.model.ports import misfit
from flownb.model.state import CANCELLED, COMPLETED, PENDING, RUNNING, SKIPPED, STATUSES, WAITING
from flownb.model.status import OnCrash
from flownb.model.wires import GROUP_NAMES
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.state import RunState
    from flownb.model.topology import Topology
    from flownb.run.definition import Definition

#: Reasons for a skip that another definition may change.
_BY_EDGES: Final = frozenset({*GROUP_NAMES, "join", "condition"})


def obstacles(state: RunState, definition: Definition) -> list[str]:
    """Why a run can't go over to a definition, a sentence each; empty where it can.

    Args:
        state: the run, by the definition that it has.
        definition: the one that it is to have.
    """
    new = definition.topology
    found = [each for number in range(_declared(state.topology)) for each in _about_node(state, number, new)]
    return found + list(_about_inputs(state, definition))


def _declared(topology: Topology) -> int:
    """How many nodes a definition has; those behind are instances in loops."""
    return len(topology.workflow.nodes)


def _about_node(state: RunState, number: int, new: Topology) -> Iterator[str]:
    old, path, status = state.topology, state.topology.paths[number], state.node_status[number]
    node = old.nodes[number]
    begun = status == COMPLETED or (status in (RUNNING, WAITING) and not _just_runs_again(state, number))
    if not begun:
        return
    what = "was completed" if status == COMPLETED else f"is {STATUSES[status]}, and may have had effects"
    there = new.index.get(path)
    if there is None:
        added = [each.id for each in new.workflow.nodes if each.id not in old.index and each.type == node.type]
        hint = f" If it is {' or '.join(added[:3])} now, give that its old id back." if added else ""
        yield f"{path} {what}, and is gone.{hint}"
        return
    after = new.nodes[there]
    if after.type != node.type:
        yield f"{path} {what} as {node.type}, and is {after.type} now."
        return
    if _body(old, path) != _body(new, path):
        yield f"{path} {what}, and has other nodes inside now."
    if status == COMPLETED:
        yield from _about_edges(state, number, new, there)


def _just_runs_again(state: RunState, number: int) -> bool:
    """Whether a node in flight is simply started once more, whatever it is now."""
    node = state.topology.nodes[number]
    if state.node_status[number] == WAITING:
        return False
    known = registry.get(node.type) if node.type in registry else None
    return (node.on_crash or (known.on_crash if known is not None else OnCrash.ASK)) is OnCrash.RERUN


def _body(topology: Topology, path: str) -> list[tuple[str, str]]:
    """The nodes inside a loop, with their types."""
    return sorted((node.id, node.type) for node in topology.workflow.nodes if node.parent == path)


def _about_edges(state: RunState, number: int, new: Topology, there: int) -> Iterator[str]:
    """A condition was evaluated when the node was committed, and never is again."""
    path = state.topology.paths[number]
    before = {wire.id: wire.condition for wire in state.topology.leaving[number]}
    for wire in new.leaving[there]:
        if wire.condition is not None and before.get(wire.id) != wire.condition:
            yield (
                f"The edge from {path} to {new.paths[wire.target]} has the condition {wire.condition!r} now, and "
                f"{path} was completed before it could be evaluated."
            )


def _about_inputs(state: RunState, definition: Definition) -> Iterator[str]:
    for variable in definition.workflow.variables:
        if variable.name not in state.inputs:
            if variable.required:
                yield f"The input {variable.name!r} ({variable.type}) is new and has no default, so the run has none."
            continue
        plain = state.inputs[variable.name]
        wrong = misfit(plain, variable.type) if values.artifact_of(plain) is None else ""
        if wrong:
            yield f"The input {variable.name!r} is {plain!r:.60} in this run, and must be {wrong} now."


def inputs_after(state: RunState, definition: Definition) -> dict[str, Any] | None:
    """The inputs of the run by the new definition: recorded ones win, new ones get defaults; None for no change."""
    added = {
        variable.name: variable.default
        for variable in definition.workflow.variables
        if variable.name not in state.inputs and not variable.required and variable.default is not None
    }
    return {**state.inputs, **added} if added else None


def undecided(state: RunState) -> set[int]:
    """Nodes that only the old definition decided: skipped because of other nodes, or cancelled with the run."""
    status = state.node_status
    back = {number for number in range(len(state.topology)) if status[number] == CANCELLED}
    for number, reason in state.reasons.items():
        if status[number] == SKIPPED and reason.group in _BY_EDGES:
            back.add(number)
    return {number for number in back if status[number] != PENDING}
