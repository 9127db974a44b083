"""Edges, the labels of choices, and the boxes around loops."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.icons import icon
from flownb.graph.drawing.shapes import Group, Path, Rect, Text, line, polygon, rounded_line, rounded_rect
from flownb.graph.drawing.theme import Theme, mix
from flownb.graph.drawing.words import clean, fit, width_of
from flownb.graph.layout.plan import HEAD as BOX_HEAD
from flownb.model.status import NodeStatus

if TYPE_CHECKING:
    from flownb.graph.drawing.cards import Card
    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.drawing.state import EdgeState, PictureState
    from flownb.graph.layout.plan import BoxSpot, Point, PortSpot, Route

RADIUS: Final = 8.0
#: The arrowhead's length and half its width; how far before the port's centre its tip stands.
HEAD: Final = 7.0
HALF: Final = 3.5
TIP: Final = 5.0
LABEL: Final = 10.5
#: What a box hands to its body needs no arrowhead over less than this.
SHORT: Final = 24.0
#: Which edges are drawn over which.
ORDER: Final[dict[str, int]] = {"dead": 0, "open": 1, "live": 2, "moving": 3}
#: A loop's head shows its items one by one up to so many.
MOST_SEGMENTS: Final = 24


def state_of(route: Route, state: PictureState | None, statuses: dict[str, NodeStatus]) -> EdgeState:
    """An edge's state: as told, else what follows from the status of its source."""
    if state is None:
        return "live"
    told = state.edges.get(route.edge)
    if told is not None:
        return told
    source = statuses.get(route.source, NodeStatus.PENDING)
    if source is NodeStatus.COMPLETED:
        return "dead" if route.kind == "error" else "live"
    if source is NodeStatus.FAILED:
        return "live" if route.kind == "error" else "dead"
    return "dead" if source in (NodeStatus.SKIPPED, NodeStatus.CANCELLED) else "open"


def draw_edge(
    route: Route, edge_state: EdgeState, theme: Theme, *, scale: float = 1.0, dashed: bool = True
) -> list[Shape]:
    """An edge with its arrowhead.

    Args:
        route: in the picture's pixels.
        edge_state: what it looks like.
        theme: the colours.
        scale: below 1 where the cards are smaller.
        dashed: whether dashes are drawn; where there are thousands of edges nobody sees them.
    """
    colour, width, dash = _stroke(route, edge_state, theme)
    dash = dash if dashed else ()
    points = list(route.points)
    (x, y), (before_x, before_y) = points[-1], points[-2]
    from_right = before_x > x and before_y == y
    tip = x + (TIP if from_right else -TIP) * scale
    back = tip + (HEAD if from_right else -HEAD) * scale
    points[-1] = (back + (-1 if from_right else 1) * scale, y)
    if len(points) == 2 and abs(before_x - x) <= SHORT * scale:  # noqa: PLR2004 (a straight line)
        return [Path(line(route.points), stroke=colour, stroke_width=max(width * scale, 0.75))]
    path = Path(rounded_line(points, RADIUS * scale), stroke=colour, stroke_width=max(width * scale, 0.75), dash=dash)
    head = polygon([(tip, y), (back, y - HALF * scale), (back, y + HALF * scale)])
    return [path, Path(head, fill=colour)]


def _stroke(route: Route, edge_state: EdgeState, theme: Theme) -> tuple[str, float, tuple[float, ...]]:
    if route.cycle:
        return theme.status["failed"], 1.5, (5.0, 4.0)
    match edge_state:
        case "dead":
            return mix(theme.ink_3, 0.75, theme.ground), 1.25, (3.0, 4.0)
        case "moving":
            return theme.accent, 2.0, (6.0, 4.0)
        case "live":
            fired = theme.status["failed"] if route.kind == "error" else mix(theme.ink_2, 0.78, theme.ground)
            return fired, 1.5, ()
        case _:
            return theme.ink_3, 1.5, ()


