"""A node's card, in three sizes: everything on it, the name with its status, or a bar in the status's colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from flownb.graph.drawing.icons import icon, icon_of
from flownb.graph.drawing.shapes import Circle, Group, Path, Rect, Text, polygon, rounded_rect
from flownb.graph.drawing.theme import Theme, mix
from flownb.graph.drawing.words import clean, duration, fit, width_of
from flownb.model.status import NodeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.drawing.state import CardState
    from flownb.graph.layout.plan import CardSpot, PortSpot
    from flownb.model.status import Category
    from flownb.model.workflow import Node

Size = Literal["full", "small", "bar"]

#: The share of the first line that badges may take from a long name.
BADGE_SHARE: Final = 0.4

#: Badges that change the icon of the second line, or the edge of the card.
KNOWN_BADGES: Final = ("cached", "pinned", "stale", "retrying", "transient")
#: Other words for them: where a node's value came from, as events tell it.
ALIASES: Final = {"cache": "cached"}
#: Statuses whose word goes before a text that doesn't begin with it.
_SPOKEN: Final = frozenset({NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED, NodeStatus.WAITING})
_GONE: Final = frozenset({NodeStatus.SKIPPED, NodeStatus.CANCELLED})
_NOT_BEGUN: Final = frozenset({NodeStatus.PENDING, NodeStatus.QUEUED})


class Measures(msgspec.Struct, frozen=True):
    """The inner sizes of a card, in pixels."""

    left: float
    family: float
    gap: float
    right: float
    second: float


FULL: Final = Measures(left=10, family=32, gap=10, right=12, second=11.5)
COMPACT: Final = Measures(left=9, family=28, gap=8, right=10, second=11)


class Card:
    """What one card is drawn from."""

    def __init__(self, node: Node, state: CardState | None, theme: Theme, categories: Mapping[str, Category]) -> None:
        """Take a node and what is known of it.

        Args:
            node: the definition.
            state: None in the picture of a definition, which says the type instead of a status.
            theme: the colours.
            categories: the category of each node by id, for the icons of types that don't ship.
        """
        self.theme = theme
        self.state = state
        self.name = clean(node.title) or clean(node.id) or "?"
        self.icon, family = icon_of(node.type, categories.get(node.id))
        self.family = theme.families[family]
        self.attempts = _attempts(node, state)
        #: As given, with one word for one thing.
        self.badges = tuple(ALIASES.get(badge, badge) for badge in state.badges) if state else ()
        self.kind = clean(node.type, 80)
        self.disabled = node.disabled

    @property
    def look(self) -> str:
        """The status, or the badge that shows instead of it."""
        if self.state is None:
            return ""
        for badge in KNOWN_BADGES:
            if badge in self.badges and (badge != "retrying" or self.state.status is NodeStatus.RUNNING):
                return badge
        return self.state.status.value

    @property
    def word(self) -> str:
        """The second line: the text, with the status's word unless the text itself says it."""
        if self.state is None:
            return "Disabled" if self.disabled else self.kind
        return said(self.state, clean(self.state.text))

    @property
    def ink(self) -> str:
        """The colour of the second line."""
        if self.state is None:
            return self.theme.ink_2
        if self.look in ("pinned", "transient"):
            return self.theme.status[self.state.status.value]
        return self.theme.status[self.look]

    @property
    def told(self) -> str:
        """The whole card as one sentence, for readers and on hover."""
        time = duration(self.state.seconds) if self.state else ""
        return ", ".join(part for part in (clean(self.name, 200), clean(self.word, 200), self.attempts, time) if part)

    def fill(self) -> str:
        """The card's ground."""
        if self.state is not None and self.state.status is NodeStatus.WAITING:
            return mix(self.theme.fills["waiting"], 0.07, self.theme.raised)
        return self.theme.raised

    def edge(self) -> str:
        """The colour of the card's edge."""
        theme = self.theme
        match self.state.status if self.state else None:
            case NodeStatus.RUNNING:
                return mix(theme.status["running"], 0.55, theme.raised)
            case NodeStatus.WAITING:
                return mix(theme.fills["waiting"], 0.8, theme.raised)
            case NodeStatus.FAILED:
                return mix(theme.status["failed"], 0.65, theme.raised)
            case _:
                return theme.line_strong


def said(state: CardState, text: str) -> str:
    """What a node says: its text, with the status's word before it unless the text begins with that word."""
    word = state.status.value.capitalize()
    if state.status is NodeStatus.COMPLETED and not {"cached", "cache"}.isdisjoint(state.badges):
        word = "Cached"
    if not text:
        return "Retrying" if "retrying" in state.badges and state.status is NodeStatus.RUNNING else word
    stem = state.status.value.removesuffix("ing").removesuffix("ed")
    if state.status in _SPOKEN and not text.lower().startswith(stem):
        return f"{word}: {text}"
    return text


