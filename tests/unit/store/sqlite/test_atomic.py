"""Whatever step of a transaction fails, the store is as it was before: every step is tried in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import Fenced, StoreError
from flownb.model import events as ev
from flownb.store.contract import Write
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import World, asked, begin, new, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flownb.store.contract import Lease


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path, world: World) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "flownb.db", artifacts=world.artifacts, liveness=world.liveness)
    yield opened
    opened.close()


def _picture(store: SqliteStore) -> dict[str, list[Any]]:
    """Everything in the file."""
    with store._db.reading() as cursor:
        names = [name for (name,) in cursor.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()]
        return {name: cursor.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def _fail_in_turn(store: SqliteStore, call: Callable[[], Any]) -> int:
    """Interrupt SQLite at its first step, then at its second, and so on, until something is written.

    The last interruption comes when the transaction is complete, and only its acknowledgement is lost.
    """
    before = _picture(store)
    step = 0
    while True:
        step += 1
        left = step

        def interrupted() -> bool:
            nonlocal left
            left -= 1
            return left == 0

        writer = store._db._writer
        assert writer is not None
        writer.set_progress_handler(interrupted, 1)
        try:
            call()
        except StoreError:
            if _picture(store) == before:
                continue
        finally:
            writer.set_progress_handler(None)
        return step


def _leases(store: SqliteStore, world: World) -> list[Lease]:
    return [begin(store, run, world.owner(1)) for run in ("r1", "r2")]


def test_a_commit(store: SqliteStore, world: World) -> None:
    writes = [
        Write(
            lease.run,
            lease.fence,
            2,
            (started("a"), asked("a1", "ok"), ev.RunPaused(at=5.0, reason="human")),
            release=True,
        )
        for lease in _leases(store, world)
    ]
    assert _fail_in_turn(store, lambda: store.commit(writes)) > 100
    assert store.check() == []
    assert [(row.status, row.seq, row.owner) for row in store.rows()] == [("paused", 4, None)] * 2
    assert [row.run for row in store.approvals()] == ["r1", "r2"]
    with pytest.raises(Fenced):
        store.commit(writes)


def test_a_new_run(store: SqliteStore, world: World) -> None:
    _leases(store, world)
    assert _fail_in_turn(store, lambda: store.create_run(new("r3", key="k"), world.owner(2))) > 20
    row = store.find_key("k")
    assert row is not None
    assert store.owner_of("r3") == (world.owner(2), True)


def test_a_claim(store: SqliteStore, world: World) -> None:
    _leases(store, world)
    world.gone.add(1)
    other = world.owner(2)
    assert _fail_in_turn(store, lambda: store.claim("r1", other)) > 20
    row = store.row("r1")
    assert row is not None
    assert (row.owner, row.fence) == (other.id, 2)
    assert store.owner_of("r1") == (other, True)


def test_a_deletion(store: SqliteStore, world: World) -> None:
    _leases(store, world)
    store.retire("owner-1")
    assert _fail_in_turn(store, lambda: store.delete_run("r1")) > 20
    assert [row.id for row in store.rows()] == ["r2"]
    assert store.check() == []
