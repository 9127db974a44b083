"""Which track each vertical stretch of an edge takes in the gap between two columns.

Stretches whose spans overlap get tracks of their own, in the order that crosses least and that keeps two edges from
running into each other on one height; stretches that don't overlap may share a track.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

#: Above this many stretches in one gap the order follows a rule of thumb instead of comparing all pairs.
MOST_COMPARED: Final = 160
#: What it costs if two edges run into each other on one height, in crossings.
MERGE_COST: Final = 20
#: Free height between two stretches on one track.
CLEAR: Final = 10.0


class Stretch:
    """The vertical part of one net in one gap: from `low` to `high`, with the heights where it is joined."""

    __slots__ = ("high", "lefts", "low", "rights", "track")

    def __init__(self) -> None:
        self.low = float("inf")
        self.high = float("-inf")
        #: Heights of the ends that come from the left, and of those that go to the right.
        self.lefts: set[float] = set()
        self.rights: set[float] = set()
        self.track = 0

    def join(self, y: float, *, left: bool) -> None:
        """Add an end."""
        (self.lefts if left else self.rights).add(y)
        self.low, self.high = min(self.low, y), max(self.high, y)

    @property
    def straight(self) -> bool:
        """Whether there is nothing vertical to draw."""
        return self.low == self.high


def assign_tracks(stretches: list[Stretch]) -> int:
    """Set the track of each stretch, from 0 on the left, and return how many tracks there are."""
    drawn = [stretch for stretch in stretches if not stretch.straight]
    order = _compared(drawn) if len(drawn) <= MOST_COMPARED else sorted(drawn, key=_rule_of_thumb)
    spans: list[list[tuple[float, float]]] = []
    for stretch in order:
        track = len(spans)
        while track and not _overlaps(spans[track - 1], stretch):
            track -= 1
        if track == len(spans):
            spans.append([])
        stretch.track = track
        row = spans[track]
        row.insert(bisect_left(row, (stretch.low, stretch.high)), (stretch.low, stretch.high))
    return len(spans)


def _overlaps(row: list[tuple[float, float]], stretch: Stretch) -> bool:
    at = bisect_right(row, (stretch.high + CLEAR, float("inf")))
    return at > 0 and row[at - 1][1] > stretch.low - CLEAR


def _rule_of_thumb(stretch: Stretch) -> tuple[float, ...]:
    """Edges that go up first, the highest source first; then those that go down, the lowest source first."""
    source = max(stretch.lefts, default=stretch.low)
    rising = source > (stretch.low + stretch.high) / 2
    return (0.0, source, stretch.low) if rising else (1.0, -source, -stretch.high)


def _compared(stretches: list[Stretch]) -> list[Stretch]:
    """An order for all pairs at once: take away, again and again, what loses least by standing leftmost."""
    count = len(stretches)
    cost = [[0] * count for _ in range(count)]
    for one in range(count):
        for other in range(one + 1, count):
            a, b = stretches[one], stretches[other]
            if a.low - CLEAR < b.high and b.low - CLEAR < a.high:
                cost[one][other] = _cost(a, b)
                cost[other][one] = _cost(b, a)
    loss = [sum(cost[one][other] - cost[other][one] for other in range(count)) for one in range(count)]
    left = set(range(count))
    order = []
    while left:
        best = min(left, key=lambda number: (loss[number], stretches[number].low, number))
        left.discard(best)
        order.append(stretches[best])
        for other in left:
            loss[other] -= cost[other][best] - cost[best][other]
    return order


def _cost(left: Stretch, right: Stretch) -> int:
    """What it costs to draw one stretch left of the other."""
    crossings = sum(right.low < y < right.high for y in left.rights) + sum(
        left.low < y < left.high for y in right.lefts
    )
    return crossings + MERGE_COST * len(left.rights & right.lefts)
