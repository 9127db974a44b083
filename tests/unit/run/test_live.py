"""Large values: stored in pieces, let go of when nobody waits for them, loaded by whoever still wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb import Flow
from flownb.errors import RunFailed, StoreError
from flownb.run.live import LIVE, Live
from flownb.store.memory import MemoryStore
from flownb.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = SqliteStore(tmp_path / "flownb.db")
    yield opened
    opened.close()


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """No large value stays longer than its readers need it."""
    monkeypatch.setattr(LIVE, "most", 0)


class Kept:
    """Values of a run, as far as the bound knows them."""

    def __init__(self) -> None:
        self.dropped: list[int] = []

    def drop(self, number: int) -> None:
        self.dropped.append(number)


def test_what_was_used_longest_ago_goes_first_and_what_came_last_stays() -> None:
    live, kept = Live(100), Kept()
    for number in range(3):
        live.add(kept, number, 40)  # type: ignore[arg-type]
    assert kept.dropped == [0]
    live.used(kept, 1)  # type: ignore[arg-type]
    live.add(kept, 3, 40)  # type: ignore[arg-type]
    assert kept.dropped == [0, 2]
    live.add(kept, 4, 1_000)  # type: ignore[arg-type]
    assert kept.dropped == [0, 2, 1, 3]
    assert live.total == 1_000
    live.done(kept, 4)  # type: ignore[arg-type]
    assert (kept.dropped[-1], live.total) == (4, 0)


def test_a_run_that_is_gone_counts_no_more() -> None:
    live, kept = Live(100), Kept()
    live.add(kept, 0, 70)  # type: ignore[arg-type]
    del kept
    assert live.total == 0


@pytest.mark.usefixtures("tight")
def test_a_value_that_was_let_go_of_is_loaded_by_later_readers_and_by_people(store: SqliteStore) -> None:
    flow = Flow("frames")
    calls = []

    @flow.node
    def load() -> pd.DataFrame:
        calls.append("load")
        return pd.DataFrame({"x": np.arange(100_000)})

    @flow.node
    def first(load: pd.DataFrame) -> int:
        return int(load.x.sum())

    @flow.node(after=first)
    async def second(load: pd.DataFrame) -> int:
        return int(load.x.max())

    run = flow.run(store=store, display=False)
    assert run.result(30) == {"second": 99_999}
    assert run["first"].output == sum(range(100_000))
    execution = run._execution
    assert execution is not None
    assert not execution.values.is_live(0)  # noqa: PD011  the run's values, no frame's
    pd.testing.assert_frame_equal(run["load"].output, pd.DataFrame({"x": np.arange(100_000)}))
    assert calls == ["load"]


@pytest.mark.usefixtures("tight")
def test_a_long_list_reaches_each_reader_as_its_own(store: SqliteStore) -> None:
    flow = Flow("lists")

    @flow.node
    def make() -> list[int]:
        return list(range(100_000))

    @flow.node
    def spoil(make: list[int]) -> int:
        make.clear()
        return 0

    @flow.node(after=spoil)
    def count(make: list[int]) -> int:
        return len(make)

    @flow.node(after=count)
    def parts(make: list[int]) -> dict[str, Any]:
        return {"frame": pd.DataFrame({"x": make}), "n": len(make)}

    @flow.node
    def last(parts: dict[str, Any]) -> int:
        return int(parts["n"]) + len(parts["frame"])

    assert flow.run(store=store, display=False).result(30) == {"last": 200_000}


@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize("damage", ["missing", "damaged", "cut"])
def test_an_artifact_that_is_gone_fails_the_node_that_needs_it_and_no_other(store: SqliteStore, damage: str) -> None:
    flow = Flow("frames")

    @flow.node
    def load() -> Any:
        return np.arange(200_000)

    @flow.node(after=load)
    def harm() -> Any:
        (path,) = (path for path in Path(store.path.parent).rglob("*.npy"))
        if damage == "missing":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(path.read_bytes()[:1000])
        else:
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
        return np.arange(100_000)  # takes the place of the other in memory

    @flow.node(after=harm, on_error="continue")
    def use(load: Any) -> int:
        return int(load.sum())

    @flow.node(after=harm)
    def other() -> str:
        return "fine"

    run = flow.run(store=store, display=False)
    with pytest.raises(RunFailed, match="artifact"):
        run.result(30)
    assert run["other"].output == "fine"
    assert run["use"].status == "failed"
    assert "flownb" not in run["use"].why or "artifact" in run["use"].why


def test_a_full_disk_fails_no_node_and_its_work_is_done_again_when_the_run_is_resumed(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = Flow("full")
    calls = []

    @flow.node
    def make() -> bytes:
        calls.append("make")
        return bytes(1_000_000)

    @flow.node
    def size(make: bytes) -> int:
        return len(make)

    def full(*_: object) -> Any:
        raise StoreError("The disk of /data is full: nothing was kept of this value. Free some space, then resume.")

    with monkeypatch.context() as patched:
        patched.setattr(type(store.artifacts), "put", full)
        run = flow.run(store=store, display=False)
        with pytest.raises(StoreError, match="full"):
            run.result(30)
    assert run["make"].status == "running"
    again = flow.run(store=store, display=False, key=None)
    assert again.result(30) == {"size": 1_000_000}
    run.resume()
    assert run.result(30) == {"size": 1_000_000}
    assert calls == ["make"] * 3


def test_in_a_memory_store_large_values_come_back_as_well(tight: None) -> None:
    flow = Flow("frames")

    @flow.node
    def load() -> Any:
        return np.arange(200_000)

    @flow.node
    def use(load: Any) -> int:
        return int(load.sum())

    run = flow.run(store=MemoryStore(), display=False)
    assert run.result(30) == {"use": sum(range(200_000))}
    assert run["load"].output.shape == (200_000,)