def _attempts(node: Node, state: CardState | None) -> str:
    if state is None or state.attempts <= 1:
        return ""
    most = node.retry.attempts if node.retry else 0
    return f"{state.attempts}/{most}" if most >= state.attempts else f"{state.attempts}x"


def draw_card(card: Card, spot: CardSpot, size: Size, *, compact: bool) -> Group:
    """A card where the layout put it.

    Args:
        card: what it says.
        spot: where, in the picture's pixels.
        size: how much of it there is room for.
        compact: whether a full card is of the small kind.
    """
    if size == "bar":
        shapes = _bar(card, spot)
    elif size == "small":
        shapes = [*_box(card, spot, 6.0), *_small(card, spot)]
    else:
        shapes = [*_box(card, spot, 8.0), *_full(card, spot, COMPACT if compact else FULL)]
    status = card.state.status.value if card.state else ""
    return Group(tuple(shapes), title=card.told, node=spot.key, status=status)


def _box(card: Card, spot: CardSpot, radius: float) -> list[Shape]:
    """Shadow, ground and edge."""
    theme = card.theme
    place = (spot.x, spot.y, spot.width, spot.height)
    status = card.state.status if card.state else None
    half = spot.x + 0.5, spot.y + 0.5, spot.width - 1, spot.height - 1, radius - 0.5
    if status in _GONE:
        return [Path(rounded_rect(*half), stroke=card.edge(), stroke_width=1.0, dash=(3.0, 3.0), fill=theme.ground)]
    shapes: list[Shape] = []
    if status not in _NOT_BEGUN:
        shapes = [
            Rect(spot.x - 0.5, spot.y + 1, spot.width + 1, spot.height + 1, radius + 0.5, fill=_shade(theme, 0.4)),
            Rect(spot.x, spot.y + 1, spot.width, spot.height, radius, fill=_shade(theme, 1.0)),
        ]
    if card.look == "stale" or (card.state is None and card.disabled):
        edge = Path(rounded_rect(*half), fill=card.fill(), stroke=card.edge(), stroke_width=1.0, dash=(3.0, 3.0))
        return [*shapes, edge]
    return [*shapes, Rect(*place, radius, fill=card.fill(), stroke=card.edge())]


def _shade(theme: Theme, share: float) -> str:
    return mix("#000000", theme.shadow * share, theme.ground)


def _family(card: Card, x: float, y: float, *, size: float, icon_size: float, radius: float) -> list[Shape]:
    """The family's icon in its tinted square."""
    theme, colour, ground = card.theme, card.family, card.fill()
    if card.state is not None and card.state.status in _GONE:
        ground = theme.ground
        colour = mix(mix(colour, 0.15, theme.ink_2), 0.65, ground)
    tint = mix(colour, theme.tint, ground)
    inset = (size - icon_size) / 2
    return [
        Rect(x, y, size, size, radius, fill=tint),
        *icon(card.icon, (x + inset, y + inset), icon_size, colour, tint),
    ]


def _full(card: Card, spot: CardSpot, measures: Measures) -> list[Shape]:
    middle = spot.y + spot.height / 2
    size = measures.family
    shapes = _family(card, spot.x + measures.left, middle - size / 2, size=size, icon_size=16.0, radius=6.0)
    left = spot.x + measures.left + size + measures.gap
    right = spot.x + spot.width - measures.right
    shapes += _first_line(card, left, right, middle - 4.0)
    shapes += _second_line(card, left, right, middle + 13.5, measures.second)
    state = card.state
    if state is not None and state.status is NodeStatus.RUNNING and state.progress is not None:
        shapes += _progress(card, spot, min(max(state.progress, 0.0), 1.0))
    return shapes


def _first_line(card: Card, left: float, right: float, baseline: float) -> list[Shape]:
    """The name, and the badges at the right."""
    shapes: list[Shape] = []
    end = right
    gone = card.state is not None and card.state.status in _GONE
    weight: Literal[400, 500, 600] = 500 if gone else 600
    room = right - left
    spare = max(room - width_of(card.name, 13.0, weight) - 8.0, room * BADGE_SHARE)
    for text, mark in _badges(card):
        text = fit(text, 11.0, spare - (23.0 if mark else 7.0))  # noqa: PLW2901 (what follows is about what is drawn)
        if not text:
            break
        spare -= width_of(text, 11.0) + (23.0 if mark else 7.0)
        end -= width_of(text, 11.0)
        shapes.append(Text(end, baseline, text, 11.0, card.theme.ink_2, width=width_of(text, 11.0)))
        if mark:
            end -= 16.0
            shapes += icon(mark, (end, baseline - 10.0), 12.0, card.theme.ink_2, card.fill(), width=1.6)
        end -= 7.0
    name = fit(card.name, 13.0, end - left, weight)
    width = width_of(name, 13.0, weight)
    tight = width if width > (end - left) * 0.85 else 0.0
    return [
        Text(left, baseline, name, 13.0, card.theme.ink_2 if gone else card.theme.ink, weight, width=tight),
        *shapes,
    ]


