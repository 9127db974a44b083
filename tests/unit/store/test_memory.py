"""The store in memory keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.store.memory import MemoryStore
from tests.unit.store.suite import StoreSuite, World, begin, completed, write

if TYPE_CHECKING:
    from flownb.store.contract import Owner, Store


class MemoryKit:
    """One store: another process would have one of its own."""

    def __init__(self) -> None:
        self.world = World()
        self._store = MemoryStore(self.world.artifacts, liveness=self.world.liveness)

    def open(self) -> Store:
        return self._store


class TestMemoryStore(StoreSuite):
    """The suite, and what is special."""

    @pytest.fixture
    def kit(self) -> MemoryKit:
        return MemoryKit()

    def test_it_says_that_it_is_not_durable(self, store: Store) -> None:
        assert (store.url, store.durable) == ("memory:", False)

    def test_events_are_the_objects_that_were_committed(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        value = object()
        store.commit([write(lease, 2, completed("a", value))])
        event = store.events("r1", after=1)[0].event
        assert getattr(event, "output", None) is value
