"""One connected part of a workflow: columns and heights of everything in it, boxes from the inside out."""

from __future__ import annotations

from itertools import count
from statistics import fmean
from typing import TYPE_CHECKING, Final

from flownb.graph.layout.level import LANE_GAP, LANES_GAP, Level, LevelLinks
from flownb.graph.layout.order import Neighbours, arrange
from flownb.graph.layout.plan import FOOT, HEAD, PORT_STEP
from flownb.graph.layout.rows import line_up, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.layout.level import Item, Wire
    from flownb.graph.layout.ports import Ports
    from flownb.graph.layout.wiring import Link, Vertex, Wiring

#: How many rows there are at most for lanes below everything else.
MOST_UNDER: Final = 40


class Part:
    """The levels of one connected part; after `solve` every vertex and every lane has its column and its height."""

    def __init__(self, wiring: Wiring, ports: Ports, roots: list[int], links: list[Link]) -> None:
        self.wiring = wiring
        self.ports = ports
        self.roots = roots
        self.links = links
        self.card_height = 0.0
        self.height = 0.0
        self._enter: dict[tuple[int, Link], float] = {}
        self._leave: dict[tuple[int, int], float] = {}
        #: By box, -1 for the top; the deepest first.
        self.levels: dict[int, Level] = {}
        by_box = _by_box(links)
        for box in [*self._boxes(), -1]:
            members = roots if box < 0 else wiring.vertices[box].children
            self.levels[box] = Level(wiring, box, members, by_box.get(box, LevelLinks()))
            if box >= 0:
                wiring.vertices[box].span = self.levels[box].columns

    @property
    def columns(self) -> int:
        """How many columns it takes."""
        return self.levels[-1].columns

    def _boxes(self) -> list[int]:
        """The boxes of this part, the deepest first."""
        found, work = [], list(self.roots)
        while work:
            vertex = self.wiring.vertices[work.pop()]
            if vertex.is_box:
                found.append(vertex.number)
                work += vertex.children
        return sorted(found, key=lambda number: (-self.wiring.vertices[number].depth, number))

    def solve(self, card_height: float) -> None:
        """Find all heights, then make columns and heights absolute.

        Args:
            card_height: the height of a card with few ports.
        """
        self.card_height = card_height
        for box, level in self.levels.items():
            bottom = self._solve_level(level)
            if box >= 0:
                self._close_box(self.wiring.vertices[box], level, bottom)
            else:
                self.height = bottom
        for box in reversed(self.levels):
            self._place(box)

    # --- one level ------------------------------------------------------------------------------------------------

    def _solve_level(self, level: Level) -> float:
        """Give the items of a level their heights and return the lower end of the lowest."""
        for item in level.items:
            if not item.is_lane:
                vertex = self.wiring.vertices[item.vertex]
                item.height = vertex.height if vertex.is_box else self.card_height
        for wire in level.wires:
            self._set_offsets(level, wire)
        neighbours = Neighbours(level)
        columns = arrange(level, neighbours)
        straight = line_up(level, neighbours, columns)
        for item in level.items:
            if not item.is_lane and not self.wiring.vertices[item.vertex].is_box:
                self._fan(level, neighbours, item, straight)
        for wire in level.wires:
            self._set_offsets(level, wire)
        settle(level, columns, straight)
        bottom = max((item.y + item.height for item in level.items if item not in level.under), default=0.0)
        return _put_under(level.under, bottom)

    def _set_offsets(self, level: Level, wire: Wire) -> None:
        left, right = level.items[wire.left], level.items[wire.right]
        wire.left_off = 0.0 if left.is_lane else self._out(wire.link, left.vertex)
        wire.right_off = 0.0 if right.is_lane else self._in(wire.link, right.vertex)

    def _out(self, link: Link, number: int) -> float:
        """How far below the upper edge of a member a link leaves it."""
        if link.source == number:
            return self.ports.right[number].offsets.get(link.out_port, self.card_height / 2)
        return self._leave[number, link.net]

    def _in(self, link: Link, number: int) -> float:
        """How far below the upper edge of a member a link enters it."""
        if link.target == number:
            return self.ports.left[number].offsets.get(link.in_port, self.card_height / 2)
        return self._enter[number, link]

    def _fan(self, level: Level, neighbours: Neighbours, item: Item, straight: dict[Wire, int]) -> None:
        """Spread the ports of a card around those whose wires shall be straight."""
        items = level.items
        sides = []
        for ports, wires, outward in (
            (self.ports.left[item.vertex], neighbours.left[item.number], False),
            (self.ports.right[item.vertex], neighbours.right[item.number], True),
        ):
            ends: dict[str, list[float]] = {}
            main = ""
            for wire in wires:
                name = wire.link.out_port if outward else wire.link.in_port
                ends.setdefault(name, []).append(_far_height(items, wire, outward=outward))
                if wire in straight:
                    main = name
            main = main or _middle(list(ports.looks), ends)
            sides.append((ports, ports.fan(main, {name: fmean(each) for name, each in ends.items()})))
        middle = item.y + item.height / 2
        item.height = max(self.card_height, *(least for _, (least, _) in sides))
        item.y = middle - item.height / 2
        self.wiring.vertices[item.vertex].height = item.height
        for ports, (_, offsets) in sides:
            ports.offsets = {name: item.height / 2 + offset for name, offset in offsets.items()}

    # --- boxes ----------------------------------------------------------------------------------------------------

    def _close_box(self, box: Vertex, level: Level, bottom: float) -> None:
        """Note where links enter and leave a box, and put its own ports in line with its body."""
        box.height = HEAD + bottom + FOOT
        inward, outward = [], []
        for link, member in level.links.entering:
            item = level.item_of[member]
            y = level.lanes[link.net].y if item.first > 0 else item.y + self._in(link, member)
            self._enter[box.number, link] = HEAD + y
            if link.source == box.number:
                inward.append((item.first > 0, HEAD + y))
        for link, member in level.links.leaving:
            item = level.item_of[member]
            inside = item.last < level.columns - 1
            y = level.lanes[link.net].y if inside else item.y + self._out(link, member)
            self._leave[box.number, link.net] = HEAD + y
            if link.target == box.number:
                outward.append((inside, HEAD + y))
        through_left = {self._enter[box.number, link] for link, _ in level.links.entering if link.source != box.number}
        through_right = {
            self._leave[box.number, link.net] for link, _ in level.links.leaving if link.target != box.number
        }
        for ports, ends, taken in (
            (self.ports.left[box.number], inward, through_left),
            (self.ports.right[box.number], outward, through_right),
        ):
            main = min(ends)[1] if ends else HEAD + self._main_line(level)
            ports.offsets = dict(zip(ports.looks, _free_places(main, taken), strict=False))

    def _main_line(self, level: Level) -> float:
        cards = [item for item in level.items if not item.is_lane]
        first = min(cards, key=lambda item: (item.first, item.y))
        return first.y + first.height / 2

    def _place(self, box: int) -> None:
        """Make the members of a level absolute; the box itself is already."""
        level = self.levels[box]
        top = 0.0 if box < 0 else self.wiring.vertices[box].y + HEAD
        column = 0 if box < 0 else self.wiring.vertices[box].layer
        for item in level.items:
            item.y += top
            item.first += column
            item.last += column
            if not item.is_lane:
                vertex = self.wiring.vertices[item.vertex]
                vertex.y, vertex.layer, vertex.height = item.y, item.first, item.height


