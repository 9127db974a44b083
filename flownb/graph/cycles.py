"""Cycles in a graph of integers, without recursion and in O(nodes + edges)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Cycle(NamedTuple):
    """Nodes that wait for one another."""

    #: One shortest way round from the lowest node back to itself, which is not repeated at the end.
    path: tuple[int, ...]
    #: Every node that is tied into it, in order.
    members: tuple[int, ...]


def topological_order(succ: Sequence[Sequence[int]]) -> list[int]:
    """The nodes so that each comes after all that it waits for; nodes on and behind a cycle are left out."""
    need = [0] * len(succ)
    for targets in succ:
        for target in targets:
            need[target] += 1
    order = [number for number, count in enumerate(need) if not count]
    for number in order:  # grows while it is walked
        for target in succ[number]:
            need[target] -= 1
            if not need[target]:
                order.append(target)
    return order


def find_cycles(succ: Sequence[Sequence[int]], among: Iterable[int]) -> list[Cycle]:
    """A cycle for each group of nodes that all wait for one another, lowest nodes first; self-edges don't count.

    Args:
        succ: the targets of each node.
        among: where to look; a node outside is on no cycle.
    """
    groups = [sorted(group) for group in _components(succ, set(among)) if len(group) > 1]
    return [Cycle(_way_round(succ, group), tuple(group)) for group in sorted(groups)]


def _components(  # noqa: C901  one algorithm; its parts would mean nothing alone
    succ: Sequence[Sequence[int]], among: set[int]
) -> Iterator[list[int]]:
    """Tarjan's strongly connected components, with the call stack as a list."""
    number_of: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    for root in sorted(among):
        work: list[tuple[int, Iterator[int]]] = []
        entering: int | None = root if root not in number_of else None
        while entering is not None or work:
            if entering is not None:
                number_of[entering] = low[entering] = len(number_of)
                stack.append(entering)
                on_stack.add(entering)
                work.append((entering, iter(succ[entering])))
                entering = None
            node, targets = work[-1]
            for target in targets:
                if target in among and target not in number_of:
                    entering = target
                    break
                if target in on_stack:
                    low[node] = min(low[node], number_of[target])
            if entering is not None:
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == number_of[node]:
                component = [stack.pop()]
                while component[-1] != node:
                    component.append(stack.pop())
                on_stack.difference_update(component)
                yield component


def _way_round(succ: Sequence[Sequence[int]], group: list[int]) -> tuple[int, ...]:
    inside, start = set(group), group[0]
    came_from: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in succ[node]:
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return tuple(reversed(path))
            if target in inside and target not in came_from:
                came_from[target] = node
                queue.append(target)
    return tuple(group)
