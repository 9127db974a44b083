"""The ports that a picture shows, and where they sit on the edge of a card.

The port of the main line sits in the middle, the others above and below it in the order of what they are wired to, so
that the main line runs straight and the rest doesn't cross.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from flownb.graph.layout.plan import PORT_STEP, PortSpot, Shape
from flownb.model.ports import AFTER, ERROR, MAIN, ConnectionType, DataType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.layout.wiring import Link, Wiring
    from flownb.model.ports import InputPort, NodePorts, OutputPort

#: Above this many ports on one side they move closer together.
MOST_APART: Final = 16
#: Free space above the highest and below the lowest port.
PORT_MARGIN: Final = 10.0
#: The width of a character of a port's label, the most of them, and the space beside it.
LABEL_CHARACTER: Final = 5.6
MOST_LABEL: Final = 14
LABEL_SPACE: Final = 14.0
_MANY: Final = frozenset({DataType.ARRAY, DataType.DATAFRAME})
_CHOICES: Final = frozenset({"true", "false", "approved", "rejected", "expired"})


class PortSet:
    """The ports on one side of one vertex: what they look like, in the order of their declaration."""

    __slots__ = ("looks", "offsets")

    def __init__(self) -> None:
        self.looks: dict[str, tuple[Shape, str, str]] = {}
        #: How far each port lies below the vertex's upper edge.
        self.offsets: dict[str, float] = {}

    def fan(self, main: str, heights: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        """Where the ports sit around `main`.

        Args:
            main: the port in the middle.
            heights: how high lies what each port is wired to; ports that are missing go last.

        Returns the least height of the card, and each port's distance from its middle.
        """
        if not self.looks:
            return 0.0, {}
        declared = {name: number for number, name in enumerate(self.looks)}
        names = sorted(self.looks, key=lambda name: (heights.get(name, float("inf")), declared[name]))
        step = PORT_STEP if len(names) <= MOST_APART else max(PORT_STEP * MOST_APART / len(names), 1.0)
        middle = names.index(main)
        reach = max(middle, len(names) - 1 - middle) * step
        offsets = {name: (number - middle) * step for number, name in enumerate(names)}
        return 2 * (reach + PORT_MARGIN) if len(names) > 1 else 0.0, offsets

    def label_width(self, name: str) -> float:
        """How much room the name beside a port takes, 0 where none is written."""
        label = self.looks[name][2] if name in self.looks else ""
        return min(len(label), MOST_LABEL) * LABEL_CHARACTER + LABEL_SPACE if label else 0.0

    def spots(self, x: float, y: float, side: Literal["in", "out"]) -> tuple[PortSpot, ...]:
        """The ports as data; `x` is that of the card's edge, `y` that of its upper edge."""
        return tuple(
            PortSpot(name=name, side=side, x=x, y=y + self.offsets[name], shape=shape, type=type_, label=label)
            for name, (shape, type_, label) in self.looks.items()
            if name in self.offsets
        )


class Ports:
    """The ports of all vertices."""

    def __init__(self, wiring: Wiring, declared: Mapping[str, NodePorts]) -> None:
        """Take the ports that are wired, and those that a node could choose.

        Args:
            wiring: vertices and links.
            declared: the ports of each node by id, as its type gives them; nodes may be missing.
        """
        self.left = [PortSet() for _ in wiring.vertices]
        self.right = [PortSet() for _ in wiring.vertices]
        known = [declared.get(vertex.node.id) for vertex in wiring.vertices]
        for number, ports in enumerate(known):
            if ports and len(ports.outputs) > 1:
                for output in ports.outputs:
                    if output.name == MAIN:
                        continue
                    self.right[number].looks[output.name] = _out_look(output.name, output, gates=True)
        sources: dict[tuple[int, str], list[Link]] = {}
        for link in wiring.links:
            sources.setdefault((link.source, link.out_port), []).append(link)
            inward = link.lower is None
            if not (inward and link.entries):
                out = _port(known[link.source], link.out_port)
                gates = all(each.kind in ("gate", "order") for each in sources[link.source, link.out_port])
                self.right[link.source].looks[link.out_port] = _out_look(link.out_port, out, gates=gates)
            if not (inward and link.exits):
                ports = known[link.target]
                takes = ports.input(link.in_port) if ports else None
                gives = _port(known[link.source], link.out_port)
                self.left[link.target].looks[link.in_port] = _in_look(link, takes, gives)


def _port(ports: NodePorts | None, name: str) -> OutputPort | None:
    return ports.output(name) if ports else None


def _out_look(name: str, port: OutputPort | None, *, gates: bool) -> tuple[Shape, str, str]:
    label = "" if name == MAIN else name
    if name == ERROR:
        return "hollow", ERROR, label
    if port is not None and port.connection is not ConnectionType.MAIN:
        return "diamond", "ai", label
    if name != MAIN and (gates or name in _CHOICES):
        return "hollow", DataType.BOOLEAN.value, label
    type_ = port.type if port else DataType.ANY
    return ("square" if type_ in _MANY else "round"), type_.value, label


def _in_look(link: Link, takes: InputPort | None, gives: OutputPort | None) -> tuple[Shape, str, str]:
    if link.kind == "part":
        return "diamond", "ai", ""
    if link.in_port == AFTER:
        return "hollow", DataType.ANY.value, ""
    type_ = takes.type if takes else DataType.ANY
    if type_ is DataType.ANY and gives is not None:
        type_ = gives.type
    many = type_ in _MANY or (takes is not None and takes.many)
    return ("square" if many else "round"), type_.value, ""
