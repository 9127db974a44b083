"""How high the items of a level stand, once their order is known.

Items that are joined along a main chain are lined up to blocks, so that the chain's edges are straight; then the
blocks move to where their other edges are short. Blocks never cross, so "stands above" between them has no cycle.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from math import floor
from statistics import median
from typing import TYPE_CHECKING, Final

from flownb.graph.layout.level import LANES_GAP, gap
from flownb.graph.layout.order import MANY_ITEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.layout.level import Item, Level, Wire
    from flownb.graph.layout.order import Neighbours


#: How much higher than its fullest column a level may get for the sake of straight lines, and how often that is tried.
SLACK: Final = 1.2
MOST_CUTS: Final = 60
#: By how much a lane may move to run straight.
SNAP: Final = 8.0


def line_up(level: Level, neighbours: Neighbours, columns: list[list[Item]]) -> dict[Wire, int]:
    """Choose the wires that shall be straight: at most one on each side of an item, and none that cross.

    Returns each with its rank; the first is the most important.
    """
    place = [{item.number: number for number, item in enumerate(column)} for column in columns]
    taken: list[list[tuple[int, int]]] = [
        sorted((place[number][item.number], place[number + 1][item.number]) for item in column if item.last > number)
        for number, column in enumerate(columns)
    ]
    has_left: set[int] = set()
    has_right: set[int] = set()
    chosen: dict[Wire, int] = {}
    for wire in _by_weight(level, neighbours, columns):
        left = level.items[wire.left]
        if left.last != wire.channel or wire.left in has_right or wire.right in has_left:
            continue
        pair = place[wire.channel][wire.left], place[wire.channel + 1][wire.right]
        row = taken[wire.channel]
        at = bisect_left(row, pair)
        if (at and row[at - 1][1] >= pair[1]) or (at < len(row) and row[at][1] <= pair[1]):
            continue
        row.insert(at, pair)
        has_right.add(wire.left)
        has_left.add(wire.right)
        chosen[wire] = len(chosen)
    return chosen


def _by_weight(level: Level, neighbours: Neighbours, columns: list[list[Item]]) -> list[Wire]:
    """The wires of the longest chains first; of several alike the middle one."""
    items = level.items
    behind, ahead = [0] * len(items), [0] * len(items)
    for column in columns:
        for item in column:
            rest = max((behind[wire.left] for wire in neighbours.left[item.number]), default=0)
            behind[item.number] = rest + (not item.is_lane)
    for column in reversed(columns):
        for item in column:
            rest = max((ahead[wire.right] for wire in neighbours.right[item.number]), default=0)
            ahead[item.number] = rest + (not item.is_lane)
    off_middle = dict.fromkeys(level.wires, 0.0)
    for number in range(len(items)):
        _rate([(items[wire.right].y, place, wire) for place, wire in enumerate(neighbours.right[number])], off_middle)
        _rate([(items[wire.left].y, place, wire) for place, wire in enumerate(neighbours.left[number])], off_middle)

    def weight(numbered: tuple[int, Wire]) -> tuple[float, ...]:
        number, wire = numbered
        lanes = items[wire.left].is_lane + items[wire.right].is_lane
        minor = wire.link.kind in ("error", "part")
        return (minor, -behind[wire.left] - ahead[wire.right], lanes, off_middle[wire], number)

    return [wire for _, wire in sorted(enumerate(level.wires), key=weight)]


def _rate(wires: list[tuple[float, int, Wire]], off_middle: dict[Wire, float]) -> None:
    """Add to each wire how far it is from the middle one of these."""
    wires.sort(key=lambda each: each[:2])
    for rank, (_, _, wire) in enumerate(wires):
        off_middle[wire] += abs(rank - (len(wires) - 1) / 2)


class Blocks:
    """The lined-up items as rigid blocks, with the least distances between them."""

    def __init__(self, level: Level, columns: list[list[Item]], straight: Mapping[Wire, int]) -> None:
        self.level = level
        self.of = [-1] * len(level.items)
        #: How far each item's upper edge lies below its block's origin.
        self.shift = [0.0] * len(level.items)
        self.count = 0
        self._join(columns, straight)
        #: For each block: the blocks below it with the least distance between the origins; and those above.
        self.below: list[dict[int, float]] = [{} for _ in range(self.count)]
        self.above: list[dict[int, float]] = [{} for _ in range(self.count)]
        #: The two items that ask for the distance between two blocks.
        self.why: dict[tuple[int, int], tuple[Item, Item]] = {}
        for column in columns:
            for upper, lower in pairwise(column):
                self._keep_apart(upper, lower)
        self.order = self._topological()

    def _join(self, columns: list[list[Item]], straight: Mapping[Wire, int]) -> None:
        onward = {wire.left: wire for wire in straight}
        begun = {wire.right for wire in straight}
        for column in columns:
            for item in column:
                if self.of[item.number] >= 0 or item.number in begun:
                    continue
                here, shift = item.number, 0.0
                while True:
                    self.of[here], self.shift[here] = self.count, shift
                    wire = onward.get(here)
                    if wire is None:
                        break
                    shift += wire.left_off - wire.right_off
                    here = wire.right
                self.count += 1

    def _keep_apart(self, upper: Item, lower: Item) -> None:
        one, other = self.of[upper.number], self.of[lower.number]
        least = self.shift[upper.number] + upper.height + gap(upper, lower) - self.shift[lower.number]
        if least > self.below[one].get(other, float("-inf")):
            self.below[one][other] = least
            self.above[other][one] = least
            self.why[one, other] = upper, lower

    def _topological(self) -> list[int]:
        missing = [len(each) for each in self.above]
        ready = [block for block in range(self.count) if not missing[block]]
        for block in ready:
            for other in self.below[block]:
                missing[other] -= 1
                if not missing[other]:
                    ready.append(other)
        return ready

    @property
    def sound(self) -> bool:
        """Whether no block stands above itself; true unless the choice of straight wires was wrong."""
        return len(self.order) == self.count

    def packed(self) -> list[float]:
        """The highest place of each block's origin if the level begins at 0."""
        ys = [0.0] * self.count
        for item in self.level.items:
            if (block := self.of[item.number]) >= 0:
                ys[block] = max(ys[block], -self.shift[item.number])
        for block in self.order:
            for other, least in self.below[block].items():
                ys[other] = max(ys[other], ys[block] + least)
        return ys


