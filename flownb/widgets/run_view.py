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
from flownb.widgets.detail import MOST_EVENTS, Look, lines_of
from flownb.widgets.moment import Moments
from flownb.widgets.pulse import pulse
from flownb.widgets.scene import scene_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.events import Event
    from flownb.run.handles.handle import Run

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
        self._selected: str | None = None
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
            if self._selected is not None and (news or not heard):
                news["detail"] = self._told(self._selected)
            if news:
                self._number += 1
                self._say({"kind": "news", "number": self._number, "now": time.time()} | news)

    def _told(self, key: str) -> dict[str, Any]:
        path = self._moments.path_of(key)
        look = self._looking
        if look is None or look.path != path:
            look = self._looking = Look(self._run, key, path)
        return look.told()

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
        run, node = self._run, message.get("node")
        commands: dict[str, Callable[[], Any]] = {
            "pause": run.pause,
            "resume": run.resume,
            "cancel": run.cancel,
            "step": run.step,
        }
        ask = message.get("ask")
        if ask in commands:
            commands[ask]()
        elif ask == "retry" and isinstance(node, str):
            run.retry(node)
        elif ask == "skip" and isinstance(node, str):
            run.skip(node)
        elif ask == "breakpoint" and isinstance(node, str):
            run.breakpoint(node, on=bool(message.get("on")))
        elif ask == "look":
            self._look(node if isinstance(node, str) else None)
        elif ask == "round" and isinstance(node, str):
            self._choose(node, message.get("index"))
        elif ask == "events":
            return self._journal(message.get("after"))
        elif ask == "decide":
            self._decide(message)
        elif ask == "whole":
            return {"scene": self.scene_now(), "moment": self.whole()}
        return {}

    def _decide(self, message: dict[str, Any]) -> None:
        """Answer a question; as whoever the operating system says that the kernel runs for."""
        approval, port, comment = (message.get(name) for name in ("approval", "port", "comment"))
        if not isinstance(approval, str) or not isinstance(port, str):
            return
        data = message.get("data")
        self._run.decide(approval, port=port, data=data, comment=comment if isinstance(comment, str) else "")

    def _look(self, key: str | None) -> None:
        with self._lock:
            known = key is not None and any(each["key"] == key for each in _cards(self.scene_now()))
            self._selected = key if known else None
            self._looking = None
        pulse.wake(self)

    def _choose(self, loop: str, index: Any) -> None:
        with self._lock:
            self._moments.choose(loop, index if isinstance(index, int) else None)
        pulse.wake(self)

    def _journal(self, after: Any) -> dict[str, Any]:
        """The newest events after a number."""
        start = after if isinstance(after, int) and after > 0 else 0
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
