"""A workflow as the layout reads it: numbered vertices in a tree of boxes, and links between them.

Nothing is refused: edges with an unknown end are left out, a second node of the same id gets a key of its own, and
parents that are unknown or go round in a circle don't count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.ports import AFTER, ERROR, MAIN, ConnectionType

if TYPE_CHECKING:
    from flownb.graph.layout.plan import Kind
    from flownb.model.workflow import Edge, Node, Workflow

#: Boxes deeper than this are drawn as part of the box around them.
DEEPEST: Final = 6


class Vertex:
    """A node: a card, or a box if other nodes are inside it."""

    __slots__ = ("children", "depth", "height", "index", "key", "layer", "node", "number", "parent", "span", "x", "y")

    def __init__(self, number: int, key: str, index: int, node: Node) -> None:
        self.number = number
        self.key = key
        self.index = index
        self.node = node
        #: The vertex number of the box around it; -1 at the top.
        self.parent = -1
        self.depth = 0
        self.children: list[int] = []
        #: The first column, and how many columns it covers.
        self.layer = 0
        self.span = 1
        self.height = 0.0
        #: First relative to the content of the box around it, in the end absolute.
        self.y = 0.0
        self.x = 0.0

    @property
    def is_box(self) -> bool:
        """Whether other nodes are inside it."""
        return bool(self.children)

    @property
    def last(self) -> int:
        """The last column that it covers."""
        return self.layer + self.span - 1


class Link:
    """An edge between two vertices, and how it goes through the boxes.

    `lower` is the box in which it runs between two different members: `start` and `end` (-1: the top). A link between
    a box and what is inside it has no such place: `lower` is None.
    """

    __slots__ = (
        "edge",
        "end",
        "entries",
        "exits",
        "implied",
        "in_port",
        "key",
        "kind",
        "lower",
        "net",
        "out_port",
        "source",
        "start",
        "target",
    )

    def __init__(self, key: str, source: int, target: int, *, out_port: str, in_port: str, kind: Kind) -> None:
        self.key = key
        self.source = source
        self.target = target
        self.out_port = out_port
        self.in_port = in_port
        self.kind: Kind = kind
        self.edge: Edge | None = None
        self.implied = False
        self.lower: int | None = None
        self.start = source
        self.end = target
        #: The boxes that it leaves, from the inside out, and those that it enters, from the outside in; each with the
        #: member of the box in which it begins or goes on.
        self.exits: list[tuple[int, int]] = []
        self.entries: list[tuple[int, int]] = []
        #: Links of one net leave one port and share a line as long as they can.
        self.net = 0


class Wiring:
    """All vertices, all links, and the members of each box in the order of the definition."""

    def __init__(self, workflow: Workflow) -> None:
        self.vertices = _vertices(workflow)
        self.links: list[Link] = []
        _nest(self.vertices)
        #: The top members.
        self.roots = [vertex.number for vertex in self.vertices if vertex.parent < 0]
        self._nets: dict[tuple[int, str, bool], int] = {}
        self._into: dict[int, list[Link]] | None = None
        self._read_edges(workflow)
        self._imply()

    def members(self, box: int) -> list[int]:
        """The vertices directly inside a box; -1 is the whole."""
        return self.roots if box < 0 else self.vertices[box].children

    def links_into(self, number: int) -> list[Link]:
        """The links that end at a vertex, without the implied ones."""
        if self._into is None:
            self._into = {}
            for link in self.links:
                if not link.implied:
                    self._into.setdefault(link.target, []).append(link)
        return self._into.get(number, [])

    def pairs(self) -> list[tuple[int, int]]:
        """Source and target of each link, without those between a box and what is inside it."""
        return [(link.source, link.target) for link in self.links if link.lower is not None]

    def boxes(self) -> list[int]:
        """All boxes, the deepest first."""
        inner = [vertex for vertex in self.vertices if vertex.is_box]
        return [vertex.number for vertex in sorted(inner, key=lambda vertex: (-vertex.depth, vertex.number))]

    def _read_edges(self, workflow: Workflow) -> None:
        first: dict[str, int] = {}
        for vertex in self.vertices:
            first.setdefault(vertex.node.id, vertex.number)
        seen: set[str] = set()
        for edge in workflow.edges:
            source, target = first.get(edge.source), first.get(edge.target)
            if source is None or target is None or edge.id in seen:
                continue
            seen.add(edge.id)
            link = Link(
                edge.id,
                source,
                target,
                out_port=edge.source_port or MAIN,
                in_port=edge.target_port,
                kind=kind_of(edge),
            )
            link.edge = edge
            self._add(link)

    def _add(self, link: Link) -> None:
        self._trace(link)
        inward = link.lower is None and bool(link.entries)
        link.net = self._nets.setdefault((link.source, link.out_port, inward), len(self._nets))
        self.links.append(link)

    def _trace(self, link: Link) -> None:
        """Find the boxes on a link's way."""
        vertices = self.vertices
        up, down = _line(vertices, link.source), _line(vertices, link.target)
        while up and down and up[-1] == down[-1]:
            up.pop()
            down.pop()
        if link.source == link.target:
            up, down = [link.source], [link.target]
        if up and down:
            link.lower = vertices[up[-1]].parent
            link.start, link.end = up[-1], down[-1]
        link.exits = [(vertices[each].parent, each) for each in (up[:-1] if down else up)]
        link.entries = [(vertices[each].parent, each) for each in reversed(down[:-1] if up else down)]

    def _imply(self) -> None:
        """Wire a box to the first and last members of its body, where the workflow doesn't say how."""
        fed, read = {link.end for link in self.links}, {link.start for link in self.links}
        fed |= {member for link in self.links for _, member in link.entries}
        read |= {member for link in self.links for _, member in link.exits}
        told_in = {link.source for link in self.links if link.lower is None and link.entries}
        told_out = {link.target for link in self.links if link.lower is None and link.exits}
        wired_in = {link.target for link in self.links if link.lower is not None}
        wired_out = {link.source for link in self.links if link.lower is not None}
        for vertex in self.vertices:
            if not vertex.is_box:
                continue
            if vertex.number in wired_in and vertex.number not in told_in:
                for child in vertex.children:
                    if child not in fed:
                        self._add_implied(vertex.number, child)
            if vertex.number in wired_out and vertex.number not in told_out:
                for child in vertex.children:
                    if child not in read:
                        self._add_implied(child, vertex.number)

    def _add_implied(self, source: int, target: int) -> None:
        key = f"{self.vertices[source].key}=>{self.vertices[target].key}"
        taken_back = self.vertices[source].parent == target
        ports = (MAIN, "results") if taken_back else ("item", MAIN)
        link = Link(key, source, target, out_port=ports[0], in_port=ports[1], kind="data")
        link.implied = True
        self._add(link)


