"""What every event has, and what several kinds record."""

from __future__ import annotations

import msgspec


class Failure(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is recorded of an exception."""

    #: The exception's class, as `ValueError` or `requests.Timeout`.
    type: str
    message: str
    traceback: str = ""
    #: One of `ErrorClass`.
    error_class: str = "execution"
    #: Whether another attempt may go better.
    recoverable: bool = True
    #: What the workflow's author says to people about such an error.
    advice: str = ""

    @property
    def text(self) -> str:
        """It in a line, with the author's word behind it."""
        return f"{self.type}: {self.message}{f' ({self.advice})' if self.advice else ''}"


class Reason(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Why a node was skipped or cancelled."""

    #: `data`, `gate`, `order`, `join`, `condition`, `branch` (a parallel has enough without it), `run` (the run was
    #: stopped), or `command` (a person did it).
    group: str
    #: A whole sentence, as `load.rows is dead: load was skipped`.
    message: str
    #: The edge or the parameter that decided, where there is one.
    edge: str = ""


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What every event has."""

    at: float


class NodeEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What every event of a node has."""

    node: str
