"""A run under the cell that started it: a picture and a text, which stay when the kernel is gone.

The picture is a PNG beside `text/plain`: an untrusted notebook strips SVG, and every viewer shows a PNG. The display
is updated while the run works, at most twice a second, and once more at its end, so that the saved notebook holds the
final picture.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from flownb.run.handles.depict import picture_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model.events import Event
    from flownb.run.handles.handle import Run

_SECONDS_BETWEEN: Final = 0.5
#: A large picture takes from the engine what it costs: a run of a few seconds is drawn at its end only.
_SECONDS_TO_FIRST: Final = 5.0


def bundle(run: Run, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mimebundle of a run: `image/png` and `text/plain`, which begins `run <status>`.

    Beside it the metadata of the display: how large the picture is meant to be, and whose it is.
    """
    del include, exclude
    drawn = picture_of(run.state)
    asked = run.approvals.pending if run.state.approvals else []
    told = "".join(f"\n{each.text()}" for each in asked)
    size = {"width": int(drawn.width), "height": int(drawn.height)}
    data = {"text/plain": f"{run!r}\n{drawn.text()}{told}", "image/png": drawn.png()}
    return data, {"image/png": size, "flownb": {"run": run.id}}


def show(run: Run) -> None:
    """Display a run once and keep the display up to date until the run has ended."""
    from IPython.display import display

    data, metadata = bundle(run)
    handle = display(data, raw=True, metadata=metadata, display_id=True)
    if handle is None:  # no front end takes displays here
        return

    def update(run: Run) -> None:
        data, metadata = bundle(run)
        handle.update(data, raw=True, metadata=metadata)

    Refresher(run, update)


class Refresher:
    """Draws on a thread of its own: neither the engine nor a cell waits for a picture."""

    def __init__(
        self, run: Run, update: Callable[[Run], None], *, only_at_rest: bool = False, begins: bool = False
    ) -> None:
        """Begin.

        Args:
            run: the run that is shown.
            update: draws it anew and shows that; on this thread.
            only_at_rest: while the run works, something else shows how it stands.
            begins: nothing has been drawn yet; a run that works for long is drawn once meanwhile.
        """
        self._run = run
        self._update = update
        self._only_at_rest = only_at_rest
        self._begins = begins
        self._news = threading.Event()
        self._closing = False
        self._forget = run.watch(self._heard)
        if begins and self._rests():
            self._news.set()
        self._thread = threading.Thread(target=self._serve, name="flownb-display", daemon=True)
        self._thread.start()
        _refreshers.append(self)

    def _heard(self, _: list[Event]) -> None:
        self._news.set()

    def _serve(self) -> None:
        drawn = 0.0
        first = time.monotonic() + _SECONDS_TO_FIRST
        while True:
            self._news.wait(5.0)
            self._news.clear()
            rests = self._rests()
            if not rests and self._only_at_rest and not (self._begins and time.monotonic() > first):
                continue
            self._begins = False
            if not rests:
                time.sleep(max(0.0, _SECONDS_BETWEEN - (time.monotonic() - drawn)))
            last = self._is_last()  # before it is drawn: what happens meanwhile is news
            self._update(self._run)
            drawn = time.monotonic()
            if last:
                self._forget()
                if self in _refreshers:
                    _refreshers.remove(self)
                return

    def _rests(self) -> bool:
        return self._run.resting and not self._run.held  # a held run has one more status to come

    def _is_last(self) -> bool:
        """Whether no other picture follows: a run that is paused may go on, as long as there is a kernel."""
        return self._rests() and (self._closing or self._run.status.ended)

    def finish(self, timeout: float) -> None:
        """Wait until the last picture is drawn."""
        self._closing = True
        self._news.set()
        self._thread.join(timeout)


_refreshers: Final[list[Refresher]] = []


def finish(timeout: float = 10.0) -> None:
    """Wait until every display shows the end of its run; before a headless kernel is shut down."""
    for refresher in _refreshers.copy():  # each takes itself out
        refresher.finish(timeout)
