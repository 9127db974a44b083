"""A workflow as a picture: PNG, SVG, text and Mermaid, with the statuses of a run, without a browser."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing import png, svg
from flownb.graph.drawing.cards import Card, Size, draw_card, draw_port
from flownb.graph.drawing.edges import ORDER, draw_box, draw_cycle_mark, draw_edge, draw_label, state_of, tell_edge
from flownb.graph.drawing.frame import EMPTY_HEIGHT, HEAD, LEAST_WIDTH, Head, draw_edge_of_frame, draw_empty, draw_frame
from flownb.graph.drawing.shapes import Group
from flownb.graph.drawing.state import CardState, EdgeState, PictureState
from flownb.graph.drawing.theme import theme as theme_of
from flownb.graph.layout.arrange import layout
from flownb.graph.layout.plan import Layout, Route
from flownb.graph.mermaid import mermaid
from flownb.graph.outline import outline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.drawing.theme import Theme
    from flownb.graph.layout.plan import BoxSpot, CardSpot
    from flownb.model.ports import NodePorts
    from flownb.model.status import Category
    from flownb.model.workflow import Workflow

__all__ = ["CardState", "EdgeState", "Layout", "Picture", "PictureState", "draw", "layout", "mermaid", "outline"]

#: Above so many nodes a card says less, and above so many it is a bar.
SMALL_FROM: Final = 120
BARS_FROM: Final = 300
#: How much smaller the graph is then.
ZOOMS: Final[dict[Size, float]] = {"full": 1.0, "small": 0.7, "bar": 0.3}
#: How wide the graph may get before it is folded.
PAGE: Final = 1240.0
#: With more edges than this none is dashed.
MOST_DASHED: Final = 2500
#: Between the frame and the graph.
SIDE: Final = 28.0
ABOVE: Final = 32.0


class Picture:
    """A picture that is laid out; each form of it is made when it is asked for, and is always the same."""

    def __init__(self, workflow: Workflow, state: PictureState | None, scene: _Scene, title: str) -> None:
        self._workflow = workflow
        self._state = state
        self._scene = scene
        self._title = title
        #: In CSS pixels.
        self.width = scene.width
        self.height = scene.height

    def svg(self) -> str:
        """A whole SVG document without any reference to the outside."""
        shapes = self._scene.shapes()
        return svg.render(shapes, self.width, self.height, title=self._title, description=self.text())

    def png(self, scale: float = 2.0) -> bytes:
        """A PNG file, `scale` pixels for a CSS pixel; fewer where it would have more than 16 million.

        Raises:
            ValueError: the scale is not positive.
        """
        if not scale > 0:
            raise ValueError(f"The scale of a picture must be above 0, not {scale!r}.")
        ground = self._scene.theme.surface
        return png.render(self._scene.shapes(), self.width, self.height, scale=scale, ground=ground)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a notebook shows and keeps: the PNG in its true size, and the text."""
        del include, exclude
        data = {"text/plain": self.text(), "image/png": b64encode(self.png()).decode()}
        return data, {"image/png": {"width": int(self.width), "height": int(self.height)}}

    def text(self) -> str:
        """The nodes in topological order with their statuses; begins `run <status>` where there is a run."""
        return outline(self._workflow, self._state, title=self._title)