def _by_box(links: list[Link]) -> dict[int, LevelLinks]:
    """The links of each level; -1 is the top."""
    found: dict[int, LevelLinks] = {}
    for link in links:
        if link.lower is not None:
            found.setdefault(link.lower, LevelLinks()).across.append(link)
        for box, member in link.exits:
            found.setdefault(box, LevelLinks()).leaving.append((link, member))
        for box, member in link.entries:
            found.setdefault(box, LevelLinks()).entering.append((link, member))
    return found


def _far_height(items: list[Item], wire: Wire, *, outward: bool) -> float:
    """How high the other end of a wire lies."""
    far = items[wire.right] if outward else items[wire.left]
    return far.y + (wire.right_off if outward else wire.left_off)


def _middle(names: list[str], ends: dict[str, list[float]]) -> str:
    """The port for the middle where no wire says: of the wired ones the one in the middle, else the first."""
    wired = sorted((name for name in names if name in ends), key=lambda name: fmean(ends[name]))
    return wired[(len(wired) - 1) // 2] if wired else names[0] if names else ""


def _free_places(main: float, taken: set[float]) -> Iterator[float]:
    """`main`, one step below it, one above, two below …, without those where a line passes."""
    for number in count():
        step = (number + 1) // 2 * PORT_STEP
        place = main + (step if number % 2 else -step)
        if all(abs(place - line) >= PORT_STEP / 2 for line in taken):
            yield place


def _put_under(lanes: list[Item], bottom: float) -> float:
    """Put lanes below everything else, those that don't overlap on one height; returns the new lower end."""
    rows: list[int] = []
    for lane in sorted(lanes, key=lambda lane: (lane.first, lane.number)):
        row = next((number for number, last in enumerate(rows) if last < lane.first), len(rows))
        if row >= MOST_UNDER:
            row = lane.number % MOST_UNDER
        elif row == len(rows):
            rows.append(0)
        rows[row] = max(rows[row], lane.last)
        lane.y = bottom + LANE_GAP + row * LANES_GAP
    return bottom + LANE_GAP + len(rows) * LANES_GAP if rows else bottom
