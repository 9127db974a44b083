"""■ and Ctrl-C, told apart from a cancellation by the program itself."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class _Interrupted(BaseException):
    """What both have: in a notebook the cell shows one sentence, and at once.

    IPython's coloured traceback takes up to half a second to make, and it would only show where flownb waited.
    """

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class AwaitInterrupted(_Interrupted, asyncio.CancelledError):
    """■ while a cell awaited a run: the run pauses."""


class ResultInterrupted(_Interrupted, KeyboardInterrupt):
    """■ or Ctrl-C while `result()` waited: the run pauses."""


def result_interrupted(text: str) -> KeyboardInterrupt:
    """What `result()` raises: outside of IPython the very class that makes Python leave with 130."""
    ipython = sys.modules.get("IPython")
    in_notebook = ipython is not None and ipython.get_ipython() is not None
    return ResultInterrupted(text) if in_notebook else KeyboardInterrupt(text)


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
