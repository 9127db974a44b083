"""The few shapes that a picture is made of; the SVG and the PNG know these and nothing else.

Coordinates are CSS pixels, colours are `#rrggbb`, an empty colour draws nothing. A stroke of a rectangle lies inside
its edge, as a border in CSS does; that of a path lies on it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from math import atan2, ceil, cos, pi, radians, sin, sqrt, tan
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.graph.layout.plan import Point

#: `("M", x, y)`, `("L", x, y)`, `("C", x1, y1, x2, y2, x, y)` or `("Z",)`; absolute.
Command = tuple[str | float, ...]

#: The length of a handle that makes a cubic curve a quarter of a circle.
QUARTER: Final = 0.5523


class Rect(msgspec.Struct, frozen=True):
    """A rectangle, with round corners where `radius` is given."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    fill: str = ""
    stroke: str = ""
    stroke_width: float = 1.0


class Circle(msgspec.Struct, frozen=True):
    """A circle; the stroke lies inside its edge."""

    x: float
    y: float
    radius: float
    fill: str = ""
    stroke: str = ""
    stroke_width: float = 1.0


class Path(msgspec.Struct, frozen=True):
    """Lines and curves with round ends and joins."""

    commands: tuple[Command, ...]
    fill: str = ""
    stroke: str = ""
    stroke_width: float = 1.5
    #: Lengths drawn and not drawn, in turn.
    dash: tuple[float, ...] = ()


