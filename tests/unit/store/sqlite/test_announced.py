"""Runs that ride with the next transaction are never lost while their process lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flownb.errors import Fenced, StoreError
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import World, begin, new, started, write

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


def test_a_burst_and_its_first_events_are_one_transaction(store: SqliteStore, world: World) -> None:
    begin(store, "r0", world.owner(1))
    writer = store._db._writer
    assert writer is not None
    commits = 0

    def count() -> bool:
        nonlocal commits
        commits += 1
        return False

    writer.set_commit_hook(count)
    leases = [store.announce_run(new(f"r{number}"), world.owner(1)) for number in range(1, 100)]
    store.commit([write(lease, 1, started("load")) for lease in leases])
    assert commits == 1
    assert len(list(store.rows())) == 100


def test_a_transaction_that_fails_keeps_them_for_the_next(store: SqliteStore, world: World) -> None:
    first = begin(store, "r0", world.owner(1))
    store.announce_run(new("r1"), world.owner(1))
    writer = store._db._writer
    assert writer is not None
    writer.set_commit_hook(lambda: True)  # turns the commit into a rollback
    with pytest.raises(StoreError):
        store.commit([write(first, 2, started("load"))])
    assert [row.id for row in store.rows()] == ["r0"]  # nothing can be written; reading goes on
    writer.set_commit_hook(None)
    assert {row.id for row in store.rows()} == {"r0", "r1"}


def test_an_owner_that_announces_is_alive(store: SqliteStore, world: World) -> None:
    store.register(world.owner(1))
    world.clock.pass_time(100.0)
    store.announce_run(new("r1"), world.owner(1))
    assert store.owner_of("r1") == (world.owner(1), True)


def test_an_id_that_is_taken_leaves_the_older_run_as_it_is(store: SqliteStore, world: World) -> None:
    begin(store, "r1", world.owner(2))
    lease = store.announce_run(new("r1", workflow="another"), world.owner(1))
    with pytest.raises(Fenced):
        store.commit([write(lease, 1, started("load"))])
    row = store.row("r1")
    assert row is not None
    assert row.workflow == "invoices"


def test_closing_writes_them(store: SqliteStore, tmp_path: Path, world: World) -> None:
    store.announce_run(new("r1"), world.owner(1))
    store.close()
    with_another = SqliteStore(tmp_path / "flownb.db")
    assert [row.id for row in with_another.rows()] == ["r1"]
    with_another.close()


def test_a_forked_child_leaves_them_to_its_parent(store: SqliteStore, world: World) -> None:
    store.announce_run(new("r1"), world.owner(1))
    pid = os.fork()
    if not pid:
        os._exit(len(list(store.rows())))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert [row.id for row in store.rows()] == ["r1"]
