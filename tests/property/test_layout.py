"""Whatever the workflow: cards don't overlap, edges run around them, everything is there, and always the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flownb.graph.picture import layout
from flownb.model.workflow import Edge, Node, Workflow
from tests.unit.graph.sketch import card, overlaps, run_through, stretches

PORTS = st.sampled_from([None, None, "true", "false", "error"])


@st.composite
def workflows(draw: st.DrawFn, *, cycles: bool, boxes: bool) -> Workflow:
    """Up to 24 nodes with any edges between them."""
    ids = [f"n{number}" for number in range(draw(st.integers(1, 24)))]
    places = st.integers(0, len(ids) - 1)
    edges = []
    for one, other, port, after in draw(st.lists(st.tuples(places, places, PORTS, st.booleans()), max_size=40)):
        source, target = (one, other) if cycles else (min(one, other), max(one, other))
        if cycles or source < target:
            name = "after" if after else ids[source]
            edges.append(Edge(source=ids[source], target=ids[target], source_port=port, target_port=name))
    inside = {each: draw(st.none() | st.sampled_from(ids)) if boxes else None for each in ids}
    nodes = tuple(Node(id=each, type="python", parent=inside[each]) for each in ids)
    return Workflow(nodes=nodes, edges=tuple(edges))


@settings(max_examples=80, deadline=None)
@given(workflows(cycles=False, boxes=False), st.sampled_from([None, 900.0]))
def test_a_graph_without_cycles_reads_from_left_to_right(workflow: Workflow, page: float | None) -> None:
    plan = layout(workflow, page=page)
    assert not overlaps(plan)
    assert not run_through(plan)
    assert not any(route.cycle for route in plan.routes)
    assert {route.edge for route in plan.routes} == {edge.id for edge in workflow.edges}
    if page is None:
        for route in plan.routes:
            assert card(plan, route.source).x + card(plan, route.source).width < card(plan, route.target).x


@settings(max_examples=80, deadline=None)
@given(workflows(cycles=True, boxes=True), st.sampled_from([None, 900.0]))
def test_any_graph_is_drawn_whole_inside_its_bounds(workflow: Workflow, page: float | None) -> None:
    plan = layout(workflow, page=page)
    assert len(plan.spots) == len(workflow.nodes)
    assert not overlaps(plan)
    assert not run_through(plan)
    for a, b in stretches(plan):
        assert a[0] == b[0] or a[1] == b[1]
        for x, y in (a, b):
            assert -0.01 <= x <= plan.width + 0.01
            assert -0.01 <= y <= plan.height + 0.01


@settings(max_examples=40, deadline=None)
@given(workflows(cycles=True, boxes=True))
def test_a_box_encloses_exactly_what_is_inside_it(workflow: Workflow) -> None:
    plan = layout(workflow)
    for box in plan.boxes:
        for spot in plan.cards:
            across = box.x < spot.x + spot.width and spot.x < box.x + box.width
            touching = across and box.y < spot.y + spot.height and spot.y < box.y + box.height
            within = box.x < spot.x and spot.x + spot.width < box.x + box.width
            within = within and box.y < spot.y and spot.y + spot.height < box.y + box.height
            assert touching == within


@settings(max_examples=40, deadline=None)
@given(workflows(cycles=True, boxes=True))
def test_the_same_workflow_has_the_same_layout(workflow: Workflow) -> None:
    assert layout(workflow) == layout(workflow)
