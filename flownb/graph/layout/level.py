"""The members of one box, with the lanes in which long edges run between them.

A lane is an item like a card, without height: it takes a row of its own through all the columns that it crosses, so
that no edge ever runs through a card. All edges of a net share one lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.graph.layout.layers import assign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.layout.wiring import Link, Wiring

#: Above this many (lane, column) pairs the longest lanes run below everything else instead of between the rows.
MOST_LANE_CELLS: Final = 60_000

#: Free space between two items, one above the other: two cards, a card and a lane, two lanes.
ROW_GAP: Final = 30.0
LANE_GAP: Final = 18.0
LANES_GAP: Final = 9.0


class Item:
    """A card, a box or a lane in its rows and columns."""

    __slots__ = ("back", "first", "height", "last", "net", "number", "vertex", "y")

    def __init__(self, number: int, first: int, last: int, *, vertex: int = -1, net: int = -1) -> None:
        self.number = number
        self.vertex = vertex
        self.net = net
        #: The columns that it covers, counted from the box's first.
        self.first = first
        self.last = last
        self.height = 0.0
        #: The upper edge.
        self.y = 0.0
        #: Whether it is the lane of an edge that goes back.
        self.back = False

    @property
    def is_lane(self) -> bool:
        """Whether it is no card and no box."""
        return self.vertex < 0


class Wire:
    """What joins two items across one gap between columns: `channel` is the column left of the gap."""

    __slots__ = ("channel", "left", "left_off", "link", "right", "right_off", "weight")

    def __init__(self, channel: int, left: int, right: int, link: Link) -> None:
        self.channel = channel
        self.left = left
        self.right = right
        #: One of the links that it stands for.
        self.link = link
        #: Where it ends, below the items' upper edges.
        self.left_off = 0.0
        self.right_off = 0.0
        self.weight = 1.0


class Level:
    """What is directly inside one box (-1: the whole, or one connected part of it)."""

    def __init__(self, wiring: Wiring, box: int, members: list[int], links: LevelLinks) -> None:
        """Find the columns of the members and the lanes between them.

        Args:
            wiring: all vertices; those of boxes inside this one have their span and height already.
            box: the box's number.
            members: the vertices directly inside.
            links: the links that have to do with these members.
        """
        self.box = box
        self.links = links
        numbers = {vertex: number for number, vertex in enumerate(members)}
        spans = [wiring.vertices[vertex].span for vertex in members]
        pairs = [(numbers[link.start], numbers[link.end]) for link in links.across]
        anchored = {
            number
            for number, vertex in enumerate(members)
            if wiring.vertices[vertex].node.type.startswith(("trigger.", "control.start"))
        }
        firsts = assign(spans, pairs, anchored)
        self.items = [
            Item(number, first, first + span - 1, vertex=vertex)
            for number, (vertex, first, span) in enumerate(zip(members, firsts, spans, strict=True))
        ]
        self.item_of = {vertex: self.items[number] for vertex, number in numbers.items()}
        self.columns = max((item.last for item in self.items), default=-1) + 1
        self.wires: list[Wire] = []
        #: The lane of a net; and of a link that goes back.
        self.lanes: dict[int, Item] = {}
        self.back_lanes: dict[Link, Item] = {}
        #: Lanes that run below everything.
        self.under: list[Item] = []
        self._add_lanes()
        self._limit_lanes()
        self._add_wires()

    def _add_lanes(self) -> None:
        reach: dict[int, tuple[int, int]] = {}

        def need(net: int, first: int, last: int) -> None:
            if last >= first:
                old = reach.get(net, (first, last))
                reach[net] = min(first, old[0]), max(last, old[1])

        backs: dict[tuple[int, int, int], Item] = {}
        for link in self.links.across:
            source, target = self.item_of[link.start], self.item_of[link.end]
            if target.first > source.last:
                need(link.net, source.last + 1, target.first - 1)
            else:
                place = (link.net, target.first, source.last)
                if place not in backs:
                    backs[place] = self._lane(link.net, target.first, source.last)
                    backs[place].back = True
                self.back_lanes[link] = backs[place]
        for link, member in self.links.leaving:
            need(link.net, self.item_of[member].last + 1, self.columns - 1)
        for link, member in self.links.entering:
            need(link.net, 0, self.item_of[member].first - 1)
        for net, (first, last) in reach.items():
            self.lanes[net] = self._lane(net, first, last)

    def _lane(self, net: int, first: int, last: int) -> Item:
        lane = Item(len(self.items), first, last, net=net)
        self.items.append(lane)
        return lane

    def _limit_lanes(self) -> None:
        lanes = [item for item in self.items if item.is_lane]
        cells = sum(lane.last - lane.first + 1 for lane in lanes)
        lanes.sort(key=lambda lane: lane.last - lane.first)
        while lanes and cells > MOST_LANE_CELLS:
            lane = lanes.pop()
            cells -= lane.last - lane.first + 1
            self.under.append(lane)

    def _add_wires(self) -> None:
        hidden = {lane.number for lane in self.under}
        seen: set[tuple[int, int, int, str]] = set()
        for left, right, link in self._joints():
            port = "" if right.is_lane else link.in_port
            key = (link.net, left.number, right.number, port)
            if key in seen or left.number in hidden or right.number in hidden:
                continue
            seen.add(key)
            self.wires.append(Wire(right.first - 1, left.number, right.number, link))

    def _joints(self) -> Iterator[tuple[Item, Item, Link]]:
        """What is joined with what, from left to right, by which link."""
        for link in self.links.across:
            source, target = self.item_of[link.start], self.item_of[link.end]
            if link in self.back_lanes:
                continue
            if target.first == source.last + 1:
                yield source, target, link
            else:
                yield source, self.lanes[link.net], link
                yield self.lanes[link.net], target, link
        for link, member in self.links.leaving:
            if self.item_of[member].last < self.columns - 1:
                yield self.item_of[member], self.lanes[link.net], link
        for link, member in self.links.entering:
            if self.item_of[member].first > 0:
                yield self.lanes[link.net], self.item_of[member], link

    def cells(self) -> list[list[Item]]:
        """The items of each column, in no order; those that run below everything are left out."""
        hidden = {lane.number for lane in self.under}
        columns: list[list[Item]] = [[] for _ in range(self.columns)]
        for item in self.items:
            if item.number not in hidden:
                for column in range(item.first, item.last + 1):
                    columns[column].append(item)
        return columns


class LevelLinks:
    """The links of one level: between members, out of the box, and into it."""

    __slots__ = ("across", "entering", "leaving")

    def __init__(self) -> None:
        self.across: list[Link] = []
        self.leaving: list[tuple[Link, int]] = []
        self.entering: list[tuple[Link, int]] = []


def gap(upper: Item, lower: Item) -> float:
    """The free space between two items of a column, one right above the other."""
    if upper.is_lane and lower.is_lane:
        return LANES_GAP
    return LANE_GAP if upper.is_lane or lower.is_lane else ROW_GAP
