"""Threads that a node starts: what they write is the node's.

Context variables are not handed on to threads (before Python 3.14), so that a node's own threads would be nobody's.
While runs are at work, a thread that is started within a node runs in a copy of the starter's context, and so does
each piece of work that a node gives to a pool. Threads made by `_thread` or by C code are not seen.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import _worker  # how a pool's threads are told from others
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from flownb.run.output.capture import OUTPUT

if TYPE_CHECKING:
    from concurrent.futures import Future


class _Patches:
    def __init__(self) -> None:
        self.active = False
        self.start: Any = None
        self.submit: Any = None


_patches = _Patches()


def _start(thread: threading.Thread, *args: Any, **kwargs: Any) -> None:
    if _patches.active and OUTPUT.get() is not None and not _is_served(thread):
        context, run = copy_context(), thread.run

        def run_in_context() -> None:
            vars(thread).pop("run", None)
            context.run(run)

        thread.run = run_in_context  # type: ignore[method-assign]  # of this one thread
    _patches.start(thread, *args, **kwargs)


def _is_served(thread: threading.Thread) -> bool:
    """Whether it works for many, each of whom brings a context."""
    return getattr(thread, "_target", None) is _worker or thread.name.startswith("flownb-")


def _submit(pool: ThreadPoolExecutor, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
    future: Future[Any]
    if _patches.active and OUTPUT.get() is not None:
        future = _patches.submit(pool, copy_context().run, fn, *args, **kwargs)
    else:
        future = _patches.submit(pool, fn, *args, **kwargs)
    return future


def install() -> None:
    """Watch how threads are started."""
    # Who wraps these on top of ours keeps them alive: they are put in once, and do nothing while inactive.
    if _patches.start is None:
        _patches.start = threading.Thread.start
        threading.Thread.start = _start  # type: ignore[method-assign,assignment]
    if _patches.submit is None:
        _patches.submit = ThreadPoolExecutor.submit
        ThreadPoolExecutor.submit = _submit  # type: ignore[method-assign,assignment]
    _patches.active = True


def remove() -> None:
    """Leave threads alone again."""
    _patches.active = False
    if threading.Thread.start is _start:
        threading.Thread.start = _patches.start  # type: ignore[method-assign]
        _patches.start = None
    if ThreadPoolExecutor.submit is _submit:
        ThreadPoolExecutor.submit = _patches.submit  # type: ignore[method-assign]
        _patches.submit = None
