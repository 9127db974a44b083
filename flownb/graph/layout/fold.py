"""A long layout folded into bands, one below the other, as lines of text are: a page is not as wide as a flow is long.

Only the picture does this; a canvas scrolls. It cuts where few edges cross, never through a card or a box. An edge
that goes on turns down at the right end of its band, runs back between the bands and enters the next from the left;
the edges of one cut nest, so that they don't cross on the way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from flownb.graph.layout.plan import Layout, Point, Route

#: Between a card and the first turn; between the last turn and a card, where the arrowhead needs room.
OUT: Final = 20.0
IN: Final = 28.0
#: Between two edges of one cut; between these and the cards.
STEP: Final = 9.0
CLEAR: Final = 22.0
#: A cut with more edges than this would be a tangle.
MOST_EDGES: Final = 16
#: A gap that more routes cross isn't looked at, even if they share lines.
MOST_ROUTES: Final = 400
#: Of the widest band that is allowed, the least that a band may take; what an edge in the cut costs, in pixels.
LEAST_SHARE: Final = 0.5
EDGE_COST: Final = 60.0
#: A page of so many times its width is too long.
TALLEST: Final = 2.5
#: What is wider than a page by less than this isn't folded; how much wider the next page is that is tried.
TOLERANCE: Final = 1.25
WIDER: Final = 1.3


class Cut(msgspec.Struct, frozen=True, order=True):
    """A place to fold at: the gap between two columns, and the edges that cross it."""

    left: float
    right: float
    #: Where the first edge of the gap turned.
    turn: float
    #: The heights at which edges come into the gap, from top to bottom.
    ys: tuple[float, ...]


def fold(plan: Layout, page: float) -> Layout:
    """The layout in bands about as wide as a page, or as it is where it is narrow enough or can't be folded well.

    What would get too long for its width is folded on a wider page.
    """
    cuts = _cuts(plan) if plan.width > page * TOLERANCE else []
    width = page
    while cuts and plan.width > width * TOLERANCE:
        chosen = _choose(cuts, plan.width, width)
        folded = _Folded(plan, chosen).layout() if chosen else None
        if folded is not None and folded.height <= folded.width * TALLEST:
            return folded
        width *= WIDER
    return plan


def _cuts(plan: Layout) -> list[Cut]:
    """Every gap in which no card and no box stands, that not too many edges cross, and all from left to right."""
    gaps = _gaps(plan)
    ends = [end for _, end in gaps]
    starts = [start for start, _ in gaps]
    touching: list[list[Route]] = [[] for _ in gaps]
    full = [False] * len(gaps)
    for route in plan.routes:
        xs = [x for x, _ in route.points]
        for number in range(bisect_right(ends, min(xs)), bisect_left(starts, max(xs))):
            if not full[number]:
                touching[number].append(route)
                full[number] = len(touching[number]) > MOST_ROUTES
    cuts = []
    for (start, end), routes, too_many in zip(gaps, touching, full, strict=True):
        ways = [] if too_many else [_crossing(route, start, end) for route in routes]
        ys = sorted({way[0] for way in ways if way})
        if not too_many and all(ways) and len(ys) <= MOST_EDGES:
            turns = [x for route in routes for x, _ in route.points if start < x < end]
            cuts.append(Cut(start, end, max(min(turns, default=0.0), start + OUT), tuple(ys)))
    return cuts


def _gaps(plan: Layout) -> list[tuple[float, float]]:
    """Where nothing but edges stands, from left to right."""
    spans = sorted((spot.x, spot.x + spot.width) for spot in plan.spots)
    gaps, end = [], spans[0][1] if spans else 0.0
    for left, right in spans:
        if left > end:
            gaps.append((end, left))
        end = max(end, right)
    return gaps


def _crossing(route: Route, left: float, right: float) -> tuple[float, ...]:
    """At which heights a route enters and leaves a gap that it touches; empty if it doesn't simply pass it."""
    inside = [(a, b) for a, b in pairwise(route.points) if max(a[0], b[0]) > left and min(a[0], b[0]) < right]
    passes = inside[0][0][0] <= left and inside[-1][1][0] >= right and all(a[0] <= b[0] for a, b in inside)
    return (inside[0][0][1], inside[-1][1][1]) if passes else ()


