"""What of a run never changes while it works: cards, boxes and the ways of edges, where the layout put them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.icons import ICONS, icon_of
from flownb.graph.drawing.words import clean
from flownb.graph.layout.arrange import layout
from flownb.graph.registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.graph.layout.plan import BoxSpot, CardSpot, PortSpot, Route
    from flownb.model.status import Category
    from flownb.model.workflow import Workflow

#: Titles are cut here; the browser cuts again where there is less room.
_LONGEST: Final = 120
#: Wider graphs are folded into bands of about this width, so that they are read and not scrolled.
_PAGE: Final = 2_100.0
#: From so many nodes on the whole is seen as bars anyway, and stays in one piece.
_IN_ONE_PIECE: Final = 300


def scene_of(workflow: Workflow) -> dict[str, Any]:
    """A workflow laid out, as plain data for the canvas; coordinates are CSS pixels. Never fails."""
    known = registry.categories(workflow)
    page = _PAGE if len(workflow.nodes) <= _IN_ONE_PIECE else _PAGE * 4
    plan = layout(workflow, ports=registry.ports(workflow), page=page)
    return {
        "name": clean(workflow.name or workflow.id, _LONGEST),
        "width": _number(plan.width),
        "height": _number(plan.height),
        "compact": plan.compact,
        "icons": {name: list(strokes) for name, strokes in ICONS.items()},
        "cards": [_card(spot, workflow, known) for spot in plan.cards],
        "boxes": [_card(spot, workflow, known) for spot in plan.boxes],
        "routes": [_route(route) for route in plan.routes],
    }


def _card(spot: CardSpot | BoxSpot, workflow: Workflow, known: Mapping[str, Category]) -> dict[str, Any]:
    node = workflow.nodes[spot.index]
    icon, family = icon_of(node.type, known.get(node.id))
    return {
        "key": spot.key,
        "id": node.id,
        "title": clean(node.title, _LONGEST) or clean(node.id, _LONGEST) or "?",
        "type": clean(node.type, _LONGEST),
        "parent": node.parent,
        "icon": icon,
        "family": family,
        "x": _number(spot.x),
        "y": _number(spot.y),
        "width": _number(spot.width),
        "height": _number(spot.height),
        "ports": [_port(port, spot) for port in spot.ports],
    }


def _port(port: PortSpot, spot: CardSpot | BoxSpot) -> dict[str, Any]:
    return {
        "name": clean(port.name, _LONGEST),
        "side": port.side,
        "x": _number(port.x - spot.x),
        "y": _number(port.y - spot.y),
        "shape": port.shape,
        "type": port.type,
        "label": clean(port.label, _LONGEST),
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "edge": route.edge,
        "source": route.source,
        "target": route.target,
        "kind": route.kind,
        "points": [[_number(x), _number(y)] for x, y in route.points],
        "implied": route.implied,
    }


def _number(value: float) -> float:
    return round(value, 1)
