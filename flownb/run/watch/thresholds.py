"""What takes long or much: nodes, runs and memory beyond the thresholds that a flow has set (`Settings.watch`)."""

from __future__ import annotations

import sys
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.model.state import RunState
    from flownb.run.attempt import Attempt
    from flownb.run.engine import Engine
    from flownb.run.executor import Execution

    #: The run, its node, a word for what it is, and what makes the sentence about it: only the first of each is told.
    Finding = tuple[Execution, str | None, str, Callable[[], str]]

_MEGABYTE: Final = 1024 * 1024
_SLOWEST: Final = 3


class Thresholds:
    """Looks at the runs of one engine, once a second; each finding comes once a second until nobody wants it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: When a run was seen first, and the memory of the process then.
        self._runs: weakref.WeakKeyDictionary[Execution, tuple[float, int]] = weakref.WeakKeyDictionary()
        #: The attempts in flight by run, path and number, and when they were seen first; none is kept alive by it.
        self._attempts: dict[tuple[str, str, int], float] = {}

    def look(self, now: float) -> Iterator[Finding]:
        """What is beyond its threshold."""
        memory = memory_used()
        attempts: dict[tuple[str, str, int], float] = {}
        # One by one, so that none is kept alive by the others: a run that has ended gives its memory back at once.
        for run in list(self._engine.executions):
            execution = self._engine.executions.get(run)
            if execution is None:
                continue
            watch = execution.definition.workflow.settings.watch
            began, at_first = self._runs.setdefault(execution, (now, memory))
            if watch.run_seconds and now - began > watch.run_seconds:
                yield execution, None, "long", partial(_long_run, execution.state, now - began, watch.run_seconds)
            if watch.memory_mb and memory - at_first > watch.memory_mb * _MEGABYTE:
                yield execution, None, "memory", partial(_memory, (memory - at_first) // _MEGABYTE, watch.memory_mb)
            for attempt in list(execution.alive.values()):
                name = (execution.run_id, attempt.path, attempt.number_of_try)
                seen = attempts[name] = self._attempts.get(name, now)
                if watch.node_seconds and now - seen > watch.node_seconds:
                    text = partial(_long_node, attempt, now - seen, watch.node_seconds)
                    yield execution, attempt.path, "long", text
        self._attempts = attempts


def _long_run(state: RunState, seconds: float, most: float) -> str:
    """The run, and where its time went."""
    taken = [
        (state.node_finished[number] - began, path)
        for number, path in enumerate(state.topology.paths)
        if (began := state.node_started[number]) and state.node_finished[number]
    ]
    slowest = ", ".join(f"{path} {took:.0f} s" for took, path in sorted(taken, reverse=True)[:_SLOWEST] if took >= 1)
    where = f" Most of it went to {slowest}." if slowest else ""
    return (
        f"The run has been at work for {seconds:.0f} s (settings.watch.run_seconds is {most:g}).{where} "
        "Nodes that wait for nothing of each other run side by side; cache=True spares one whose inputs are the same."
    )


def _long_node(attempt: Attempt, seconds: float, most: float) -> str:
    ends = "" if attempt.body.is_timed else " timeout= or heartbeat= ends one that hangs."
    return (
        f"{attempt.path} has run for {seconds:.0f} s (settings.watch.node_seconds is {most:g}). cache=True spares it "
        f"where its inputs are the same; ctx.progress() shows how far it is.{ends}"
    )


def _memory(megabytes: int, most: int) -> str:
    return (
        f"This process uses {megabytes:,} MB more than when the run began (settings.watch.memory_mb is {most}). A node "
        'with where="process" gives back what it needed when it ends; large results go to files, and a loop over parts '
        "needs one part at a time."
    )


def memory_used() -> int:
    """The memory of this process, in bytes; where the system doesn't tell, the most that it ever was."""
    import resource  # Windows has none

    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
