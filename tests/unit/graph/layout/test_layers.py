from __future__ import annotations

from flownb.graph.layout.layers import assign, circles, components


def test_every_member_stands_right_of_what_it_reads() -> None:
    pairs = [(0, 1), (1, 2), (0, 2), (2, 3)]
    assert assign([1, 1, 1, 1], pairs, set()) == [0, 1, 2, 3]


def test_a_wide_member_pushes_its_readers_by_its_width() -> None:
    assert assign([1, 3, 1], [(0, 1), (1, 2)], set()) == [0, 1, 4]


def test_a_source_that_is_read_late_stands_next_to_its_reader() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (4, 3)]
    assert assign([1] * 5, pairs, set())[4] == 2


def test_a_chain_that_is_read_late_moves_as_a_whole() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 4)]
    assert assign([1] * 7, pairs, set())[5:] == [2, 3]


def test_a_trigger_stays_at_the_left() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (4, 3)]
    assert assign([1] * 5, pairs, {4})[4] == 0


def test_a_cycle_is_cut_where_it_closes() -> None:
    assert assign([1, 1, 1], [(0, 1), (1, 2), (2, 0)], set()) == [0, 1, 2]


def test_a_member_that_reads_itself_stands_as_if_it_did_not() -> None:
    assert assign([1, 1], [(0, 0), (0, 1)], set()) == [0, 1]


def test_a_chain_of_thousands_needs_no_recursion() -> None:
    pairs = [(number, number + 1) for number in range(4999)]
    assert assign([1] * 5000, pairs, set()) == list(range(5000))


def test_members_of_one_cycle_share_a_number() -> None:
    found = circles(5, [(0, 1), (1, 2), (2, 1), (2, 3)])
    assert found[1] == found[2]
    assert len({found[0], found[1], found[3], found[4]}) == 4


def test_what_a_line_joins_is_one_component() -> None:
    found = components(5, [(3, 1), (4, 1)])
    assert found[1] == found[3] == found[4]
    assert len(set(found)) == 3
