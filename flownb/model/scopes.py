"""Which nodes of a definition lie at the top and which in whose body, and where its edges lead from and to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.workflow import Edge, Node

#: The types of the nodes that have a body, and which of them has several: a branch each.
LOOP: Final = "control.loop"
PARALLEL: Final = "control.parallel"
WITH_BODY: Final = frozenset({LOOP, PARALLEL})


class Scopes:
    """Which nodes of a definition lie at the top and which in which body; only asked where there are bodies."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._node = {node.id: node for node in nodes}
        self._scope: dict[str, str | None] = {}
        for node_id in self._node:
            if node_id not in self._scope:
                self._find(node_id)
        self.members: dict[str | None, list[Node]] = {None: []}
        for node in self._node.values():
            self.members.setdefault(self._scope[node.id], []).append(node)

    def of(self, node_id: str) -> str | None:
        """The node in whose body a node lies; None at the top, and where its parents make a circle."""
        return self._scope[node_id]

    def type_of(self, node_id: str) -> str:
        """The type of a node."""
        return self._node[node_id].type

    def _find(self, node_id: str) -> None:
        path: dict[str, None] = {}
        around: str | None = node_id
        while around in self._node and around not in path and around not in self._scope:
            path[around] = None
            around = self._node[around].parent
        circle = around in path
        for each in reversed(path):
            parent = self._node[each].parent
            if circle or parent not in self._node:
                self._scope[each] = None
            else:
                self._scope[each] = parent if self._node[parent].type in WITH_BODY else self._scope[parent]

    def meet(self, edge: Edge) -> str | None:
        """The node at the level of an edge's source that is its target or has it inside.

        None where there is no such node: the edge leaves a body, or leads from a node into its own.
        """
        if edge.source not in self._node or edge.target not in self._node:
            return None
        level = self.of(edge.source)
        around: str | None = edge.target
        while around is not None and self.of(around) != level:
            around = self.of(around)
        return None if around == edge.source else around

    def enters(self, edge: Edge) -> bool:
        """Whether an edge leads from a node with a body to a node right inside it: it brings the item of a round."""
        return edge.source in self._node and self._scope.get(edge.target) == edge.source

    def sorted(self, edges: Iterable[Edge]) -> SortedEdges:
        """The edges that can be, by the body in which they begin, and by the one into which they lead."""
        found = SortedEdges(self, {}, {}, {})
        seen: set[str] = set()
        for edge in edges:
            if edge.id in seen:
                continue
            meets = self.meet(edge)
            if meets is None:
                if self.enters(edge):
                    seen.add(edge.id)
                    found.entering.setdefault(edge.source, []).append(edge)
                continue
            seen.add(edge.id)
            found.beginning.setdefault(self.of(edge.source), []).append((edge, meets))
            if meets != edge.target:
                found.leading_into.setdefault(self.of(edge.target), []).append(edge)
        return found


class SortedEdges(NamedTuple):
    """The edges of a definition by bodies; None is the top level."""

    scopes: Scopes
    #: With the node at its own level that each of them meets.
    beginning: dict[str | None, list[tuple[Edge, str]]]
    leading_into: dict[str | None, list[Edge]]
    #: By the node from whose ports they lead into its own body.
    entering: dict[str, list[Edge]]


#: The ports of a loop by which edges bring into its body what a round is about, and which round it is.
ITEM: Final = "item"
INDEX: Final = "index"


def branch_names(node: Node) -> list[str]:
    """The branches of a parallel, in order; what is no name is left out, for its check to tell."""
    branches = node.config.get("branches")
    found = [each.get("name") if isinstance(each, dict) else each for each in _listed(branches)]
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))


def _listed(branches: object) -> list[object]:
    return list(branches) if isinstance(branches, list | tuple) else []


class Branches(NamedTuple):
    """Which nodes inside a parallel belong to which of its branches."""

    #: By the name of the branch.
    members: dict[str, list[Node]]
    #: Nodes that no branch leads to, and those that several lead to, with these.
    homeless: list[Node]
    torn: list[tuple[Node, list[str]]]


def find_branches(node: Node, edges: SortedEdges) -> Branches:
    """A branch is what its port leads to, and whatever is wired to that inside the parallel."""
    inside = edges.scopes.members.get(node.id, [])
    group = {each.id: each.id for each in inside}

    def root(name: str) -> str:
        while group[name] != name:
            group[name] = name = group[group[name]]
        return name

    for edge, meets in edges.beginning.get(node.id, ()):
        group[root(edge.source)] = root(meets)
    names = branch_names(node)
    ports: dict[str, dict[str, None]] = {}
    for edge in edges.entering.get(node.id, ()):
        if edge.source_port in names:
            ports.setdefault(root(edge.target), {})[str(edge.source_port)] = None
    found = Branches({name: [] for name in names}, [], [])
    for each in inside:
        leading = list(ports.get(root(each.id), ()))
        if not leading:
            found.homeless.append(each)
            continue
        if len(leading) > 1:
            found.torn.append((each, leading))
        found.members[leading[0]].append(each)
    return found
