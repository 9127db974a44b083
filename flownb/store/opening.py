"""The lock under which stores are opened; nobody is half-way through when this process forks, or ends."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import Final, Protocol

#: Reentrant: who opens a place opens its file beneath it, and forks may hold it more than once.
OPENING: Final = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=OPENING.acquire, after_in_parent=OPENING.release, after_in_child=OPENING.release)


class Closes(Protocol):
    """What has files open."""

    def close_at_exit(self, seconds: float) -> None:
        """Let go of them, within that time."""
        ...


#: Everything that is open; joined under `OPENING`.
OPEN: Final[weakref.WeakSet[Closes]] = weakref.WeakSet()
_SECONDS: Final = 2.0


def close_all(seconds: float = _SECONDS) -> None:
    """Close what is open: a thread that is inside SQLite when the interpreter ends may take the process with it."""
    with OPENING:
        found = list(OPEN)
    for each in found:
        each.close_at_exit(seconds)


atexit.register(close_all)
