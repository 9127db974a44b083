from __future__ import annotations

import pytest

from flownb.graph.layout.wiring import DEEPEST, Wiring, kind_of
from flownb.model.ports import ConnectionType
from flownb.model.workflow import Edge, Node, Workflow
from tests.unit.graph.sketch import flow, invoices


def nodes(*pairs: tuple[str, str | None]) -> Workflow:
    return Workflow(nodes=tuple(Node(id=each, type="python", parent=parent) for each, parent in pairs))


def test_an_edge_with_an_unknown_end_is_left_out() -> None:
    workflow = flow("a -> b")
    stray = (Edge(source="a", target="nowhere"), Edge(source="nowhere", target="a"))
    wiring = Wiring(Workflow(nodes=workflow.nodes, edges=workflow.edges + stray))
    assert [link.key for link in wiring.links] == ["a.main->b.a"]


def test_two_equal_edges_are_one() -> None:
    workflow = flow("a -> b")
    wiring = Wiring(Workflow(nodes=workflow.nodes, edges=workflow.edges * 2))
    assert len(wiring.links) == 1


def test_a_second_node_of_the_same_id_gets_a_key_of_its_own() -> None:
    assert [vertex.key for vertex in Wiring(nodes(("a", None), ("a", None), ("a", None))).vertices] == [
        "a",
        "a#2",
        "a#3",
    ]


def test_a_node_with_members_is_a_box() -> None:
    wiring = Wiring(nodes(("each", None), ("clean", "each"), ("inner", "each"), ("page", "inner")))
    assert [vertex.is_box for vertex in wiring.vertices] == [True, False, True, False]
    assert [vertex.depth for vertex in wiring.vertices] == [0, 1, 1, 2]
    assert wiring.boxes() == [2, 0]


@pytest.mark.parametrize("parents", [("a", "b", "c"), ("b", "a", "c"), ("b", "c", "a")])
def test_parents_that_go_round_in_a_circle_are_cut(parents: tuple[str, str, str]) -> None:
    wiring = Wiring(nodes(*zip("abc", parents, strict=True)))
    assert wiring.roots
    seen = set()
    work = list(wiring.roots)
    while work:
        number = work.pop()
        seen.add(number)
        work += wiring.vertices[number].children
    assert seen == {0, 1, 2}


def test_an_unknown_parent_does_not_count() -> None:
    assert Wiring(nodes(("a", "nowhere"))).roots == [0]


def test_boxes_nest_only_so_deep() -> None:
    ids = [f"n{number}" for number in range(50)]
    wiring = Wiring(nodes(*zip(ids, [None, *ids], strict=False)))
    assert max(vertex.depth for vertex in wiring.vertices) == DEEPEST


def test_a_loop_hands_its_items_to_its_first_nodes_and_takes_its_results_from_the_last() -> None:
    implied = [link for link in Wiring(invoices()).links if link.implied]
    assert [link.key for link in implied] == ["each=>clean", "enrich=>each"]


def test_a_loop_that_says_so_itself_gets_no_other_wires() -> None:
    workflow = flow("load -> each.over\neach.item -> clean.item", inside={"clean": "each"})
    assert not [link for link in Wiring(workflow).links if link.implied]


def test_a_link_knows_the_boxes_that_it_leaves_and_enters() -> None:
    workflow = flow("a -> b", nodes="one two a b", inside={"a": "one", "b": "two"})
    (link,) = Wiring(workflow).links
    assert link.lower == -1
    assert (link.start, link.end) == (0, 1)
    assert (link.exits, link.entries) == ([(0, 2)], [(1, 3)])


@pytest.mark.parametrize(
    ("edge", "kind"),
    [
        (Edge(source="a", target="b", target_port="x"), "data"),
        (Edge(source="a", target="b", target_port="after"), "order"),
        (Edge(source="a", target="b", source_port="true", target_port="after"), "gate"),
        (Edge(source="a", target="b", target_port="after", condition="x > 1"), "gate"),
        (Edge(source="a", target="b", source_port="error", target_port="x"), "error"),
        (Edge(source="a", target="b", type=ConnectionType.AI_TOOL, target_port="tool"), "part"),
    ],
)
def test_an_edge_is_of_the_kind_that_it_carries(edge: Edge, kind: str) -> None:
    assert kind_of(edge) == kind
