"""Which nodes of a definition are kept for failures: they run in no run that goes well.

A *compensation* undoes what a node did, a *fallback* runs in a node's place, a *handler* is told that the run fails;
what follows from handlers waits with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flownb.model.workflow import Node, Workflow

HANDLER: Final = "control.error_handler"
COMPENSATE: Final = "control.compensate"


class Remedies(NamedTuple):
    """By number of the node, in the graph of one definition."""

    #: Of the nodes that have one, the compensation and the fallback.
    undo: Mapping[int, int]
    instead: Mapping[int, int]
    handlers: tuple[int, ...]
    #: Handlers and all that follows from them.
    family: frozenset[int]

    @property
    def roots(self) -> frozenset[int]:
        """The nodes that start because the engine says so, and never by their edges alone."""
        return frozenset({*self.undo.values(), *self.instead.values(), *self.handlers})

    @property
    def every(self) -> frozenset[int]:
        """All nodes that no run needs that goes well."""
        return self.roots | self.family


def remedies_of(workflow: Workflow, index: Mapping[str, int], succ: Sequence[Sequence[int]]) -> Remedies | None:
    """The remedies of a definition; None where it has none, as most.

    Args:
        workflow: the definition.
        index: the numbers of the nodes at its top level; what lies inside others has no remedies.
        succ: the targets of the edges that leave each of them.
    """
    undo = _named(workflow.nodes, index, "compensation")
    instead = _named(workflow.nodes, index, "fallback_node")
    targets = [each.target for each in workflow.error_handlers if each.target in index]
    catching = [node.id for node in workflow.nodes if node.type == HANDLER and node.id in index]
    handlers = tuple(dict.fromkeys(index[each] for each in (*catching, *targets) if each is not None))
    if not (undo or instead or handlers):
        return None
    family = set(handlers)
    queue = list(handlers)
    while queue:
        for target in succ[queue.pop()]:
            if target not in family:
                family.add(target)
                queue.append(target)
    return Remedies(undo, instead, handlers, frozenset(family))


def _named(nodes: Iterable[Node], index: Mapping[str, int], field: str) -> dict[int, int]:
    found = {}
    for node in nodes:
        name = getattr(node, field)
        if name is not None and name in index and node.id in index and name != node.id:
            found[index[node.id]] = index[name]
    return found