def draw(
    workflow: Workflow,
    state: PictureState | None = None,
    *,
    categories: Mapping[str, Category] = {},
    ports: Mapping[str, NodePorts] | None = None,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """The picture of a workflow, or of a run of it; never fails, whatever the workflow.

    Args:
        workflow: valid or not.
        state: the run; None draws the definition.
        categories: the category of each node by id, for the icons of types that don't ship with flownb.
        ports: the ports of each node by id, as its type gives them, for their colours and shapes.
        dark: for a dark page.
        title: instead of the workflow's name.
    """
    name = title or workflow.name or workflow.id or "Untitled"
    size = _size_of(workflow)
    plan = layout(workflow, ports=ports, page=PAGE / ZOOMS[size])
    scene = _Scene(workflow, state, plan, theme=theme_of(dark=dark), categories=categories, title=name)
    return Picture(workflow, state, scene, name)


def _size_of(workflow: Workflow) -> Size:
    """How much there is room for on a card."""
    count = len(workflow.nodes)
    return "bar" if count > BARS_FROM else "small" if count > SMALL_FROM else "full"


class _Scene:
    """The shapes of a picture, from a layout and a state."""

    def __init__(
        self,
        workflow: Workflow,
        state: PictureState | None,
        plan: Layout,
        *,
        theme: Theme,
        categories: Mapping[str, Category],
        title: str,
    ) -> None:
        self.theme = theme
        self._state = state
        count = len(workflow.nodes)
        self._size = _size_of(workflow)
        self._zoom = ZOOMS[self._size]
        self._head = Head(title, state, count, theme)
        self.width = max(plan.width * self._zoom + 2 * SIDE, self._head.width, LEAST_WIDTH)
        inner = plan.height * self._zoom + 2 * ABOVE if count else EMPTY_HEIGHT
        self.width, self.height = float(round(self.width)), float(round(HEAD + inner))
        shift = round((self.width - plan.width * self._zoom) / 2), HEAD + ABOVE
        self._plan = plan.moved(*shift, self._zoom)
        self._cards = {
            spot.key: Card(workflow.nodes[spot.index], self._state_of(workflow, spot), theme, categories)
            for spot in self._plan.spots
        }
        self._statuses = {key: card.state.status for key, card in self._cards.items() if card.state}

    def _state_of(self, workflow: Workflow, spot: CardSpot | BoxSpot) -> CardState | None:
        if self._state is None:
            return None
        known = self._state.nodes
        return known.get(spot.key) or known.get(workflow.nodes[spot.index].id) or CardState()

    def shapes(self) -> list[Shape]:
        """Everything, from the back to the front."""
        theme, plan = self.theme, self._plan
        shapes = draw_frame(self.width, self.height, theme)
        shapes += self._head.draw(self.width)
        shapes += [
            draw_box(self._cards[spot.key], spot, self._zoom, small=self._size == "small") for spot in plan.boxes
        ]
        scale = 1.0 if self._size == "full" else 0.7
        routes = [(state_of(route, self._state, self._statuses), route) for route in plan.routes]
        for edge_state, route in sorted(routes, key=lambda pair: ORDER[pair[0]]):
            edge = draw_edge(route, edge_state, theme, scale=scale, dashed=len(routes) <= MOST_DASHED)
            told = tell_edge(route, edge_state if self._state else None) if self._size != "bar" else ""
            shapes += [Group(tuple(edge), title=told)] if told else edge
        if self._size != "bar":
            cycles = [route for route in plan.routes if route.cycle]
            shapes += [mark for number, route in enumerate(cycles) for mark in draw_cycle_mark(route, theme, number)]
        for spot in plan.cards:
            shapes.append(draw_card(self._cards[spot.key], spot, self._size, compact=plan.compact))
        if self._size != "bar":
            dead = self._dead_ports(routes)
            for each in plan.spots:
                shapes += self._ports(each, dead)
        if not plan.cards:
            shapes += draw_empty(self.width, theme)
        return [*shapes, draw_edge_of_frame(self.width, self.height, theme)]

    def _ports(self, spot: CardSpot | BoxSpot, dead: set[tuple[str, str, float]]) -> list[Shape]:
        """A card's ports, and the names of its choices."""
        scale = 1.0 if self._size == "full" else 0.75
        centre = spot.y + spot.height / 2
        shapes: list[Shape] = []
        for port in spot.ports:
            faded = (spot.key, port.side, port.y) in dead
            shapes.append(draw_port(port, self.theme, self.theme.ground, faded=faded, scale=scale))
            if port.label and self._size == "full":
                shapes.append(draw_label(port, centre, self.theme))
        return shapes

    def _dead_ports(self, routes: list[tuple[EdgeState, Route]]) -> set[tuple[str, str, float]]:
        """The ports all of whose edges are dead: key, side and height."""
        dead: set[tuple[str, str, float]] = set()
        alive: set[tuple[str, str, float]] = set()
        for edge_state, route in routes:
            found = dead if edge_state == "dead" else alive
            found.add((route.source, "out", route.points[0][1]))
            found.add((route.target, "in", route.points[-1][1]))
        return dead - alive
