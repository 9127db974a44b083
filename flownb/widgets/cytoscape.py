"""The run view on ipycytoscape, for graphs that are small: the same bar, questions and panels below another canvas.

ipycytoscape makes a widget of every node and every edge and can't batch their changes, so that large graphs lose parts
on their way to the browser; hence the bound. It draws on a canvas: no text of a workflow becomes markup. Its tooltips
would, and are not used.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import ipycytoscape
import ipywidgets

from flownb.graph.drawing.theme import theme
from flownb.graph.drawing.words import clean
from flownb.widgets import display
from flownb.widgets.moment import Moments
from flownb.widgets.pulse import pulse
from flownb.widgets.run_view import RunWidget
from flownb.widgets.scene import scene_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.events import Event
    from flownb.run.handles.handle import Run

#: Of the title and of the second line of a node.
_LONGEST: Final = 26
#: A sign for each look, because colour is never the only one.
_SIGNS: Final = {
    "pending": "○", "queued": "○", "running": "▶", "retrying": "↻", "waiting": "‖", "completed": "✓", "cached": "✓",
    "failed": "✗", "skipped": "-", "cancelled": "■",
}  # fmt: skip


class CytoscapeView(ipywidgets.VBox):
    """One run: its graph on ipycytoscape, and below it all that the usual view has besides its canvas."""

    def __init__(self, run: Run) -> None:
        """Show a run from now on."""
        self._run = run
        self._panel = RunWidget(run, canvas=False)
        self._moments = Moments(run)
        self._lock = threading.Lock()
        self._heard: list[Event] = []
        scene = scene_of(run.state.topology.workflow)
        told = self._moments.news(None)
        self._nodes = {spot["key"]: _node(spot, told["nodes"].get(spot["key"])) for spot in _spots(scene)}
        self._edges = {route["edge"]: _edge(route, told.get("edges", {})) for route in _routes(scene, self._nodes)}
        graph = _canvas(self._nodes, self._edges)
        graph.on("node", "click", self._clicked)  # before it is shown: later ones are never attached
        super().__init__([graph, self._panel])
        self._forget = run.watch(self._hear)
        self._moments.doubt()  # what happened while this was made was heard by nobody
        pulse.wake(self)

    @property
    def run(self) -> Run:
        """The run that is shown."""
        return self._run

    def _ipython_display_(self) -> None:
        display.present(self._run, self)

    # --- what changes

    def _hear(self, happened: list[Event]) -> None:
        with self._lock:
            self._heard.extend(happened)
        pulse.wake(self)

    def beat(self) -> None:
        """Bring the nodes and edges up to date that changed; on the pulse's thread."""
        with self._lock:
            heard, self._heard = self._heard, []
        news = self._moments.news(heard)
        for key, record in news.get("nodes", {}).items():
            if (node := self._nodes.get(key)) is not None:
                _renew(node, _said(node.data["title"], record))
        for name, state in news.get("edges", {}).items():
            if (edge := self._edges.get(name)) is not None:
                _renew(edge, {"state": state})

    def _clicked(self, found: Any) -> None:
        key = found.get("data", {}).get("id") if isinstance(found, dict) else None
        if isinstance(key, str) and key in self._nodes:
            self._panel.select(key)


def _renew(element: Any, changed: dict[str, Any]) -> None:
    """What is assigned is sent; what is changed inside is not."""
    fresh = {**element.data, **changed}
    if fresh != element.data:
        element.data = fresh


def _spots(scene: dict[str, Any]) -> list[dict[str, Any]]:
    return [*scene["boxes"], *scene["cards"]]


def _routes(scene: dict[str, Any], nodes: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """One way for each edge that leads from one node to another."""
    return [
        route
        for route in scene["routes"]
        if route["source"] in nodes and route["target"] in nodes and route["source"] != route["target"]
    ]


def _node(spot: dict[str, Any], record: dict[str, Any] | None) -> Any:
    title = clean(spot["title"], _LONGEST)
    data = {"id": spot["key"], "title": title, "width": spot["width"], "height": spot["height"]}
    if spot["parent"] is not None:
        data["parent"] = spot["parent"]
    middle = {"x": spot["x"] + spot["width"] / 2, "y": spot["y"] + spot["height"] / 2}
    data |= _said(title, record or {"status": "pending", "look": "pending", "text": "Pending"})
    return ipycytoscape.Node(data=data, position=middle, grabbable=False)


def _said(title: str, record: dict[str, Any]) -> dict[str, Any]:
    """What a node shows: its name, and how it stands as a sign, as text and as a colour."""
    sign = _SIGNS.get(record["look"], _SIGNS.get(record["status"], ""))
    second = clean(f"{sign} {record['text']}", _LONGEST)
    return {"status": record["status"], "look": record["look"], "label": f"{title}\n{second}"}


def _edge(route: dict[str, Any], states: dict[str, str]) -> Any:
    state = states.get(route["edge"], "open")
    data = {"id": f"edge {route['edge']}", "source": route["source"], "target": route["target"], "state": state}
    return ipycytoscape.Edge(data=data)


def _canvas(nodes: dict[str, Any], edges: dict[str, Any]) -> Any:
    """The graph, each element made once: added one by one, every one of them would send the whole again."""
    graph = ipycytoscape.CytoscapeWidget(
        cytoscape_layout={"name": "preset", "fit": True, "padding": 16},
        cytoscape_style=_style(),
        user_zooming_enabled=False,  # the wheel is the notebook's
        max_zoom=1.5,
    )
    with graph.graph.hold_sync():
        graph.graph.nodes.extend(nodes.values())
        graph.graph.edges.extend(edges.values())
    graph.add_class("flownb-canvas")
    return graph


def _style() -> list[dict[str, Any]]:
    """The colours of the saved pictures; cards stay light on a dark page, because this canvas knows no theme."""
    light = theme(dark=False)
    base = {
        "shape": "round-rectangle", "width": "data(width)", "height": "data(height)", "label": "data(label)",
        "text-wrap": "wrap", "text-valign": "center", "font-size": 12, "line-height": 1.35, "border-width": 1.5,
        "font-family": "system-ui, sans-serif", "background-color": light.raised, "color": light.ink,
        "border-color": light.line_strong,
    }  # fmt: skip
    line = {
        "width": 1.6, "line-color": light.line_strong, "curve-style": "bezier", "target-arrow-shape": "triangle",
        "target-arrow-color": light.line_strong,
    }  # fmt: skip
    found = [{"selector": "node", "css": base}, {"selector": "edge", "css": line}]
    found.append({"selector": ":parent", "css": {"background-opacity": 0.25, "text-valign": "top"}})
    for look, colour in light.status.items():
        wide = 2.5 if look in ("running", "waiting", "failed", "retrying") else 1.5
        css = {"border-color": colour, "border-width": wide}
        if look in ("skipped", "cancelled", "pending", "queued"):
            css |= {"border-style": "dashed", "color": light.ink_2}
        found.append({"selector": f'node[look="{look}"]', "css": css})
    found.append({"selector": 'edge[state="dead"]', "css": {"line-style": "dashed", "opacity": 0.5}})
    found.append({"selector": 'edge[state="live"]', "css": _coloured(light.status["completed"])})
    found.append({"selector": 'edge[state="moving"]', "css": _coloured(light.status["running"])})
    return found


def _coloured(colour: str) -> dict[str, Any]:
    return {"line-color": colour, "target-arrow-color": colour}
