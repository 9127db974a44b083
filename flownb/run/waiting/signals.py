"""Signals: named values that somebody hands to a run, for the nodes that wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.model.state import WAITING
from flownb.model.status import PauseReason

if TYPE_CHECKING:
    from flownb.model import commands as cmd
    from flownb.run.executor import Execution


def receive(execution: Execution, signal: cmd.Signal) -> None:
    """Record a signal, and let the nodes go on that wait for it; without one it is kept for the next that asks."""
    state = execution.state
    waiting = [
        number
        for number, wait in state.waits.items()
        if wait.waits_for == PauseReason.EVENT and wait.request == signal.name and number not in state.delivered
    ]
    paths = tuple(state.topology.paths[number] for number in waiting)
    now = execution.engine.now()
    execution.record(ev.SignalReceived(at=now, name=signal.name, value=signal.value, by=signal.by, nodes=paths))
    for number in waiting:
        _go_on(execution, number)


def look_for(execution: Execution, number: int) -> None:
    """A node has begun to wait: a signal that came before it is there at once."""
    state = execution.state
    wait = state.waits[number]
    if wait.waits_for == PauseReason.EVENT and wait.request in state.signals:
        path = state.topology.paths[number]
        execution.record(ev.SignalDelivered(at=execution.engine.now(), node=path, name=wait.request))
        _go_on(execution, number)


def take_up(execution: Execution) -> None:
    """The run goes on after a pause: who got a signal and had no time to start does so now."""
    state = execution.state
    for number in list(state.delivered):
        if state.node_status[number] == WAITING:
            _go_on(execution, number)


def _go_on(execution: Execution, number: int) -> None:
    if execution.stopping is None and not execution.pausing:
        execution.timers.drop(number)
        execution.attempt(number, execution.state.attempts[number])
