"""A solved part on paper: widths of the gaps, tracks of the edges, cards, boxes and routes with coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.graph.layout.channels import Stretch, assign_tracks
from flownb.graph.layout.plan import BoxSpot, CardSpot, Layout, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.layout.plan import Point
    from flownb.graph.layout.solve import Part
    from flownb.graph.layout.wiring import Link, Vertex

#: Between a card and the first track; between the last track and the next card, where the arrowhead needs room.
BEFORE: Final = 20.0
AFTER: Final = 33.0
TRACK_GAP: Final = 8.0
#: All tracks of one gap together; more of them move closer.
MOST_TRACKS: Final = 240.0
#: Between a box's edge and its cards, and where an edge of the box itself must turn in between.
PAD: Final = 20.0
WIDE_PAD: Final = 40.0
#: From a box's edge to that turn.
TURN: Final = 14.0


class Hop:
    """Where an edge goes from one height to another: in the gap right of `channel`, or inside the edge of a box."""

    __slots__ = ("box", "channel", "from_left", "from_y", "to_right", "to_y")

    def __init__(self, channel: int, from_y: float, to_y: float, *, from_left: bool, to_right: bool) -> None:
        self.channel = channel
        self.from_y = from_y
        self.to_y = to_y
        self.from_left = from_left
        self.to_right = to_right
        #: The box inside whose edge it is, and whether that is the left one; None for all others.
        self.box: tuple[int, bool] | None = None


class Sheet:
    """The coordinates of one part; its upper left corner is at 0, 0."""

    def __init__(self, part: Part, card_width: float, circles: list[int]) -> None:
        """Lay out a part.

        Args:
            part: solved.
            card_width: the same for all cards.
            circles: for each vertex a number that two of them share if a cycle goes through both.
        """
        self.part = part
        self.vertices = part.wiring.vertices
        self.card_width = card_width
        self._circles = circles
        self._members = self._find_members()
        self._hops = {link: self._hops_of(link) for link in part.links}
        self._stretches: list[dict[int, Stretch]] = [{} for _ in range(part.columns + 1)]
        self._wide: set[tuple[int, bool]] = set()
        self._collect_stretches()
        self._pads: dict[tuple[int, bool], float] = {}
        self._set_pads()
        self._track_x: dict[tuple[int, int], float] = {}
        self._column_x: list[float] = []
        self.width = self._set_columns()
        self.height = part.height
        self._set_x()

    def layout(self) -> Layout:
        """Everything with its coordinates."""
        cards, boxes = [], []
        for vertex in self._members:
            width = self._width_of(vertex)
            ports = self.part.ports.left[vertex.number].spots(vertex.x, vertex.y, "in")
            ports += self.part.ports.right[vertex.number].spots(vertex.x + width, vertex.y, "out")
            place = (vertex.key, vertex.index, vertex.x, vertex.y, width, vertex.height)
            if vertex.is_box:
                boxes.append(BoxSpot(*place, depth=vertex.depth + 1, ports=ports))
            else:
                cards.append(CardSpot(*place, ports=ports))
        return Layout(
            width=self.width,
            height=self.height,
            compact=False,
            cards=tuple(cards),
            boxes=tuple(boxes),
            routes=tuple(self._route(link) for link in self.part.links),
            layers=self.part.columns,
        )

    # --- heights --------------------------------------------------------------------------------------------------

    def _find_members(self) -> list[Vertex]:
        found, work = [], list(reversed(self.part.roots))
        while work:
            vertex = self.vertices[work.pop()]
            found.append(vertex)
            work += reversed(vertex.children)
        return found

    def _hops_of(self, link: Link) -> list[Hop]:
        down = link.lower is None and bool(link.entries)
        up = link.lower is None and bool(link.exits)
        y = self._own_port(link.source, link, left=True) if down else self._port_y(link, outward=True)
        end = self.vertices[link.target]
        if up:
            last = (self._own_port(link.target, link, left=False), end.last, True)
        else:
            last = (self._port_y(link, outward=False), end.layer - 1, True)
        hops: list[Hop] = []
        from_left = True
        for to_y, channel, to_right in [*self._lanes_of(link), last]:
            hops.append(Hop(channel, y, to_y, from_left=from_left, to_right=to_right))
            y, from_left = to_y, to_right
        if up:
            hops[-1].box = (link.target, False)
        if down:
            hops[0].box = (link.source, True)
        return hops

    def _lanes_of(self, link: Link) -> Iterator[tuple[float, int, bool]]:
        """The lanes that a link runs in: how high, the gap in which it gets there, whether it goes on to the right."""
        levels, vertices = self.part.levels, self.vertices
        for box, member in link.exits:
            if vertices[member].last < vertices[box].last:
                lane = levels[box].lanes[link.net]
                yield lane.y, lane.first - 1, True
        if link.lower is not None:
            level = levels[link.lower]
            if link in level.back_lanes:
                lane = level.back_lanes[link]
                yield lane.y, lane.last, False
            elif vertices[link.end].layer > vertices[link.start].last + 1:
                lane = level.lanes[link.net]
                yield lane.y, lane.first - 1, True
        for box, member in link.entries:
            if vertices[member].layer > vertices[box].layer:
                lane = levels[box].lanes[link.net]
                yield lane.y, lane.first - 1, True

    def _port_y(self, link: Link, *, outward: bool) -> float:
        sides, name = (self.part.ports.right, link.out_port) if outward else (self.part.ports.left, link.in_port)
        vertex = self.vertices[link.source if outward else link.target]
        return vertex.y + sides[vertex.number].offsets.get(name, vertex.height / 2)

    def _own_port(self, number: int, link: Link, *, left: bool) -> float:
        """Where a box hands something to its body, or takes it back: its first port on that side, else in line."""
        offsets = (self.part.ports.left if left else self.part.ports.right)[number].offsets
        if offsets:
            return self.vertices[number].y + next(iter(offsets.values()))
        member = self.vertices[(link.entries if left else link.exits)[-1][1]]
        return self._port_y(link, outward=not left) if not member.is_box else member.y + member.height / 2

    # --- widths ---------------------------------------------------------------------------------------------------

    def _collect_stretches(self) -> None:
        for link, hops in self._hops.items():
            for hop in hops:
                if hop.box is not None:
                    if hop.from_y != hop.to_y:
                        self._wide.add(hop.box)
                    continue
                stretch = self._stretches[hop.channel + 1].setdefault(link.net, Stretch())
                stretch.join(hop.from_y, left=hop.from_left)
                stretch.join(hop.to_y, left=not hop.to_right)

    def _set_pads(self) -> None:
        """How far the edges of each box are from its first and last column, boxes inside it included."""
        for vertex in sorted(self._members, key=lambda vertex: -vertex.depth):
            if not vertex.is_box:
                continue
            children = [self.vertices[child] for child in vertex.children if self.vertices[child].is_box]
            for left in (True, False):
                inner = [
                    self._pads[child.number, left]
                    for child in children
                    if (child.layer == vertex.layer if left else child.last == vertex.last)
                ]
                own = WIDE_PAD if (vertex.number, left) in self._wide else PAD
                self._pads[vertex.number, left] = own + max(inner, default=0.0)

    def _set_columns(self) -> float:
        """Set the x of every column and every track; returns the whole width."""
        columns = self.part.columns
        closing, opening, labels = [0.0] * (columns + 1), [0.0] * (columns + 1), [0.0] * (columns + 1)
        for vertex in self._members:
            if vertex.is_box:
                closing[vertex.last + 1] = max(closing[vertex.last + 1], self._pads[vertex.number, False])
                opening[vertex.layer] = max(opening[vertex.layer], self._pads[vertex.number, True])
            ports = self.part.ports.right[vertex.number]
            width = max((ports.label_width(name) for name in ports.looks), default=0.0)
            labels[vertex.last + 1] = max(labels[vertex.last + 1], width)
        x = 0.0
        for place, stretches in enumerate(self._stretches):
            channel = place - 1
            tracks = assign_tracks(list(stretches.values()))
            step = min(TRACK_GAP, MOST_TRACKS / max(tracks, 1))
            inner = 0 < place < columns
            before = max(BEFORE, labels[place]) if place and (inner or tracks or labels[place]) else 0.0
            start = x + closing[place] + before
            for net, stretch in stretches.items():
                self._track_x[channel, net] = start + stretch.track * step
            after = AFTER if inner or (tracks and place < columns) else 0.0
            x = start + max(tracks - 1, 0) * step + after + opening[place]
            if place < columns:
                self._column_x.append(x)
                x += self.card_width
        return x

    def _set_x(self) -> None:
        for vertex in self._members:
            pad = self._pads[vertex.number, True] if vertex.is_box else 0.0
            vertex.x = self._column_x[vertex.layer] - pad

    def _width_of(self, vertex: Vertex) -> float:
        if not vertex.is_box:
            return self.card_width
        return self._column_x[vertex.last] + self.card_width + self._pads[vertex.number, False] - vertex.x

    # --- routes ---------------------------------------------------------------------------------------------------

    def _route(self, link: Link) -> Route:
        hops = self._hops[link]
        source, target = self.vertices[link.source], self.vertices[link.target]
        down, up = hops[0].box is not None and hops[0].box[1], hops[-1].box is not None and not hops[-1].box[1]
        points: list[Point] = [(source.x if down else source.x + self._width_of(source), hops[0].from_y)]
        for hop in hops:
            if hop.from_y == hop.to_y:
                continue
            if hop.box is None:
                x = self._track_x[hop.channel, link.net]
            elif hop.box[1]:
                x = source.x + TURN
            else:
                x = target.x + self._width_of(target) - TURN
            points += [(x, hop.from_y), (x, hop.to_y)]
        points.append((target.x + self._width_of(target) if up else target.x, hops[-1].to_y))
        back = not all(hop.from_left and hop.to_right for hop in hops)
        return Route(
            edge=link.key,
            source=source.key,
            target=target.key,
            kind=link.kind,
            points=tuple(points),
            cycle=back and self._circles[link.source] == self._circles[link.target],
            implied=link.implied,
        )
