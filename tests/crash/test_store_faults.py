"""A store that is locked, unreadable, full, killed or stopped in the middle says one sentence and loses nothing."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flownb.errors import FlownbError, StoreCorrupt, StoreError, StoreLocked
from flownb.model import events as ev
from flownb.store.contract import Lease, NewRun, Write
from flownb.store.lease import Liveness
from flownb.store.owner import current_owner
from flownb.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.store.contract import Owner

WRITER = Path(__file__).with_name("writer.py")
KILLS = 12
STOPS = 5
LEASE_SECONDS = 0.3
_HOLD = """
import apsw, sys
connection = apsw.Connection(sys.argv[1])
connection.execute(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flownb.db"


@pytest.fixture
def me() -> Owner:
    return current_owner()


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A child that has a pipe at both ends, and is dead at the end."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, *command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def tell(child: subprocess.Popen[str], word: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{word}\n")
    child.stdin.flush()


def begin(store: SqliteStore, owner: Owner, count: int = 0) -> Lease:
    _, lease = store.create_run(NewRun(id="r1", workflow="w", created_at=1.0), owner)
    assert lease is not None
    store.commit([Write("r1", lease.fence, 1, (ev.RunStarted(at=1.0, workflow="w"), *nodes(2, count)))])
    return lease


def nodes(first: int, count: int) -> tuple[ev.Event, ...]:
    return tuple(ev.NodeCompleted(at=1.0, node=f"n{first + each}", output="x" * 500) for each in range(count))


def one_sentence(error: FlownbError) -> bool:
    """Whether a person can read it: no line breaks, no code, and it says where."""
    return "\n" not in error.message and "Traceback" not in error.message and "flownb.db" in error.message


# --- locked -----------------------------------------------------------------------------------------------------------


def test_a_lock_is_waited_for_and_its_holder_named(path: Path, me: Owner) -> None:
    store = SqliteStore(path, busy_seconds=0.2)
    lease = begin(store, me)
    with process("-c", _HOLD, str(path), "BEGIN IMMEDIATE") as holder:
        assert line(holder) == "ready"
        with pytest.raises(StoreLocked) as caught:
            store.commit([Write("r1", lease.fence, 2, nodes(2, 1))])
        assert one_sentence(caught.value)
        if sys.platform == "linux":
            assert f"process {holder.pid} (python" in caught.value.message
        assert len(store.events("r1")) == 1  # who reads is not held up
        tell(holder, "let go")
        assert line(holder) == "done"
    store.commit([Write("r1", lease.fence, 2, nodes(2, 1))])
    assert len(store.events("r1")) == 2
    store.close()


def test_a_short_lock_is_only_waited_for(path: Path, me: Owner) -> None:
    store = SqliteStore(path)
    lease = begin(store, me)
    with process("-c", _HOLD, str(path), "BEGIN IMMEDIATE") as holder:
        assert line(holder) == "ready"
        writing = threading.Thread(target=store.commit, args=([Write("r1", lease.fence, 2, nodes(2, 1))],))
        writing.start()
        tell(holder, "let go")
        writing.join(20)
    assert len(store.events("r1")) == 2
    store.close()


def test_a_file_that_cannot_be_made_ready_is_said(path: Path) -> None:
    with process("-c", _HOLD, str(path), "BEGIN EXCLUSIVE; CREATE TABLE t (a)") as holder:
        assert line(holder) == "ready"
        with pytest.raises(StoreLocked) as caught:
            SqliteStore(path, busy_seconds=0.2)
        assert one_sentence(caught.value)


# --- damaged ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"{}", b"\x89PNG" * 400, bytes(5000), b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 8000],
)
def test_what_is_no_store_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt) as caught:
        SqliteStore(path)
    assert one_sentence(caught.value)
    assert "aside" in caught.value.message or "another path" in caught.value.message
    assert path.read_bytes() == content


@pytest.mark.parametrize("left", [60, 512, 4096, 20_000, 0.5, 0.99])
def test_a_truncated_store_is_refused(path: Path, me: Owner, left: float) -> None:
    store = SqliteStore(path)
    begin(store, me, count=400)
    store.close()
    whole = path.stat().st_size
    os.truncate(path, int(left if left > 1 else whole * left))
    with pytest.raises(StoreCorrupt) as caught:
        SqliteStore(path)
    assert one_sentence(caught.value)


def test_a_damaged_page_is_said_by_whoever_reads_it_and_by_the_doctor(path: Path, me: Owner) -> None:
    store = SqliteStore(path)
    begin(store, me, count=400)
    store.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 12_288] = random.Random(7).randbytes(12_288)
    path.write_bytes(content)
    store = SqliteStore(path)
    with pytest.raises(StoreCorrupt) as caught:
        store.events("r1")
    assert one_sentence(caught.value)
    assert store.check() != []
    assert store.row("r1") is not None
    store.close()


