"""What a large output costs, measured in processes of their own; `make soak` prints the figures of a gigabyte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured by Linux's /proc"
)

_MEASURE: Final = """
import sys
from pathlib import Path
import numpy as np, pandas as pd, pyarrow, pyarrow.parquet
from flownb import Flow
from flownb.store.sqlite import SqliteStore

def memory(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024

kind, size, where = sys.argv[1], int(sys.argv[2]) * 2**20, sys.argv[3]
MAKE = {
    "bytes": lambda: bytes(size),
    "text": lambda: "a" * size,
    "array": lambda: np.ones(size // 8),
    "frame": lambda: pd.DataFrame({"a": np.ones(size // 16), "b": np.arange(size // 16)}),
    "records": lambda: [{"id": number, "name": f"item {number}"} for number in range(size // 256)],
}
flow = Flow("large")
taken = []

@flow.node
def make():
    value = MAKE[kind]()
    taken.append(memory("VmRSS"))
    Path("/proc/self/clear_refs").write_text("5")
    return value

store = SqliteStore(Path(where))
run = flow.run(store=store, display=False)
while not run.resting:
    import time
    time.sleep(0.05)
assert run.status == "completed", run
print(memory("VmHWM") - taken[0])
"""


def _measured(program: str, *args: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", program, *args], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


def _additional(kind: str, megabytes: int, place: Path) -> float:
    """The megabytes that the process took at most, beside what the value itself takes."""
    return _measured(_MEASURE, kind, str(megabytes), str(place))


def _largest_blob(place: Path) -> int:
    import apsw

    connection = apsw.Connection(str(place))
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        largest = 0
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for column in columns:
                query = f'SELECT coalesce(max(length(CAST("{column}" AS BLOB))), 0) FROM {table}'
                largest = max(largest, int(str(connection.execute(query).fetchall()[0][0])))
        return largest
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["bytes", "text", "array", "frame", "records"])
def test_storing_a_large_output_takes_little_memory_beside_it(kind: str, tmp_path: Path) -> None:
    assert _additional(kind, 48, tmp_path / "f.db") < 70
    assert _largest_blob(tmp_path / "f.db") < 1_000_000


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["bytes", "text", "array", "frame", "records"])
def test_storing_a_gigabyte_takes_at_most_100_megabytes_beside_it(kind: str, tmp_path: Path) -> None:
    taken = _additional(kind, 1024, tmp_path / "f.db")
    print(f"1 GB of {kind}: {taken:.0f} MB beside it")
    assert taken <= 100
    assert _largest_blob(tmp_path / "f.db") < 1_000_000


@pytest.mark.soak
def test_a_text_of_two_gigabytes_is_stored_and_comes_back(tmp_path: Path) -> None:
    """As much as a 32-bit length could not hold; `é` makes its stored form longer than its letters."""
    beside = _measured(_TEXT, "2048", str(tmp_path / "f.db"))
    print(f"2 GB of text: {beside:.0f} MB beside it")
    assert beside <= 100
    assert _largest_blob(tmp_path / "f.db") < 1_000_000


_TEXT: Final = """
import sys
from pathlib import Path
from flownb import Flow
from flownb.store.sqlite import SqliteStore

def memory(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024

size, where = int(sys.argv[1]) * 2**20, sys.argv[2]
flow = Flow("text")
taken = []

@flow.node
def make():
    text = "a" * size + "\\u00e9"
    taken.append(memory("VmRSS"))
    Path("/proc/self/clear_refs").write_text("5")
    return text

@flow.node
def length(make):
    return [len(make), make[0], make[-1] == "\\u00e9"]

run = flow.run(store=SqliteStore(Path(where)), display=False, until="make")
run.result()
most = memory("VmHWM") - taken[0]
again = flow.run(store=SqliteStore(Path(where)), display=False)
assert again.result() == {"length": [size + 1, "a", True]}, again
print(most)
"""

_CHAIN: Final = """
import sys
from pathlib import Path
import numpy as np
from flownb import Flow
from flownb.store.sqlite import SqliteStore

def memory(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024

count, size = int(sys.argv[1]), int(sys.argv[2]) * 2**20
flow = Flow("chain")
before = memory("VmRSS")
exec("def n0():\\n    return np.ones(size // 8)")
flow.node(n0)
for number in range(1, count):
    exec(f"def n{number}(n{number - 1}):\\n    return n{number - 1} + 1")
    flow.node(globals()[f"n{number}"])
run = flow.run(store=SqliteStore(Path(sys.argv[3])), display=False)
last = run.result()[f"n{count - 1}"]
assert last[0] == count, last
print(memory("VmHWM") - before)
"""


def test_a_chain_of_large_values_holds_few_of_them_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_LIVE_MB", "64")
    assert _measured(_CHAIN, "10", "32", str(tmp_path / "f.db")) < 32 * 6


@pytest.mark.soak
def test_a_chain_of_ten_times_300_megabytes_holds_few_of_them_at_once(tmp_path: Path) -> None:
    taken = _measured(_CHAIN, "10", "300", str(tmp_path / "f.db"))
    print(f"10 x 300 MB in a chain: {taken:.0f} MB at most")
    assert taken < 300 * 5
