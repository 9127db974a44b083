"""What is to be seen of a simulation in which nothing goes on."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.run.executor import Execution
    from flownb.testing.simulation import Simulation, Worker

_MOST_EVENTS = 15


class Stuck(AssertionError):
    """A run neither ends nor pauses, and nothing that could make it do so is left; the message shows everything."""


def picture(simulation: Simulation) -> str:
    """The workers with their runs, tasks and timers, and the ends of the journals."""
    lines = [f"at {simulation.clock.monotonic():.3f} s, after {simulation.steps} steps"]
    for worker in simulation.workers:
        lines += _of_worker(worker)
    beneath = simulation.store.beneath
    for row in beneath.rows():
        lines.append(f"run {row.id}: {row.status} {row.pause_reason or ''} of {row.owner}, fence {row.fence}")
        lines += [f"    {each.seq} {each.event!r:.200}" for each in beneath.events(row.id)[-_MOST_EVENTS:]]
    lines.append(f"orphans: {', '.join(beneath.orphans()) or 'none'}")
    return "\n".join(lines)


def _of_worker(worker: Worker) -> Iterator[str]:
    yield f"{worker!r}, next timer {worker.loop.next_timer}"
    for execution in worker.engine.executions.values():
        yield f"    {_of_execution(execution)}"
    for task in asyncio.all_tasks(worker.loop):
        text = io.StringIO()
        task.print_stack(file=text)
        yield f"    {text.getvalue()}"


def _of_execution(execution: Execution) -> str:
    state = execution.state
    nodes = ", ".join(f"{path}={state.status_of(path)}" for path in state.topology.paths)
    ready = [state.topology.paths[number] for number in state.ready]
    alive = [attempt.path for attempt in execution.alive.values()]
    return (
        f"{execution.run_id}: {state.status}, pausing={execution.pausing}, stopping={execution.stopping!r:.80}, "
        f"ready={ready}, in flight={alive}, timers={len(execution.timers)}, uncommitted={len(execution.out)}; {nodes}"
    )
