"""In which order the items of a column stand, so that few edges cross.

Sweeps from left to right and back move every item to the mean of its neighbours on one side; the best order that was
met wins, then neighbours are swapped while that helps. An item has one height `y` for all its columns, so the orders
of all columns agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.graph.layout.level import gap

if TYPE_CHECKING:
    from flownb.graph.layout.level import Item, Level, Wire

#: What it costs to cross a box that spans a gap between columns; crossing an edge costs 1.
BOX_WEIGHT: Final = 6
#: Above so many items neighbours are not swapped, and above so many (item, column) pairs fewer sweeps are made.
MANY_ITEMS: Final = 500
MANY_CELLS: Final = 5000
VERY_MANY_CELLS: Final = 12_000


class Neighbours:
    """The wires of each item, by side."""

    def __init__(self, level: Level) -> None:
        self.left: list[list[Wire]] = [[] for _ in level.items]
        self.right: list[list[Wire]] = [[] for _ in level.items]
        for wire in level.wires:
            self.right[wire.left].append(wire)
            self.left[wire.right].append(wire)


def arrange(level: Level, neighbours: Neighbours) -> list[list[Item]]:
    """Give every item a `y` and return the columns in order."""
    columns = level.cells()
    few = len(level.items) <= MANY_ITEMS
    cells = sum(len(column) for column in columns)
    sweeps = 10 if few and cells <= MANY_CELLS else 6 if cells <= VERY_MANY_CELLS else 3
    best: tuple[float, float] | None = None
    kept: list[float] = []
    for start in (_by_search, _by_reverse_search) if few else (_by_search,):
        start(level, neighbours)
        for step in range(sweeps + 1):
            if step:
                _sweep(level, neighbours, columns, forward=step % 2 == 1)
            cost = (crossings(level, columns), _length(level))
            if best is None or cost < best:
                best, kept = cost, [item.y for item in level.items]
            if not level.wires:
                break
    for item, y in zip(level.items, kept, strict=True):
        item.y = y
    for column in columns:
        column.sort(key=_centre)
    if few:
        _swap(columns, neighbours, level.items)
    return columns


def _centre(item: Item) -> tuple[float, int]:
    return item.y + item.height / 2, item.number


def _by_search(level: Level, neighbours: Neighbours, *, backwards: bool = False) -> None:
    """A first order: each source, then all that it leads to, in the order of the definition."""
    place = 0
    seen = bytearray(len(level.items))
    for root in level.items:
        if neighbours.left[root.number] or seen[root.number]:
            continue
        stack = [root.number]
        while stack:
            here = stack.pop()
            if seen[here]:
                continue
            seen[here] = 1
            level.items[here].y = place * 80.0
            place += 1
            targets = [wire.right for wire in neighbours.right[here]]
            stack += targets if backwards else reversed(targets)
    for item in level.items:
        if item.back:
            item.y = place * 80.0 + 1e6


def _by_reverse_search(level: Level, neighbours: Neighbours) -> None:
    _by_search(level, neighbours, backwards=True)


def _sweep(level: Level, neighbours: Neighbours, columns: list[list[Item]], *, forward: bool) -> None:
    items = level.items
    for number in range(level.columns) if forward else range(level.columns - 1, -1, -1):
        wanted: list[tuple[float, int, Item, bool]] = []
        for item in columns[number]:
            mean = None
            if number == (item.first if forward else item.last):
                wires = neighbours.left[item.number] if forward else neighbours.right[item.number]
                mean = _mean(items, wires, forward=forward)
            free = mean is not None
            y = item.y if mean is None else mean
            wanted.append((y + item.height / 2, item.number, item, free))
        wanted.sort(key=lambda each: each[:2])
        column = [item for _, _, item, _ in wanted]
        tops = [centre - item.height / 2 for centre, _, item, _ in wanted]
        spread = _spread(column, tops, [1.0 if free else 4.0 for *_, free in wanted])
        for (_, _, item, free), y in zip(wanted, spread, strict=True):
            if free or item.first == item.last:
                item.y = y


def _mean(items: list[Item], wires: list[Wire], *, forward: bool) -> float | None:
    if not wires:
        return None
    if forward:
        total = sum(items[wire.left].y + wire.left_off - wire.right_off for wire in wires)
    else:
        total = sum(items[wire.right].y + wire.right_off - wire.left_off for wire in wires)
    return total / len(wires)


def _spread(column: list[Item], wanted: list[float], weights: list[float]) -> list[float]:
    """The nearest places to the wanted ones at which nothing overlaps (least squares, pool adjacent violators)."""
    shifts: list[float] = []
    shift = 0.0
    for number, item in enumerate(column):
        if number:
            above = column[number - 1]
            shift += above.height + gap(above, item)
        shifts.append(shift)
    pools: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, shifts, weights, strict=True):
        pool = (want - offset, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            value, mass, count = pools.pop()
            total = mass + pool[1]
            pool = ((value * mass + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    values = [value for value, _, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(values, shifts, strict=True)]


def crossings(level: Level, columns: list[list[Item]]) -> float:
    """How many edges cross, each crossing of a box counted several times."""
    channels: list[list[tuple[float, float, int]]] = [[] for _ in range(level.columns)]
    items = level.items
    for wire in level.wires:
        ends = items[wire.left].y + wire.left_off, items[wire.right].y + wire.right_off
        channels[wire.channel].append((*ends, 1))
    for number, column in enumerate(columns):
        for item in column:
            if item.last > number:
                middle = item.y + item.height / 2
                channels[number].append((middle, middle, 1 if item.is_lane else BOX_WEIGHT))
    return sum(_inversions(each) for each in channels if len(each) > 1)


def _inversions(lines: list[tuple[float, float, int]]) -> float:
    """The weighted number of pairs whose order differs on the two sides; O(n log n) by a Fenwick tree."""
    lines.sort()
    rank = {y: number + 1 for number, y in enumerate(sorted({y for _, y, _ in lines}))}
    size = len(rank)
    tree = [0] * (size + 1)
    total = 0
    crossed = 0
    for _, right, weight in lines:
        here = rank[right]
        below, at = 0, here
        while at:
            below += tree[at]
            at &= at - 1
        crossed += weight * (total - below)
        total += weight
        while here <= size:
            tree[here] += weight
            here += here & -here
    return crossed


def _length(level: Level) -> float:
    items = level.items
    return sum(abs(items[wire.left].y + wire.left_off - items[wire.right].y - wire.right_off) for wire in level.wires)


def _swap(columns: list[list[Item]], neighbours: Neighbours, items: list[Item]) -> None:
    """Swap neighbours that cover the same columns while that removes crossings."""
    for _ in range(6):
        improved = False
        for column in columns:
            for number in range(len(column) - 1):
                upper, lower = column[number], column[number + 1]
                if _may_swap(upper, lower, columns, neighbours) and _gain(upper, lower, neighbours, items) > 0:
                    middles = upper.y + upper.height / 2, lower.y + lower.height / 2
                    upper.y, lower.y = middles[1] - upper.height / 2, middles[0] - lower.height / 2
                    for each in columns[upper.first : upper.last + 1]:
                        place = each.index(upper)
                        each[place : place + 2] = [lower, upper]
                    improved = True
        if not improved:
            return


def _may_swap(upper: Item, lower: Item, columns: list[list[Item]], neighbours: Neighbours) -> bool:
    """Whether they are neighbours in all of the same columns, and light enough to compare."""
    if (upper.first, upper.last) != (lower.first, lower.last) or upper.back or lower.back:
        return False
    for side in (neighbours.left, neighbours.right):
        if len(side[upper.number]) * len(side[lower.number]) > MANY_ITEMS:
            return False
    return all(each.index(lower) == each.index(upper) + 1 for each in columns[upper.first : upper.last + 1])


def _gain(upper: Item, lower: Item, neighbours: Neighbours, items: list[Item]) -> int:
    """How many crossings fewer there are when the two change places."""
    gain = 0
    for above in neighbours.left[upper.number]:
        one = items[above.left].y + above.left_off
        for below in neighbours.left[lower.number]:
            other = items[below.left].y + below.left_off
            gain += (one > other) - (one < other)
    for above in neighbours.right[upper.number]:
        one = items[above.right].y + above.right_off
        for below in neighbours.right[lower.number]:
            if above.channel == below.channel:
                other = items[below.right].y + below.right_off
                gain += (one > other) - (one < other)
    return gain
