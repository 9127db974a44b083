"""The commands to a run at work, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import near_names
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.state import FAILED, PENDING, RUNNING, STATUSES, WAITING
from flownb.run.asks import heard, is_new
from flownb.run.ending import cancel
from flownb.run.loops import end_inside
from flownb.run.variables import set_by
from flownb.run.waiting.decisions import RERUN, settle_doubt, take
from flownb.run.waiting.halts import go_on, set_breakpoint
from flownb.run.waiting.judging import SKIP
from flownb.run.waiting.signals import receive, take_up
from flownb.run.watch.leftovers import watch

if TYPE_CHECKING:
    from flownb.run.executor import Execution


def obey(execution: Execution, command: cmd.Command) -> None:  # noqa: C901, PLR0912  one case a command
    """Carry out a command; one that makes no sense now changes nothing."""
    if execution.over or not is_new(execution.state, command):
        return
    if command.ask:
        execution.record(heard(command, execution.engine.now()))
    match command:
        case cmd.Pause():
            execution.pausing = True
            if execution.children is not None:
                execution.children.pause()
        case cmd.Resume():
            _take_back(execution)
            if execution.halts is not None:
                go_on(execution)
        case cmd.Step():
            _take_back(execution)
            go_on(execution, steps=1)
        case cmd.SetBreakpoint(node=path):
            set_breakpoint(execution, path, on=True)
        case cmd.ClearBreakpoint(node=path):
            set_breakpoint(execution, path, on=False)
        case cmd.Cancel(by=by):
            cancel(execution, by)
        case cmd.RetryNode(node=path):
            _retry(execution, path, command.by)
        case cmd.SkipNode(node=path):
            _skip(execution, path, command.by)
        case cmd.SetVariable():
            execution.record(set_by(command, execution.engine.now()))
        case cmd.Signal():
            receive(execution, command)
        case cmd.Decide():
            take(execution)
        case cmd.Pin():
            _pin(execution, command)
    execution.engine.mark(execution)


def _take_back(execution: Execution) -> None:
    """Take a pause back that waits for nodes in flight."""
    execution.pausing = False
    if execution.stopping is None:
        take_up(execution)
        execution.timers.go_on()
        if execution.children is not None:
            execution.children.take_up()


def _pin(execution: Execution, command: cmd.Pin) -> None:
    state = execution.state
    number = state.topology.index.get(command.node)
    if number is not None and state.node_status[number] == PENDING:
        now = execution.engine.now()
        execution.record(ev.NodeCompleted(at=now, node=command.node, output=command.value, source="pinned"))


def _retry(execution: Execution, path: str, by: str) -> None:
    state = execution.state
    if settle_doubt(execution.store, state, path, RERUN, at=execution.engine.now(), claim=by):
        take(execution)
        return
    number = state.topology.index.get(path)
    if number is not None and number in state.retries and number in execution.timers and execution.stopping is None:
        execution.timers.drop(number)  # it would have come back by itself
        execution.attempt(number, state.attempts[number] + 1)
        return
    if number is None or state.node_status[number] not in (FAILED, WAITING) or execution.stopping is not None:
        _say_that_it_changed_nothing(execution, path, "retry")
        return
    execution.timers.drop(number)
    back = [number] if state.node_status[number] == WAITING else state.reset_numbers()
    paths = tuple(state.topology.paths[each] for each in back)
    execution.record(ev.RunResumed(at=execution.engine.now(), reset=paths, cause="retry"))


def _say_that_it_changed_nothing(execution: Execution, path: str, asked: str) -> None:
    state = execution.state
    number = state.topology.index.get(path)
    if number is None:
        why = f"the run has no such node.{near_names(path, state.topology.paths)}"
    elif execution.stopping is not None:
        why = "the run is about to end."
    else:
        status = STATUSES[state.node_status[number]]
        reason = f" ({state.reasons[number].message})" if number in state.reasons else ""
        why = f"it is {status}{reason}."
    message = f"The {asked} of {path} changed nothing: {why}"
    node = None if number is None else path
    execution.record(ev.SystemWarning(at=execution.engine.now(), message=message, node=node))


def _skip(execution: Execution, path: str, by: str) -> None:
    state = execution.state
    number = state.topology.index.get(path)
    if number is None or state.node_status[number] not in (PENDING, WAITING, RUNNING) or execution.stopping is not None:
        _say_that_it_changed_nothing(execution, path, "skip")
        return
    if settle_doubt(execution.store, state, path, SKIP, at=execution.engine.now(), claim=by):
        take(execution)
        return
    execution.timers.drop(number)
    attempt = execution.alive.pop(number, None)
    if execution.claims is not None:
        execution.claims.drop(number)
        execution.claims.give_back(number)
    if attempt is not None:
        attempt.flush(last=True)
        attempt.stop()
        watch(attempt)
    if number in state.blocks:
        end_inside(execution, number, f"its loop ended: {path} was skipped")
    reason = ev.Reason(group="command", message=f"skipped by {by or 'a command'}")
    execution.record(ev.NodeSkipped(at=execution.engine.now(), node=path, reason=reason))
