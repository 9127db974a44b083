from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from flownb.graph.cycles import Cycle, find_cycles, topological_order


def everywhere(succ: list[list[int]]) -> list[Cycle]:
    return find_cycles(succ, range(len(succ)))


def test_a_graph_without_cycles_has_none() -> None:
    assert everywhere([[1, 2], [3], [3], []]) == []


def test_a_cycle_is_given_in_the_order_in_which_its_nodes_wait() -> None:
    assert everywhere([[2], [0], [3], [1]]) == [Cycle((0, 2, 3, 1), (0, 1, 2, 3))]


def test_two_cycles_are_two_and_what_lies_between_is_none() -> None:
    succ = [[1], [0, 2], [3], [4], [3]]
    assert [cycle.path for cycle in everywhere(succ)] == [(0, 1), (3, 4)]


def test_the_shortest_way_round_is_shown_and_all_members_are_known() -> None:
    succ = [[1, 2], [0], [3], [0]]
    assert everywhere(succ) == [Cycle((0, 1), (0, 1, 2, 3))]


def test_a_node_that_is_wired_to_itself_is_no_cycle() -> None:
    assert everywhere([[0]]) == []


def test_a_ring_of_a_hundred_thousand_needs_no_recursion() -> None:
    count = 100_000
    succ = [[(number + 1) % count] for number in range(count)]
    (cycle,) = everywhere(succ)
    assert len(cycle.path) == count


def graphs() -> st.SearchStrategy[list[list[int]]]:
    return st.integers(1, 12).flatmap(
        lambda count: st.lists(
            st.lists(st.integers(0, count - 1), max_size=4, unique=True), min_size=count, max_size=count
        )
    )


@given(graphs())
def test_groups_are_those_that_a_library_finds_and_ways_round_are_walks(succ: list[list[int]]) -> None:
    graph = nx.DiGraph([(source, target) for source, targets in enumerate(succ) for target in targets])
    wanted = sorted(sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1)
    found = everywhere(succ)
    assert [list(cycle.members) for cycle in found] == wanted
    for cycle in found:
        assert set(cycle.path) <= set(cycle.members)
        for one, other in zip(cycle.path, [*cycle.path[1:], cycle.path[0]], strict=True):
            assert other in succ[one]


@given(graphs())
def test_an_order_has_each_node_after_what_it_waits_for_and_leaves_out_cycles(succ: list[list[int]]) -> None:
    order = topological_order(succ)
    place = {number: at for at, number in enumerate(order)}
    assert len(place) == len(order)
    for source, targets in enumerate(succ):
        for target in targets:
            if target in place:
                assert place[source] < place[target]
