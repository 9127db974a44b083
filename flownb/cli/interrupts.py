"""Ctrl-C and SIGTERM while a command waits for a run: asked once it pauses, asked twice the command leaves at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """How often somebody asked to stop; `told` is called at the first time."""

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self.asked = 0
        self.told = told

    def heard(self, number: int, frame: Any) -> None:
        """A signal came.

        Raises:
            KeyboardInterrupt: for the second time.
        """
        del number, frame
        self.asked += 1
        if self.asked > 1:
            raise KeyboardInterrupt
        self.told()


@contextlib.contextmanager
def interrupts(told: Callable[[], None] = lambda: None) -> Iterator[Interrupts]:
    """Count the signals while the block runs; on any other thread than the main one nothing is changed."""
    asked = Interrupts(told)
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        if before[number] != signal.SIG_IGN or number != signal.SIGINT:  # a shell's background job ignores Ctrl-C
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
