"""Lists in a cell: live where the front end has widgets, with a picture and a text beside it, which stay when saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.widgets.display import VIEW, live
from flownb.widgets.lists.picture import Section, picture, request_lines, run_lines

if TYPE_CHECKING:
    from flownb.notebook.attach import RunList
    from flownb.notebook.home import Home
    from flownb.notebook.inbox import Inbox
    from flownb.store.contract import Store
    from flownb.widgets.lists.widget import ListWidget

#: One widget a list and process, however often it is displayed; it lives as long as the kernel.
_widgets: Final[dict[tuple[Any, ...], ListWidget]] = {}
_NOBODY: Final = "Nobody is asked anything."
_NO_RUNS: Final = "No runs yet: `flow.run()` starts one."


def inbox(found: Inbox) -> dict[str, Any]:
    """What a notebook shows of the requests of a store."""
    shown = {"text/plain": found.text(), "image/png": picture("Inbox", [_requests(found)])}
    return _beside("inbox", found.store, shown, everything=found.everything)


def runs(found: RunList) -> dict[str, Any]:
    """What a notebook shows of the runs of a store."""
    shown = {"text/plain": repr(found), "image/png": picture("Runs", [_runs(found)])}
    return _beside("runs", found.store, shown, status=found.status)


def home(found: Home) -> dict[str, Any]:
    """What a notebook shows of a store: what waits for people, and the newest runs."""
    sections = [_requests(found.inbox), _runs(found.runs)]
    return _beside("home", found.store, {"text/plain": repr(found), "image/png": picture("flownb", sections)})


def _requests(found: Inbox) -> Section:
    title = "Questions" if found.everything else "Waiting for you"
    return Section(title, len(found), request_lines(found), _NOBODY)


def _runs(found: RunList) -> Section:
    return Section("Runs", found.count(), run_lines(list(found)), _NO_RUNS)


def _beside(
    view: str, store: Store, shown: dict[str, Any], *, status: tuple[str, ...] = (), everything: bool = False
) -> dict[str, Any]:
    if not live():
        return shown
    model = widget_of(view, store, status=status, everything=everything).model_id
    return {VIEW: {"version_major": 2, "version_minor": 0, "model_id": model}} | shown


def widget_of(view: str, store: Store, *, status: tuple[str, ...] = (), everything: bool = False) -> ListWidget:
    """The widget of a list; the same one for every display of it in this process."""
    from flownb.widgets.lists.requests import RequestsPart
    from flownb.widgets.lists.runs import RunsPart
    from flownb.widgets.lists.widget import ListWidget

    name = (view, store.url, status, everything)
    found = _widgets.get(name)
    if found is None:
        parts: list[RequestsPart | RunsPart] = []
        if view != "runs":
            parts.append(RequestsPart(store, everything=everything))
        if view != "inbox":
            parts.append(RunsPart(store, status))
        found = _widgets[name] = ListWidget(view, store, parts)
    return found
