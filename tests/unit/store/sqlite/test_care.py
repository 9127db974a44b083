"""What is wrong is found and said, and what was deleted gives its space back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.errors import NotFound, StoreCorrupt
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import World, begin, completed, new, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path, world: World) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "flownb.db", artifacts=world.artifacts, liveness=world.liveness)
    yield opened
    opened.close()


def _damage(store: SqliteStore, statement: str, *values: object) -> None:
    with store._db.writing() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM events WHERE seq = 2", "gaps"),
        ("UPDATE runs SET status = 'completed'", "listed as completed, but its events say running"),
        ("UPDATE runs SET definition = 'd9'", "definition d9 of run r1 is missing"),
        ("UPDATE runs SET program = 'p9'", "program p9 of run r1 is missing"),
        ("DELETE FROM runs", "no such run"),
        ("UPDATE events SET body = x'7b' WHERE seq = 2", "can't be read"),
    ],
)
def test_a_damage_is_named(store: SqliteStore, world: World, statement: str, sentence: str) -> None:
    lease = begin(store, "r1", world.owner(1))
    store.commit([write(lease, 2, completed("a"), completed("b"))])
    assert store.check() == []
    _damage(store, statement)
    found = store.check()
    assert len(found) == 1
    assert sentence in found[0]


def test_a_missing_artifact_is_named_with_its_event(store: SqliteStore, world: World) -> None:
    lease = begin(store, "r1", world.owner(1))
    digest = world.artifacts.put(b"x", ".png")
    store.commit([write(lease, 2, completed("a", [{"$artifact": {"digest": digest}}]))])
    assert store.check() == []
    world.artifacts.delete(digest)
    assert store.check() == [f"The artifact {digest} is missing; event 2 of run r1 names it."]


def test_an_event_that_cannot_be_read_is_said_by_name(store: SqliteStore, world: World) -> None:
    begin(store, "r1", world.owner(1))
    _damage(store, "UPDATE events SET body = ?", b'{"type":"node_teleported","at":1.0}')
    with pytest.raises(StoreCorrupt, match="r1"):
        store.events("r1")


def test_a_command_that_cannot_be_read_does_not_block_the_others(
    store: SqliteStore, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    begin(store, "r1", world.owner(1))
    store.send("r1", cmd.Pause())
    _damage(store, "UPDATE commands SET body = ?", b'{"type":"explode"}')
    store.send("r1", cmd.Cancel())
    assert [each.command for each in store.receive(["r1"])] == [cmd.Cancel()]
    assert "was dropped" in caplog.text


def test_gc_forgets_long_dead_owners_that_hold_nothing(store: SqliteStore, world: World) -> None:
    for pid in (1, 2, 3, 4):
        store.register(world.owner(pid))
    begin(store, "r1", world.owner(2))
    world.gone |= {1, 2}
    world.clock.pass_time(60)
    store.collect()
    store.renew("owner-1")
    world.clock.pass_time(7200)
    store.renew("owner-3")
    store.collect()
    with store._db.reading() as cursor:
        assert cursor.execute("SELECT id FROM owners ORDER BY id").fetchall() == [("owner-2",), ("owner-3",)]
    store.renew("owner-4")  # it had only slept
    with pytest.raises(NotFound):
        store.renew("owner-9")


def test_deleting_gives_space_back_to_the_disk(store: SqliteStore, world: World) -> None:
    now = world.clock.wall()
    store.create_run(new("r2"), None)
    lease = begin(store, "r1", world.owner(1))
    store.commit([write(lease, 2, *(completed(f"n{number}", "x" * 4000) for number in range(2000)))])
    store.commit([write(lease, 2002, ev.RunCompleted(at=now - 100), release=True)])
    with store._db.reading() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchall()[0][0]
    runs, size = store.collect(older=10)
    assert runs == 1
    assert size > 8_000_000
    with store._db.reading() as cursor:
        left = cursor.execute("PRAGMA page_count").fetchall()[0][0]
    assert left < pages / 10
    assert store.check() == []