def _choose(cuts: list[Cut], whole: float, width: float) -> list[Cut]:
    """The cuts to take: bands of nearly equal width, and few edges; empty where a band would be too wide."""
    bands = -(-whole // width)
    chosen: list[Cut] = []
    start = 0.0
    while whole - start > width:
        fitting = [cut for cut in cuts if width * LEAST_SHARE <= cut.left - start <= width]
        if not fitting:
            return []
        ideal = (whole - start) / max(bands - len(chosen), 2)
        aim = start + ideal
        best = min((len(cut.ys) * EDGE_COST + abs(cut.left - aim), cut.left, cut) for cut in fitting)[-1]
        chosen.append(best)
        start = best.right
    return chosen


class _Folded:
    """The bands, each with its share of the layout and where that is moved to."""

    def __init__(self, plan: Layout, cuts: list[Cut]) -> None:
        self._plan = plan
        self._cuts = cuts
        self._lefts, self._rights = [cut.left for cut in cuts], [cut.right for cut in cuts]
        tops, bottoms = self._extents()
        starts = [0.0, *(cut.right for cut in cuts)]
        self._moves: list[Point] = []
        #: The highest line between a band and the next.
        self._aisles: list[float] = []
        y = 0.0
        for number, start in enumerate(starts):
            self._moves.append((-start, y - tops[number]))
            y += bottoms[number] - tops[number] + CLEAR
            self._aisles.append(y)
            if number < len(cuts):
                y += max(len(cuts[number].ys) - 1, 0) * STEP + CLEAR
        self.height = y - CLEAR

    def _extents(self) -> tuple[list[float], list[float]]:
        """The highest and the lowest thing of each band."""
        ys: list[list[float]] = [[] for _ in range(len(self._cuts) + 1)]
        for spot in self._plan.spots:
            ys[self._band(spot.x)] += [spot.y, spot.y + spot.height]
        for route in self._plan.routes:
            for a, b in pairwise(route.points):
                for band in range(self._band(min(a[0], b[0])), self._band(max(a[0], b[0])) + 1):
                    if not (self._in_cut(a) and self._in_cut(b)):
                        ys[band] += [a[1], b[1]] if a[1] == b[1] or band == self._band(a[0]) else []
        return [min(each, default=0.0) for each in ys], [max(each, default=0.0) for each in ys]

    def _band(self, x: float) -> int:
        return bisect_right(self._rights, x)

    def _in_cut(self, point: Point) -> bool:
        place = bisect_left(self._lefts, point[0]) - 1
        return place >= 0 and point[0] < self._rights[place]

    def layout(self) -> Layout:
        """All of it, moved."""
        plan = self._plan
        cards = tuple(spot.moved(*self._moves[self._band(spot.x)]) for spot in plan.cards)
        boxes = tuple(spot.moved(*self._moves[self._band(spot.x)]) for spot in plan.boxes)
        routes = tuple(msgspec.structs.replace(route, points=self._way(route)) for route in plan.routes)
        xs = [x for route in routes for x, _ in route.points]
        whole = msgspec.structs.replace(plan, height=self.height, cards=cards, boxes=boxes, routes=routes)
        left = min([*xs, *(spot.x for spot in whole.spots)])
        right = max([*xs, *(spot.x + spot.width for spot in whole.spots)])
        return msgspec.structs.replace(whole, width=right - left).moved(-left, 0.0)

    def _way(self, route: Route) -> tuple[Point, ...]:
        points: list[Point] = []
        for a, b in pairwise(route.points):
            if not self._in_cut(a):
                points.append(self._at(a, self._band(a[0])))
            for number in range(self._band(a[0]), self._band(b[0])):
                entry, leave = _crossing(route, self._lefts[number], self._rights[number])
                points += self._turn(number, entry, leave)
        end = route.points[-1]
        points.append(self._at(end, self._band(end[0])))
        return tuple(points)

    def _at(self, point: Point, band: int) -> Point:
        move = self._moves[band]
        return point[0] + move[0], point[1] + move[1]

    def _turn(self, number: int, entry: float, leave: float) -> list[Point]:
        """From the right end of a band to the left end of the next; the lowest edge turns first and runs highest."""
        cut, ys = self._cuts[number], self._cuts[number].ys
        rank = len(ys) - 1 - ys.index(entry)
        right = self._at((cut.turn + rank * STEP, entry), number)
        left = self._at((cut.right - IN - (len(ys) - 1 - rank) * STEP, leave), number + 1)
        aisle = self._aisles[number] + rank * STEP
        return [right, (right[0], aisle), (left[0], aisle), left]