def kind_of(edge: Edge) -> Kind:
    """What an edge carries, as the picture tells them apart."""
    if edge.source_port == ERROR:
        return "error"
    if edge.type is not ConnectionType.MAIN:
        return "part"
    if edge.target_port != AFTER:
        return "data"
    return "gate" if edge.is_gate else "order"


def keys_of(workflow: Workflow) -> list[str]:
    """A key for each node, in order: its id, with `#2` and so on where the id comes again."""
    times: dict[str, int] = {}
    keys = []
    for node in workflow.nodes:
        count = times[node.id] = times.get(node.id, 0) + 1
        keys.append(node.id if count == 1 else f"{node.id}#{count}")
    return keys


def _vertices(workflow: Workflow) -> list[Vertex]:
    pairs = zip(keys_of(workflow), workflow.nodes, strict=True)
    return [Vertex(index, key, index, node) for index, (key, node) in enumerate(pairs)]


def _nest(vertices: list[Vertex]) -> None:
    """Set parents, children and depths; what can't be nested stays at the top."""
    first: dict[str, int] = {}
    for vertex in vertices:
        first.setdefault(vertex.node.id, vertex.number)
    wanted = [first.get(vertex.node.parent, -1) if vertex.node.parent else -1 for vertex in vertices]
    depths = _depths(wanted)
    anchors: dict[int, int] = {-1: -1}
    for vertex in sorted(vertices, key=lambda vertex: depths[vertex.number]):
        number = vertex.number
        vertex.parent = anchors[wanted[number]]
        anchors[number] = number if depths[number] < DEEPEST else vertex.parent
        if vertex.parent >= 0:
            vertex.depth = vertices[vertex.parent].depth + 1
    for vertex in vertices:
        if vertex.parent >= 0:
            vertices[vertex.parent].children.append(vertex.number)


def _depths(wanted: list[int]) -> list[int]:
    """How deep each vertex lies; a circle of parents is cut, in `wanted`, where it closes."""
    unseen, on_the_way = -2, -1
    depths = [unseen] * len(wanted)
    for number in range(len(wanted)):
        line: list[int] = []
        here = number
        while here >= 0 and depths[here] == unseen:
            depths[here] = on_the_way
            line.append(here)
            here = wanted[here]
        if here >= 0 and depths[here] == on_the_way:
            wanted[line[-1]] = here = -1
        depth = depths[here] if here >= 0 else -1
        for each in reversed(line):
            depth += 1
            depths[each] = depth
    return depths


def _line(vertices: list[Vertex], number: int) -> list[int]:
    """The vertex and the boxes around it, from the inside out."""
    line = []
    while number >= 0:
        line.append(number)
        number = vertices[number].parent
    return line
