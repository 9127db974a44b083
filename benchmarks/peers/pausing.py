"""One peer in a process: many runs that ask a person in the middle, and go on with the answer.

    python -m benchmarks.peers.pausing with_langgraph FOLDER 1000

A module of a peer that can pause has `Pauses`: opened on a file, it starts so many runs of five nodes, each of which
comes to its question, and answers and resumes all of them; both return when all is done. Cold is a process that has
nothing but the file.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Measure one peer: pause, hold and resume; then pause here and resume elsewhere."""
    module, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    peer = importlib.import_module(f"benchmarks.peers.{module}")
    if len(sys.argv) > 4:
        pauses = peer.Pauses(folder / "cold.db")
        start = time.perf_counter()
        check(pauses.resume(count), count)
        _tell(seconds=time.perf_counter() - start)
        return
    many = f"{count:,} runs of 5 nodes"
    _tell(doing=f"{many}, each to its question")
    pauses = peer.Pauses(folder / "held.db")
    pauses.pause(min(count, 20), "warm")
    before = _resident()
    start = time.perf_counter()
    pauses.pause(count)
    _tell(what=f"{many}, each to its question", value=time.perf_counter() - start)
    _tell(what=f"held by {count:,} handles on paused runs", unit="B", value=float(max(0, _resident() - before)))
    _tell(doing=f"{many}, answered one by one and resumed where held")
    start = time.perf_counter()
    check(pauses.resume(count), count)
    _tell(what=f"{many}, answered one by one and resumed where held", value=time.perf_counter() - start)
    if not peer.Pauses.again:
        return
    _tell(doing=f"{many}, answered and resumed by a fresh process")
    again = peer.Pauses(folder / "cold.db")
    again.pause(count)
    again.close()
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.pausing", module, str(folder), str(count), "cold"],
        capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    _tell(
        what=f"{many}, answered and resumed by a fresh process",
        value=json.loads([line for line in found.stdout.splitlines() if line.startswith("{")][-1])["seconds"],
    )


def check(found: int, count: int) -> None:
    """Stop where not every run came to the right end."""
    if found != count:
        raise SystemExit(f"only {found} of {count} runs came to the right end")


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _tell(**news: Any) -> None:
    print(json.dumps(news), flush=True)


if __name__ == "__main__":
    main()