def settle(level: Level, columns: list[list[Item]], straight: dict[Wire, int]) -> None:
    """Give every item its final `y`, whole pixels, the highest at 0."""
    blocks = _blocks(level, columns, straight)
    ys = _relaxed(blocks)
    for number, y in _item_ys(blocks, ys):
        level.items[number].y = floor(y) + blocks.shift[number]
    least = min((item.y for item in level.items if blocks.of[item.number] >= 0), default=0.0)
    for item in level.items:
        item.y -= least
    _snap_lanes(level, columns)


def _snap_lanes(level: Level, columns: list[list[Item]]) -> None:
    """Let lanes run straight out of a port or into one that they miss by a few pixels, where there is room."""
    free: dict[int, tuple[float, float]] = {}
    for column in columns:
        for number, item in enumerate(column):
            if not item.is_lane:
                continue
            low, high = free.get(item.number, (float("-inf"), float("inf")))
            if number:
                low = max(low, column[number - 1].y + column[number - 1].height + LANES_GAP)
            if number + 1 < len(column):
                high = min(high, column[number + 1].y - LANES_GAP)
            free[item.number] = low, high
    for wire in level.wires:
        left, right = level.items[wire.left], level.items[wire.right]
        lane = left if left.is_lane else right
        wanted = right.y + wire.right_off if left.is_lane else left.y + wire.left_off
        low, high = free.get(lane.number, (0.0, 0.0))
        if 0 < abs(wanted - lane.y) <= SNAP and low <= wanted <= high:
            lane.y = wanted
            free[lane.number] = wanted, wanted


def _blocks(level: Level, columns: list[list[Item]], straight: dict[Wire, int]) -> Blocks:
    """Blocks that don't make the level much higher than it must be: long ones that wedge apart are cut."""
    fullest = max((sum(item.height + gap(item, item) for item in column) for column in columns), default=0.0)
    blocks = Blocks(level, columns, straight)
    if not blocks.sound:
        return Blocks(level, columns, {})
    straight = dict(straight)
    for _ in range(MOST_CUTS):
        ys = blocks.packed()
        lowest = max(level.items, key=lambda item: _bottom(blocks, ys, item), default=None)
        if lowest is None or _bottom(blocks, ys, lowest) <= fullest * SLACK:
            break
        cuts = _cuts(blocks, ys, lowest, straight)
        if not cuts:
            break
        for wire in cuts:
            del straight[wire]
        blocks = Blocks(level, columns, straight)
    return blocks


def _bottom(blocks: Blocks, ys: list[float], item: Item) -> float:
    block = blocks.of[item.number]
    return ys[block] + blocks.shift[item.number] + item.height if block >= 0 else 0.0


