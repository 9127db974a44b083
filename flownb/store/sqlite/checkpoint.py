"""Checkpoints beside the hot path: a thread copies the log into the file, so that no commit has to.

SQLite would do it inside a commit, which then stands still for as long as the disk needs.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

import apsw

from flownb.errors import StoreError

if TYPE_CHECKING:
    from flownb.store.sqlite.connections import Connections

#: The log's length in pages of 4 kB from which on it is copied; SQLite's own figure.
_PAGES: Final = 1000
#: From this length on writers are held up for a moment, so that the log can begin anew.
_TOO_MANY: Final = 4 * _PAGES
#: How long that moment may be, when others read: then it is tried again later.
_PATIENCE: Final = 50
_STOP_SECONDS: Final = 5.0


class Checkpointer:
    """A thread that sleeps until the log has grown; it begins at the first need."""

    def __init__(self, home: Connections) -> None:
        self._home = home
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False
        #: The log's length when it was copied last: what was copied is in the log until it begins anew, so its length
        #: alone would ask for a copy, which waits for the disk twice, at every commit.
        self._copied = 0

    def grown(self, connection: apsw.Connection, name: str, pages: int) -> int:  # noqa: ARG002  SQLite's signature
        """SQLite's hook after each commit: how long the log is now."""
        if pages < self._copied:  # it has begun anew
            self._copied = 0
        if pages - self._copied >= _PAGES and not self._wake.is_set():
            self._wake.set()
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="flownb-checkpoint", daemon=True)
                self._thread.start()
        return apsw.SQLITE_OK

    def stop(self) -> None:
        """End the thread, and wait until it has."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            if self._stopped:
                return
            self._wake.clear()
            try:
                with self._home.reading() as cursor:
                    self._copy(cursor.connection)
            except StoreError:
                # The log keeps everything that is committed; a commit that meets the same fault says it.
                continue

    def _copy(self, connection: apsw.Connection) -> None:
        pages, self._copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if pages < _TOO_MANY:
            return
        connection.set_busy_timeout(_PATIENCE)
        try:
            with contextlib.suppress(apsw.BusyError):
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        finally:
            connection.set_busy_timeout(self._home.busy_milliseconds)
