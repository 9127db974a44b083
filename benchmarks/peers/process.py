"""One peer in a process: measures what it can do, a line of JSON each; `{"doing": …}` says what comes next.

    python -m benchmarks.peers.process with_burr FOLDER [100,1000]

A module of a peer has `CASES`: a tuple of `Case`. A case prepares a graph of so many nodes, and gives what runs it
once and returns the value to be checked.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import graphs, plain
from benchmarks.measure import turns

if TYPE_CHECKING:
    from benchmarks.peers.case import Case

#: Seconds that the next size may be expected to take for a single run.
_MOST = 60.0
_SHAPES = {"chain": graphs.chain, "fan-out": graphs.fan, "layered DAG": graphs.layered}
_numbers = itertools.count()


def main() -> None:
    """Measure one peer."""
    module, folder, counts = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    for case in importlib.import_module(f"benchmarks.peers.{module}").CASES:
        if case.never:
            _tell(what=f"{case.shape}{_how(case)}", note=case.never)
            continue
        taken = 0.0
        for count in counts:
            what = f"{_SHAPES[case.shape](count)}{_how(case)}, a node"
            _tell(doing=what)
            if taken * 10 > _MOST:
                _tell(what=what, note=f"not tried: the size before took {taken:,.1f} s a run")
                break
            try:
                found, taken = _measure(case, count, folder)
            except Exception as error:  # noqa: BLE001  what a peer can't do is a line of the table
                _tell(what=what, note=f"can't: {type(error).__name__}: {str(error)[:90]}".replace("\n", " "))
                break
            _tell(what=what, **found)


def _how(case: Case) -> str:
    return ", durable" if case.durable else ", in memory"


def _tell(**news: Any) -> None:
    print(json.dumps(news), flush=True)


def _measure(case: Case, count: int, folder: Path) -> tuple[dict[str, Any], float]:
    graph = _SHAPES[case.shape](count)
    values = plain.run(graph)
    expected = case.answer(graph, values)
    once = case.prepare(count, folder / f"{case.shape}{next(_numbers)}.db")

    def theirs() -> None:
        found = once()
        if found != expected:
            raise ValueError(f"a wrong result: {found!r:.60}, expected {expected!r:.60}")

    start = time.perf_counter()
    theirs()
    taken = time.perf_counter() - start
    rounds = 1 if taken > 2 else 3
    if not case.durable:
        found = turns(theirs, lambda: plain.run(graph), rounds)
        beside = "plain asyncio"
    else:
        with plain.journal(folder / f"raw{next(_numbers)}.db") as journal:
            found = turns(theirs, lambda: plain.run(graph, journal), rounds)
        beside = "raw SQLite, FULL"
    row = {"value": found.ours / count, "beside": beside, "baseline": found.theirs / count, "note": found.note}
    return row, taken


if __name__ == "__main__":
    main()
