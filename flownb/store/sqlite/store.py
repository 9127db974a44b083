"""The store in a SQLite file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from flownb.errors import NotFound
from flownb.store.filesystem import can_write
from flownb.store.lease import Liveness
from flownb.store.opening import OPENING
from flownb.store.sqlite import meaning, schema
from flownb.store.sqlite.answers import Answers
from flownb.store.sqlite.cached import CachedResults
from flownb.store.sqlite.care import Care
from flownb.store.sqlite.connections import Connections
from flownb.store.sqlite.letters import Letters
from flownb.store.sqlite.lists import Lists
from flownb.store.sqlite.notices import Notices

if TYPE_CHECKING:
    from flownb.model.journal import EventCodec
    from flownb.store.artifacts.contract import ArtifactStore

#: How long a call waits for another process that writes.
BUSY_SECONDS: Final = 10.0
_HEADER: Final = 100


class SqliteStore(Care, Answers, CachedResults, Letters, Lists, Notices):
    """A store in one SQLite file, shared by any number of threads and processes of this machine."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        artifacts: ArtifactStore | None = None,
        codec: EventCodec | None = None,
        liveness: Liveness | None = None,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """Open the file, and create or migrate it first where needed.

        Args:
            path: the file; beside it SQLite keeps two more, `-wal` and `-shm`.
            create: whether a missing file is made; else it is an error.
            artifacts: where large values lie; by default in a directory beside the file.
            codec: how events are written; another one encrypts them.
            liveness: judges owners; tests give one with a clock of theirs.
            busy_seconds: how long a call waits for another process that writes.

        Raises:
            NotFound: there is no such file, and none is made.
            StoreError: one of its kinds, with the way out.
        """
        self.path = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow a link that may change
        url = f"sqlite:///{self.path}"
        self.durable = True
        with OPENING:
            _make_ready(self.path, url, create=create, busy_seconds=busy_seconds)
            connections = Connections(self.path, url, busy_seconds=busy_seconds)
        super().__init__(connections, liveness=liveness or Liveness(), codec=codec, artifacts=artifacts)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._db.closed

    def close(self) -> None:
        """Let go of the file; further calls fail."""
        self._db.close()


def _make_ready(path: Path, url: str, *, create: bool, busy_seconds: float) -> None:
    """Create, check and migrate the file, so that every later connection finds a store."""
    if not path.exists():
        if not create:
            raise NotFound(f"There is no flownb store at {path}; start a run there first, or name another.", name=url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise meaning.read_only(path, url) from error
    if not can_write(path.parent) or (path.exists() and not can_write(path)):
        raise meaning.read_only(path, url)
    if path.is_dir():
        raise meaning.corrupt(url, "it is a directory")
    try:
        connection = apsw.Connection(str(path))
        try:
            connection.set_busy_timeout(int(busy_seconds * 1000))
            if _is_truncated(connection, path):
                raise meaning.corrupt(url, "its end is missing: the file is shorter than its header says")
            schema.prepare(connection, url, busy_seconds=busy_seconds)
        finally:
            connection.close()
    except apsw.Error as error:
        raise meaning.explain(error, path, url) from error


def _is_truncated(connection: apsw.Connection, path: Path) -> bool:
    """Whether the file is shorter than its header says (sqlite.org/fileformat.html, "The Database Header").

    SQLite would notice only when it needs the missing pages. While there is a log, the file may lag behind its header.
    """
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # keeps writers of the file itself out
        return _is_short(path)
    finally:
        connection.execute("ROLLBACK")


def _is_short(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            size = file.seek(0, os.SEEK_END)
        log = Path(f"{path}-wal")
        if len(header) < _HEADER or (log.exists() and log.stat().st_size):
            return False
    except OSError:
        return False
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    counts = header[24:28] == header[92:96]
    return counts and size < pages * (65536 if page == 1 else page)
