"""What a layout is: pure data in CSS pixels, for the static picture and for the canvas in the browser."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

#: A card's size, width by height, and its compact form; the height grows where a node has many ports.
CARD: Final = (220.0, 56.0)
COMPACT: Final = (168.0, 52.0)
#: The distance between neighbouring ports on a card's edge.
PORT_STEP: Final = 14.0
#: The height of a box's head, and the space below its lowest card.
HEAD: Final = 34.0
FOOT: Final = 14.0

Point = tuple[float, float]
Kind = Literal["data", "gate", "order", "error", "part"]
Shape = Literal["round", "square", "diamond", "hollow"]


class PortSpot(msgspec.Struct, frozen=True):
    """A port on the left (`in`) or right (`out`) edge of a card or a box; `x` and `y` are its centre."""

    name: str
    side: Literal["in", "out"]
    x: float
    y: float
    shape: Shape = "round"
    #: A `DataType`, `ai` for a part of an AI node; gives the colour.
    type: str = "any"
    #: What always stands beside it, as `true`; empty for ports whose name needs no telling.
    label: str = ""

    def moved(self, x: float, y: float, zoom: float = 1.0) -> PortSpot:
        """The same, scaled and then moved."""
        return msgspec.structs.replace(self, x=self.x * zoom + x, y=self.y * zoom + y)


class CardSpot(msgspec.Struct, frozen=True):
    """A node's card."""

    #: The node's id; the second and further nodes of one id get `#2`, `#3` …
    key: str
    #: The place of the node in `workflow.nodes`.
    index: int
    x: float
    y: float
    width: float
    height: float
    ports: tuple[PortSpot, ...] = ()

    def moved(self, x: float, y: float, zoom: float = 1.0) -> CardSpot:
        """The same, scaled and then moved."""
        return msgspec.structs.replace(
            self,
            x=self.x * zoom + x,
            y=self.y * zoom + y,
            width=self.width * zoom,
            height=self.height * zoom,
            ports=tuple(port.moved(x, y, zoom) for port in self.ports),
        )


class BoxSpot(msgspec.Struct, frozen=True):
    """The box of a loop or group; it takes the place of the node's card."""

    key: str
    index: int
    x: float
    y: float
    width: float
    height: float
    #: 1 for a box that lies in no other.
    depth: int = 1
    ports: tuple[PortSpot, ...] = ()

    def moved(self, x: float, y: float, zoom: float = 1.0) -> BoxSpot:
        """The same, scaled and then moved."""
        return msgspec.structs.replace(
            self,
            x=self.x * zoom + x,
            y=self.y * zoom + y,
            width=self.width * zoom,
            height=self.height * zoom,
            ports=tuple(port.moved(x, y, zoom) for port in self.ports),
        )


class Route(msgspec.Struct, frozen=True):
    """An edge's way, from the centre of its source port to that of its target port, at right angles only."""

    #: The edge's id, or an invented one for what a box hands to its body and takes back.
    edge: str
    source: str
    target: str
    kind: Kind
    points: tuple[Point, ...]
    #: Whether it closes a cycle, which no valid workflow has.
    cycle: bool = False
    #: Whether no edge of the workflow stands behind it.
    implied: bool = False

    def moved(self, x: float, y: float, zoom: float = 1.0) -> Route:
        """The same, scaled and then moved."""
        return msgspec.structs.replace(self, points=tuple((px * zoom + x, py * zoom + y) for px, py in self.points))


class Layout(msgspec.Struct, frozen=True):
    """A whole workflow, laid out; every coordinate lies in `0 … width` and `0 … height`."""

    width: float
    height: float
    compact: bool
    cards: tuple[CardSpot, ...] = ()
    boxes: tuple[BoxSpot, ...] = ()
    routes: tuple[Route, ...] = ()
    #: How many columns the widest part has; 0 where the workflow brought its own positions.
    layers: int = 0

    def moved(self, x: float, y: float, zoom: float = 1.0) -> Layout:
        """The same, scaled and then moved."""
        return msgspec.structs.replace(
            self,
            width=self.width * zoom,
            height=self.height * zoom,
            cards=tuple(spot.moved(x, y, zoom) for spot in self.cards),
            boxes=tuple(spot.moved(x, y, zoom) for spot in self.boxes),
            routes=tuple(route.moved(x, y, zoom) for route in self.routes),
        )

    @property
    def spots(self) -> tuple[CardSpot | BoxSpot, ...]:
        """Boxes, the outer ones first, then cards: the order in which they are drawn."""
        return (*self.boxes, *self.cards)
