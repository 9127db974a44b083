"""A disk that is full at any write of a run: nothing is lost or runs twice, and it goes on when there is room."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.errors import StoreError, StoreFaulty, StoreFull
from flownb.model.events import NodeCompleted, NodeStarted
from flownb.run.engine import engine
from flownb.run.recovery import patience
from flownb.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.handles.handle import Run

NODES = 12
SECONDS = 20.0
PAGE = 4096


@contextlib.contextmanager
def files_at_most(size: int) -> Iterator[Callable[[], None]]:
    """No file of this process may grow beyond `size` bytes until the block ends, or what it gets is called."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield free
    finally:
        free()


def twelve(ran: list[str], gate: threading.Event | None = None) -> Flow:
    """Twelve nodes in a row, of every kind; the third one's value is an artifact if it is large."""
    flow = Flow("twelve")

    def first() -> int:
        ran.append("n0")
        if gate is not None:
            gate.wait(SECONDS)
        return 1

    async def step(before: int, ctx: object) -> int:
        ran.append(ctx.path)  # type: ignore[attr-defined]
        return before * 2

    def slow(before: int, ctx: object) -> int:
        ran.append(ctx.path)  # type: ignore[attr-defined]
        return before + 1

    flow.node(first, id="n0")
    for number in range(1, NODES):
        flow.node(slow if number % 2 else step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    return flow


RESULT = {"n11": 95}


def until(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


def check(store: SqliteStore, run: Run, ran: list[str]) -> None:
    records = run.events()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    completed = [record.event.node for record in records if isinstance(record.event, NodeCompleted)]
    assert sorted(completed) == sorted(f"n{number}" for number in range(NODES))
    started = [record.event.node for record in records if isinstance(record.event, NodeStarted)]
    assert sorted(ran) == sorted(started)  # a node whose start could not be written did not run
    assert store.check() == []


def log_size(path: Path) -> int:
    log = Path(f"{path}-wal")
    return log.stat().st_size if log.exists() else 0


def begun(flow: Flow, store: SqliteStore, gate: threading.Event, key: str | None = None) -> Run:
    """A run whose first node is at work."""
    gate.clear()
    run = flow.run(store=store, display=False, key=key)
    assert until(lambda: run["n0"].status == "running" and len(run.events()) > 1)
    return run


def whole_log(folder: Path) -> tuple[int, int]:
    """How long the log is when the first node is at work, and at the end of the run."""
    gate = threading.Event()
    store = SqliteStore(folder / "whole.db")
    run = begun(twelve([], gate), store, gate)
    first = log_size(store.path)
    gate.set()
    run.result(SECONDS)
    last = log_size(store.path)
    store.close()
    return first, last


def test_a_disk_that_is_full_at_any_write_holds_a_run_up_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, last = whole_log(tmp_path)
    full = 0
    for number, size in enumerate(range(first, last, PAGE)):
        gate, ran = threading.Event(), list[str]()
        store = SqliteStore(tmp_path / f"{number}.db")
        run = begun(twelve(ran, gate), store, gate)
        caplog.clear()
        with files_at_most(size) as free:
            gate.set()
            until(lambda run=run: engine().patience or run.resting)  # type: ignore[misc]
            held = bool(engine().patience)
            full += held
            seen = len(ran)
            time.sleep(0.01)
            assert len(ran) <= seen + 1  # nothing more starts; one may have been on its way
            free()
            assert run.result(SECONDS) == RESULT
        check(store, run, ran)
        store.close()
        assert not held or until(lambda: "can be written again; its runs go on" in caplog.text)
    assert full >= NODES - 1


def test_a_run_that_is_let_go_goes_on_where_its_journal_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "patience_seconds", lambda: 0.25)
    first, last = whole_log(tmp_path)
    for number, size in enumerate(range(first, last, (last - first) // 4)):
        gate, ran = threading.Event(), list[str]()
        store = SqliteStore(tmp_path / f"{number}.db")
        flow = twelve(ran, gate)
        run = begun(flow, store, gate, key="k")
        with files_at_most(size):
            gate.set()
            with pytest.raises(StoreFaulty, match=r"reports a fault .*nothing was written"):
                run.result(SECONDS)
            committed = {r.event.node for r in run.events() if isinstance(r.event, NodeCompleted)}
            assert {path for path in run.state.topology.paths if run[path].status == "completed"} == committed
        before = list(ran)
        assert until(lambda store=store, run=run: store.owner_of(run.id) is None)  # type: ignore[misc]
        again = flow.run(store=store, key="k", display=False)
        assert again.result(SECONDS) == RESULT
        assert not committed & set(ran[len(before) :])
        check(store, again, ran)
        store.close()


def test_a_value_that_finds_no_room_waits_for_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ran = []
    flow = Flow("large")

    @flow.node
    def large() -> bytes:
        ran.append("large")
        return b"x" * 2_000_000

    @flow.node
    def length(large: bytes) -> int:
        return len(large)

    store = SqliteStore(tmp_path / "flownb.db")
    with files_at_most(1_000_000) as free:
        run = flow.run(store=store, display=False)
        assert until(lambda: "waits with a value" in caplog.text)
        assert run["large"].status == "running"
        free()
        assert run.result(SECONDS) == {"length": 2_000_000}
    assert ran == ["large"]
    assert store.check() == []
    store.close()


def test_a_value_that_never_finds_room_lets_the_run_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "patience_seconds", lambda: 0.2)
    flow = Flow("large")

    @flow.node
    def small() -> int:
        return 1

    @flow.node
    async def large(small: int) -> bytes:
        return b"x" * 2_000_000 * small

    store = SqliteStore(tmp_path / "flownb.db")
    with files_at_most(1_000_000):
        run = flow.run(store=store, key="k", display=False)
        with pytest.raises(StoreFull, match="The disk of .* is full: nothing was kept of this value"):
            run.result(SECONDS)
    assert run["large"].status == "running"  # as its journal has it: it was in flight
    assert len(flow.run(store=store, key="k", display=False).result(SECONDS)["large"]) == 2_000_000
    assert store.check() == []
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path: Path) -> None:
    """Take all the room that is left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * PAGE)


def test_a_real_disk_that_fills_up_and_is_emptied_again(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    gate, ran = threading.Event(), list[str]()
    store = SqliteStore(small_disk / "flownb.db")
    run = begun(twelve(ran, gate), store, gate)
    filler = small_disk / "filler"
    fill(filler)
    gate.set()
    assert until(lambda: engine().patience)
    assert "is full: nothing was written, and nothing is lost. Free some space" in caplog.text
    with pytest.raises(StoreError, match="is full"):
        twelve([]).run(store=store, key="another", display=False)  # refused at once: it has not begun
    filler.unlink()
    assert run.result(SECONDS) == RESULT
    check(store, run, ran)
    assert [row.id for row in store.rows()] == [run.id]
    store.close()
