from __future__ import annotations

import math

import pytest

from flownb.graph.layout.arrange import layout
from flownb.model.workflow import Workflow
from tests.unit.graph.sketch import card, flow, invoices, run_through

PLACES = {
    "load": (0.0, 200.0),
    "total": (300.0, 200.0),
    "big": (600.0, 220.0),
    "ok": (900.0, 100.0),
    "post": (1250.0, 200.0),
    "notify": (600.0, 20.0),
    "archive": (900.0, 320.0),
    "clean": (300.0, 420.0),
    "enrich": (600.0, 420.0),
}


def placed(workflow: Workflow, places: dict[str, tuple[float, float]]) -> Workflow:
    return Workflow(nodes=workflow.nodes, edges=workflow.edges, positions=places)


def test_edges_find_their_way_around_the_cards() -> None:
    assert not run_through(layout(placed(invoices(), PLACES)))


def test_an_edge_to_the_left_goes_around_its_own_cards() -> None:
    plan = layout(placed(flow("a -> b"), {"a": (500.0, 0.0), "b": (0.0, 0.0)}))
    assert not run_through(plan)


def test_a_box_is_drawn_around_its_members() -> None:
    plan = layout(placed(invoices(), PLACES))
    (box,) = plan.boxes
    assert all(box.x < card(plan, key).x and box.y < card(plan, key).y for key in ("clean", "enrich"))


def test_everything_begins_in_the_corner() -> None:
    plan = layout(placed(flow("a -> b"), {"a": (-700.0, 900.0), "b": (-300.0, 900.0)}))
    assert (card(plan, "a").x, card(plan, "a").y) == (0, 0)


def test_cards_that_would_overlap_are_compact() -> None:
    assert layout(placed(flow("a -> b"), {"a": (0.0, 0.0), "b": (200.0, 0.0)})).compact


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e12])
def test_positions_that_are_no_places_count_for_none(bad: float) -> None:
    plan = layout(placed(flow("a -> b"), {"a": (0.0, bad), "b": (0.0, 0.0)}))
    assert card(plan, "a").x < card(plan, "b").x
    assert plan.width < 1000


def test_cards_on_top_of_each_other_are_drawn_all_the_same() -> None:
    plan = layout(placed(flow("a -> b\nb -> c"), dict.fromkeys("abc", (5.0, 5.0))))
    assert len(plan.routes) == 2