class Text(msgspec.Struct, frozen=True):
    """One line of text; `y` is the baseline."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    weight: Literal[400, 500, 600] = 400
    anchor: Literal["start", "middle", "end"] = "start"
    #: The width that it was measured to take, where it must not take more; 0 where there is room.
    width: float = 0.0


class Group(msgspec.Struct, frozen=True):
    """Shapes that belong together, with what a reader is told about them."""

    shapes: tuple[Shape, ...]
    title: str = ""
    #: The node's key and status, for whoever scripts against the SVG.
    node: str = ""
    status: str = ""


Shape = Rect | Circle | Path | Text | Group


def line(points: Sequence[Point]) -> tuple[Command, ...]:
    """Straight lines from point to point."""
    return tuple(("L" if number else "M", x, y) for number, (x, y) in enumerate(points))


def polygon(points: Sequence[Point]) -> tuple[Command, ...]:
    """The same, closed."""
    return (*line(points), ("Z",))


def rounded_line(points: Sequence[Point], radius: float) -> tuple[Command, ...]:
    """Straight lines with round corners; a corner between short lines is rounded less."""
    commands: list[Command] = [("M", *points[0])]
    for number in range(1, len(points) - 1):
        before, here, after = points[number - 1], points[number], points[number + 1]
        one, other = _distance(before, here), _distance(here, after)
        cut = min(radius, one / 2, other / 2)
        if cut < 0.5:  # noqa: PLR2004 (half a pixel is no corner)
            commands.append(("L", *here))
            continue
        start, end = _towards(here, before, cut / one), _towards(here, after, cut / other)
        handles = (*_towards(start, here, QUARTER), *_towards(end, here, QUARTER))
        commands += [("L", *start), ("C", *handles, *end)]
    commands.append(("L", *points[-1]))
    return tuple(commands)


def rounded_rect(x: float, y: float, width: float, height: float, radius: float) -> tuple[Command, ...]:
    """A rectangle as a path, for a dashed edge."""
    middle = x + width / 2
    corners = [(middle, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y), (middle, y)]
    return (*rounded_line(corners, radius)[:-1], ("Z",))


def _distance(one: Point, other: Point) -> float:
    return sqrt((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2)


def _towards(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def moved(commands: Sequence[Command], x: float, y: float, scale: float) -> tuple[Command, ...]:
    """The same path, scaled and then moved."""
    return tuple(
        (name, *(float(number) * scale + (y if place % 2 else x) for place, number in enumerate(numbers)))
        for name, *numbers in commands
    )


def flat(commands: Sequence[Command], tolerance: float = 0.1) -> list[tuple[list[Point], bool]]:
    """A path as polylines, each with whether it is closed; no point is farther off than about `tolerance`."""
    lines: list[tuple[list[Point], bool]] = []
    for name, *raw in commands:
        numbers = [float(number) for number in raw]
        if name == "M":
            lines.append(([(numbers[0], numbers[1])], False))
        elif name == "L":
            lines[-1][0].append((numbers[0], numbers[1]))
        elif name == "C":
            points = lines[-1][0]
            points.extend(_curve(points[-1], numbers, tolerance))
        else:
            lines[-1] = lines[-1][0], True
    return lines


def _curve(start: Point, numbers: list[float], tolerance: float) -> Iterator[Point]:
    xs, ys = (start[0], *numbers[0::2]), (start[1], *numbers[1::2])
    size = abs(xs[0] - xs[1]) + abs(xs[1] - xs[2]) + abs(xs[2] - xs[3])
    size += abs(ys[0] - ys[1]) + abs(ys[1] - ys[2]) + abs(ys[2] - ys[3])
    steps = min(max(ceil(sqrt(size / tolerance / 4)), 2), 40)
    for step in range(1, steps + 1):
        t = step / steps
        u = 1 - t
        a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
        yield a * xs[0] + b * xs[1] + c * xs[2] + d * xs[3], a * ys[0] + b * ys[1] + c * ys[2] + d * ys[3]


def dashes(points: Sequence[Point], pattern: Sequence[float]) -> list[list[Point]]:
    """The drawn pieces of a dashed line."""
    pieces: list[list[Point]] = []
    place, left, drawn = 0, pattern[0], True
    piece: list[Point] = [points[0]]
    for here, there in pairwise(points):
        length = _distance(here, there)
        done = 0.0
        while length - done > left:
            done += left
            point = _towards(here, there, done / length)
            if drawn:
                pieces.append([*piece, point])
            piece = [point]
            place, drawn = (place + 1) % len(pattern), not drawn
            left = pattern[place]
        left -= length - done
        piece.append(there)
    if drawn and len(piece) > 1:
        pieces.append(piece)
    return pieces


# --- the notation of SVG, for the icons -------------------------------------------------------------------------------

_TOKEN: Final = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)")
_TAKES: Final = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "a": 7, "z": 0}


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Command, ...]:
    """A path in SVG's notation (without `q` and `t`) as absolute lines and curves.

    Flags of arcs must stand apart from the numbers around them.
    """
    tokens = _TOKEN.findall(text)
    commands: list[Command] = []
    x = y = start_x = start_y = 0.0
    handle: Point | None = None
    name, at = "", 0
    while at < len(tokens):
        if tokens[at].isalpha():
            name, at = tokens[at], at + 1
        elif name in "mM":
            name = "l" if name == "m" else "L"
        numbers = [float(token) for token in tokens[at : at + _TAKES[name.lower()]]]
        at += len(numbers)
        ox, oy = (x, y) if name.islower() else (0.0, 0.0)
        kind, before, handle = name.lower(), handle, None
        if kind == "z":
            commands.append(("Z",))
            x, y = start_x, start_y
            continue
        if kind in "cs":
            first = [numbers[0] + ox, numbers[1] + oy] if kind == "c" else list(_mirrored((x, y), before))
            rest = numbers[2:] if kind == "c" else numbers
            curve = [*first, *(number + (oy if place % 2 else ox) for place, number in enumerate(rest))]
            commands.append(("C", *curve))
            handle = curve[2], curve[3]
            x, y = curve[4:]
        elif kind == "a":
            end = numbers[5] + ox, numbers[6] + oy
            commands += _arc((x, y), end, numbers[0], numbers[1], large=numbers[3] != 0, sweep=numbers[4] != 0)
            x, y = end
        else:
            x = numbers[0] + ox if kind in "mlh" else x
            y = numbers[-1] + oy if kind in "mlv" else y
            if kind == "m":
                start_x, start_y = x, y
            commands.append(("M" if kind == "m" else "L", x, y))
    return tuple(commands)


def _mirrored(here: Point, handle: Point | None) -> Point:
    return here if handle is None else (2 * here[0] - handle[0], 2 * here[1] - handle[1])


def _arc(start: Point, end: Point, rx: float, ry: float, *, large: bool, sweep: bool) -> list[Command]:
    """An arc as cubic curves (SVG 2, appendix B.2, without rotation)."""
    dx, dy = (start[0] - end[0]) / 2 / rx, (start[1] - end[1]) / 2 / ry
    square = dx * dx + dy * dy
    if square > 1:
        rx, ry, dx, dy, square = rx * sqrt(square), ry * sqrt(square), dx / sqrt(square), dy / sqrt(square), 1.0
    factor = sqrt(max(1 - square, 0.0) / square) * (-1 if large == sweep else 1)
    cx, cy = factor * dy, -factor * dx
    middle = (start[0] + end[0]) / 2 + cx * rx, (start[1] + end[1]) / 2 + cy * ry
    angle = atan2(dy - cy, dx - cx)
    turn = atan2(-dy - cy, -dx - cx) - angle
    if sweep and turn < 0:
        turn += 2 * pi
    elif not sweep and turn > 0:
        turn -= 2 * pi
    return list(_arc_pieces(middle, rx, ry, angle, turn))


def _arc_pieces(middle: Point, rx: float, ry: float, angle: float, turn: float) -> Iterator[Command]:
    count = max(ceil(abs(turn) / radians(90) - 1e-9), 1)
    step = turn / count
    reach = 4 / 3 * tan(step / 4)
    for number in range(count):
        a, b = angle + number * step, angle + (number + 1) * step
        yield (
            "C",
            middle[0] + rx * (cos(a) - reach * sin(a)),
            middle[1] + ry * (sin(a) + reach * cos(a)),
            middle[0] + rx * (cos(b) + reach * sin(b)),
            middle[1] + ry * (sin(b) - reach * cos(b)),
            middle[0] + rx * cos(b),
            middle[1] + ry * sin(b),
        )
