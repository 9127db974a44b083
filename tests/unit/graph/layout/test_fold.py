from __future__ import annotations

from flownb.graph.layout.arrange import layout
from tests.unit.graph.sketch import card, flow, invoices, overlaps, run_through, stretches

CHAIN = "\n".join(f"n{number} -> n{number + 1}" for number in range(19))


def test_a_long_chain_is_folded_to_the_width_of_the_page() -> None:
    plan = layout(flow(CHAIN), page=1200)
    assert plan.width <= 1200 * 1.25
    assert len({spot.y for spot in plan.cards}) == 4


def test_without_a_page_nothing_is_folded() -> None:
    assert len({spot.y for spot in layout(flow(CHAIN)).cards}) == 1


def test_what_is_hardly_wider_than_the_page_stays_whole() -> None:
    assert layout(invoices(), page=1000) == layout(invoices())


def test_bands_read_from_top_to_bottom_and_from_left_to_right() -> None:
    plan = layout(flow(CHAIN), page=1200)
    places = [(card(plan, f"n{number}").y, card(plan, f"n{number}").x) for number in range(20)]
    assert places == sorted(places)


def test_folded_edges_pass_no_card_and_keep_their_ends() -> None:
    plan = layout(flow(f"{CHAIN}\nn1 -> n7\nn2 -> n12\nn3 -> n18"), page=1200)
    assert not overlaps(plan)
    assert not run_through(plan)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in stretches(plan))
    for route in plan.routes:
        source, target = card(plan, route.source), card(plan, route.target)
        assert route.points[0][0] == source.x + source.width
        assert route.points[-1][0] == target.x


def test_edges_of_one_fold_do_not_cross_on_the_way() -> None:
    plan = layout(flow(f"{CHAIN}\nn1 -> n19\nn2 -> n18"), page=1200)
    level = [(a, b) for a, b in stretches(plan) if a[1] == b[1]]
    upright = [(a, b) for a, b in stretches(plan) if a[0] == b[0]]
    between = [
        (h, v)
        for h in level
        for v in upright
        if min(h[0][0], h[1][0]) < v[0][0] < max(h[0][0], h[1][0])
        and min(v[0][1], v[1][1]) < h[0][1] < max(v[0][1], v[1][1])
    ]
    backward = [pair for pair in between if pair[0][0][0] > pair[0][1][0]]
    assert not backward


def test_a_fold_never_cuts_a_box() -> None:
    inside = {f"n{number}": "loop" for number in range(3, 12)}
    plan = layout(flow(CHAIN, nodes="loop", inside=inside), page=1000)
    (box,) = plan.boxes
    members = [card(plan, key) for key in inside]
    assert all(box.y < spot.y and spot.y + spot.height < box.y + box.height for spot in members)
    assert len({spot.y for spot in members}) == 1
