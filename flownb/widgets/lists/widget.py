"""The widget of a list: it reads the store when that has changed and hands answers on; it holds no truth itself."""

from __future__ import annotations

import threading
import time
import uuid
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anywidget
import traitlets

from flownb.errors import FlownbError, UsageError
from flownb.graph.drawing.icons import ICONS
from flownb.run.engine import engine
from flownb.run.waiting.decisions import decide, look_after
from flownb.widgets.bundle import SCRIPT, STYLE
from flownb.widgets.pulse import pulse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.store.contract import Store
    from flownb.widgets.lists.requests import RequestsPart
    from flownb.widgets.lists.runs import RunsPart

#: Seconds between two looks at the store, and how much longer a look may keep away than it took.
_BETWEEN: Final = 0.25
_REST: Final = 10.0


def _page(_: Any, widget: ListWidget) -> dict[str, Any]:
    return widget.whole()


class ListWidget(anywidget.AnyWidget):
    """A list of a store; it may be displayed in any number of cells, which all show the same page of it.

    The trait is made when a page asks for it, so that a page that is loaded anew gets the present. What changes goes as
    messages: `news` with a number, so that a page that missed one asks for the whole.
    """

    _esm: ClassVar[Any] = SCRIPT
    _css: ClassVar[Any] = STYLE
    #: Finds the same state for every view of this model in the browser.
    key = traitlets.Unicode().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    #: The store's URL: where a click goes that a busy kernel doesn't hear.
    place = traitlets.Unicode().tag(sync=True)
    page = traitlets.Dict().tag(sync=True, to_json=_page)

    def __init__(self, view: str, store: Store, parts: Sequence[RunsPart | RequestsPart]) -> None:
        """Show a list from now on.

        Args:
            view: `inbox`, `runs` or `home`.
            store: whose list.
            parts: what it shows, by the names that the browser half knows.
        """
        self._store = store
        self._parts = {part.name: part for part in parts}
        self._lock = threading.RLock()
        self._number = 0
        self._told: dict[str, Any] = {}
        self._opened: dict[str, str] = {}
        self._changed = True
        self._not_before = 0.0
        self._look()
        super().__init__(view=view, key=uuid.uuid4().hex, place=store.url)
        self.on_msg(self._asked)
        seen = weakref.WeakMethod(self._store_seen)
        self._end = engine().house.watch(store, lambda changed: _call(seen, changed))
        weakref.finalize(self, self._end)

    # --- what a page gets when it asks

    def whole(self) -> dict[str, Any]:
        """Everything that is shown, as it is now."""
        with self._lock:
            more = {"icons": {name: list(strokes) for name, strokes in ICONS.items()}, "opened": self._opened}
            return self._told | more | {"number": self._number, "now": time.time()}

    # --- what changes

    def _store_seen(self, changed: bool) -> None:
        """On the engine's loop, when the store has changed, and once a second."""
        if changed:
            self._changed = True
        pulse.wake(self)

    def beat(self) -> None:
        """Look at the store, if it has changed, and send what is new in one message."""
        if self._store_is_closed() or time.monotonic() < self._not_before:
            return  # the next second brings another beat
        with self._lock:
            look_after(self._store, time.time())
            if not self._changed:
                return
            before = self._told
            self._look()
            self._tell({name: part for name, part in self._told.items() if before.get(name) != part})

    def _store_is_closed(self) -> bool:
        return bool(getattr(self._store, "closed", False))

    def _look(self) -> None:
        self._changed = False  # first: what comes from here on is news
        begun = time.monotonic()
        try:
            self._told = {name: part.told() for name, part in self._parts.items()}
        except BaseException:
            self._changed = True
            raise
        took = time.monotonic() - begun
        self._not_before = begun + took + max(_BETWEEN, _REST * took)

    def _tell(self, news: dict[str, Any]) -> None:
        if news:
            self._number += 1
            self.send({"kind": "news", "number": self._number, "now": time.time()} | news)

    # --- what people ask

    def _asked(self, _: Any, message: Any, __: Any) -> None:
        """A message from a page; on whichever thread the kernel serves it."""
        if not isinstance(message, dict):
            return
        number = message.get("id")
        try:
            answer = self._obey(message)
        except FlownbError as error:
            self.send({"kind": "refused", "id": number, "message": str(error)})
        else:
            self.send({"kind": "done", "id": number} | answer)

    def _obey(self, message: dict[str, Any]) -> dict[str, Any]:
        match message:
            case {"ask": "find", "part": str(name)} if name in self._parts:
                self._now(lambda: self._parts[name].find(message))
            case {"ask": "unfold", "approval": str(approval), "run": str(run)} if "requests" in self._parts:
                part: Any = self._parts["requests"]
                self._now(lambda: part.unfold(run, approval, on=bool(message.get("on"))))
            case {"ask": "decide", "approval": str(approval), "run": str(run), "port": str(port)}:
                self._decide(run, approval, port, message)
            case {"ask": "attach", "run": str(run)}:
                self._attach(run)
            case {"ask": "close"}:
                self._open(None)
            case {"ask": "whole"}:
                return {"page": self.whole()}
            case _:
                raise UsageError(f"A list can't be asked for {message.get('ask')!r:.60} in this way.")
        return {}

    def _now(self, change: Any) -> None:
        """Change what is shown, and show it, whatever the store does meanwhile."""
        with self._lock:
            change()
            before = self._told
            self._look()
            self._tell({name: part for name, part in self._told.items() if before.get(name) != part})

    def _decide(self, run: str, approval: str, port: str, message: dict[str, Any]) -> None:
        """Answer a request; as whoever the operating system says that the kernel runs for."""
        comment = message.get("comment")
        now = engine().now()
        said = comment if isinstance(comment, str) else ""
        decide(self._store, run, approval, port=port, at=now, data=message.get("data"), comment=said)
        engine().house.look_soon(self._store)
        self._now(lambda: None)

    def _attach(self, run_id: str) -> None:
        """Bring the live view of a run below the list."""
        from flownb.notebook.attach import attach
        from flownb.widgets.display import widget_of

        run = attach(run_id, self._store)
        self._open({"run": run.id, "model": str(widget_of(run).model_id)})

    def _open(self, run: dict[str, str] | None) -> None:
        with self._lock:
            self._opened = run or {}
            self._tell({"opened": self._opened})


def _call(method: weakref.WeakMethod[Any], changed: bool) -> None:
    found = method()
    if found is not None:
        found(changed)
