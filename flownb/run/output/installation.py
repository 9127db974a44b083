"""All of it together, put in place with the first run at work and taken away after the last."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Final

from flownb.run.output import messages, streams, threads

if TYPE_CHECKING:
    from collections.abc import Callable


class _Installation:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._undo_displays: Callable[[], None] | None = None

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            streams.install()
            threads.install()
            messages.install()
            self._undo_displays = _catch_displays()

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._undo_displays is not None:
                self._undo_displays()
                self._undo_displays = None
            messages.remove()
            threads.remove()
            streams.remove()


def _catch_displays() -> Callable[[], None] | None:
    """Where IPython is in use, `display` in nodes is caught by a layer that knows it."""
    if "IPython" not in sys.modules:
        return None
    from flownb.run.hooks import hook

    catch = hook("displays")
    undo: Callable[[], None] | None = catch() if catch is not None else None
    return undo


_installation: Final = _Installation()
#: Begin and end to catch; counted, so that many engines may overlap.
enter = _installation.enter
leave = _installation.leave
