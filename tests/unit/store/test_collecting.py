"""Housekeeping beside writers: nothing goes that anybody is about to name."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from flownb import Flow
from flownb.model.workflow import Settings
from flownb.run.recovery.retention import delete_expired, expired
from flownb.store.artifacts.files import FileArtifacts
from flownb.store.memory import MemoryStore
from flownb.store.sqlite import SqliteStore

_HOUR: Final = 3600.0


def _aged(artifacts: FileArtifacts, digest: str, seconds: float = 2 * _HOUR) -> Path:
    path = artifacts.path(digest)
    assert path is not None
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_is_old_goes_and_what_is_young_stays(tmp_path: Path) -> None:
    artifacts = FileArtifacts(tmp_path)
    old, young = artifacts.put(b"old" * 100, ".bin"), artifacts.put(b"young", ".bin")
    _aged(artifacts, old)
    limit = time.time() - _HOUR
    assert artifacts.delete_if_older(old, limit) == 300
    assert artifacts.delete_if_older(young, limit) == 0
    assert artifacts.delete_if_older(old, limit) == 0
    assert list(artifacts.digests()) == [young]
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_what_is_put_again_while_it_is_deleted_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = FileArtifacts(tmp_path)
    digest = artifacts.put(b"data", ".bin")
    path = _aged(artifacts, digest)
    move = Path.replace

    def touch_first(self: Path, target: Path) -> Any:
        if self == path:
            os.utime(path)  # as a writer does who finds it there
        return move(self, target)

    monkeypatch.setattr(Path, "replace", touch_first)
    assert artifacts.delete_if_older(digest, time.time() - _HOUR) == 0
    with artifacts.open(digest) as file:
        assert file.read() == b"data"


_WRITER: Final = """
import os, sys, time
from pathlib import Path
from flownb.store.artifacts.files import FileArtifacts
artifacts = FileArtifacts(Path(sys.argv[1]))
for number in range(400):
    data = bytes([number % 5]) * 1000
    digest = artifacts.put(data, ".bin")
    for _ in range(3):  # from here on an event may name it
        with artifacts.open(digest) as file:
            assert file.read() == data
    path = artifacts.path(digest)
    if path is not None:
        os.utime(path, (1, 1))  # a day later
"""


def test_a_writer_never_loses_what_it_has_put_to_a_collector_beside_it(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    artifacts = FileArtifacts(tmp_path)
    digests = [hashlib.sha256(bytes([number]) * 1000).hexdigest() for number in range(5)]
    deleted = 0
    while writer.poll() is None:
        deleted += sum(artifacts.delete_if_older(digest, time.time() - _HOUR) > 0 for digest in digests)
    assert writer.stderr is not None
    assert writer.returncode == 0, writer.stderr.read()
    writer.stderr.close()
    assert deleted > 0


def test_what_a_node_in_flight_has_put_hours_ago_stays_until_it_has_ended(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "f.db")
    flow = Flow("long")
    seen: dict[str, Any] = {}

    @flow.node
    def work() -> str:
        seen["digest"] = store.artifacts.put(b"x" * 1000, ".bin")
        artifacts = store.artifacts
        assert isinstance(artifacts, FileArtifacts)
        _aged(artifacts, seen["digest"], -10)  # put after the node began
        later = SqliteStore(tmp_path / "f.db")
        wall = later._liveness.clock.wall
        later._liveness.clock = _Shifted(wall, 2 * _HOUR)
        seen["size"] = later.collect()[1]
        seen["there"] = seen["digest"] in set(artifacts.digests())
        later.close()
        return "done"

    run = flow.run(store=store, display=False)
    assert run.result(30) == {"work": "done"}
    assert (seen["there"], seen["size"]) == (True, 0)
    store.close()


class _Shifted:
    def __init__(self, wall: Any, seconds: float) -> None:
        self._wall, self._seconds = wall, seconds

    def wall(self) -> float:
        return float(self._wall()) + self._seconds

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_a_dry_run_counts_and_deletes_nothing(kind: str, tmp_path: Path) -> None:
    store: Any = SqliteStore(tmp_path / "f.db") if kind == "sqlite" else MemoryStore()
    flow = Flow("small")

    @flow.node
    def work() -> bytes:
        return bytes(100_000)

    run = flow.run(store=store, display=False)
    run.result(30)
    store._liveness.clock = _Shifted(time.time, 2 * _HOUR)
    runs, size = store.collect(older=_HOUR, dry_run=True)
    assert runs == 1
    assert size >= 100_000
    assert store.row(run.id) is not None
    assert store.collect(older=_HOUR)[0] == 1
    assert store.row(run.id) is None
    assert list(store.artifacts.digests()) == []
    store.close()


def _runs_of(store: Any, name: str, count: int, settings: Settings) -> list[str]:
    flow = Flow(name, settings=settings)

    @flow.node
    def work() -> int:
        return 1

    ids = []
    for _ in range(count):
        run = flow.run(store=store, display=False)
        run.result(30)
        ids.append(run.id)
    return ids


def test_a_workflow_keeps_its_newest_runs_and_others_keep_theirs() -> None:
    store = MemoryStore()
    few = _runs_of(store, "few", 5, Settings(keep_runs=2))
    _runs_of(store, "all", 3, Settings())
    now = time.time()
    assert {row.id for row in expired(store, now)} == set(few[:3])
    assert delete_expired(store, now) == 3
    assert expired(store, now) == []
    assert len(list(store.rows())) == 5


def test_a_workflow_keeps_its_runs_for_its_days() -> None:
    store = MemoryStore()
    ids = _runs_of(store, "days", 2, Settings(keep_days=30))
    now = time.time()
    assert expired(store, now + 29 * 86_400) == []
    assert {row.id for row in expired(store, now + 31 * 86_400)} == set(ids)
