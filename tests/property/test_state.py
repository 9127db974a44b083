from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from flownb.model.fold import fold
from flownb.model.journal import JsonCodec
from flownb.model.state import COMPLETED, RUNNING, RunState
from flownb.model.status import NodeStatus
from tests.property import routing
from tests.property.strategies import Graph, graphs
from tests.unit.model.simulator import COMPLETE, Outcome, Simulator

if TYPE_CHECKING:
    from flownb.model import events as ev


def recorded(state: RunState) -> dict[str, Any]:
    """All that a state says of its run, but what is ready: a replay takes nothing from there."""
    return {name: getattr(state, name) for name in state.FIELDS if name not in ("topology", "ready")}


def counted(state: RunState) -> dict[str, Any]:
    """What a state counts of the nodes that haven't ended, as far as it means something."""
    pending = [number for number, status in enumerate(state.node_status) if status == 0]
    return {
        "need": [state.need[number] for number in pending if number not in state.join_counts],
        # Once a join is decided, what comes later isn't counted any more, so the rest depends on the order.
        "joins": [counts if counts[2] >= 0 else counts[2:] for counts in map(state.join_counts.get, pending) if counts],
        "dead": state.dead,
        "left": state.left,
        "unhandled": state.unhandled,
    }


@given(graphs(), st.integers(0, 2**32))
def test_every_node_ends_and_none_is_started_twice(graph: Graph, seed: int) -> None:
    simulator = Simulator(graph.workflow, graph.ports, graph.script, seed)
    state = simulator.run()
    assert state.left == 0
    assert all(status.ended for status in map(NodeStatus, simulator.statuses().values()))
    assert len(simulator.starts) == len(set(simulator.starts))


@given(graphs(), st.integers(0, 2**32))
def test_those_that_start_are_those_that_the_rules_let_start(graph: Graph, seed: int) -> None:
    simulator = Simulator(graph.workflow, graph.ports, graph.script, seed)
    routing.check(simulator.run(), graph.ports)


@given(graphs(), st.integers(0, 2**32), st.integers(0, 2**32))
def test_the_order_in_which_nodes_end_changes_nothing_without_early_joins(graph: Graph, one: int, two: int) -> None:
    early = [node.id for node in graph.workflow.nodes if node.join != "all"]
    first, second = (Simulator(graph.workflow, graph.ports, graph.script, seed) for seed in (one, two))
    first.run()
    second.run()
    if not early:
        assert first.statuses() == second.statuses()
        assert first.state.dead == second.state.dead


@given(graphs(), st.integers(0, 2**32))
def test_the_fold_of_the_journal_is_the_live_state(graph: Graph, seed: int) -> None:
    simulator = Simulator(graph.workflow, graph.ports, graph.script, seed)
    simulator.run()
    codec = JsonCodec()
    journal = [codec.decode(codec.encode(event)) for event in simulator.journal]
    replayed = fold(RunState(simulator.topology), journal)
    assert recorded(replayed) == recorded(simulator.state)


@given(graphs(), st.integers(0, 2**32), st.data())
def test_counting_anew_in_the_middle_gives_what_the_fold_counted(graph: Graph, seed: int, data: st.DataObject) -> None:
    simulator = Simulator(graph.workflow, graph.ports, graph.script, seed)
    simulator.run()
    journal: list[ev.Event] = simulator.journal[: data.draw(st.integers(0, len(simulator.journal)))]
    folded = fold(RunState(simulator.topology), journal)
    anew = fold(RunState(simulator.topology), journal)
    anew.recount()
    assert counted(anew) == counted(folded)
    assert sorted(anew.take_ready()) == sorted(folded.take_ready())
    assert all(anew.decide(number) == folded.decide(number) for number in anew.ready)


@given(graphs(), st.integers(0, 2**32))
def test_a_resumption_in_which_all_goes_well_leaves_nothing_failed_and_repeats_nothing(graph: Graph, seed: int) -> None:
    simulator = Simulator(graph.workflow, graph.ports, graph.script, seed)
    state = simulator.run()
    completed = [number for number, status in enumerate(state.node_status) if status == COMPLETED]
    before = [state.output[number] for number in completed]
    back = state.reset_numbers()
    assert not set(back) & set(completed)
    for number in back:  # it is repaired
        name = simulator.topology.paths[number]
        script = graph.script[name]
        simulator.script[name] = Outcome(ports=script.ports, true_edges=script.true_edges)
    simulator.starts.clear()
    simulator.resume()
    assert state.left == 0
    assert state.unhandled == set()
    assert len(simulator.starts) == len(set(simulator.starts))
    assert not {simulator.topology.index[name] for name in simulator.starts} - set(back)
    assert [state.output[number] for number in completed] == before
    assert RUNNING not in state.node_status


@given(graphs(), st.integers(0, 2**32))
def test_a_graph_in_which_all_goes_well_and_everything_fires_completes(graph: Graph, seed: int) -> None:
    edges = tuple(each for each in graph.workflow.edges if each.source_port in (None, "main") and not each.condition)
    workflow = type(graph.workflow)(nodes=graph.workflow.nodes, edges=edges)
    simulator = Simulator(workflow, graph.ports, {}, seed)
    state = simulator.run()
    hopeless = {number for number, reason in state.reasons.items() if reason.group == "join"}
    if not hopeless:
        assert set(simulator.statuses().values()) == {"completed"}
    assert simulator.outcome(0) == COMPLETE
