from __future__ import annotations

import itertools

import pytest

from flownb.graph.layout.arrange import layout
from flownb.graph.layout.plan import CARD, COMPACT
from flownb.model.ports import DataType, InputPort, NodePorts, OutputPort
from flownb.model.workflow import Edge, Node, Workflow
from tests.unit.graph.sketch import card, flow, invoices, overlaps, run_through, stretches


def chain(length: int) -> Workflow:
    return flow("\n".join(f"n{number} -> n{number + 1}" for number in range(length - 1)), nodes="n0")


def test_a_workflow_without_nodes_takes_no_room() -> None:
    plan = layout(Workflow())
    assert (plan.width, plan.height, plan.spots, plan.routes) == (0, 0, (), ())


def test_a_single_node_stands_in_the_corner() -> None:
    (spot,) = layout(chain(1)).cards
    assert (spot.x, spot.y, spot.width, spot.height) == (0, 0, *CARD)


def test_a_chain_is_one_straight_line() -> None:
    plan = layout(chain(4))
    assert len({spot.y for spot in plan.cards}) == 1
    assert all(len(route.points) == 2 for route in plan.routes)


@pytest.mark.parametrize(("length", "size"), [(4, CARD), (5, COMPACT)])
def test_cards_shrink_before_the_picture_gets_too_wide(length: int, size: tuple[float, float]) -> None:
    assert {(spot.width, spot.height) for spot in layout(chain(length)).cards} == {size}


def test_the_main_line_of_a_branched_flow_is_straight() -> None:
    plan = layout(invoices())
    middles = {card(plan, key).y + card(plan, key).height / 2 for key in ("load", "total", "big", "ok", "post")}
    assert len(middles) == 1


def test_the_port_of_the_main_line_sits_in_the_middle_of_its_card() -> None:
    plan = layout(invoices())
    post = card(plan, "post")
    (after,) = (port for port in post.ports if port.name == "after")
    assert after.y == post.y + post.height / 2


def test_ports_stand_at_the_edge_a_step_apart() -> None:
    post = card(layout(invoices()), "post")
    ys = sorted(port.y for port in post.ports)
    assert [lower - upper for upper, lower in itertools.pairwise(ys)] == [14, 14]
    assert {port.x for port in post.ports} == {post.x}


def test_a_card_grows_with_its_ports() -> None:
    plan = layout(flow("\n".join(f"s{number} -> join" for number in range(9))))
    join = card(plan, "join")
    assert join.height >= 8 * 14
    assert all(join.y < port.y < join.y + join.height for port in join.ports)


def test_edges_from_one_port_share_their_first_stretch() -> None:
    plan = layout(flow("a -> b\na -> c\na -> d"))
    turns = {route.points[1] for route in plan.routes if len(route.points) > 2}
    assert len({x for x, _ in turns}) == 1


def test_a_long_edge_takes_one_lane_between_the_rows() -> None:
    plan = layout(flow("a -> b\nb -> c\nc -> d\na -> d"))
    (long,) = (route for route in plan.routes if route.edge == "a.main->d.a")
    assert len({y for _, y in long.points}) == 3
    assert not run_through(plan)


def test_every_edge_goes_to_the_right_at_right_angles() -> None:
    plan = layout(invoices())
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in stretches(plan))
    assert all(a[0] <= b[0] for a, b in stretches(plan))


def test_an_edge_that_closes_a_cycle_is_marked_and_runs_around_the_cards() -> None:
    plan = layout(flow("a -> b\nb -> c\nc -> a.again\nc -> c.self"))
    assert {route.edge for route in plan.routes if route.cycle} == {"c.main->a.again", "c.main->c.self"}
    assert not run_through(plan)


def test_a_box_encloses_its_members_and_nothing_else() -> None:
    plan = layout(invoices())
    (box,) = plan.boxes
    inside = {
        spot.key
        for spot in plan.cards
        if box.x < spot.x + spot.width
        and spot.x < box.x + box.width
        and box.y < spot.y + spot.height
        and spot.y < box.y + box.height
    }
    assert inside == {"clean", "enrich"}


def test_boxes_nest() -> None:
    workflow = flow(
        "a -> b\nb -> c\nout -> c", nodes="outer inner", inside={"inner": "outer", "a": "outer", "b": "inner"}
    )
    outer, inner = layout(workflow).boxes
    assert (outer.key, inner.key) == ("outer", "inner")
    assert outer.x < inner.x
    assert inner.x + inner.width < outer.x + outer.width
    assert (outer.depth, inner.depth) == (1, 2)


def test_nodes_that_nothing_joins_stand_in_a_grid() -> None:
    plan = layout(Workflow(nodes=tuple(Node(id=f"n{number}", type="python") for number in range(60))))
    assert len({spot.x for spot in plan.cards}) > 3
    assert len({spot.y for spot in plan.cards}) > 3
    assert not overlaps(plan)


def test_parts_that_nothing_joins_do_not_overlap() -> None:
    plan = layout(flow("a -> b\nc -> d\ne -> f\nf -> g"))
    assert not overlaps(plan)


def test_declared_ports_give_shapes_types_and_unused_choices() -> None:
    ports = {
        "load": NodePorts(outputs=(OutputPort(type=DataType.DATAFRAME),)),
        "big": NodePorts(inputs=(InputPort("load"),), outputs=(OutputPort(), OutputPort("true"), OutputPort("false"))),
    }
    plan = layout(flow("load -> big\nbig.true -> post.after"), ports=ports)
    looks = {(port.side, port.name): (port.shape, port.type, port.label) for port in card(plan, "big").ports}
    assert looks == {
        ("in", "load"): ("square", "dataframe", ""),
        ("out", "true"): ("hollow", "boolean", "true"),
        ("out", "false"): ("hollow", "boolean", "false"),
    }


def test_positions_that_every_node_has_are_kept() -> None:
    workflow = flow("a -> b\na -> c")
    places = {"a": (100.0, 40.0), "b": (500.0, 0.0), "c": (500.0, 90.0)}
    plan = layout(Workflow(nodes=workflow.nodes, edges=workflow.edges, positions=places))
    assert {spot.key: (spot.x + 100, spot.y) for spot in plan.cards} == places


def test_positions_that_a_node_lacks_count_for_none() -> None:
    workflow = flow("a -> b")
    plan = layout(Workflow(nodes=workflow.nodes, edges=workflow.edges, positions={"a": (900.0, 0.0)}))
    assert card(plan, "a").x < card(plan, "b").x


@pytest.mark.parametrize("count", [1000, 5000])
def test_thousands_of_nodes_are_laid_out(count: int) -> None:
    edges = tuple(
        Edge(source=f"n{number * 7 // 10}", target=f"n{number}", target_port="x") for number in range(1, count)
    )
    workflow = Workflow(nodes=tuple(Node(id=f"n{number}", type="python") for number in range(count)), edges=edges)
    plan = layout(workflow)
    assert (len(plan.cards), len(plan.routes)) == (count, count - 1)


def test_a_graph_of_only_long_edges_stays_small_enough_to_lay_out() -> None:
    ids = [f"n{number}" for number in range(1500)]
    edges = [Edge(source=one, target=other) for one, other in itertools.pairwise(ids)]
    edges += [Edge(source=one, target=ids[-1], target_port=one) for one in ids[:-2]]
    plan = layout(Workflow(nodes=tuple(Node(id=each, type="python") for each in ids), edges=tuple(edges)))
    assert len(plan.routes) == len(edges)
