"""One turn at the file: a transaction that writes, or reads that follow one another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from flownb.store.sqlite.connections import Connections


class Cursor(Protocol):
    """What the parts of the store need of a cursor; its rows are tuples of what the columns hold."""

    @property
    def connection(self) -> apsw.Connection:
        """Its connection."""
        ...

    def execute(self, statements: str, bindings: tuple[Any, ...] = ..., /) -> Any:
        """Run; the result is iterable and has `fetchall`."""
        ...

    def executemany(self, statements: str, bindings: Iterable[tuple[Any, ...]], /) -> Any:
        """Run once for each."""
        ...


class Writing:
    """One transaction of the writer."""

    __slots__ = ("_along", "_cursor", "_home", "_power")

    def __init__(self, home: Connections, power: bool) -> None:
        self._home = home
        self._power = power
        #: How many announced runs are written along.
        self._along = 0

    def __enter__(self) -> Cursor:
        home = self._home
        home.write_lock.acquire()
        home.writes_on = threading.get_ident()
        try:
            self._cursor = cursor = home.writer(power=self._power)
            cursor.execute("BEGIN IMMEDIATE")
            home.transactions += 1
            if home.announced:
                self._along = home.announced.write(cursor)
        except BaseException as error:
            self._give_up(error)
            raise
        return cursor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._cursor.execute("COMMIT")
            except BaseException as failed:
                self._give_up(failed)
                raise
            home = self._home
            if self._along and home.announced is not None:
                home.announced.written(self._along)
            home.writes_on = 0
            home.write_lock.release()
        else:
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        """Roll back, let the next one write, and raise what SQLite's error means."""
        home = self._home
        try:
            home.roll_back()
        finally:
            home.writes_on = 0
            home.write_lock.release()
        if isinstance(error, apsw.Error):
            raise home.explain(error) from error


class Reading:
    """One read, or several; each statement sees the newest commit."""

    __slots__ = ("_connection", "_home")

    def __init__(self, home: Connections) -> None:
        self._home = home

    def __enter__(self) -> Cursor:
        try:
            self._connection = self._home.lend()
        except apsw.Error as error:
            raise self._home.explain(error) from error
        return self._connection.cursor()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._connection.close(True)  # a read that was broken off may still hold on to an old state of the file
        self._home.take_back(None if error is not None else self._connection)
        if isinstance(error, apsw.Error):
            raise self._home.explain(error) from error
