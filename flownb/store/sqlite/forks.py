"""Forks: every connection is closed before one, and a child begins anew."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Final

from flownb.store.opening import OPENING

if TYPE_CHECKING:
    import apsw

    from flownb.store.sqlite.connections import Connections

#: Every way into a file that this process has.
CONNECTIONS: Final[weakref.WeakSet[Connections]] = weakref.WeakSet()
#: Those that the fork that is under way holds.
_HELD: Final[list[Connections]] = []
#: What a child must not touch, and so keeps for ever.
ABANDONED: Final[list[tuple[apsw.Connection | None, ...]]] = []


def _before_fork() -> None:
    OPENING.acquire()  # so that there will be no others
    _HELD[:] = CONNECTIONS
    for each in _HELD:
        each.before_fork()


def _after_fork_in_parent() -> None:
    for each in _HELD:
        each.after_fork_in_parent()
    _HELD.clear()
    OPENING.release()


def _after_fork_in_child() -> None:
    for each in _HELD:
        each.after_fork_in_child()
    _HELD.clear()
    OPENING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
