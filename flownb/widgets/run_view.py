"""The widget of a run: it reads events and sends commands, and what it shows can always be made anew."""

from __future__ import annotations

import threading
import time
import uuid
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anywidget
import traitlets

from flownb.errors import FlownbError
from flownb.widgets.bundle import SCRIPT, STYLE
from flownb.widgets.commands import obey
from flownb.widgets.detail import MOST_EVENTS, Look, lines_of
from flownb.widgets.moment import Moments
from flownb.widgets.past import Past
from flownb.widgets.pulse import pulse
from flownb.widgets.scene import scene_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.model.events import Event
    from flownb.run.handles.handle import Run
    from flownb.run.handles.moment import Moment

#: More events than this between two beats are not looked at one by one.
_FLOOD: Final = 5_000
_TRIES: Final = 5


def _scene(_: Any, widget: RunWidget) -> dict[str, Any]:
    return widget.scene_now()


def _moment(_: Any, widget: RunWidget) -> dict[str, Any]:
    return widget.whole()


class RunWidget(anywidget.AnyWidget):
    """One run; it may be displayed in any number of cells.

    The traits are made when a page asks for them, so that a page that is loaded anew gets the present; they are never
    sent by themselves. What changes goes as messages: `news` with a number, so that a page that missed one asks for
    the whole.
    """

    _esm: ClassVar[Any] = SCRIPT
    _css: ClassVar[Any] = STYLE
    #: Finds the same state for every view of this model in the browser.
    key = traitlets.Unicode().tag(sync=True)
    #: Whether the graph is drawn; not where something else draws it above.
    canvas = traitlets.Bool(default_value=True).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True, to_json=_scene)
    moment = traitlets.Dict().tag(sync=True, to_json=_moment)

    def __init__(self, run: Run, *, canvas: bool = True) -> None:
        """Show a run from now on."""
        self._run = run
        self._lock = threading.RLock()
        self._moments = Moments(run)
        self._number = 0
        self._heard: deque[Event] = deque(maxlen=_FLOOD)
        self._looking: Look | None = None
        self._past = Past(run, self._told_then)
        self._selected: str | None = None
        #: Whether a page waits for the panel of what it has selected.
        self._looks_anew = False
        self._workflow: Any = None
        self._scene: dict[str, Any] = {}
        _undisturbed(lambda: self._moments.news(None))  # what a page gets when it begins is no news
        super().__init__(key=uuid.uuid4().hex, canvas=canvas)
        self.on_msg(self._asked)
        heard = weakref.WeakMethod(self._hear)
        run.watch(lambda happened: _call(heard, happened))
        self._moments.doubt()  # what happened while this was made was heard by nobody
        pulse.wake(self)

    @property
    def run(self) -> Run:
        """The run that is shown."""
        return self._run

    # --- what a page gets when it asks

    def scene_now(self) -> dict[str, Any]:
        """The workflow, laid out."""
        workflow = self._run.state.topology.workflow
        with self._lock:
            if self._workflow is not workflow:
                self._scene, self._workflow = scene_of(workflow), workflow
            return self._scene

    def whole(self) -> dict[str, Any]:
        """Everything that changes, as it is now."""
        with self._lock:
            whole = _undisturbed(self._moments.whole)
            if self._selected is not None:
                whole["selected"] = self._selected
            return whole | {"number": self._number, "now": time.time()}

    def select(self, key: str) -> None:
        """Let every page that shows this look at one node."""
        self._look(key)
        self._say({"kind": "select", "key": key})

    # --- what changes

    def _hear(self, happened: list[Event]) -> None:
        """On the engine's thread, after each commit."""
        self._heard.extend(happened)
        pulse.wake(self)

    def beat(self) -> None:
        """Send what is new, in one message."""
        with self._lock:
            heard = [self._heard.popleft() for _ in range(len(self._heard))]
            moved = self._workflow is not None and self._workflow is not self._run.state.topology.workflow
            if moved:
                self._say({"kind": "scene", "scene": self.scene_now()})
            news = self._moments.news(None if moved or len(heard) >= _FLOOD else heard)
            if self._selected is not None and (news or self._looks_anew):
                news["detail"] = self._told(self._selected)
                self._looks_anew = False
            if (then := self._past.next(self._moments.chosen)) is not None:
                news["past"] = then
            if news:
                self._number += 1
                self._say({"kind": "news", "number": self._number, "now": time.time()} | news)
            if self._past.wanted:
                pulse.wake(self)

    def _told(self, key: str) -> dict[str, Any]:
        return self._look_at(key, self._moments.path_of(key)).told()

    def _told_then(self, moment: Moment, moments: Moments, look: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the open panel shows of a moment."""
        key = look.get("node")
        if not isinstance(key, str) or not self._has_card(key):
            return None
        return self._look_at(key, moments.path_of(key)).told(moment)

    def _look_at(self, key: str, path: str) -> Look:
        look = self._looking
        if look is None or look.path != path:
            look = self._looking = Look(self._run, key, path)
        return look

    def _say(self, message: dict[str, Any]) -> None:
        self.send(message)

    # --- what people ask

    def _asked(self, _: Any, message: Any, __: Any) -> None:
        """A message from a page; on whichever thread the kernel serves it."""
        if not isinstance(message, dict):
            return
        number = message.get("id")
        try:
            answer = self._obey(message)
        except FlownbError as error:
            self._say({"kind": "refused", "id": number, "message": str(error)})
        else:
            self._say({"kind": "done", "id": number} | answer)

    def _obey(self, message: dict[str, Any]) -> dict[str, Any]:
        if obey(self._run, message):
            return {}
        node = message.get("node")
        match message.get("ask"):
            case "look":
                self._look(node if isinstance(node, str) else None)
            case "round" if isinstance(node, str):
                self._choose(node, message.get("index"))
            case "past":
                self._look_back(message)
            case "events":
                return self._journal(message.get("after"), message.get("until"))
            case "whole":
                return {"scene": self.scene_now(), "moment": self.whole()}
        return {}

    def _look(self, key: str | None) -> None:
        with self._lock:
            self._selected = key if key is not None and self._has_card(key) else None
            self._looking, self._looks_anew = None, True
        pulse.wake(self)

    def _has_card(self, key: str) -> bool:
        return any(each["key"] == key for each in _cards(self.scene_now()))

    def _look_back(self, message: Mapping[str, Any]) -> None:
        """A page wants to see a moment of the journal, or the present again; its moment comes with a beat."""
        page, seq = message.get("page"), message.get("seq")
        if not isinstance(page, str):
            return
        with self._lock:
            if isinstance(seq, int) and not isinstance(seq, bool):
                self._past.want(page, seq, {"node": message.get("node")})
            else:
                self._past.forget(page)
        pulse.wake(self)

    def _choose(self, loop: str, index: Any) -> None:
        with self._lock:
            self._moments.choose(loop, index if isinstance(index, int) else None)
        pulse.wake(self)

    def _journal(self, after: Any, until: Any) -> dict[str, Any]:
        """The newest events after a number, or the last ones up to another."""
        start = after if isinstance(after, int) and after > 0 else 0
        if isinstance(until, int) and until >= 0:
            start = max(0, until - MOST_EVENTS)
            records = self._run.store.events(self._run.id, start, until - start) if until else []
            return {"events": lines_of(records), "until": until}
        start = max(start, self._run.state.seq - MOST_EVENTS)
        return {"events": lines_of(self._run.events(start)[-MOST_EVENTS:])}


def _undisturbed(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A look that the engine disturbed, by writing meanwhile, is taken again."""
    for _ in range(_TRIES):
        try:
            return look()
        except RuntimeError as error:
            if "changed size" not in str(error):
                raise
    return look()


def _cards(scene: dict[str, Any]) -> list[dict[str, Any]]:
    return [*scene.get("cards", ()), *scene.get("boxes", ())]


def _call(method: weakref.WeakMethod[Any], happened: list[Event]) -> None:
    found = method()
    if found is not None:
        found(happened)
