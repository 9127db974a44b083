"""The one thread that tells views what is new: ten times a second at most, whatever the engine does."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("flownb.widgets")

#: Seconds between two messages to one view.
BETWEEN: Final = 0.1
#: A look that was disturbed by the engine is taken again; after so many times it waits for the next beat.
_TRIES: Final = 5


class Beating(Protocol):
    """What has something to tell now and then."""

    def beat(self) -> None:
        """Tell what is new; on the pulse's thread."""


class Pulse:
    """Calls those who have news, each after the time that keeps it at ten a second."""

    def __init__(self, between: float = BETWEEN, clock: Callable[[], float] = time.monotonic) -> None:
        self._between = between
        self._clock = clock
        self._changed = threading.Condition()
        self._due: weakref.WeakKeyDictionary[Beating, float] = weakref.WeakKeyDictionary()
        self._last: weakref.WeakKeyDictionary[Beating, float] = weakref.WeakKeyDictionary()
        self._thread: threading.Thread | None = None

    def wake(self, view: Beating) -> None:
        """The view has news; from any thread, and cheap."""
        if view in self._due:
            return
        with self._changed:
            now = self._clock()
            self._due[view] = max(now, self._last.get(view, now - self._between) + self._between)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="flownb-views", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _serve(self) -> None:
        while True:
            self._beat(self._next())

    def _next(self) -> Beating:
        """Wait for the view whose turn is next, and take it."""
        with self._changed:
            while True:
                now = self._clock()
                view, due = min(self._due.items(), key=lambda pair: pair[1], default=(None, now + 60.0))
                if view is not None and due <= now:
                    del self._due[view]  # first: what comes from here on is news
                    self._last[view] = now
                    return view
                del view  # a view that nobody holds any more goes
                self._changed.wait(due - now)

    def _beat(self, view: Beating) -> None:
        for _ in range(_TRIES):
            try:
                view.beat()
            except RuntimeError as error:
                if "changed size" not in str(error):
                    _log.exception("A view could not be brought up to date.")
                    return
                continue  # the engine wrote while it was read
            except Exception:  # noqa: BLE001  a view that fails harms no other, nor the run
                _log.exception("A view could not be brought up to date.")
            return
        self.wake(view)


#: Of this process.
pulse: Final = Pulse()
