"""Clicks that may come twice: by the kernel's own way, and, where that is too busy to say that it heard, by the server.

Both carry the id that the page gave the click. Whoever has the run obeys the first that comes and writes its id into
the journal, so that the other finds there that it was heard, in whichever process and whenever it comes.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.commands import Command
    from flownb.model.state import RunState

_ASKED_AS: Final[ContextVar[str]] = ContextVar("flownb_asked_as", default="")
#: Longer ones are no ids of ours.
_MOST: Final = 100


@contextlib.contextmanager
def asked_as(name: Any) -> Iterator[None]:
    """Send commands under the id of a click."""
    token = _ASKED_AS.set(name if isinstance(name, str) and len(name) <= _MOST else "")
    try:
        yield
    finally:
        _ASKED_AS.reset(token)


def stamped(command: Command) -> Command:
    """A command with the id of the click that it comes from, where there is one."""
    name = _ASKED_AS.get()
    return msgspec.structs.replace(command, ask=name) if name and not command.ask else command


def is_new(state: RunState, command: Command) -> bool:
    """Whether a command was not heard before."""
    return not command.ask or command.ask not in state.asked


def heard(command: Command, at: float) -> ev.SystemInfo:
    """What the journal has of a click."""
    kind = type(command).__struct_config__.tag
    node = getattr(command, "node", None)
    of = f" of {node}" if node else ""
    by = f" by {command.by}" if command.by else ""
    return ev.SystemInfo(at=at, message=f"{kind}{of} was asked for{by} by a click", ask=command.ask)
