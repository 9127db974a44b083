"""`layout(workflow)`: the whole of it, part by part, packed on one sheet."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

import msgspec

from flownb.graph.layout.fold import fold
from flownb.graph.layout.freehand import by_positions
from flownb.graph.layout.layers import circles, components
from flownb.graph.layout.plan import CARD, COMPACT, BoxSpot, CardSpot, Layout, Route
from flownb.graph.layout.ports import Ports
from flownb.graph.layout.sheet import Sheet
from flownb.graph.layout.solve import Part
from flownb.graph.layout.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.layout.wiring import Link
    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Workflow

#: From this many columns on the cards are compact: shrink the card before the type.
COMPACT_FROM: Final = 5
#: Between two parts that nothing joins, and between cards that nothing is joined to.
PART_GAP: Final = 40.0
LONER_GAP: Final = 28.0
#: How wide a sheet of many parts may get, in times its height.
ASPECT: Final = 1.8
LEAST_WIDTH: Final = 1000.0


def layout(workflow: Workflow, *, ports: Mapping[str, NodePorts] | None = None, page: float | None = None) -> Layout:
    """Where every card, box and edge of a workflow stands; never fails, whatever the workflow.

    `workflow.positions` wins when every node has one. The same workflow always gives the same layout.

    Args:
        workflow: valid or not; edges with an unknown end are left out.
        ports: the ports of each node by id, as its type gives them, for shapes, colours and unused choices.
        page: the width of the page, for a picture that can't be scrolled: what is much wider is folded into bands.
    """
    wiring = Wiring(workflow)
    table = Ports(wiring, ports or {})
    placed = by_positions(workflow, wiring, table)
    if placed is not None:
        return placed
    cycles = circles(len(wiring.vertices), wiring.pairs())
    parts, loners = _parts(wiring, table)
    layers = max((part.columns for part in parts), default=min(len(loners), 1))
    compact = layers >= COMPACT_FROM
    card = COMPACT if compact else CARD
    pieces = []
    for part in parts:
        part.solve(card[1])
        piece = Sheet(part, card[0], cycles).layout()
        pieces.append(fold(piece, page) if page else piece)
    cards = [CardSpot(wiring.vertices[number].key, wiring.vertices[number].index, 0.0, 0.0, *card) for number in loners]
    whole = _pack(pieces, cards, max(page or 0.0, LEAST_WIDTH))
    return msgspec.structs.replace(whole, compact=compact, layers=layers)


def _parts(wiring: Wiring, table: Ports) -> tuple[list[Part], list[int]]:
    """The connected parts in the order of the definition, and the cards that nothing is joined to."""
    places = {number: place for place, number in enumerate(wiring.roots)}
    pairs = [(places[link.start], places[link.end]) for link in wiring.links if link.lower == -1]
    groups = components(len(wiring.roots), pairs)
    tops: dict[int, int] = {}
    for number in wiring.roots:
        work = [number]
        while work:
            each = work.pop()
            tops[each] = groups[places[number]]
            work += wiring.vertices[each].children
    links: dict[int, list[Link]] = {}
    for link in wiring.links:
        links.setdefault(tops[link.source], []).append(link)
    roots: dict[int, list[int]] = {}
    for number in wiring.roots:
        roots.setdefault(tops[number], []).append(number)
    parts, loners = [], []
    for group, members in roots.items():
        if len(members) == 1 and group not in links and not wiring.vertices[members[0]].is_box:
            loners += members
        else:
            parts.append(Part(wiring, table, members, links.get(group, [])))
    return parts, loners


def _pack(pieces: list[Layout], loners: list[CardSpot], page: float) -> Layout:
    """Put the parts in rows from left to right, and the loners below them in a grid."""
    area = sum((piece.width + PART_GAP) * (piece.height + PART_GAP) for piece in pieces)
    area += sum((card.width + LONER_GAP) * (card.height + LONER_GAP) for card in loners)
    widest = max([sqrt(area * ASPECT), page, *(piece.width for piece in pieces)])
    whole = Layout(width=0.0, height=0.0, compact=False)
    cards: list[CardSpot] = []
    boxes: list[BoxSpot] = []
    routes: list[Route] = []
    x = y = row = right = 0.0
    for piece in pieces:
        if x and x + piece.width > widest:
            x, y, row = 0.0, y + row + PART_GAP, 0.0
        moved = piece.moved(x, y)
        cards += moved.cards
        boxes += moved.boxes
        routes += moved.routes
        right = max(right, x + piece.width)
        x += piece.width + PART_GAP
        row = max(row, piece.height)
    bottom = y + row
    if loners:
        grid = _grid(loners, bottom + PART_GAP if pieces else 0.0, widest)
        cards += grid
        right = max(right, *(card.x + card.width for card in grid))
        bottom = grid[-1].y + grid[-1].height
    cards.sort(key=lambda spot: spot.index)
    boxes.sort(key=lambda spot: (spot.depth, spot.index))
    return msgspec.structs.replace(
        whole, width=right, height=bottom, cards=tuple(cards), boxes=tuple(boxes), routes=tuple(routes)
    )


def _grid(loners: list[CardSpot], top: float, widest: float) -> list[CardSpot]:
    width, height = loners[0].width + LONER_GAP, loners[0].height + LONER_GAP
    across = max(int((widest + LONER_GAP) // width), 1)
    return [
        msgspec.structs.replace(card, x=number % across * width, y=top + number // across * height)
        for number, card in enumerate(loners)
    ]
