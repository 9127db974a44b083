"""The thread on which this process delivers notices: beside the engine, so that no mail server holds up a run.

It is begun by the first thing that is to be delivered, sleeps until the next is due, and ends where none is left. A
process that ends gives it a moment; what it leaves undone is done by the next that looks.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.model import events as ev
from flownb.store.notices import PASSIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Store

_log: Final = logging.getLogger("flownb.notices")
#: How long a process that ends waits for what is being delivered, in seconds.
END_SECONDS: Final = 10.0
#: The longest sleep: clocks jump, and other processes ask as well.
_LONGEST: Final = 30.0
#: How soon a store that could not be read is looked at again.
_AGAIN: Final = 5.0


class Deliveries:
    """Of one process; from any thread."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Condition()
        self._stores: dict[int, tuple[Store, Callable[[], float]]] = {}
        self._thread: threading.Thread | None = None
        #: How often somebody asked for a pass, and up to which of them all was done that could be.
        self._asked = self._done = 0
        self._stopped = False
        #: Whether somebody has waited in vain for what is due now: nobody waits for the same again.
        self._in_vain = False

    def soon(self, store: Store, now: Callable[[], float]) -> None:
        """Deliver what is due in a store, now and from now on."""
        with self._lock:
            if self._stopped:
                return
            self._stores[id(store)] = store, now
            self._asked += 1
            self._in_vain = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="flownb-notices", daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def look(self) -> None:
        """The clock was set: look again."""
        with self._lock:
            self._asked += 1 if self._thread is not None else 0
            self._lock.notify_all()

    def wait(self, seconds: float = END_SECONDS) -> bool:
        """Wait until what is due now was tried once; whether it was."""
        end = time.monotonic() + seconds
        with self._lock:
            asked = self._asked
            while self._done < asked and self._thread is not None:
                left = end - time.monotonic()
                if left <= 0:
                    self._in_vain = True
                    return False
                self._lock.wait(left)
        return True

    def end(self, seconds: float = END_SECONDS) -> None:
        """The process ends: wait a moment, and begin nothing more."""
        if self._pid != os.getpid():
            return
        if self._stopped:
            return
        if not self._in_vain:
            self.wait(seconds)
        with self._lock:
            self._stopped = True
            self._lock.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(1.0)

    def _serve(self) -> None:
        while True:
            with self._lock:
                asked, stores = self._asked, list(self._stores.items())
            nearest = [self._deliver(key, *each) for key, each in stores]
            left = min((each for each in nearest if each is not None), default=None)
            with self._lock:
                self._done = asked
                self._lock.notify_all()
                if self._asked == asked and not self._stopped and left is not None:
                    self._lock.wait(min(max(left, 0.01), _LONGEST))
                if self._stopped or (left is None and self._asked == asked):
                    self._thread = None
                    self._stores.clear()
                    self._lock.notify_all()
                    return

    def _deliver(self, key: int, store: Store, now: Callable[[], float]) -> float | None:
        """Deliver what is due in a store; returns the seconds until there is more to do, None where there is not."""
        from flownb.run.waiting.notices import deliver  # it brings what most processes never need

        try:
            if getattr(store, "closed", False):
                moment = None
            else:
                deliver(store, now, stopped=lambda: self._stopped)
                moment = store.next_notice()
        except FlownbError as error:
            _log.info("Notices of %s can't be delivered now: %s", store.url, error)
            return _AGAIN
        except Exception:  # noqa: BLE001  a fault of ours with one store must not end it for the others
            _log.exception("Notices of %s can't be delivered; please report this.", store.url)
            moment = None
        if moment is None:
            with self._lock:
                self._stores.pop(key, None)
            return None
        return max(moment - now(), 0.2)  # what another process has claimed is due, and not ours


_deliveries = Deliveries()
_begun = False


def deliveries() -> Deliveries:
    """Those of this process; a forked child has its own."""
    global _deliveries, _begun  # noqa: PLW0603  a process has one
    if _deliveries._pid != os.getpid():  # noqa: SLF001  of this module
        _deliveries, _begun = Deliveries(), False
    if not _begun:
        _begun = True
        _at_end(lambda: deliveries().end())
    return _deliveries


def _at_end(call: Callable[[], None]) -> None:
    """Call something when the interpreter ends, while threads can still be begun.

    What is asked of `atexit` comes after the executors are closed, and a mail server's name is looked up by one.
    """
    import concurrent.futures.thread  # noqa: F401  it registers first, so that what is registered here comes before it

    register: Any = getattr(threading, "_register_atexit", atexit.register)
    register(call)


def deliver_soon(engine: Engine, store: Store) -> None:
    """Deliver what is due in a store, on the thread for that; from any thread."""
    deliveries().soon(store, lambda: engine.now())  # noqa: PLW0108  a test may give it another clock later


def tell_once_committed(execution: Execution, channels: Sequence[str]) -> None:
    """A request is about to be committed: people are told of it then."""
    if PASSIVE.issuperset(channels):
        return

    def committed(happened: Sequence[ev.Event] | None) -> None:
        if happened is None or any(isinstance(event, ev.ApprovalRequested) for event in happened):
            execution.listeners = tuple(each for each in execution.listeners if each is not committed)
            deliver_soon(execution.engine, execution.store)

    execution.listeners = (*execution.listeners, committed)