def draw_cycle_mark(route: Route, theme: Theme, number: int) -> list[Shape]:
    """The word on an edge that closes a cycle, near the left end of its longest level stretch.

    Args:
        route: the edge.
        theme: the colours.
        number: of the mark; those of neighbouring lines don't stand one above the other.
    """
    (x1, y), (x2, _) = max(pairwise(route.points), key=lambda pair: abs(pair[0][0] - pair[1][0]))
    width = width_of("cycle", LABEL) + 10.0
    middle = min(x1, x2) + min(34.0 + number % 3 * 44.0, abs(x1 - x2) / 2)
    return [
        Rect(middle - width / 2, y - 7.0, width, 14.0, fill=theme.ground),
        Text(middle, y + 3.6, "cycle", LABEL, theme.status["failed"], anchor="middle"),
    ]


def tell_edge(route: Route, edge_state: EdgeState | None) -> str:
    """An edge as a sentence, for readers and on hover."""
    state = "closes a cycle" if route.cycle else edge_state or ""
    return f"{clean(route.source, 80)} to {clean(route.target, 80)}{f': {state}' if state else ''}"


def draw_label(port: PortSpot, centre: float, theme: Theme) -> Text:
    """The name of a choice beside its port: above the line, or below it for ports in the lower half of a card."""
    below = port.y > centre + 1
    y = port.y + (12.0 if below else -5.0)
    text = fit(clean(port.label), LABEL, 80.0)
    if port.side == "in":
        return Text(port.x - 8.0, y, text, LABEL, theme.ink_2, anchor="end")
    return Text(port.x + 8.0, y, text, LABEL, theme.ink_2)


def draw_box(card: Card, spot: BoxSpot, scale: float, *, small: bool) -> Group:
    """The box of a loop or group: its head says what the card would say."""
    theme = card.theme
    fill = mix(theme.families["control"], 0.05, theme.ground)
    place = spot.x, spot.y, spot.width, spot.height
    status = card.state.status if card.state else None
    shapes: list[Shape]
    if status in (NodeStatus.SKIPPED, NodeStatus.CANCELLED):
        inner = spot.x + 0.5, spot.y + 0.5, spot.width - 1, spot.height - 1, 9.5
        shapes = [Path(rounded_rect(*inner), fill=fill, stroke=card.edge(), stroke_width=1.0, dash=(3.0, 3.0))]
    else:
        shapes = [Rect(*place, 10.0 if scale == 1 else 5.0, fill=fill, stroke=card.edge())]
    if scale == 1 or small:
        shapes += _head(card, spot, fill, spot.y + BOX_HEAD * scale / 2)
    return Group(tuple(shapes), title=card.told, node=spot.key, status=status.value if status else "")


def _head(card: Card, spot: BoxSpot, fill: str, middle: float) -> list[Shape]:
    theme = card.theme
    shapes = icon(card.icon, (spot.x + 12.0, middle - 7.0), 14.0, theme.families["control"], fill)
    left, right, baseline = spot.x + 34.0, spot.x + spot.width - 12.0, middle + 4.5
    name = fit(card.name, 12.5, (right - left) * 0.6, 600)
    shapes.append(Text(left, baseline, name, 12.5, theme.ink, 600))
    left += width_of(name, 12.5, 600) + 10.0
    if card.look:
        shapes += icon(card.look, (left, baseline - 10.0), 12.0, card.ink, fill, width=1.8)
        left += 17.0
    word = fit(card.word, 11.5, right - left)
    shapes.append(Text(left, baseline, word, 11.5, card.ink))
    left += width_of(word, 11.5) + 10.0
    counted = _counted(card)
    if counted and left + 12.0 * counted[1] <= right:
        shapes += _segments(theme, fill, (left, baseline - 6.5), *counted)
    return shapes


def _counted(card: Card) -> tuple[int, int] | None:
    """The two figures of a text like `3/12`, where there are not too many."""
    done, slash, total = (card.state.text if card.state else "").strip().partition("/")
    if not slash or not done.strip().isdecimal() or not total.strip().isdecimal():
        return None
    figures = int(done.strip()[:6]), int(total.strip()[:6])
    return figures if 0 < figures[1] <= MOST_SEGMENTS else None


def _segments(theme: Theme, fill: str, place: Point, done: int, total: int) -> list[Shape]:
    """A small bar for each item of a loop."""
    x, y = place
    full, pale = theme.fills["completed"], mix(theme.ink_3, 0.55, fill)
    return [Rect(x + 12.0 * number, y, 10.0, 4.0, 1.0, fill=full if number < done else pale) for number in range(total)]
