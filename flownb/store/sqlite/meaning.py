"""What an error of SQLite means to the person who meets it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import apsw

from flownb.errors import StoreCorrupt, StoreError, StoreFaulty, StoreFull, StoreLocked, StoreReadOnly
from flownb.store.filesystem import can_write

_ELSEWHERE: Final = "use another store with --store or FLOWNB_STORE"
#: Where SQLite's writers hold their lock: this byte of the `-shm` file (sqlite.org/walformat.html, "WAL locks").
_WRITE_LOCK_BYTE: Final = 120
#: The columns of `/proc/locks` (proc(5)).
_MODE, _PID, _INODE, _START, _END = 3, 4, 5, 6, 7


_FULL: Final = (
    "The disk that holds {url} is full: nothing was written, and nothing is lost. Free some space, as by `flownb gc`, "
    "and go on."
)
_FAULTY: Final = (
    "The disk that holds {url} reports a fault ({error}): nothing was written. Check its space, its quota and its "
    "health, or {elsewhere}."
)
_SHUT: Final = (
    "{url} can't be opened ({error}): check that {directory} is a directory that you may write in, or {elsewhere}."
)
_REFUSED: Final = "SQLite refused {url}: {kind}: {error}. `flownb doctor` says whether the store is healthy."
#: What SQLite's other errors mean, the first that fits.
_SENTENCES: Final[tuple[tuple[type[apsw.Error], type[StoreError], str], ...]] = (
    (apsw.FullError, StoreFull, _FULL),
    (apsw.IOError, StoreFaulty, _FAULTY),
    (apsw.CantOpenError, StoreError, _SHUT),
    (apsw.ConnectionClosedError, StoreError, "The store {url} is closed; open it again."),
    (
        apsw.Error,
        StoreError,
        "SQLite refused {url}: {kind}: {error}. `flownb doctor` says whether the store is healthy.",
    ),
)


def explain(error: apsw.Error, path: Path, url: str) -> StoreError:
    """The error of our tree for one of SQLite's, with a sentence that names the place and the way out."""
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return StoreLocked(
            f"{url} is locked: {_holders(path)} has been writing for longer than flownb waits. Let it end, or "
            f"{_ELSEWHERE}.",
            place=url,
        )
    shut = isinstance(error, apsw.CantOpenError) and not can_write(path.parent)
    if shut or isinstance(error, apsw.ReadOnlyError):
        return read_only(path, url)
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return corrupt(url, str(error))
    raised, sentence = next((ours, text) for kind, ours, text in _SENTENCES if isinstance(error, kind))
    return raised(
        sentence.format(url=url, error=error, kind=type(error).__name__, directory=path.parent, elsewhere=_ELSEWHERE),
        place=url,
    )


def corrupt(url: str, what: str) -> StoreCorrupt:
    """The file is damaged, or never was a store."""
    return StoreCorrupt(
        f"{url} is no healthy flownb store ({what}). Put back a copy of it, or move it aside and begin a new one; "
        "`sqlite3 FILE .recover` saves what can still be read.",
        place=url,
    )


def moved(url: str) -> StoreError:
    """The file that is open is not the one that lies at its path any more."""
    return StoreError(
        f"{url} was deleted, moved or replaced while flownb had it open: what is written now would be lost. Put the "
        "file back and start this process again; `flownb resume` carries its runs on.",
        place=url,
    )


def log_gone(url: str) -> StoreError:
    """The write-ahead log that is open is not the one that lies beside the file any more."""
    return StoreError(
        f"The write-ahead log of {url} (the file that ends in -wal) was deleted, moved or replaced while flownb had it "
        "open: what is written now would be lost. Start this process again; `flownb resume` carries its runs on. The "
        "files that end in -wal and -shm belong to the store: leave them where they are.",
        place=url,
    )


def read_only(path: Path, url: str) -> StoreReadOnly:
    """The file or its directory can't be written."""
    what = path if path.exists() and not can_write(path) else path.parent
    return StoreReadOnly(
        f"{url} can't be written: {what} is read-only for you. Change its permissions, or {_ELSEWHERE}.", place=url
    )


def _holders(path: Path) -> str:
    """Who holds the write lock, as far as this system says."""
    try:
        shared = Path(f"{path}-shm").stat()
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return "another process"
    inode = f"{os.major(shared.st_dev):02x}:{os.minor(shared.st_dev):02x}:{shared.st_ino}"
    found = set()
    for line in locks:
        fields = line.split()
        if len(fields) != _END + 1 or fields[_MODE] != "WRITE" or fields[_INODE] != inode:
            continue
        last = float("inf") if fields[_END] == "EOF" else int(fields[_END])
        if int(fields[_START]) <= _WRITE_LOCK_BYTE <= last:
            found.add(_process(int(fields[_PID])))
    return " and ".join(sorted(found)) or "another process"


def _process(pid: int) -> str:
    if pid == os.getpid():
        return f"this process ({pid})"
    try:
        return f"process {pid} ({Path(f'/proc/{pid}/comm').read_text(encoding='utf-8', errors='replace').strip()})"
    except OSError:
        return f"process {pid}"
