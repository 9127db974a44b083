from __future__ import annotations

from math import dist

import pytest

from flownb.graph.drawing.shapes import dashes, flat, moved, parse, rounded_line


def test_a_path_is_read_with_relative_commands_and_implied_lines() -> None:
    assert parse("m1 2 3 4h-1v2z") == (("M", 1, 2), ("L", 4, 6), ("L", 3, 6), ("L", 3, 8), ("Z",))


def test_after_a_closed_line_the_pen_is_at_its_start() -> None:
    assert parse("M1 1h2zl5 5")[-1] == ("L", 6, 6)


def test_an_arc_stays_on_its_circle() -> None:
    (points, _) = flat(parse("M13 8A5 5 0 1 1 3 8A5 5 0 1 1 13 8"))[0]
    assert all(dist(point, (8, 8)) == pytest.approx(5, abs=0.01) for point in points)


def test_an_arc_takes_the_side_that_its_flags_say() -> None:
    (points, _) = flat(parse("M8 2A6 6 0 0 1 14 8"))[0]
    assert all(x >= 8 - 1e-9 and y <= 8 + 1e-9 for x, y in points)


def test_a_smooth_curve_mirrors_the_handle_before_it() -> None:
    assert parse("M0 0c1 0 2 1 2 2s1 2 2 2")[2] == ("C", 2, 3, 3, 4, 4, 4)


def test_a_corner_is_rounded_by_its_radius() -> None:
    commands = rounded_line([(0, 0), (50, 0), (50, 50)], 8)
    assert commands[1] == ("L", 42, 0)
    assert commands[2][-2:] == (50, 8)


def test_a_corner_between_short_lines_is_rounded_less() -> None:
    commands = rounded_line([(0, 0), (6, 0), (6, 50)], 8)
    assert commands[1] == ("L", 3, 0)


def test_dashes_go_on_around_a_corner() -> None:
    pieces = dashes([(0, 0), (5, 0), (5, 5)], (4, 2))
    assert pieces == [[(0, 0), (4, 0)], [(5, 1), (5, 5)]]


def test_moving_scales_first() -> None:
    assert moved((("M", 1, 2),), 10, 20, 2) == (("M", 12, 24),)
