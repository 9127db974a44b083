"""A layout from the positions that somebody gave the nodes: cards stay where they are, edges find their way.

For each edge a few dozen ways at right angles are tried, the shortest first, and the first that touches no card is
taken; if all touch one, the way that touches fewest.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Final

from flownb.graph.layout.layers import circles
from flownb.graph.layout.plan import CARD, COMPACT, FOOT, HEAD, BoxSpot, CardSpot, Layout, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.layout.plan import Point
    from flownb.graph.layout.ports import Ports
    from flownb.graph.layout.wiring import Link, Vertex, Wiring
    from flownb.model.workflow import Workflow

#: Positions farther out than this are no positions.
FARTHEST: Final = 100_000.0
#: Above this many cards edges no longer look for a free way.
MOST_AVOIDED: Final = 300
#: How many ways are tried for an edge.
MOST_WAYS: Final = 160
#: From a port to the first turn; from the last turn to a port, where the arrowhead needs room.
OUT: Final = 18.0
IN: Final = 26.0
#: Between a card and an edge that passes it; between a box's edge and its cards.
CLEAR: Final = 14.0
PAD: Final = 20.0
#: What a turn costs, in pixels.
TURN_COST: Final = 25.0

Rect = tuple[float, float, float, float]


def by_positions(workflow: Workflow, wiring: Wiring, ports: Ports) -> Layout | None:
    """The layout by `workflow.positions`, or None unless every card has a usable one."""
    cards = [vertex for vertex in wiring.vertices if not vertex.is_box]
    ids = {vertex.node.id for vertex in wiring.vertices}
    places = {vertex.number: workflow.positions.get(vertex.node.id) for vertex in cards}
    if not cards or len(ids) != len(wiring.vertices) or not all(_usable(place) for place in places.values()):
        return None
    for vertex in cards:
        vertex.x, vertex.y = places[vertex.number] or (0.0, 0.0)
    width, height = CARD if _fits(cards, *CARD) else COMPACT
    for vertex in cards:
        vertex.height = height
    _fan_all(wiring, ports, height)
    sizes = dict.fromkeys((vertex.number for vertex in cards), width)
    for box in wiring.boxes():
        _enclose(wiring, box, sizes, ports)
    routes = _routes(wiring, ports, sizes)
    return _collect(wiring, ports, sizes, routes, compact=width == COMPACT[0])


def _usable(place: Point | None) -> bool:
    return place is not None and all(isfinite(number) and abs(number) <= FARTHEST for number in place)


def _fits(cards: list[Vertex], width: float, height: float) -> bool:
    """Whether no two cards of this size overlap."""
    ordered = sorted(cards, key=lambda vertex: (vertex.x, vertex.y))
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.x >= one.x + width:
                break
            if abs(other.y - one.y) < height:
                return False
    return True


def _fan_all(wiring: Wiring, ports: Ports, height: float) -> None:
    """Set the offsets of all ports, those that are wired higher up first."""
    ends: list[tuple[dict[str, list[float]], dict[str, list[float]]]] = [({}, {}) for _ in wiring.vertices]
    for link in wiring.links:
        ends[link.source][1].setdefault(link.out_port, []).append(wiring.vertices[link.target].y)
        ends[link.target][0].setdefault(link.in_port, []).append(wiring.vertices[link.source].y)
    for vertex in wiring.vertices:
        fans = []
        for side, heights in zip((ports.left, ports.right), ends[vertex.number], strict=True):
            means = {name: sum(each) / len(each) for name, each in heights.items()}
            ranked = sorted((means.get(name, FARTHEST), place) for place, name in enumerate(side[vertex.number].looks))
            names = list(side[vertex.number].looks)
            main = names[ranked[(len(ranked) - 1) // 2][1]] if ranked else ""
            fans.append((side[vertex.number], side[vertex.number].fan(main, means)))
        if not vertex.is_box:
            vertex.height = max(height, *(least for _, (least, _) in fans))
        for each, (_, offsets) in fans:
            each.offsets = {name: vertex.height / 2 + offset for name, offset in offsets.items()}


def _enclose(wiring: Wiring, number: int, sizes: dict[int, float], ports: Ports) -> None:
    """Draw a box around its members."""
    box = wiring.vertices[number]
    members = [wiring.vertices[child] for child in box.children]
    right = max(vertex.x + sizes[vertex.number] for vertex in members)
    bottom = max(vertex.y + vertex.height for vertex in members)
    box.x = min(vertex.x for vertex in members) - PAD
    box.y = min(vertex.y for vertex in members) - HEAD
    sizes[number] = right + PAD - box.x
    box.height = bottom + FOOT - box.y
    middle = HEAD + (box.height - HEAD - FOOT) / 2
    for side in (ports.left[number], ports.right[number]):
        side.offsets = {name: offset + middle for name, offset in side.offsets.items()}


def _routes(wiring: Wiring, ports: Ports, sizes: dict[int, float]) -> list[Route]:
    cards = [vertex for vertex in wiring.vertices if not vertex.is_box]
    rects = [(vertex.x, vertex.y, vertex.x + sizes[vertex.number], vertex.y + vertex.height) for vertex in cards]
    cycles = circles(len(wiring.vertices), wiring.pairs())
    routes = []
    for link in wiring.links:
        source, target = wiring.vertices[link.source], wiring.vertices[link.target]
        down, up = link.lower is None and bool(link.entries), link.lower is None and bool(link.exits)
        start = (
            source.x if down else source.x + sizes[source.number],
            _port_y(source, ports, link, outward=True, inside=down),
        )
        end = (
            target.x + sizes[target.number] if up else target.x,
            _port_y(target, ports, link, outward=False, inside=up),
        )
        label = 0.0 if down else ports.right[source.number].label_width(link.out_port)
        points = _way(start, end, rects if len(rects) <= MOST_AVOIDED else [], max(OUT, label) + link.net % 3 * 7.0)
        cycle = cycles[link.source] == cycles[link.target] and end[0] < start[0] + OUT + IN
        names = link.key, source.key, target.key, link.kind
        routes.append(Route(*names, points=points, cycle=cycle, implied=link.implied))
    return routes


def _port_y(vertex: Vertex, ports: Ports, link: Link, *, outward: bool, inside: bool) -> float:
    sides = ports.right if outward != inside else ports.left
    offsets = sides[vertex.number].offsets
    own = offsets.get(link.out_port if outward else link.in_port)
    if own is None:
        own = next(iter(offsets.values()), vertex.height / 2)
    return vertex.y + own


def _way(start: Point, end: Point, rects: list[Rect], out: float) -> tuple[Point, ...]:
    """The cheapest of some ways from port to port that touches no card, or the one that touches fewest."""
    if start[1] == end[1] and end[0] > start[0] and not _hits([start, end], rects):
        return start, end
    low, high = min(start[0], end[0]) - 2 * out, max(start[0], end[0]) + 2 * out
    near = [rect for rect in rects if rect[2] > low and rect[0] < high]
    ways = sorted(_ways(start, end, near, out), key=_cost)[:MOST_WAYS]
    best, fewest = ways[0], len(rects) + 1
    for way in ways:
        hits = _hits(way, near)
        if hits < fewest:
            best, fewest = way, hits
        if not hits:
            break
    return tuple(best)


def _ways(start: Point, end: Point, rects: list[Rect], out: float) -> Iterator[list[Point]]:
    (x1, y1), (x2, y2) = start, end
    near_out, near_in = x1 + out, x2 - IN
    turns = sorted({near_out, near_in, (x1 + x2) / 2, *_beside(rects, x1, x2)})
    for x in turns:
        if near_out <= x <= near_in:
            yield [start, (x, y1), (x, y2), end]
    firsts = sorted((x for x in turns if x >= near_out), key=lambda x: x - x1)[:4] or [near_out]
    lasts = sorted((x for x in turns if x <= near_in), key=lambda x: x2 - x)[:4] or [near_in]
    middle = (y1 + y2) / 2
    lanes = sorted(
        {middle, *(r[1] - CLEAR for r in rects), *(r[3] + CLEAR for r in rects)}, key=lambda y: abs(y - middle)
    )
    for lane in lanes[:24]:
        for first in firsts:
            for last in lasts:
                yield [start, (first, y1), (first, lane), (last, lane), (last, y2), end]


def _beside(rects: list[Rect], x1: float, x2: float) -> list[float]:
    """Places right beside cards, between the two ends."""
    places = [x for rect in rects for x in (rect[0] - IN, rect[2] + OUT)]
    return sorted((x for x in places if x1 < x < x2), key=lambda x: x - x1)[:12]


def _cost(way: list[Point]) -> float:
    return sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(way)) + TURN_COST * len(way)


def _hits(way: list[Point] | tuple[Point, ...], rects: list[Rect]) -> int:
    """How many cards a way runs through; touching an edge from outside is none."""
    hits = 0
    for a, b in pairwise(way):
        left, right = min(a[0], b[0]), max(a[0], b[0])
        top, bottom = min(a[1], b[1]), max(a[1], b[1])
        hits += sum(r[0] < right and left < r[2] and r[1] < bottom + 1 and top - 1 < r[3] for r in rects)
    return hits


def _collect(wiring: Wiring, ports: Ports, sizes: dict[int, float], routes: list[Route], *, compact: bool) -> Layout:
    """Move everything so that it begins at 0, 0."""
    xs = [x for route in routes for x, _ in route.points]
    ys = [y for route in routes for _, y in route.points]
    left = min([*(vertex.x for vertex in wiring.vertices), *xs])
    top = min([*(vertex.y for vertex in wiring.vertices), *ys])
    cards, boxes = [], []
    for vertex in wiring.vertices:
        width = sizes[vertex.number]
        spots = ports.left[vertex.number].spots(vertex.x, vertex.y, "in")
        spots += ports.right[vertex.number].spots(vertex.x + width, vertex.y, "out")
        place = (vertex.key, vertex.index, vertex.x, vertex.y, width, vertex.height)
        if vertex.is_box:
            boxes.append(BoxSpot(*place, depth=vertex.depth + 1, ports=spots))
        else:
            cards.append(CardSpot(*place, ports=spots))
    boxes.sort(key=lambda spot: (spot.depth, spot.index))
    whole = Layout(
        width=max([*(vertex.x + sizes[vertex.number] for vertex in wiring.vertices), *xs]) - left,
        height=max([*(vertex.y + vertex.height for vertex in wiring.vertices), *ys]) - top,
        compact=compact,
        cards=tuple(cards),
        boxes=tuple(boxes),
        routes=tuple(routes),
    )
    return whole.moved(-left, -top)
