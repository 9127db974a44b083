"""The tables, and the way from any older version of them to this one.

`PRAGMA user_version` says how many of `STEPS` a file has seen; `PRAGMA application_id` says that it is ours. A step is
never changed after a release: what must be different becomes the next step.

`events` is the truth. The columns of `runs` that events decide, `approvals` and `approval_votes` are projections of it,
written in the same transaction. Bodies are what the store's codec makes of an event, so that a codec that encrypts
leaves nothing of a value in the clear.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import apsw

from flownb.errors import StoreCorrupt, StoreError, StoreTooNew

if TYPE_CHECKING:
    from collections.abc import Sequence

#: `flnb` in ASCII.
APPLICATION_ID: Final = 0x666C6E62

_V1: Final = """
CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    pause_reason TEXT,
    key TEXT,
    request TEXT NOT NULL,
    mode TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    parent TEXT,
    "group" TEXT,
    definition TEXT NOT NULL,
    program TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    owner TEXT,
    fence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_group ON runs ("group", created_at, id);
CREATE INDEX runs_by_status ON runs (status, created_at);
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner IS NOT NULL;

CREATE TABLE events (
    run_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE owners (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started INTEGER NOT NULL,
    partner_pid INTEGER NOT NULL,
    partner_started INTEGER NOT NULL,
    renewed_monotonic REAL NOT NULL,
    renewed_wall REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    sent_at REAL NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX commands_by_run ON commands (run_id);

CREATE TABLE approvals (
    run_id TEXT NOT NULL,
    id TEXT NOT NULL,
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    decided_at REAL,
    decided_by TEXT,
    port TEXT,
    request BLOB NOT NULL,
    decision BLOB,
    PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_pending ON approvals (created_at) WHERE status = 'pending';

CREATE TABLE approval_votes (
    run_id TEXT NOT NULL,
    approval TEXT NOT NULL,
    place INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, approval, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE definitions (
    digest TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    put_at REAL NOT NULL
) STRICT;

CREATE TABLE programs (
    digest TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    put_at REAL NOT NULL
) STRICT;
"""

_V2: Final = """
CREATE TABLE cached_results (
    key TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    node TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_results_by_run ON cached_results (run_id);
"""

_V3: Final = """
CREATE TABLE audit (
    run_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    key TEXT NOT NULL,
    previous TEXT NOT NULL,
    body BLOB NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (run_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_due ON approvals (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;

CREATE TABLE workflow_variables (
    workflow TEXT NOT NULL,
    name TEXT NOT NULL,
    run_id TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (workflow, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE forks (
    run_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX forks_by_source ON forks (source);

CREATE TABLE dead_letters (
    run_id TEXT NOT NULL,
    node TEXT NOT NULL,
    at REAL NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE error_calls (
    run_id TEXT NOT NULL PRIMARY KEY,
    at REAL NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE status_calls (
    run_id TEXT NOT NULL,
    at REAL NOT NULL,
    status TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, at, status)
) STRICT, WITHOUT ROWID;
"""

_V4: Final = """
CREATE TABLE notices (
    run_id TEXT NOT NULL,
    approval TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    round INTEGER NOT NULL,
    next_at REAL,
    attempts INTEGER NOT NULL,
    claim TEXT NOT NULL,
    claimed_until REAL NOT NULL,
    outcome BLOB,
    PRIMARY KEY (run_id, approval, kind, channel, recipient, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_due ON notices (next_at) WHERE next_at IS NOT NULL;
"""

#: What makes a file of version n into one of version n + 1.
STEPS: Final[tuple[str, ...]] = (_V1, _V2, _V3, _V4)
VERSION: Final = len(STEPS)

_RETRY_SECONDS: Final = 0.01


def prepare(
    connection: apsw.Connection, place: str, *, steps: Sequence[str] = STEPS, busy_seconds: float = 10.0
) -> None:
    """Make sure that the open file is a store of this version: check it, create what is missing, migrate.

    A file that is not ours is not touched.

    Raises:
        StoreCorrupt: it is another program's database.
        StoreTooNew: a newer flownb wrote it.
        StoreError: the place offers no write-ahead log.
        apsw.Error: whatever SQLite meets.
    """
    if _version(connection, place, len(steps)) < len(steps):
        # Must stand before the first table; it lets `gc` give space back.
        connection.pragma("auto_vacuum", "incremental")
        _use_wal(connection, place, busy_seconds)
        _migrate(connection, place, steps)
    elif connection.pragma("journal_mode") != "wal":
        _use_wal(connection, place, busy_seconds)


def _version(connection: apsw.Connection, place: str, newest: int) -> int:
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    if application != APPLICATION_ID:
        if application or version or connection.execute("SELECT count(*) FROM sqlite_schema").get:
            raise StoreCorrupt(
                f"{place} is a SQLite database of another program, not a flownb store; give another path with --store "
                "or FLOWNB_STORE.",
                place=place,
            )
        return 0
    if version > newest:
        raise StoreTooNew(
            f"{place} was written by a newer flownb: it has schema version {version}, and this flownb knows versions "
            f"up to {newest}. Upgrade flownb, or use another store with --store or FLOWNB_STORE.",
            place=place,
            found=version,
            known=newest,
        )
    return int(version)


def _use_wal(connection: apsw.Connection, place: str, busy_seconds: float) -> None:
    """Switch to a write-ahead log; SQLite doesn't wait for others here, so this does."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            mode = connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_RETRY_SECONDS)
            continue
        if mode != "wal":
            raise StoreError(
                f"{place} is where SQLite can't share memory between processes, so it offers no write-ahead log "
                f"(only {mode!r}). Use a store on a local disk with --store or FLOWNB_STORE.",
                place=place,
            )
        return


def _migrate(connection: apsw.Connection, place: str, steps: Sequence[str]) -> None:
    """Take the missing steps in one transaction, unless another process was faster."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[_version(connection, place, len(steps)) :]:
            connection.execute(step)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", len(steps))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
