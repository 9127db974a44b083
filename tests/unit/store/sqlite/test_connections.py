"""Threads share the file, checkpoints run beside them, and a file that went away is noticed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from flownb.errors import StoreError
from flownb.store.sqlite import SqliteStore, checkpoint
from tests.unit.store.suite import World, begin, started, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import apsw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flownb.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_went_away_is_said(store: SqliteStore, path: Path, how: str) -> None:
    me = World().owner(1)
    begin(store, "r1", me)
    if how == "deleted":
        path.unlink()
    else:
        path.rename(path.with_name("elsewhere.db"))
    if how == "replaced":
        SqliteStore(path).close()
    with pytest.raises(StoreError, match="deleted, moved or replaced"):
        store.renew(me.id)


def test_a_commit_looks_as_well_once_a_second(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = begin(store, "r1", World().owner(1))
    path.unlink()
    monkeypatch.setattr("flownb.store.sqlite.connections._LOOK_SECONDS", 0.0)
    with pytest.raises(StoreError, match="deleted, moved or replaced"):
        store.commit([write(lease, 2, started("a"))])


def test_a_long_log_is_copied_by_another_thread(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = threading.Event()
    copy = checkpoint.Checkpointer._copy

    def told(self: checkpoint.Checkpointer, connection: apsw.Connection) -> None:
        copy(self, connection)
        assert threading.current_thread().name == "flownb-checkpoint"
        copied.set()

    monkeypatch.setattr(checkpoint.Checkpointer, "_copy", told)
    monkeypatch.setattr(checkpoint, "_PAGES", 20)
    monkeypatch.setattr(checkpoint, "_TOO_MANY", 30)
    others = set(threading.enumerate())  # of stores that other tests left open
    before = path.stat().st_size
    lease = begin(store, "r1", World().owner(1))
    for number in range(2, 200):
        store.commit([write(lease, number, started("n" * 900))])
    assert copied.wait(20)
    assert path.stat().st_size > before
    store.close()
    assert not [each for each in threading.enumerate() if each.name == "flownb-checkpoint" and each not in others]


def test_a_log_is_copied_when_it_has_grown_and_not_at_every_commit(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_PAGES", 20)
    begin(store, "r1", World().owner(1))
    checkpointer = checkpoint.Checkpointer(store._db)
    checkpointer._stopped = True  # it asks, and no thread answers
    asked = []
    with store._db.reading() as cursor:
        for pages in (19, 20, 25, 39, 40, 3, 19, 20):
            checkpointer.grown(cursor.connection, "main", pages)
            if checkpointer._wake.is_set():
                asked.append(pages)
                checkpointer._wake.clear()
                checkpointer._copied = pages
    assert asked == [20, 40, 20]


def test_a_reader_in_another_thread_is_let_finish(store: SqliteStore) -> None:
    begin(store, "r1", World().owner(1))
    with store._db.reading() as cursor:
        closing = threading.Thread(target=store.close)
        closing.start()
        closing.join(20)
        assert cursor.execute("SELECT id FROM runs").fetchall() == [("r1",)]
    with pytest.raises(StoreError, match="closed"):
        store.row("r1")


def test_the_last_to_close_leaves_one_file(store: SqliteStore, path: Path) -> None:
    begin(store, "r1", World().owner(1))
    list(store.rows())
    store.version()
    store.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_only_a_commit_that_must_survive_the_plug_waits_for_the_disk(store: SqliteStore) -> None:
    lease = begin(store, "r1", World().owner(1))
    for first, power in ((2, True), (3, True), (4, False), (5, True), (6, False)):
        store.commit([write(lease, first, started("a"))], power=power)
        writer = store._db._writer
        assert writer is not None
        assert writer.pragma("synchronous") == (2 if power else 1)


def test_readers_that_nobody_needs_are_closed(store: SqliteStore) -> None:
    inside, go = threading.Barrier(9), threading.Event()

    def read() -> None:
        with store._db.reading() as cursor:
            inside.wait(20)
            go.wait(20)
            cursor.execute("SELECT 1").fetchall()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    inside.wait(20)
    go.set()
    for thread in threads:
        thread.join()
    assert len(store._db._idle) == 4


def test_an_error_in_a_transaction_undoes_it(store: SqliteStore) -> None:
    def delete_and(then: str) -> None:
        with store._db.writing() as cursor:
            cursor.execute("DELETE FROM runs")
            cursor.execute({"fail": "SELECT * FROM nowhere", "raise": ""}[then])
            raise KeyError(then)

    begin(store, "r1", World().owner(1))
    with pytest.raises(StoreError, match="SQLite refused"):
        delete_and("fail")
    with pytest.raises(KeyError):
        delete_and("raise")
    assert store.row("r1") is not None
