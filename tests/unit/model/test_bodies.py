from __future__ import annotations

import pytest

from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.ports import InputPort, NodePorts
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Edge, Node, Workflow

T = 1_767_225_600.0


def python(node_id: str, parent: str | None = None, **fields: object) -> Node:
    return Node(id=node_id, type="python", parent=parent, **fields)  # type: ignore[arg-type]


def loop(node_id: str, parent: str | None = None) -> Node:
    return Node(id=node_id, type="control.loop", parent=parent)


def state_of(
    nodes: list[Node], edges: list[tuple[str, str, str]], ports: dict[str, NodePorts] | None = None
) -> RunState:
    """A run of a graph; an edge is source (`a` or `a.port`), target and target port."""
    made = []
    for source, target, port in edges:
        node, _, source_port = source.partition(".")
        made.append(Edge(source=node, source_port=source_port or None, target=target, target_port=port))
    return RunState(Topology(Workflow(nodes=tuple(nodes), edges=tuple(made)), ports or {}), "r")


def start(state: RunState, node: str) -> None:
    apply(state, ev.NodeStarted(at=T, node=node))


def end(state: RunState, node: str, *ports: str) -> None:
    apply(state, ev.NodeStarted(at=T, node=node))
    apply(state, ev.NodeCompleted(at=T, node=node, ports=ports or None))


def fail(state: RunState, node: str) -> None:
    apply(state, ev.NodeStarted(at=T, node=node))
    error = ev.Failure(type="ValueError", message="no")
    apply(state, ev.NodeFailedEvent(at=T, node=node, error=error, handled=True))


def iterate(state: RunState, node: str, index: int) -> None:
    apply(state, ev.IterationStarted(at=T, node=node, index=index, item=index * 10))


def ready(state: RunState) -> list[str]:
    return [state.topology.paths[number] for number in state.take_ready()]


def test_nodes_of_a_body_are_no_nodes_of_the_run() -> None:
    state = state_of([python("a"), loop("each"), python("x", "each"), python("z")], [("each", "z", "each")])
    assert state.topology.paths == ["a", "each", "z"]
    assert ready(state) == ["a", "each"]
    assert state.left == 3


def test_an_iteration_gets_an_instance_of_each_node_of_the_body() -> None:
    state = state_of([loop("each"), python("x", "each"), python("y", "each")], [("x", "y", "x")])
    start(state, "each")
    ready(state)
    iterate(state, "each", 0)
    iterate(state, "each", 1)
    assert state.topology.paths == ["each", "each[0].x", "each[0].y", "each[1].x", "each[1].y"]
    assert ready(state) == ["each[0].x", "each[1].x"]
    end(state, "each[1].x")
    assert ready(state) == ["each[1].y"]
    end(state, "each[1].y")
    assert [block.index for block in state.finished_blocks] == [1]
    assert state.left == 3
    assert state.blocks[0][1].item == 10


def test_the_graph_that_runs_share_does_not_grow() -> None:
    state = state_of([loop("each"), python("x", "each")], [])
    shared = state.topology
    iterate(state, "each", 0)
    assert len(shared) == 1
    assert shared.index == {"each": 0}
    assert state.topology.origin is shared
    assert RunState(state.topology, "other").topology is shared


def test_a_loop_waits_for_what_its_body_needs_from_outside() -> None:
    ports = {"x": NodePorts((InputPort("a"),))}
    state = state_of([python("a"), loop("each"), python("x", "each")], [("a", "x", "a")], ports)
    assert ready(state) == ["a"]
    end(state, "a")
    assert ready(state) == ["each"]
    start(state, "each")
    iterate(state, "each", 0)
    assert ready(state) == ["each[0].x"]
    (argument,) = state.topology.arguments[2]
    assert (argument.name, argument.wires[0].source) == ("a", 0)


@pytest.mark.parametrize(("required", "skipped"), [(True, True), (False, False)])
def test_an_edge_that_died_outside_is_dead_inside(required: bool, skipped: bool) -> None:
    ports = {"x": NodePorts((InputPort("a", required=required),))}
    state = state_of([python("a"), loop("each"), python("x", "each")], [("a", "x", "a")], ports)
    apply(state, ev.NodeSkipped(at=T, node="a", reason=ev.Reason(group="command", message="left out")))
    assert ready(state) == ["each"]
    assert state.decide(1) is None, "the loop itself goes on"
    start(state, "each")
    iterate(state, "each", 0)
    reason = state.decide(state.topology.index["each[0].x"])
    assert (reason is not None) is skipped
    if reason is not None:
        assert reason.message == "no value for a: a was skipped"


