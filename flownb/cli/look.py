"""How statuses, times and durations look in a terminal."""

from __future__ import annotations

import time
from typing import Final

import click

#: A sign and a colour beside each word, so that colour is never the only sign.
SIGNS: Final[dict[str, tuple[str, str]]] = {
    "pending": ("○", "white"),
    "queued": ("○", "white"),
    "running": ("◐", "blue"),
    "retrying": ("↻", "yellow"),
    "waiting": ("⧗", "yellow"),
    "paused": ("⧗", "yellow"),
    "completed": ("✔", "green"),
    "failed": ("✖", "red"),
    "skipped": ("»", "bright_black"),
    "cancelled": ("—", "bright_black"),
}
#: What a node waits for, in words.
WAITS: Final[dict[str, str]] = {
    "human": "for a person",
    "timer": "for its time",
    "event": "for an event",
    "in_doubt": "for a decision: it was in flight when its process died",
}
_MINUTE: Final = 60
_HOUR: Final = 3600


def status_text(status: str, width: int = 0) -> str:
    """A status with its sign, padded to `width`, coloured where that is seen."""
    sign, colour = SIGNS.get(status, ("?", "white"))
    return click.style(f"{sign} {status:<{width}}", fg=colour)


def when(seconds: float | None) -> str:
    """A local time for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else "-"


def duration(start: float | None, end: float | None) -> str:
    """The time from `start` to `end`; `-` where one of them is not there."""
    return length(end - start) if start and end else "-"


def length(seconds: float) -> str:
    """A duration in one unit."""
    seconds = max(0.0, seconds)
    if seconds < 10:  # noqa: PLR2004  two digits that mean something
        return f"{seconds:.2f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"


def waiting_text(waits_for: str) -> str:
    """What a node waits for."""
    return WAITS.get(waits_for, f"for {waits_for}")
