"""The connections of one process to one file: one that writes, some that read, all closed before a fork.

SQLite's locks belong to the process and its connections don't survive a fork, so a child must not find any. Threads
share them: who writes holds a lock of this process meanwhile, which is fairer and quicker than SQLite's waiting.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final

import apsw

from flownb.errors import StoreError
from flownb.store import refusals
from flownb.store.opening import OPEN, OPENING
from flownb.store.sqlite import meaning
from flownb.store.sqlite.checkpoint import Checkpointer
from flownb.store.sqlite.forks import ABANDONED, CONNECTIONS
from flownb.store.sqlite.transaction import Reading, Writing

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.store.sqlite.announced import Announced

#: How often a writer looks whether its file is still where it was.
_LOOK_SECONDS: Final = 1.0
#: Idle readers beyond this number are closed.
_READERS: Final = 4
#: A log that grew larger than this is cut back when it is begun anew.
_LOG_BYTES: Final = 64 * 1024 * 1024
#: How long a fork waits for threads that are in the store.
_FORK_SECONDS: Final = 30.0


class Connections:
    """Every way into the file; `writing` and `reading` hand out cursors."""

    def __init__(self, path: Path, url: str, *, busy_seconds: float) -> None:
        self.path = path
        self.url = url
        self.busy_milliseconds = int(busy_seconds * 1000)
        self.closed = False
        self.checkpointer = Checkpointer(self)
        #: Held by the thread that writes, whose ident is `writes_on`; 0 where none does.
        self.write_lock = threading.Lock()
        self.writes_on = 0
        self._writer: apsw.Connection | None = None
        self._write_cursor: apsw.Cursor | None = None
        self._power = False
        #: How many connections have written, and how many transactions they have begun.
        self.writers = 0
        self.transactions = 0
        self._looked = time.monotonic()
        #: Guards what follows; threads that close or fork wait on it until nobody reads.
        self._shelf = threading.Condition()
        self._idle: list[apsw.Connection] = []
        self._out = 0
        self._watcher: apsw.Connection | None = None
        self._watchers = 0
        self._held = False
        #: Runs that the next transaction writes as well.
        self.announced: Announced | None = None
        self._identity = self._find()
        self._log_path = f"{path}-wal"
        #: The write-ahead log that the writer has open; it stays the same file as long as anybody has it open.
        self._log: tuple[int, int] | None = None
        with OPENING:
            CONNECTIONS.add(self)
            OPEN.add(self)

    # --- the file

    def _find(self) -> tuple[int, int] | None:
        return _identity(self.path)

    def look(self) -> None:
        """Check that the file is still the one that was opened.

        Raises:
            StoreError: it was deleted, moved or replaced.
        """
        self._looked = time.monotonic()
        if self._identity is None or self._find() != self._identity:
            self._looked = 0.0  # look again at once: it will not become better by itself
            raise meaning.moved(self.url)
        if self._log is not None and _identity(self._log_path) != self._log:
            self._looked = 0.0
            writer = self._writer
            if writer is not None:
                with contextlib.suppress(apsw.Error):  # what is only in the log that nobody else sees, into the file
                    writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            raise meaning.log_gone(self.url)

    def explain(self, error: apsw.Error) -> StoreError:
        """The error of our tree for one of SQLite's."""
        if not self.closed and self._find() != self._identity:
            return meaning.moved(self.url)
        return meaning.explain(error, self.path, self.url)

    def _open(self) -> apsw.Connection:
        if self.closed:
            raise refusals.closed(self.url)
        self.look()
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(self.busy_milliseconds)
        connection.pragma("synchronous", "normal")
        connection.pragma("fullfsync", True)  # of use on macOS only, where fsync alone stops at the disk's cache
        connection.pragma("journal_size_limit", _LOG_BYTES)
        connection.set_wal_hook(self.checkpointer.grown)
        return connection

    # --- writing

    def writing(self, *, power: bool = False) -> Writing:
        """A transaction: `with connections.writing() as cursor`; committed at the end, rolled back on any error.

        Args:
            power: whether the commit waits for the disk.
        """
        return Writing(self, power)

    def writer(self, *, power: bool) -> apsw.Cursor:
        """The cursor of the one connection that writes; the caller holds `write_lock`."""
        cursor = self._write_cursor
        if cursor is None:
            self._writer = self._open()
            self._write_cursor = cursor = self._writer.cursor()
            self.writers += 1
            cursor.execute("SELECT 1 FROM runs LIMIT 1").fetchall()  # opens the log
            self._log = _identity(self._log_path)
            self._power = False
        elif self.closed:
            raise refusals.closed(self.url)
        elif time.monotonic() - self._looked > _LOOK_SECONDS:
            self.look()
        if power is not self._power:
            # A pragma may act when it is compiled, so a statement from the cache would do nothing.
            cursor.execute(f"PRAGMA synchronous = {'FULL' if power else 'NORMAL'}", can_cache=False)
            self._power = power
        return cursor

    def roll_back(self) -> None:
        """Undo what the writer has begun; the caller holds `write_lock`."""
        writer = self._writer
        if writer is None:
            return
        try:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        except apsw.Error:
            # A connection that can't even undo is of no use; closing it undoes as well.
            writer.close(True)
            self._writer = self._write_cursor = self._log = None

    # --- reading

    def reading(self) -> Reading:
        """A cursor to read with: `with connections.reading() as cursor`; let it run out before the end."""
        return Reading(self)

    def write_announced(self) -> None:
        """Write what waits for a transaction, so that it is found; what can't be written goes on waiting."""
        with contextlib.suppress(StoreError), self.writing():
            pass

    def lend(self) -> apsw.Connection:
        """A connection for one reader."""
        if self.announced and self.writes_on != threading.get_ident():
            self.write_announced()
        with self._shelf:
            if self.closed:
                raise refusals.closed(self.url)
            self._out += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._open()
        except BaseException:
            self.take_back(None)
            raise

    def take_back(self, connection: apsw.Connection | None) -> None:
        """The reader is done."""
        with self._shelf:
            self._out -= 1
            if connection is not None:
                if self.closed or len(self._idle) >= _READERS:
                    connection.close()
                else:
                    self._idle.append(connection)
            self._shelf.notify_all()

    def version(self) -> int:
        """A number that changes whenever any other connection wrote, of this process or another."""
        with self._shelf:
            if self.closed:
                raise refusals.closed(self.url)
            try:
                if self._watcher is None:
                    self._watcher = self._open()
                    self._watchers += 1
                return (self._watchers << 40) + int(self._watcher.execute("PRAGMA data_version").get)
            except apsw.Error as error:
                raise self.explain(error) from error

    # --- closing

    def close(self) -> None:
        """Close every connection; one that is in use is closed when its user is done."""
        if self.announced:
            self.write_announced()
        self.closed = True
        self.checkpointer.stop()
        with self.write_lock, self._shelf:
            self._close_all()

    def close_at_exit(self, seconds: float) -> None:
        """The same for a process that ends: a thread that doesn't come out in time is left where it is."""
        self.closed = True
        self.checkpointer.stop()
        if self.write_lock.acquire(timeout=seconds):
            with self._shelf:
                self._shelf.wait_for(lambda: not self._out, timeout=seconds)
                self._close_all()
            self.write_lock.release()

    def _close_all(self) -> None:
        for connection in (self._writer, self._watcher, *self._idle):
            if connection is not None:
                connection.close()
        self._writer = self._write_cursor = self._watcher = self._log = None
        self._idle.clear()

    # --- forking: the locks are held from before it until after it

    def before_fork(self) -> None:
        """Close everything, and let nobody open anything."""
        self._held = self.write_lock.acquire(timeout=_FORK_SECONDS)
        self._shelf.acquire()
        if self._shelf.wait_for(lambda: not self._out, timeout=_FORK_SECONDS) and self._held:
            self._close_all()

    def after_fork_in_parent(self) -> None:
        """Go on; connections open again when they are needed."""
        self._shelf.release()
        if self._held:
            self.write_lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: the threads that held the locks and ran the checkpoints are not here."""
        # What couldn't be closed before must not be closed here either: keep it, untouched, for ever.
        ABANDONED.append((self._writer, self._watcher, *self._idle))
        self._writer = self._write_cursor = self._watcher = self._log = None
        self._idle = []
        self._out = 0
        self.write_lock = threading.Lock()
        self.writes_on = 0
        self._shelf = threading.Condition()
        self.checkpointer = Checkpointer(self)
        if self.announced is not None:
            self.announced.forget()


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Which file lies at a path."""
    try:
        found = os.stat(path)  # noqa: PTH116  half the price of Path.stat, on the way of each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino
