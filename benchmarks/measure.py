"""Turns, medians, and the rows that they come to."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    group: str
    what: str
    #: Whose figure it is.
    who: str = "flownb"
    #: `s`, `B`, or empty for a count.
    unit: str = "s"
    value: float | None = None
    #: What it is compared with, in the same run.
    beside: str = ""
    baseline: float | None = None
    #: What we want it to be at most: the ratio, or the value itself where `aim_of` says so.
    aim: float | None = None
    aim_of: str = "ratio"
    #: Why there is no figure, or what to know about it.
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value over what it is compared with."""
        return self.value / self.baseline if self.value is not None and self.baseline else None

    @property
    def held(self) -> bool | None:
        """Whether it is what we want; None where there is nothing to hold."""
        found = self.ratio if self.aim_of == "ratio" else self.value
        return found <= self.aim if found is not None and self.aim is not None else None

    def plain(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {**asdict(self), "ratio": self.ratio, "held": self.held}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    name: str
    #: Nodes of a graph.
    counts: tuple[int, ...]
    #: Of a notebook or a process, and of the largest graph.
    rounds: int
    #: Runs at once.
    runs: int
    #: Seconds for each peer.
    patience: float

    def rounds_of(self, count: int) -> int:
        """Small graphs are measured more often, because a moment of the machine is more of them."""
        if self.name == SMOKE.name:
            return 1
        return max(self.rounds, 15 if count <= 1_000 else 5 if count <= 10_000 else 1)


SMOKE = Size("smoke", (10,), 1, 3, 20.0)
QUICK = Size("quick", (100, 1_000), 2, 1_000, 60.0)
USUAL = Size("usual", (100, 1_000, 10_000), 5, 1_000, 180.0)
FULL = Size("full", (100, 1_000, 10_000, 100_000), 7, 1_000, 900.0)


class Turns(NamedTuple):
    """The medians of two that took turns."""

    ours: float
    theirs: float
    #: How much more of the processor ours took: a busy machine distorts it less than the clock.
    busy: float | None = None

    @property
    def note(self) -> str:
        """The ratio of processor time, for the table."""
        return f"processor {self.busy:.2f}" if self.busy is not None else ""


def turns(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> Turns:
    """The median seconds of both, which take turns, and the ratio of what they took of the processor."""
    taken: tuple[list[float], list[float]] = ([], [])
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, times, busy in zip((ours, theirs), taken, spent, strict=True):
            start, before = time.perf_counter(), time.process_time()
            work()
            times.append(time.perf_counter() - start)
            busy.append(time.process_time() - before)
    alone = statistics.median(spent[1])
    ratio = statistics.median(spent[0]) / alone if alone else None
    return Turns(statistics.median(taken[0]), statistics.median(taken[1]), ratio)


def check(found: object, expected: object) -> None:
    """Stop where a result is not the right answer: its figure would mean nothing."""
    if found != expected:
        raise SystemExit(f"A wrong result: {found!r:.300}, expected {expected!r:.300}")


@contextmanager
def scratch(*, on_disk: bool = False) -> Iterator[Path]:
    """A folder that goes; in memory where there is such a place, so that an fsync costs nothing, or on the disk."""
    shared = Path("/dev/shm")
    place = None if on_disk or not os.access(shared, os.W_OK) else shared
    with tempfile.TemporaryDirectory(dir=place, prefix="flownb-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
