from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from flownb.cli.find import find_run
from flownb.errors import NotFound, UsageError
from flownb.store.contract import NewRun
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from flownb.store.contract import Store


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    for number, run_id in enumerate(("abcd1111", "abcd2222", "wxyz9999")):
        store.create_run(NewRun(id=run_id, workflow="shop", created_at=time.time() + number), None)
    return store


def test_a_whole_id_is_found(store: Store) -> None:
    assert find_run(store, "abcd1111").id == "abcd1111"


def test_the_beginning_of_an_id_is_enough(store: Store) -> None:
    assert find_run(store, "wxyz").id == "wxyz9999"
    assert find_run(store, "abcd2").id == "abcd2222"


def test_a_beginning_that_several_have_lists_them(store: Store) -> None:
    with pytest.raises(UsageError, match=r"2 runs begin with 'abcd': abcd2222 \(shop, pending\), abcd1111"):
        find_run(store, "abcd")


@pytest.mark.parametrize("text", ["wxy", "nope", "", "%", "wxyz9999x"])
def test_what_no_run_has_is_not_found(store: Store, text: str) -> None:
    with pytest.raises(NotFound, match="There is no run"):
        find_run(store, text)


def test_near_ids_are_named(store: Store) -> None:
    with pytest.raises(NotFound, match="Did you mean 'wxyz9999'"):
        find_run(store, "wxyz9989")
