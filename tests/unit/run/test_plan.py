"""What a run does next is decided over its state alone, and costs what it decides."""

from __future__ import annotations

from typing import Any

from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Edge, Node, Workflow
from flownb.run.plan import plan


def fan(count: int) -> RunState:
    leaves = [f"leaf{number}" for number in range(count)]
    nodes = tuple(Node(id=name, type="python") for name in ("root", *leaves))
    edges = tuple(Edge(source="root", target=name, target_port="root") for name in leaves)
    state = RunState(Topology(Workflow(id="fan", name="fan", nodes=nodes, edges=edges), {}))
    state.ready.clear()
    apply(state, ev.NodeCompleted(at=1.0, node="root"))
    return state


def test_those_that_became_ready_first_start_first_and_the_rest_waits() -> None:
    state = fan(10)
    step = plan(state, 3)
    assert (step.starts, step.skips, step.rest) == ([1, 2, 3], [], [4, 5, 6, 7, 8, 9, 10])
    assert state.ready == list(range(1, 11))
    assert plan(state, 20).starts == list(range(1, 11))


def test_without_room_nothing_starts() -> None:
    state = fan(10)
    assert plan(state, 0).starts == []
    assert plan(state, -1).rest == list(range(1, 11))


def test_who_does_not_fit_is_not_looked_at() -> None:
    looked: list[int] = []

    class Watched(bytearray):
        def __getitem__(self, number: Any) -> Any:
            looked.append(number)
            return super().__getitem__(number)

    state = fan(1_000)
    state.node_status = Watched(state.node_status)
    plan(state, 5)
    assert len(looked) == 6


def test_where_an_edge_is_dead_the_skipped_are_found_as_far_as_there_is_room() -> None:
    state = fan(10)
    state.dead.update(range(0, 10, 2))  # the edges to the leaves 0, 2, 4 …
    step = plan(state, 2)
    assert step.starts == [2, 4]
    assert [number for number, _ in step.skips] == [1, 3, 5]
    assert step.rest == [6, 7, 8, 9, 10]
    assert [number for number, _ in plan(state, 0).skips] == [1, 3, 5, 7, 9]