def _cuts(blocks: Blocks, ys: list[float], item: Item, straight: dict[Wire, int]) -> list[Wire]:
    """The least important wire of each block that holds the lowest item down from one column to another."""
    onward = {wire.left: wire for wire in straight}
    items = blocks.level.items
    cuts: list[Wire] = []
    while True:
        block = blocks.of[item.number]
        upper = next((each for each, least in blocks.above[block].items() if ys[each] + least == ys[block]), None)
        if upper is None:
            return cuts
        above, held = blocks.why[upper, block]
        first, last = (held, item) if held.first <= item.first else (item, held)
        between: list[Wire] = []
        here = first.number
        while here != last.number:
            between.append(onward[here])
            here = items[onward[here].right].number
        if between:
            cuts.append(max(between, key=lambda wire: straight[wire]))
        item = above


def _item_ys(blocks: Blocks, ys: list[float]) -> list[tuple[int, float]]:
    return [(number, ys[block]) for number, block in enumerate(blocks.of) if block >= 0]


def _relaxed(blocks: Blocks) -> list[float]:
    """The blocks' places: from a tight packing, several rounds of moving towards their neighbours."""
    ys = blocks.packed()
    low, high = ys, _lowest(blocks, ys)
    pulls = _pulls(blocks)
    size = len(blocks.level.items)
    rounds = 12 if size <= MANY_ITEMS else 6 if size <= 6 * MANY_ITEMS else 3
    for step in range(rounds):
        side = (1, 0, -1)[step % 3] if step < rounds - 2 else 0
        wanted = [_wanted(ys, block, pulls[block], side) for block in range(blocks.count)]
        if not side:
            wanted = [(want + y) / 2 for want, y in zip(wanted, ys, strict=True)]
        wanted = [max(least, min(most, want)) for least, most, want in zip(low, high, wanted, strict=True)]
        ys = _nearest(blocks, wanted)
    for _ in range(2):
        for block in (*blocks.order, *reversed(blocks.order)):
            least = max([low[block], *(ys[other] + space for other, space in blocks.above[block].items())])
            most = min([high[block], *(ys[other] - space for other, space in blocks.below[block].items())])
            ys[block] = max(least, min(most, _wanted(ys, block, pulls[block], 0)))
    for item in blocks.level.items:
        if item.back and (block := blocks.of[item.number]) >= 0:
            ys[block] = max((ys[other] + least for other, least in blocks.above[block].items()), default=ys[block])
    return ys


def _lowest(blocks: Blocks, packed: list[float]) -> list[float]:
    """The lowest place of each block's origin if the level is a little higher than it must be."""
    items = [item for item in blocks.level.items if blocks.of[item.number] >= 0]
    bottom = max((_bottom(blocks, packed, item) for item in items), default=0.0) * SLACK
    ys = [float("inf")] * blocks.count
    for item in items:
        block = blocks.of[item.number]
        ys[block] = min(ys[block], bottom - blocks.shift[item.number] - item.height)
    for block in reversed(blocks.order):
        for other, least in blocks.above[block].items():
            ys[other] = min(ys[other], ys[block] - least)
    return ys


def _pulls(blocks: Blocks) -> list[list[tuple[int, float, int]]]:
    """For each block the other blocks that it is wired to: which, at what distance straight, on which side."""
    pulls: list[list[tuple[int, float, int]]] = [[] for _ in range(blocks.count)]
    for wire in blocks.level.wires:
        left, right = blocks.of[wire.left], blocks.of[wire.right]
        if left != right and left >= 0 and right >= 0:
            distance = blocks.shift[wire.left] + wire.left_off - blocks.shift[wire.right] - wire.right_off
            pulls[right].append((left, distance, -1))
            pulls[left].append((right, -distance, 1))
    return pulls


def _wanted(ys: list[float], block: int, pulls: list[tuple[int, float, int]], side: int) -> float:
    wanted = [ys[other] + distance for other, distance, where in pulls if where != side]
    return median(wanted) if wanted else ys[block]


def _nearest(blocks: Blocks, wanted: list[float]) -> list[float]:
    """Places near the wanted ones that keep all distances: halfway between pushing down and pushing up."""
    down, up = list(wanted), list(wanted)
    for block in blocks.order:
        for other, least in blocks.below[block].items():
            down[other] = max(down[other], down[block] + least)
    for block in reversed(blocks.order):
        for other, least in blocks.above[block].items():
            up[other] = min(up[other], up[block] - least)
    return [(one + other) / 2 for one, other in zip(down, up, strict=True)]
