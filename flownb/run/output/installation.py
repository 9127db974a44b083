"""All of it together, put in place with the first run at work and taken away after the last."""

from __future__ import annotations

import os
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
                messages.put_back()
                return
            streams.install()
            threads.install()
            messages.install()
            self._undo_displays = _catch_displays()

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._remove()

    def forked(self) -> None:
        """In a child that a node has forked: no engine takes what it writes, so it goes where the parent's would."""
        self._lock = threading.Lock()
        if self._users:
            self._users = 0
            self._remove()

    def _remove(self) -> None:
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
#: With each further run: what somebody has put in the place of ours meanwhile gives way again.
renew = messages.put_back
leave = _installation.leave
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_installation.forked)