# --- no room ----------------------------------------------------------------------------------------------------------


def test_a_full_disk_undoes_the_commit_and_nothing_else(path: Path, me: Owner) -> None:
    store = SqliteStore(path)
    lease = begin(store, me)
    writer = store._db._writer
    assert writer is not None
    writer.pragma("max_page_count", writer.pragma("page_count") + 3)
    acknowledged = [1]

    def fill() -> None:
        while True:
            last = acknowledged[-1]
            store.commit([Write("r1", lease.fence, last + 1, nodes(last + 1, 5))])
            acknowledged.append(last + 5)

    with pytest.raises(StoreError, match="full") as caught:
        fill()
    assert one_sentence(caught.value)
    last = acknowledged[-1]
    assert len(store.events("r1")) == last > 1
    with pytest.raises(StoreError, match="full"):
        store.commit([Write("r1", lease.fence, last + 1, nodes(last + 1, 50))])
    assert store.check() == []
    writer.pragma("max_page_count", 1_000_000)
    store.commit([Write("r1", lease.fence, last + 1, nodes(last + 1, 50))])
    assert len(store.events("r1")) == last + 50
    store.close()


@pytest.mark.parametrize("limit", [150_000, 400_000])
def test_a_file_that_may_not_grow_is_said_and_nothing_acknowledged_is_lost(path: Path, limit: int) -> None:
    SqliteStore(path).close()
    with process(str(WRITER), "no-room", str(path), str(limit)) as child:
        acknowledged, message = 0, ""
        while not message:
            word = line(child)
            acknowledged, message = (int(word), "") if word.isdigit() else (acknowledged, word)
        assert "flownb.db" in message
        assert "disk" in message
        assert acknowledged > 20
        child.kill()
        child.wait()
    store = SqliteStore(path)
    assert len(store.events("r1")) == acknowledged
    assert store.check() == []
    store.close()


# --- killed, and stopped ----------------------------------------------------------------------------------------------


def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(KILLS):
        with process(str(WRITER), "write", str(path)) as child:
            assert int(line(child)) > acknowledged
            timer = threading.Timer(chance.uniform(0.0, 0.08), child.kill)
            timer.start()
            numbers = re.findall(r"(\d+)\n", child.communicate()[0])
            timer.join()
            assert child.returncode == -signal.SIGKILL
        store = SqliteStore(path)
        events = store.events("r1")
        acknowledged = int(numbers[-1]) if numbers else acknowledged
        # All of a commit or nothing of it; the last may be there without having been acknowledged.
        assert len(events) in range(acknowledged, acknowledged + 4)
        assert len(events) % 3 == 0
        assert [each.seq for each in events] == list(range(1, len(events) + 1))
        assert store.check() == []
        acknowledged = len(events)
        store.close()


def test_a_stopped_owner_that_comes_back_changes_nothing(path: Path) -> None:
    chance = random.Random(7)
    taken = 0
    for _ in range(STOPS * 3):
        if taken == STOPS:
            break
        taken += _stop_and_take(path, chance)
        path.unlink()
    assert taken == STOPS


def _stop_and_take(path: Path, chance: random.Random) -> bool:
    """Stop a writer, let its lease lapse, take its run, and let it go on; False where it was stopped holding a lock."""
    store = SqliteStore(path, liveness=Liveness(lease_seconds=LEASE_SECONDS), busy_seconds=0.5)
    me = current_owner()
    with process(str(WRITER), "stale", str(path), "0", str(LEASE_SECONDS)) as child:
        line(child)
        waiting = threading.Event()
        waiting.wait(chance.uniform(0.0, 0.03))
        os.kill(child.pid, signal.SIGSTOP)
        try:
            while (lease := store.claim("r1", me)) is None:
                waiting.wait(0.02)
        except StoreLocked:
            os.kill(child.pid, signal.SIGCONT)
            child.kill()
            store.close()
            return False
        row = store.row("r1")
        assert row is not None
        mine = (ev.SystemInfo(at=2.0, message="mine"),) if chance.random() < 0.5 else ()
        store.commit([Write("r1", lease.fence, row.seq + 1, mine)])
        os.kill(child.pid, signal.SIGCONT)
        words = [line(child)]
        while words[-1].isdigit() and len(words) < 200:
            words.append(line(child))
    assert words[-1] == "fenced"
    acknowledged = max((int(word) for word in words[:-1]), default=0)
    events = store.events("r1")
    assert acknowledged <= row.seq
    assert tuple(each.event for each in events[row.seq :]) == mine
    assert store.check() == []
    store.close()
    return True