def test_a_gate_from_outside_counts_inside() -> None:
    state = state_of(
        [python("ok"), loop("each"), python("x", "each"), python("y", "each")],
        [("ok.yes", "x", "after"), ("ok.no", "y", "after")],
    )
    end(state, "ok", "yes")
    start(state, "each")
    iterate(state, "each", 0)
    assert state.decide(state.topology.index["each[0].x"]) is None
    reason = state.decide(state.topology.index["each[0].y"])
    assert reason is not None
    assert reason.message == "ok took yes, not no"


def test_loops_lie_in_loops_and_see_what_lies_around_each_of_them() -> None:
    ports = {"deep": NodePorts((InputPort("a"), InputPort("x")))}
    state = state_of(
        [python("a"), loop("outer"), python("x", "outer"), loop("inner", "outer"), python("deep", "inner")],
        [("a", "deep", "a"), ("x", "deep", "x")],
        ports,
    )
    end(state, "a")
    start(state, "outer")
    for index in (0, 1):
        iterate(state, "outer", index)
    assert ready(state)[-2:] == ["outer[0].x", "outer[1].x"]
    end(state, "outer[1].x")
    assert ready(state) == ["outer[1].inner"]
    start(state, "outer[1].inner")
    iterate(state, "outer[1].inner", 0)
    deep = state.topology.index["outer[1].inner[0].deep"]
    found = {
        argument.name: state.topology.paths[argument.wires[0].source] for argument in state.topology.arguments[deep]
    }
    assert found == {"a": "a", "x": "outer[1].x"}
    assert state.inside(1) == [*range(2, 6), deep]
    end(state, "outer[1].inner[0].deep")
    end(state, "outer[1].inner")
    assert [block.index for block in state.finished_blocks] == [0, 1]


def test_an_early_join_inside_counts_what_is_live_outside() -> None:
    nodes = [python("a"), loop("each"), python("x", "each"), python("y", "each", join="any")]
    edges = [("a", "y", "after"), ("x", "y", "after")]
    state = state_of(nodes, edges)
    end(state, "a")
    start(state, "each")
    ready(state)
    iterate(state, "each", 0)
    assert sorted(ready(state)) == ["each[0].x", "each[0].y"]
    skipped = state_of(nodes, edges)
    apply(skipped, ev.NodeSkipped(at=T, node="a", reason=ev.Reason(group="command", message="left out")))
    start(skipped, "each")
    ready(skipped)
    iterate(skipped, "each", 0)
    assert ready(skipped) == ["each[0].x"]
    end(skipped, "each[0].x")
    assert ready(skipped) == ["each[0].y"]


def test_a_reset_counts_iterations_again() -> None:
    state = state_of([loop("each"), python("x", "each"), python("y", "each")], [("x", "y", "x")])
    start(state, "each")
    iterate(state, "each", 0)
    end(state, "each[0].x")
    fail(state, "each[0].y")
    error = ev.Failure(type="LoopFailed", message="1 of 1")
    apply(state, ev.NodeFailedEvent(at=T, node="each", error=error))
    paths = [state.topology.paths[number] for number in state.reset_numbers()]
    assert paths == ["each", "each[0].y"]
    apply(state, ev.RunResumed(at=T, reset=tuple(paths)))
    assert ready(state) == ["each", "each[0].y"]
    assert state.left == 2
    assert state.blocks[0][0].left == 1
    assert not state.finished_blocks


def test_what_a_loop_has_dealt_with_is_not_reset() -> None:
    state = state_of([loop("each"), python("x", "each"), python("b")], [])
    start(state, "each")
    iterate(state, "each", 0)
    fail(state, "each[0].x")
    apply(state, ev.NodeCompleted(at=T, node="each"))
    fail(state, "b")
    assert [state.topology.paths[number] for number in state.reset_numbers()] == ["b"]


def test_edges_out_of_a_body_and_parents_in_a_circle_are_left_out() -> None:
    state = state_of(
        [loop("each", "inner"), loop("inner", "each"), python("x", "each"), python("z")], [("x", "z", "x")]
    )
    assert "z" in state.topology.paths
    assert state.topology.need == [0] * len(state.topology)


def test_an_iteration_of_an_empty_body_is_over_at_once() -> None:
    state = state_of([loop("each")], [])
    start(state, "each")
    iterate(state, "each", 0)
    assert [block.index for block in state.finished_blocks] == [0]
