"""A file becomes a store of this version, or is refused and left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import pytest

from flownb.errors import StoreCorrupt, StoreError, StoreTooNew
from flownb.store.sqlite import SqliteStore, schema
from tests.unit.store.suite import World, begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STEP = "ALTER TABLE runs ADD COLUMN budget REAL NOT NULL DEFAULT 2.5;"
_STEP_3 = "CREATE TABLE extra (name TEXT) STRICT"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flownb.db"


@pytest.fixture
def connection(path: Path) -> Iterator[apsw.Connection]:
    opened = apsw.Connection(str(path))
    yield opened
    opened.close()


def _prepared(connection: apsw.Connection, *steps: str) -> int:
    schema.prepare(connection, "here", steps=steps)
    return int(connection.pragma("user_version"))


def test_a_new_file_is_marked_as_ours(connection: apsw.Connection) -> None:
    assert _prepared(connection, *schema.STEPS) == schema.VERSION
    assert connection.pragma("application_id") == int.from_bytes(b"flnb", "big")
    assert connection.pragma("journal_mode") == "wal"


def test_preparing_twice_changes_nothing(connection: apsw.Connection, path: Path) -> None:
    _prepared(connection, *schema.STEPS)
    before = connection.pragma("schema_version")
    other = apsw.Connection(str(path))
    _prepared(other, *schema.STEPS)
    assert other.pragma("schema_version") == before
    other.close()


def test_an_older_store_is_migrated_with_its_runs(path: Path) -> None:
    store = SqliteStore(path)
    begin(store, "r1", World().owner(1))
    store.close()
    connection = apsw.Connection(str(path))
    assert _prepared(connection, *schema.STEPS, _STEP, _STEP_3) == schema.VERSION + 2
    assert connection.execute("SELECT id, budget FROM runs").fetchall() == [("r1", 2.5)]
    assert connection.execute("SELECT count(*) FROM extra").fetchall() == [(0,)]
    connection.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(connection: apsw.Connection) -> None:
    _prepared(connection, *schema.STEPS)
    with pytest.raises(apsw.SQLError):
        _prepared(connection, *schema.STEPS, _STEP_3, "ALTER TABLE nowhere ADD COLUMN x")
    assert connection.pragma("user_version") == schema.VERSION
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchall() == [(0,)]
    assert _prepared(connection, *schema.STEPS, _STEP_3) == schema.VERSION + 1


def test_a_newer_store_is_refused_and_both_versions_are_named(path: Path) -> None:
    SqliteStore(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 7)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=rf"version 7.* up to {schema.VERSION}"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mark", ["CREATE TABLE theirs (a)", "PRAGMA user_version = 1", "PRAGMA application_id = 99"])
def test_another_program_s_database_is_refused_and_not_touched(path: Path, mark: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(mark)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_place_without_a_log_is_refused() -> None:
    connection = apsw.Connection(":memory:")
    with pytest.raises(StoreError, match="write-ahead log"):
        schema.prepare(connection, "here")
    connection.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    store = SqliteStore(path)
    assert store.check() == []
    store.close()
