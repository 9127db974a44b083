from __future__ import annotations

import itertools

from flownb.graph.layout.channels import Stretch, assign_tracks


def stretch(left: float, *rights: float) -> Stretch:
    made = Stretch()
    made.join(left, left=True)
    for right in rights:
        made.join(right, left=False)
    return made


def test_what_overlaps_gets_tracks_of_its_own() -> None:
    stretches = [stretch(0, 100), stretch(20, 120), stretch(40, 140)]
    assert assign_tracks(stretches) == 3
    assert len({each.track for each in stretches}) == 3


def test_what_does_not_overlap_shares_a_track() -> None:
    assert assign_tracks([stretch(0, 40), stretch(60, 100)]) == 1


def test_edges_that_go_down_side_by_side_do_not_cross() -> None:
    upper, lower = stretch(0, 100), stretch(20, 120)
    assign_tracks([upper, lower])
    assert lower.track < upper.track


def test_edges_that_go_up_side_by_side_do_not_cross() -> None:
    upper, lower = stretch(100, 0), stretch(120, 20)
    assign_tracks([upper, lower])
    assert upper.track < lower.track


def test_two_edges_do_not_run_into_each_other_on_one_height() -> None:
    arriving, leaving = stretch(50, 0), stretch(100, 50)
    assign_tracks([leaving, arriving])
    assert arriving.track < leaving.track


def test_a_straight_edge_needs_no_track() -> None:
    assert assign_tracks([stretch(10, 10)]) == 0


def test_hundreds_of_stretches_still_do_not_overlap() -> None:
    stretches = [stretch(number * 3 % 900, number * 7 % 900) for number in range(400)]
    assign_tracks(stretches)
    tracks: dict[int, list[tuple[float, float]]] = {}
    for each in stretches:
        if not each.straight:
            tracks.setdefault(each.track, []).append((each.low, each.high))
    for spans in tracks.values():
        spans.sort()
        assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
