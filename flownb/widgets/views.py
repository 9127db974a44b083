"""`run.view(renderer=…)`: which canvas shows a run."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, MissingExtra, near_names
from flownb.widgets import display

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run

#: The usual one, and the one on ipycytoscape.
CANVAS: Final = "canvas"
CYTOSCAPE: Final = "cytoscape"
#: More nodes than these lose parts on their way to the browser with ipycytoscape.
MOST_NODES: Final = 300


class View:
    """A run as a value that shows itself wherever it is displayed."""

    def __init__(self, run: Run) -> None:
        """Show a run where this is displayed."""
        self.run = run

    def _ipython_display_(self) -> None:
        display.present(self.run)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return display.bundle(self.run, include, exclude)

    def __repr__(self) -> str:
        return repr(self.run)


def view(run: Run, renderer: str = CANVAS) -> Any:
    """The view of a run, to be displayed; a picture where no front end can show widgets.

    Raises:
        InvalidInput: there is no such renderer, or the graph is too large for it.
        MissingExtra: what the renderer needs is not installed.
    """
    if renderer not in (CANVAS, CYTOSCAPE):
        near = near_names(renderer, (CANVAS, CYTOSCAPE)) if isinstance(renderer, str) else ""
        raise InvalidInput(f"There is no renderer {renderer!r}.{near}", name="renderer")
    if renderer == CYTOSCAPE:
        _check(run)
        if display.live():
            from flownb.widgets.cytoscape import CytoscapeView

            return CytoscapeView(run)
    return View(run)


def _check(run: Run) -> None:
    count = len(run.state.topology.workflow.nodes)
    if count > MOST_NODES:
        raise InvalidInput(
            f"The renderer {CYTOSCAPE!r} draws graphs of up to {MOST_NODES} nodes, and {run.workflow} has {count:,}: "
            f"`run.view()` draws them all with the usual one, {CANVAS!r}.",
            name="renderer",
        )
    if find_spec("ipycytoscape") is None:
        raise MissingExtra(
            f"The renderer {CYTOSCAPE!r} needs ipycytoscape: `pip install 'flownb[lab,cytoscape]'`; "
            f"`run.view()` needs only `flownb[lab]`."
        )
