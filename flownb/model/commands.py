"""Everything that can be asked of a run, as one closed vocabulary.

A view, the command line and the server all speak through `send(command)`; what comes of it arrives as events.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec


class Command(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What every command has: who asks, and by which click."""

    by: str = ""
    #: The id of the click that it comes from: one that comes by two ways is obeyed once.
    ask: str = ""


class Pause(Command, frozen=True, omit_defaults=True, kw_only=True, tag="pause"):
    """Start nothing more; nodes in flight end first."""


class Resume(Command, frozen=True, omit_defaults=True, kw_only=True, tag="resume"):
    """Go on after a pause or a failure."""


class Cancel(Command, frozen=True, omit_defaults=True, kw_only=True, tag="cancel"):
    """End the run now."""


class RetryNode(Command, frozen=True, omit_defaults=True, kw_only=True, tag="retry_node"):
    """Set a failed node, and what was skipped because of it, back to pending."""

    node: str


class SkipNode(Command, frozen=True, omit_defaults=True, kw_only=True, tag="skip_node"):
    """End a node as skipped."""

    node: str


class SetVariable(Command, frozen=True, omit_defaults=True, kw_only=True, tag="set_variable"):
    """Give a variable of the run, or of its workflow as well, a value (plain form)."""

    name: str
    value: Any
    #: A `VariableScope`.
    scope: str = "run"


class Step(Command, frozen=True, omit_defaults=True, kw_only=True, tag="step"):
    """Run one node and stop again."""


class SetBreakpoint(Command, frozen=True, omit_defaults=True, kw_only=True, tag="set_breakpoint"):
    """Stop before a node."""

    node: str


class ClearBreakpoint(Command, frozen=True, omit_defaults=True, kw_only=True, tag="clear_breakpoint"):
    """Don't stop before a node any more."""

    node: str


class Pin(Command, frozen=True, omit_defaults=True, kw_only=True, tag="pin"):
    """Use a value (plain form) instead of running a node."""

    node: str
    value: Any


class Decide(Command, frozen=True, omit_defaults=True, kw_only=True, tag="decide"):
    """Answer a request to a person."""

    approval: str
    port: str
    data: Any = None
    comment: str = ""


class Signal(Command, frozen=True, omit_defaults=True, kw_only=True, tag="signal"):
    """Hand a named value to whoever waits for it."""

    name: str
    value: Any = None


AnyCommand = (
    Pause
    | Resume
    | Cancel
    | RetryNode
    | SkipNode
    | SetVariable
    | Step
    | SetBreakpoint
    | ClearBreakpoint
    | Pin
    | Decide
    | Signal
)


@functools.cache
def _decoder() -> msgspec.json.Decoder[Command]:
    """Made when a command comes from another process: most processes never see one."""
    return msgspec.json.Decoder(AnyCommand)


def encode(command: Command) -> bytes:
    """A command as JSON, for the way to another process."""
    return msgspec.json.encode(command)


def decode(data: bytes) -> Command:
    """The command again.

    Raises:
        msgspec.DecodeError: no command of this version.
    """
    try:
        return _decoder().decode(data)
    except UnicodeDecodeError as error:  # msgspec lets it through
        raise msgspec.DecodeError(f"the command is not UTF-8: {error}") from error
