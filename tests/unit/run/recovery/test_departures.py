"""A finished run leaves memory after its minutes; its handle reads from the store, as if nothing had happened."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any, Final

import pytest

from flownb import Flow, RunFailed, Settings
from flownb.errors import StoreError
from flownb.store.memory import MemoryStore
from flownb.store.sqlite import SqliteStore
from flownb.testing import Simulation


def _two(settings: Settings | None = None) -> Flow:
    flow = Flow("two", settings=settings)

    @flow.node
    async def load(x: int) -> dict[str, int]:
        return {"x": x}

    @flow.node
    async def double(load: dict[str, int]) -> list[int]:
        return [2 * load["x"]]

    return flow


def test_a_finished_run_leaves_memory_after_five_minutes() -> None:
    with Simulation(1) as simulation:
        run = simulation.run(_two(), x=4)
        assert simulation.result(run) == {"double": [8]}
        execution = weakref.ref(run._execution)
        state = weakref.ref(run.state)
        start = simulation.clock.monotonic()
        simulation.until(lambda: run._known is None)
        assert 300 <= simulation.clock.monotonic() - start <= 330
        gc.collect()
        assert execution() is None
        assert state() is None


def test_who_asks_later_gets_everything_from_the_store() -> None:
    with Simulation(2) as simulation:
        run = simulation.run(_two(Settings(memory_minutes=1)), x=4)
        simulation.result(run)
        shown = repr(run)
        simulation.until(lambda: run._known is None)
        assert (run.id, repr(run)) == (run.id, shown)
        assert run.status == "completed"
        assert run.outputs == simulation.result(run) == {"double": [8]}
        assert run["load"].output == {"x": 4}
        assert run["double"].inputs == {"load": {"x": 4}}
        assert run.input("x") == 4
        simulation.until(lambda: run._known is None)  # and leaves again
        assert run["load"].status == "completed"


def test_what_has_no_stored_form_stays_as_long_as_the_handle() -> None:
    flow = Flow("model", settings=Settings(memory_minutes=1))
    model = object()

    @flow.node
    async def train(data: Any) -> Any:
        return model

    @flow.node
    async def score(train: Any) -> bool:
        return train is model

    with Simulation(3) as simulation:
        run = simulation.run(flow, data=model)
        assert simulation.result(run) == {"score": True}
        simulation.until(lambda: run._known is None)
        assert run["train"].output is model
        assert run["train"].transient
        assert run.input("data") is model


def test_a_failed_run_can_be_resumed_after_it_has_left() -> None:
    flow = Flow("fails", settings=Settings(memory_minutes=1))
    works: list[int] = []
    model = object()

    @flow.node
    async def train() -> Any:
        works.append(0)
        return model

    @flow.node
    async def use(train: Any) -> bool:
        works.append(1)
        if len(works) < 3:
            raise ValueError("not yet")
        return train is model

    with Simulation(4) as simulation:
        run = simulation.run(flow)
        with pytest.raises(RunFailed, match="not yet"):
            simulation.result(run)
        simulation.until(lambda: run._known is None)
        run.resume()
        assert simulation.result(run) == {"use": True}
        assert works == [0, 1, 1]


def test_a_run_whose_store_is_closed_says_so_and_its_repr_never_fails() -> None:
    with Simulation(5) as simulation:
        store = MemoryStore()
        run = _two(Settings(memory_minutes=1)).run(store=store, display=False, x=1)
        simulation.result(run)
        simulation.until(lambda: run._known is None)
        store.close()
        assert run.id in repr(run)
        with pytest.raises(StoreError, match="closed"):
            _ = run.status


_MANY: Final = """
import gc, sys
from pathlib import Path
from flownb import Flow, Settings
from flownb.store.sqlite import SqliteStore

count, place, keep = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "keep"
flow = Flow("small", settings=Settings(memory_minutes=0.002))

@flow.node
async def a(x): return {"text": "x" * 2_000, "x": x}
@flow.node
async def b(a): return [a["x"]] * 50
@flow.node
async def c(a, b): return len(b)

store = SqliteStore(place)
handles = []
def memory():
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])

def some(number):
    runs = [flow.run(store=store, display=False, x=x) for x in range(number)]
    assert all(run.result() == {"c": 50} for run in runs)
    handles.extend(runs if keep else ())
    del runs
    import time
    while any(run._known is not None for run in handles):
        time.sleep(0.02)

some(count // 5)  # what is made once
before = memory()
for _ in range(4):
    some(count // 5)
after = memory()
def left():
    gc.collect()
    kinds = [type(each).__name__ for each in gc.get_objects()]
    counts = {kind: kinds.count(kind) for kind in ("RunState", "Execution", "Values", "Attempt", "Run")}
    counts["Run"] -= len(handles)
    return {kind: count for kind, count in counts.items() if count > 2}  # a thread at rest may hold its last
import time
end = time.monotonic() + 30
while left() and time.monotonic() < end:  # the engine may be about to let go of the last
    time.sleep(0.05)
assert not left(), left()
print((after - before) * 1024 / (count * 4 // 5))
"""


def _bytes_a_run(count: int, place: Path, keep: str) -> float:
    command = [sys.executable, "-c", _MANY, str(count), str(place), keep]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux's /proc")
@pytest.mark.parametrize(("keep", "most"), [("drop", 4_000), ("keep", 8_000)])
def test_thousands_of_runs_in_one_process_leave_bounded_memory(keep: str, most: int, tmp_path: Path) -> None:
    """5,000 runs with 5 kB of values each; where somebody holds every handle, a handle is all that is left."""
    assert _bytes_a_run(5_000, tmp_path / "f.db", keep) < most


def test_the_store_holds_what_memory_does_not(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "f.db")
    run = _two(Settings(memory_minutes=0)).run(store=store, display=False, x=3)
    assert run.result(30) == {"double": [6]}
    again = run["load"].output
    assert again == {"x": 3}
    store.close()
