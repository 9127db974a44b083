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
from flownb.model.events import BreakpointSet, VariableSet
from flownb.widgets.answers import Answers, wanted
from flownb.widgets.bundle import SCRIPT, STYLE
from flownb.widgets.commands import obey
from flownb.widgets.detail import MOST_EVENTS, Look, lines_of
from flownb.widgets.edge import edge_told
from flownb.widgets.editing import editable
from flownb.widgets.expected import expected_of
from flownb.widgets.moment import Moments
from flownb.widgets.past import Past
from flownb.widgets.pulse import pulse
from flownb.widgets.scene import scene_of
from flownb.widgets.taking import taken
from flownb.widgets.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.model.events import Event
    from flownb.run.handles.handle import Run
    from flownb.run.handles.moment import Moment
    from flownb.run.handles.view import RunView

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
    #: The store's URL: where a click goes that a busy kernel doesn't hear.
    place = traitlets.Unicode().tag(sync=True)
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
        self._answers: Answers | None = None
        self._past = Past(run, self._told_then)
        #: The card, or the edge, whose panel is open.
        self._selected: str | None = None
        self._edge: str | None = None
        self._variables = Variables(run)
        self._expected: dict[str, Any] | None = None
        #: Whether a page waits for the panel of what it has selected, and whether one waits for the variables.
        self._looks_anew = False
        self._lists_anew = False
        self._workflow: Any = None
        self._scene: dict[str, Any] = {}
        _undisturbed(lambda: self._moments.news(None))  # what a page gets when it begins is no news
        super().__init__(key=uuid.uuid4().hex, canvas=canvas, place=run.url)
        self.on_msg(self._asked)
        heard = weakref.WeakMethod(self._hear)
        run.watch(lambda happened: _call(heard, happened))
        if wanted(run):
            run.look_for_it()
            changed = weakref.WeakMethod(self._answered)
            self._answers = Answers(run, lambda: _call(changed))
            weakref.finalize(self, self._answers.end)
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
            whole |= {"selected": self._selected, "edge": self._edge, "expected": self._expected or {}}
            return whole | {"number": self._number, "now": time.time()}

    def select(self, key: str) -> None:
        """Let every page that shows this look at one node."""
        self._look({"node": key})
        self._say({"kind": "select", "key": key})

    # --- what changes

    def _hear(self, happened: list[Event]) -> None:
        """On the engine's thread, after each commit."""
        self._heard.extend(happened)
        pulse.wake(self)

    def _answered(self) -> None:
        """Somebody answered a run that nobody has."""
        if self._answers is not None:
            self._moments.answers = self._answers.rows
        self._moments.doubt()
        pulse.wake(self)

    def beat(self) -> None:
        """Send what is new, in one message."""
        with self._lock:
            heard = [self._heard.popleft() for _ in range(len(self._heard))]
            moved = self._workflow is not None and self._workflow is not self._run.state.topology.workflow
            if moved:
                self._say({"kind": "scene", "scene": self.scene_now()})
            self._forget_marks(heard)
            news = self._moments.news(None if moved or len(heard) >= _FLOOD else heard)
            self._add_panels(news, heard)
            if (then := self._past.next(self._moments.chosen)) is not None:
                news["past"] = then
            if news:
                self._number += 1
                self._say({"kind": "news", "number": self._number, "now": time.time()} | news)
            if self._past.wanted:
                pulse.wake(self)
        self._expect()

    def _add_panels(self, news: dict[str, Any], heard: list[Event]) -> None:
        """What the open panels show, where it may have changed."""
        looks = bool(news) or self._looks_anew
        if looks and self._selected is not None:
            news["detail"] = self._told(self._selected)
        elif looks and self._edge is not None:
            news["edge_detail"] = self._edge_told(self._run, self._moments, self._edge)
        self._looks_anew = False
        if self._lists_anew or any(isinstance(each, VariableSet) for each in heard):
            news["variables"] = self._variables.told()
            self._lists_anew = False

    def _forget_marks(self, heard: list[Event]) -> None:
        """What the run has taken up stands in its state from now on."""
        for event in heard:
            if isinstance(event, BreakpointSet):
                self._moments.marks.pop(event.node, None)

    def _expect(self) -> None:
        """Look once how long earlier runs took, when there is something to show of this one."""
        if self._expected is not None or self._run.state.status.ended:
            return
        self._expected = expected_of(self._run)
        if self._expected:
            with self._lock:
                self._number += 1
                told = {"number": self._number, "now": time.time(), "expected": self._expected}
                self._say({"kind": "news"} | told)

    def _told(self, key: str) -> dict[str, Any]:
        return self._look_at(key, self._moments.path_of(key)).told()

    def _told_then(self, moment: Moment, moments: Moments, look: Mapping[str, Any]) -> dict[str, Any]:
        """What the open panels show of a moment."""
        told: dict[str, Any] = {}
        key, edge = look.get("node"), look.get("edge")
        if isinstance(key, str) and self._has_card(key):
            told["detail"] = self._look_at(key, moments.path_of(key)).told(moment)
        elif isinstance(edge, str):
            told["edge_detail"] = self._edge_told(moment, moments, edge)
        if look.get("variables"):
            told["variables"] = self._variables.told(moment, moment.seq)
        return told

    def _edge_told(self, view: RunView, moments: Moments, edge: str) -> dict[str, Any] | None:
        route = next((each for each in self.scene_now().get("routes", ()) if each["edge"] == edge), None)
        return None if route is None else edge_told(view, route, moments.wire(edge))

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
            if message.get("ask") == "breakpoint" and self._run.resting:
                self._mark(message)
            return {}
        looks: dict[Any, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            "look": self._look,
            "round": self._choose,
            "variables": lambda _: self._list_variables(),
            "set": self._set,
            "take": self._take,
            "editable": self._editable,
            "past": self._look_back,
            "events": lambda message: self._journal(message.get("after"), message.get("until")),
            "whole": lambda _: {"scene": self.scene_now(), "moment": self.whole()},
        }
        look = looks.get(message.get("ask"))
        return (look(message) if look is not None else None) or {}

    def _look(self, message: dict[str, Any]) -> None:
        """A page opens the panel of a card or of an edge, or closes it."""
        key, edge = _text(message.get("node")), _text(message.get("edge"))
        with self._lock:
            self._selected = key if key is not None and self._has_card(key) else None
            self._edge = edge if self._selected is None else None
            self._looking, self._looks_anew = None, True
        pulse.wake(self)

    def _mark(self, message: dict[str, Any]) -> None:
        """The run rests: it hears of the breakpoint when it goes on, and pages see it at once."""
        if (node := _text(message.get("node"))) is not None:
            with self._lock:
                self._moments.marks[node] = bool(message.get("on"))
                self._moments.doubt()
            pulse.wake(self)

    def _list_variables(self) -> None:
        self._lists_anew = True
        pulse.wake(self)

    def _set(self, message: dict[str, Any]) -> None:
        name, text = _text(message.get("name")), _text(message.get("text"))
        if name is not None and text is not None:
            with self._lock:
                self._variables.set(name, text)
            self._list_variables()

    def _editable(self, message: dict[str, Any]) -> dict[str, Any]:
        """The data of a question that may be changed with its answer."""
        approval = _text(message.get("approval")) or ""
        return {"editable": editable(self._run, approval) | {"approval": approval}}

    def _take(self, message: dict[str, Any]) -> dict[str, Any]:
        node = _text(message.get("node"))
        return {} if node is None else {"took": taken(self._run[node])}

    def _has_card(self, key: str) -> bool:
        return any(each["key"] == key for each in _cards(self.scene_now()))

    def _look_back(self, message: dict[str, Any]) -> None:
        """A page wants to see a moment of the journal, or the present again; its moment comes with a beat."""
        page, seq = message.get("page"), message.get("seq")
        if not isinstance(page, str):
            return
        with self._lock:
            if isinstance(seq, int) and not isinstance(seq, bool):
                self._past.want(page, seq, {name: message.get(name) for name in ("node", "edge", "variables")})
            else:
                self._past.forget(page)
        pulse.wake(self)

    def _choose(self, message: dict[str, Any]) -> None:
        loop, index = _text(message.get("node")), message.get("index")
        if loop is None:
            return
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


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _cards(scene: dict[str, Any]) -> list[dict[str, Any]]:
    return [*scene.get("cards", ()), *scene.get("boxes", ())]


def _call(method: weakref.WeakMethod[Any], *given: Any) -> None:
    found = method()
    if found is not None:
        found(*given)
