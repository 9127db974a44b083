"""The store in a SQLite file keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.errors import FlownbError
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import StoreSuite, World, begin, completed, started, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flownb.store.contract import Owner, Store


class SqliteKit:
    """Stores on one file."""

    def __init__(self, path: Path) -> None:
        self.world = World()
        self.path = path
        self.opened: list[SqliteStore] = []

    def open(self) -> SqliteStore:
        store = SqliteStore(self.path, artifacts=self.world.artifacts, liveness=self.world.liveness)
        self.opened.append(store)
        return store


class TestSqliteStore(StoreSuite):
    """The suite, and what is special."""

    @pytest.fixture
    def kit(self, tmp_path: Path) -> Iterator[SqliteKit]:
        kit = SqliteKit(tmp_path / "flownb.db")
        yield kit
        for store in kit.opened:
            store.close()

    def test_a_value_that_is_no_plain_data_writes_nothing(self, kit: SqliteKit, store: Store, me: Owner) -> None:
        good, bad = begin(store, "r1", me), begin(store, "r2", me)
        for value in (object(), "\ud800"):
            with pytest.raises(FlownbError, match="r2"):
                store.commit([write(good, 2, started("a")), write(bad, 2, completed("a", value))])
        assert [len(kit.open().events(run)) for run in ("r1", "r2")] == [1, 1]
        store.commit([write(good, 2, started("a")), write(bad, 2, started("a"))])