def _badges(card: Card) -> list[tuple[str, str]]:
    """What stands at the right of the name: text and icon."""
    found = [(card.attempts, "retrying")] if card.attempts else []
    for badge in card.badges:
        if badge in ("pinned", "transient"):
            found.append((badge, "pinned" if badge == "pinned" else ""))
        elif badge not in KNOWN_BADGES and clean(badge):
            found.append((clean(badge, 40), ""))
    return found[:2]


def _second_line(card: Card, left: float, right: float, baseline: float, size: float) -> list[Shape]:
    """Status icon, text, and the duration where both fit."""
    shapes: list[Shape] = []
    if card.look:
        ground = card.theme.ground if card.state and card.state.status in _GONE else card.fill()
        shapes = icon(card.look, (left, baseline - 10.0), 12.0, card.ink, ground, width=1.8)
        left += 17.0
    time = duration(card.state.seconds) if card.state else ""
    room = right - left
    word = width_of(card.word, size)
    cut_anyway = word > room and card.look in ("running", "retrying")
    if time and (word + 6.0 + width_of(time, size) <= room or cut_anyway):
        shapes.append(Text(right, baseline, time, size, card.theme.ink_2, anchor="end"))
        room -= width_of(time, size) + 6.0
    text = fit(card.word, size, room)
    width = width_of(text, size)
    shapes.append(Text(left, baseline, text, size, card.ink, width=width if width > room * 0.85 else 0.0))
    return shapes


def _progress(card: Card, spot: CardSpot, share: float) -> list[Shape]:
    colour = card.theme.status["running"]
    x, y, width = spot.x + 10.0, spot.y + spot.height - 6.0, spot.width - 20.0
    return [
        Rect(x, y, width, 2.0, 1.0, fill=mix(colour, 0.18, card.fill())),
        Rect(x, y, width * share, 2.0, 1.0, fill=colour),
    ]


def _small(card: Card, spot: CardSpot) -> list[Shape]:
    """Family, name, status icon."""
    middle = spot.y + spot.height / 2
    shapes = _family(card, spot.x + 6.0, middle - 11.0, size=22.0, icon_size=12.0, radius=4.0)
    left, right = spot.x + 35.0, spot.x + spot.width - 8.0
    if card.look:
        right -= 12.0
        shapes += icon(card.look, (right, middle - 6.0), 12.0, card.ink, card.fill(), width=1.8)
        right -= 6.0
    gone = card.state is not None and card.state.status in _GONE
    weight: Literal[400, 500, 600] = 500 if gone else 600
    ink = card.theme.ink_2 if gone else card.theme.ink
    name = fit(card.name, 12.0, right - left, weight)
    return [*shapes, Text(left, middle + 4.2, name, 12.0, ink, weight)]


def _bar(card: Card, spot: CardSpot) -> list[Shape]:
    """A bar with a firm left edge; the name only where somebody must look."""
    theme = card.theme
    status = card.state.status if card.state else NodeStatus.PENDING
    full = theme.fills["failed" if status is NodeStatus.FAILED else status.value]
    gone = status in _GONE
    fill = mix(full, 0.12 if gone else 0.35, theme.ground)
    edge = mix(full, 0.5, theme.ground) if gone else full
    shapes: list[Shape] = [
        Rect(spot.x, spot.y, spot.width, spot.height, 3.0, fill=fill),
        Rect(spot.x, spot.y, 3.0, spot.height, 1.5, fill=edge),
    ]
    if status in (NodeStatus.FAILED, NodeStatus.WAITING):
        colour = theme.status[status.value]
        name = fit(card.name, 8.5, spot.width * 1.5, 600)
        shapes += icon(status.value, (spot.x + 6.0, spot.y + spot.height / 2 - 5.0), 10.0, colour, fill, width=1.8)
        shapes.append(Text(spot.x, spot.y - 2.0, name, 8.5, colour, 600))
    return shapes


def draw_port(port: PortSpot, theme: Theme, ground: str, *, faded: bool, scale: float = 1.0) -> Shape:
    """A port's dot: round for one value, square for many, a diamond for a part, hollow for order and choice."""
    colour = theme.types.get(port.type, theme.types["any"])
    if faded:
        colour = mix(colour, 0.5, ground)
    x, y = port.x, port.y
    if port.shape == "square":
        return Rect(x - 4 * scale, y - 4 * scale, 8 * scale, 8 * scale, 2 * scale, fill=colour)
    if port.shape == "diamond":
        reach = 5.3 * scale
        return Path(polygon([(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)]), fill=colour)
    if port.shape == "hollow":
        return Circle(x, y, 4.5 * scale, fill=theme.raised, stroke=colour, stroke_width=2 * scale)
    return Circle(x, y, 4.5 * scale, fill=colour)
