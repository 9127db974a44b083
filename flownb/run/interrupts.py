"""■ and Ctrl-C, told apart from a cancellation by the program itself."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextlib.contextmanager
def interrupts() -> Generator[Callable[[], bool], None, None]:
    """Whether SIGINT came meanwhile: that is ■ or Ctrl-C, and not a cancellation by the program itself."""
    seen = False
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)

    def handler(number: int, frame: Any) -> None:
        nonlocal seen
        seen = True
        if callable(before):
            before(number, frame)

    if before is not None:
        signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: seen
    finally:
        if before is not None and signal.getsignal(signal.SIGINT) is handler:
            signal.signal(signal.SIGINT, before)
