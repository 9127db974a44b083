"""■ and Ctrl-C, told apart from a cancellation by the program itself."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

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


class _Waiting:
    """One that awaits a run on the main thread."""

    interrupted = False


#: Those that wait now, and what SIGINT did before the first of them came; on the main thread only.
_waiting: Final[list[_Waiting]] = []
_before: Any = None


def _sigint(number: int, frame: Any) -> None:
    for each in _waiting:
        each.interrupted = True
    if callable(_before):
        _before(number, frame)


@contextlib.contextmanager
def interrupts() -> Generator[Callable[[], bool], None, None]:
    """Whether SIGINT came meanwhile: that is ■ or Ctrl-C, and not a cancellation by the program itself.

    Several may wait at once, as in a `gather`, and leave in any order: the last one puts the old handler back.
    """
    global _before  # noqa: PLW0603  a process has one handler of a signal
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    me = _Waiting()
    if not _waiting:
        _before = signal.getsignal(signal.SIGINT)
        if _before is not None:  # else it was not installed from Python, and can't be put back
            signal.signal(signal.SIGINT, _sigint)
    _waiting.append(me)
    try:
        yield lambda: me.interrupted
    finally:
        _waiting.remove(me)
        if not _waiting and signal.getsignal(signal.SIGINT) is _sigint:
            signal.signal(signal.SIGINT, _before)
