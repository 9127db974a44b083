from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from flownb.errors import StoreError, StoreLocked
from flownb.store.memory import MemoryStore
from flownb.testing import Crash, FaultyStore
from flownb.testing.faulty_store import CALLS
from tests.unit.store.suite import StoreSuite, World, begin, completed, new, write

if TYPE_CHECKING:
    from flownb.store.contract import Owner, Store


class FaultyKit:
    """A store that could fail, and has no fault."""

    def __init__(self) -> None:
        self.world = World()
        self._store = FaultyStore(MemoryStore(self.world.artifacts, liveness=self.world.liveness))

    def open(self) -> Store:
        return cast("Store", self._store)


class TestFaultyStoreWithoutAFault(StoreSuite):
    """The suite that every store keeps."""

    @pytest.fixture
    def kit(self) -> FaultyKit:
        return FaultyKit()


@pytest.fixture
def owner() -> Owner:
    return World().owner(7)


def test_it_has_every_call_of_the_contract() -> None:
    assert {"create_run", "commit", "events", "claim", "register", "release", "put_definition", "version"} <= {*CALLS}
    assert all(callable(getattr(FaultyStore, name)) for name in CALLS)


def test_before_commit_nothing_is_written(owner: Owner) -> None:
    store = FaultyStore(MemoryStore(), fail=1, how="before_commit")
    with pytest.raises(StoreError, match=r"memory:: create_run fails here.*before_commit"):
        store.create_run(new("r1"), owner)
    assert store.row("r1") is None
    assert store.failed == ["create_run"]


@pytest.mark.parametrize(("how", "error"), [("ack_lost", StoreError), ("after_commit", Crash)])
def test_afterwards_all_is_written_and_the_caller_does_not_hear_so(owner: Owner, how: Any, error: type) -> None:
    store = FaultyStore(MemoryStore(), fail=1, how=how)
    with pytest.raises(error, match="create_run fails here"):
        store.create_run(new("r1"), owner)
    assert store.row("r1") is not None


def test_the_nth_call_fails_and_the_next_ones_work(owner: Owner) -> None:
    store = FaultyStore(MemoryStore())
    lease = begin(cast("Store", store), "r1", owner)
    store.fail_at(2, only=["commit"])
    store.commit([write(lease, 2, completed("a"))])
    assert store.row("r1") is not None
    with pytest.raises(StoreError):
        store.commit([write(lease, 3, completed("b"))])
    store.commit([write(lease, 3, completed("b"))])
    assert store.calls["commit"] == 4
    assert [record.seq for record in store.events("r1")] == [1, 2, 3]


def test_a_fault_can_stay_until_it_is_cleared_and_raise_what_the_test_wants() -> None:
    store = FaultyStore(MemoryStore(), fail=2, error=StoreLocked("The store is locked."), times=float("inf"))
    assert store.row("r1") is None
    for _ in range(3):
        with pytest.raises(StoreLocked):
            store.row("r1")
    store.clear()
    assert store.row("r1") is None


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"can't fail 'sideways'; it can before_commit"):
        FaultyStore(MemoryStore(), fail=1, how=cast("Any", "sideways"))
    with pytest.raises(ValueError, match=r"no call 'comit'.*commit"):
        FaultyStore(MemoryStore(), fail=1, only=["comit"])
