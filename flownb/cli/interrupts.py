"""Ctrl-C and SIGTERM while a command waits for a run: asked once it pauses, asked twice the command leaves at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """How often somebody asked to stop."""

    def __init__(self) -> None:
        self.asked = 0

    def heard(self, number: int, frame: Any) -> None:
        """A signal came.

        Raises:
            KeyboardInterrupt: for the second time.
        """
        del number, frame
        self.asked += 1
        if self.asked > 1:
            raise KeyboardInterrupt


@contextlib.contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Count the signals while the block runs; on any other thread than the main one nothing is changed."""
    asked = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # a shell's background job ignores Ctrl-C, and goes on doing so
            signal.signal(number, asked.heard)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextlib.contextmanager
def interrupted_by_term() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does while the block runs; for those who hear Ctrl-C themselves."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(number: int, frame: Any) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
