"""A run under the cell that started it: live where the front end has widgets, else as a picture.

Whatever shows it live, the picture and the text are beside it: they are what stays in the saved notebook.
"""

from __future__ import annotations

import logging
import sys
import weakref
from typing import TYPE_CHECKING, Any, Final

from flownb.notebook import display as picture
from flownb.run.session import current
from flownb.widgets.bundle import missing

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.widgets.run_view import RunWidget

_log = logging.getLogger("flownb.widgets")
VIEW: Final = "application/vnd.jupyter.widget-view+json"

#: Runs of one execution that are shown live; a cell that starts hundreds shows pictures of the others.
MOST_ALIVE: Final = 10
#: The picture of more nodes takes so long that the live view goes before it.
_AT_ONCE: Final = 100

#: One widget a run and process, however often it is displayed; it lives as long as the kernel.
_widgets: Final[dict[str, RunWidget]] = {}
#: In which execution each run was shown by itself.
_shown: Final[weakref.WeakKeyDictionary[Run, Any]] = weakref.WeakKeyDictionary()
_said: Final[set[str]] = set()


def show(run: Run) -> None:
    """Display a run once, live where that can be; the picture beside it is brought up to date when the run rests."""
    execution = _execution()
    alive = sum(each == execution for each in _shown.values())
    if not live() or alive >= MOST_ALIVE:
        picture.show(run)
        return
    present(run)
    _shown[run] = execution


def shows(run: Any) -> bool:
    """Show a run that is the value of a cell as one that goes on, so that its end is what is saved.

    Returns False where its mimebundle is enough: it has ended, it stands right above, or this is no kernel.
    """
    if (
        not _request()
        or not hasattr(run, "watch")
        or run.status.ended
        or (run in _shown and _shown[run] == _execution())
    ):
        return False
    present(run)
    return True


def present(run: Run, widget: Any = None) -> None:
    """Display a run, whatever stands above; and once more when it rests, so that its picture is what is saved.

    Args:
        run: as it is now.
        widget: what shows it live; None for the usual view, or a picture where no widget can be shown.
    """
    from IPython.display import display

    if not live():
        picture.show(run)
        return
    large = len(run.state.topology.workflow.nodes) > _AT_ONCE
    data, metadata = _unpictured(run, widget) if large else _whole(run, widget)
    handle = display(data, raw=True, metadata=metadata, display_id=True)
    if handle is None:
        return

    def update(run: Run) -> None:
        data, metadata = _whole(run, widget)
        handle.update(data, raw=True, metadata=metadata)

    picture.Refresher(run, update, only_at_rest=True, begins=large)


def bundle(run: Run, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mimebundle of a run: the widget where there can be one, and always `image/png` and `text/plain`."""
    if not live():
        return picture.bundle(run, include, exclude)
    if run in _shown and _shown[run] == _execution():
        return {"text/plain": repr(run)}, {}  # it stands right above
    return _whole(run)


def _whole(run: Run, widget: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    data, metadata = picture.bundle(run)
    return _unpictured(run, widget)[0] | data, metadata


def _unpictured(run: Run, widget: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    view = {"version_major": 2, "version_minor": 0, "model_id": (widget or widget_of(run)).model_id}
    return {VIEW: view, "text/plain": repr(run)}, {"flownb": {"run": run.id}}


def widget_of(run: Run) -> RunWidget:
    """The widget of a run; the same one for every display of it in this process."""
    from flownb.widgets.run_view import RunWidget

    name = f"{run.url} {run.id}"
    found = _widgets.get(name)
    if found is None:
        found = _widgets[name] = RunWidget(run)
    return found


def live() -> bool:
    """Whether whoever asked for this execution can show widgets.

    A program that executes notebooks (nbclient, papermill) can't, and what it saved would show nothing without a
    kernel; such programs never let a cell ask for input, and front ends do.
    """
    parent = _request()
    if current() is not None or not parent.get("content", {}).get("allow_stdin"):
        return False
    why = missing()
    if why and why not in _said:
        _said.add(why)
        _log.warning("%s Until then runs are shown as pictures.", why)
    return not why


def _request() -> dict[str, Any]:
    """The request that is being executed; empty outside of a kernel."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None or not hasattr(shell, "get_parent"):
        return {}
    parent: dict[str, Any] = shell.get_parent() or {}
    return parent


def _execution() -> Any:
    return _request().get("header", {}).get("msg_id")
