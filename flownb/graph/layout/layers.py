"""Which column each member of a box stands in: the longest path decides, then what can move right does.

Cycles, which no valid workflow has, are cut where a search in the order of the definition closes them.
"""

from __future__ import annotations

from collections import deque


def assign(spans: list[int], pairs: list[tuple[int, int]], anchored: set[int]) -> list[int]:
    """The first column of each member, from 0.

    Args:
        spans: how many columns each member covers.
        pairs: from, to; they may repeat and may form cycles.
        anchored: members that stay as far left as they can, as triggers do.
    """
    ahead: list[list[int]] = [[] for _ in spans]
    for source, target in dict.fromkeys(pairs):
        if source != target:
            ahead[source].append(target)
    ahead = _without_cycles(ahead)
    behind: list[list[int]] = [[] for _ in spans]
    for source, targets in enumerate(ahead):
        for target in targets:
            behind[target].append(source)
    order = _topological(ahead, behind)
    layers = [0] * len(spans)
    for each in order:
        for target in ahead[each]:
            layers[target] = max(layers[target], layers[each] + spans[each])
    _pull_right(layers, spans=spans, order=order, ahead=ahead, behind=behind, anchored=anchored)
    return layers


def components(members: int, pairs: list[tuple[int, int]]) -> list[int]:
    """A number for each member that is the same for two if a line of pairs joins them, whatever its direction."""
    root = list(range(members))

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for source, target in pairs:
        one, other = find(source), find(target)
        if one != other:
            root[max(one, other)] = min(one, other)
    return [find(number) for number in range(members)]


def circles(members: int, pairs: list[tuple[int, int]]) -> list[int]:
    """A number for each member that is the same for two if a cycle goes through both (Kosaraju, without recursion)."""
    ahead: list[list[int]] = [[] for _ in range(members)]
    behind: list[list[int]] = [[] for _ in range(members)]
    for source, target in pairs:
        ahead[source].append(target)
        behind[target].append(source)
    seen = [False] * members
    finished = [member for start in range(members) for member in _reach(start, ahead, seen)]
    circle = [-1] * members
    seen = [False] * members
    for start in reversed(finished):
        for member in _reach(start, behind, seen):
            circle[member] = start
    return circle


def _reach(start: int, ahead: list[list[int]], seen: list[bool]) -> list[int]:
    """What can be reached and wasn't seen before, in the order in which a depth-first search leaves it."""
    if seen[start]:
        return []
    seen[start] = True
    found: list[int] = []
    path = [(start, iter(ahead[start]))]
    while path:
        here, onward = path[-1]
        for member in onward:
            if not seen[member]:
                seen[member] = True
                path.append((member, iter(ahead[member])))
                break
        else:
            found.append(here)
            path.pop()
    return found


def _without_cycles(ahead: list[list[int]]) -> list[list[int]]:
    """The same graph with the edges turned round that close a cycle."""
    unseen, open_, done = 0, 1, 2
    state = [unseen] * len(ahead)
    incoming = [0] * len(ahead)
    for targets in ahead:
        for target in targets:
            incoming[target] += 1
    result: list[list[int]] = [[] for _ in ahead]
    for start in [*(n for n, count in enumerate(incoming) if not count), *range(len(ahead))]:
        if state[start] != unseen:
            continue
        state[start] = open_
        path = [(start, iter(ahead[start]))]
        while path:
            here, onward = path[-1]
            for member in onward:
                if state[member] == open_:
                    result[member].append(here)
                    continue
                result[here].append(member)
                if state[member] == unseen:
                    state[member] = open_
                    path.append((member, iter(ahead[member])))
                    break
            else:
                state[here] = done
                path.pop()
    return [list(dict.fromkeys(targets)) for targets in result]


def _topological(ahead: list[list[int]], behind: list[list[int]]) -> list[int]:
    missing = [len(sources) for sources in behind]
    ready = deque(number for number, count in enumerate(missing) if not count)
    order = []
    while ready:
        here = ready.popleft()
        order.append(here)
        for target in ahead[here]:
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return order


def _pull_right(
    layers: list[int],
    *,
    spans: list[int],
    order: list[int],
    ahead: list[list[int]],
    behind: list[list[int]],
    anchored: set[int],
) -> None:
    """Move members next to what reads them, where that makes the edges shorter in all."""
    loose = [False] * len(layers)
    for each in order:
        loose[each] = each not in anchored and all(loose[source] and len(ahead[source]) == 1 for source in behind[each])
    for each in reversed(order):
        gain = len(ahead[each]) - len(behind[each])
        if ahead[each] and each not in anchored and (gain > 0 or (loose[each] and behind[each])):
            layers[each] = min(layers[target] for target in ahead[each]) - spans[each]
