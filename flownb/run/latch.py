"""A flag that threads can wait for, and that costs next to nothing until one does."""

from __future__ import annotations

import threading


class Latch:
    """As `threading.Event`, which is six objects: of a thousand runs that are started together, few are waited for."""

    __slots__ = ("_event", "_set")

    def __init__(self) -> None:
        self._set = False
        #: What waiting threads sleep on; made by the first of them.
        self._event: threading.Event | None = None

    def is_set(self) -> bool:
        """Whether it is."""
        return self._set

    def set(self) -> None:
        """Wake all that wait."""
        self._set = True  # first: a thread that makes the event now looks at this afterwards
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        """Let those who come from now on wait."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so many seconds; whether it is."""
        if self._set:
            return True
        if self._event is None:
            with _making:
                self._event = self._event or threading.Event()
        event = self._event
        event.clear()
        return self._set or event.wait(timeout)


_making = threading.Lock()
