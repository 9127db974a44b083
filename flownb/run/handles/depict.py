"""A run as a picture: a card for each node, a kind for each edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from flownb.graph.picture import CardState, Picture, PictureState, draw
from flownb.graph.registry import registry
from flownb.model.scopes import PARALLEL
from flownb.model.state import CANCELLED, COMPLETED, FAILED, PENDING, RUNNING, SKIPPED, STATUSES, WAITING
from flownb.model.status import NodeStatus, PauseReason
from flownb.store import values

if TYPE_CHECKING:
    from flownb.model.state import RunState
    from flownb.model.topology import Wire


def picture_of(state: RunState, *, dark: bool = False) -> Picture:
    """The picture of a run as it is now; node types that are not installed here are drawn plainly."""
    workflow = state.topology.workflow
    known = registry.categories(workflow)
    return draw(workflow, depict(state), categories=known, ports=registry.ports(workflow), dark=dark)


def depict(state: RunState) -> PictureState:
    """What a picture of the run shows now."""
    topology = state.topology
    wires = (wire for leaving in topology.leaving for wire in leaving)
    seconds = state.finished_at - state.started_at if state.started_at and state.finished_at else None
    return PictureState(
        status=state.status,
        nodes=_cards(state),
        edges={wire.id: edge_of(state, wire) for wire in wires},
        done=state.done,
        total=len(topology),
        seconds=seconds,
    )


def _cards(state: RunState) -> dict[str, CardState]:
    """A card for each node; one inside a loop stands for all of its instances."""
    topology = state.topology
    cards = {path: card_of(state, number) for number, path in enumerate(topology.paths[: state.flat])}
    instances: dict[str, list[int]] = {}
    for number in range(state.flat, len(topology)):
        instances.setdefault(topology.nodes[number].id, []).append(number)
    return cards | {
        node_id: card_of(state, numbers[0]) if is_once(state, numbers) else rounds_card(state, numbers)
        for node_id, numbers in instances.items()
    }


def is_once(state: RunState, numbers: list[int]) -> bool:
    """Whether a node inside is in a branch, which comes but once, and not in a loop."""
    if len(numbers) > 1:
        return False
    owner = state.block_of[numbers[0] - state.flat].loop
    return state.topology.nodes[owner].type == PARALLEL


#: What is shown of many instances: the first of these that any of them is in.
_LOUDEST: Final = (FAILED, WAITING, RUNNING, PENDING, COMPLETED, CANCELLED, SKIPPED)


def rounds_card(state: RunState, numbers: list[int]) -> CardState:
    """One card for all instances of a node."""
    found = {state.node_status[number] for number in numbers}
    ended = sum(STATUSES[state.node_status[number]].ended for number in numbers)
    status = next(each for each in _LOUDEST if each in found)
    return CardState(
        status=STATUSES[status],
        text=f"{ended:,} of {len(numbers):,} rounds",
        attempts=max(state.attempts[number] for number in numbers),
        progress=ended / len(numbers) if status == RUNNING else None,
    )


def card_of(state: RunState, number: int) -> CardState:
    """The card of one node as it is now."""
    status = STATUSES[state.node_status[number]]
    started, finished = state.node_started[number], state.node_finished[number]
    progress = state.progress.get(number)
    badges = []
    if source := state.sources.get(number):
        badges.append(source)
    if status is NodeStatus.COMPLETED and values.is_transient(state.output[number]):
        badges.append("transient")
    return CardState(
        status=status,
        text=_text(state, number, status),
        seconds=finished - started if started and finished else None,
        attempts=state.attempts[number],
        progress=progress.progress if progress is not None and status is NodeStatus.RUNNING else None,
        badges=tuple(badges),
    )


def _text(state: RunState, number: int, status: NodeStatus) -> str:
    text = ""
    if number in state.retries:
        text = f"Retrying: {state.retries[number].error.message}"
    elif status is NodeStatus.FAILED:
        failure = state.failures[number].error
        text = f"Failed: {failure.message or failure.type}"
    elif number in state.reasons:
        text = f"{status.capitalize()}: {state.reasons[number].message}"
    elif number in state.waits:
        waits_for = state.waits[number].waits_for
        text = "Waiting for you" if waits_for == PauseReason.HUMAN else f"Waiting for {waits_for}"
    elif status is NodeStatus.COMPLETED and state.ports.get(number):
        text = ", ".join(port.capitalize() for port in state.ports[number])
    elif status is NodeStatus.RUNNING and number in state.progress:
        text = state.progress[number].text
    return text


def edge_of(state: RunState, wire: Wire) -> Literal["open", "live", "moving", "dead"]:
    """What an edge shows now."""
    source, target = state.node_status[wire.source], state.node_status[wire.target]
    if not STATUSES[source].ended:
        return "open"
    if not state.edge_is_live(wire):
        return "dead"
    if source in (COMPLETED, FAILED) and target == RUNNING:
        return "moving"
    return "live"
