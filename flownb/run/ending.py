"""How a run at work comes to its end or its pause: by itself, by a failure, by a command, or with its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb import faults
from flownb.errors import NodeTimeout
from flownb.model import events as ev
from flownb.model.status import ErrorClass, PauseReason, RunStatus
from flownb.run import plan as planning
from flownb.run.calls import with_call
from flownb.run.remedies import continue_end, end_of, leave_aside, prepare_end
from flownb.run.waiting import people
from flownb.run.watch import leftovers
from flownb.run.watch.leftovers import CANCEL_SECONDS

if TYPE_CHECKING:
    from flownb.graph.nodetype import Ending
    from flownb.run.executor import Execution


def conclude(execution: Execution) -> None:
    """Nothing is in flight and nothing can start: the run ends, pauses, or goes on waiting for a near timer."""
    now, state = execution.engine.now(), execution.state
    if execution.engine.watchdog.found:
        execution.engine.watchdog.tell()
    if execution.stopping is not None:
        _end_stopped(execution, execution.stopping, now)
        return
    if execution.pausing and state.left:
        _finish(execution, ev.RunPaused(at=now, reason=PauseReason.MANUAL))
        return
    if execution.halts is not None and (halt := execution.halts.event(now)) is not None:
        _finish(execution, halt)
        return
    if state.topology.remedies is not None and not state.waits and _remedied(execution):
        return
    if state.left and not state.waits:
        stuck = ", ".join(state.topology.paths[number] for number in planning.unfinished(state)[:10])
        failure = ev.Failure(type="InternalError", message=f"Nothing can go on, and nothing waits: {stuck}.")
        end = ev.RunFailedEvent(at=now, error=failure)
        stop(execution, end)
        _end_stopped(execution, end, now)
        return
    result = planning.verdict(state)
    if result.status is RunStatus.PAUSED:
        _pause(execution, result)
    elif execution.hold:
        execution.engine.idle(execution)
    elif result.status is RunStatus.FAILED:
        _finish(execution, failed_event(execution))
    else:
        faults.reach("run.before_finish")
        _finish(execution, ev.RunCompleted(at=now))


def _remedied(execution: Execution) -> bool:
    """Look after what is kept for failures; True where there is something to do first, or the run has ended by it."""
    state = execution.state
    remedies = state.topology.remedies
    assert remedies is not None
    if state.ending is not None:
        if not continue_end(execution):
            end = end_of(state, execution.engine.now())
            leave_aside(execution)
            _end(execution, end)
        return True
    if any(number not in remedies.every for number in planning.unfinished(state)):
        return False
    if state.unhandled and prepare_end(execution, failed_event(execution)):
        return True
    leave_aside(execution)
    return False


def _pause(execution: Execution, result: planning.Verdict) -> None:
    """What is left waits; whom scripted people are about to answer does so where it is."""
    state = execution.state
    if people.attending is not None and people.attending.hold(state):
        return
    assert result.pause_reason is not None
    message = planning.pause_message(state, result)
    now = execution.engine.now()
    _finish(execution, ev.RunPaused(at=now, reason=result.pause_reason, until=result.until, message=message))


def failed_event(execution: Execution) -> ev.RunFailedEvent:
    """The end of a run whose nodes failed: the first unhandled failure is its error."""
    state = execution.state
    number = planning.first_failure(state)
    assert number is not None
    return ev.RunFailedEvent(
        at=execution.engine.now(), error=state.failures[number].error, node=state.topology.paths[number]
    )


def stop(execution: Execution, end: ev.Event) -> None:
    """End the run with `end`: nothing starts any more, nodes in flight are asked to stop."""
    if execution.over or execution.stopping is not None:
        return
    execution.stopping = end
    execution.timers.clear()
    for attempt in list(execution.alive.values()):
        attempt.stop()
    if execution.alive:
        home = execution.engine
        execution.timers.deadline = home.loop.call_later(CANCEL_SECONDS, _give_up, execution, context=home.base_context)
    execution.engine.mark(execution)


def limit_time(execution: Execution) -> None:
    """Have the run stopped when it has taken as long as it may; pauses don't count."""
    limit = execution.definition.workflow.settings.timeout
    if limit is None or execution.over:
        return
    home, state = execution.engine, execution.state
    since = home.now() - state.active_since if state.active_since is not None else 0.0
    left = max(0.0, limit - state.active_seconds - max(0.0, since))
    execution.timers.limit = home.loop.call_later(left, _out_of_time, execution, limit, context=home.base_context)


def _out_of_time(execution: Execution, limit: float) -> None:
    message = f"The run took longer than its timeout of {limit:g} s, pauses excluded (Settings.timeout)."
    failure = ev.Failure(type="RunTimeout", message=message, error_class=ErrorClass.TIMEOUT)
    stop(execution, ev.RunFailedEvent(at=execution.engine.now(), error=failure))


def end_by(execution: Execution, path: str, ending: Ending) -> None:
    """A node ends the run."""
    status = RunStatus.COMPLETED if ending.well else RunStatus.FAILED
    message = ending.message or f"ended by {path}"
    now = execution.engine.now()
    _stop_durably(execution, ev.RunStopping(at=now, status=status, node=path, message=message, undoes=ending.undo))


def cancel(execution: Execution, by: str) -> None:
    """Somebody ends the run."""
    now = execution.engine.now()
    _stop_durably(execution, ev.RunStopping(at=now, status=RunStatus.CANCELLED, by=by))


def _stop_durably(execution: Execution, stopping: ev.RunStopping) -> None:
    """Stop; where nodes are still in flight, this is written, since they may outlive the process."""
    if execution.over or execution.stopping is not None:
        return
    if any(attempt.path != stopping.node for attempt in execution.alive.values()) and execution.state.stopping is None:
        execution.record(stopping)
    _stop_as(execution, stopping)


def _stop_as(execution: Execution, stopping: ev.RunStopping) -> None:
    now, message = execution.engine.now(), stopping.message
    execution.undoes = execution.undoes or stopping.undoes
    match stopping.status:
        case RunStatus.CANCELLED:
            stop(execution, ev.RunCancelledEvent(at=now, by=stopping.by))
        case RunStatus.COMPLETED:
            stop(execution, ev.RunCompleted(at=now, message=message))
        case _:
            failure = ev.Failure(type="Stopped", message=message)
            stop(execution, ev.RunFailedEvent(at=now, error=failure, node=stopping.node))


def leave(execution: Execution) -> None:
    """The process ends while a pause waits for nodes in flight: it is written now, and they follow `on_crash`."""
    if execution.pausing and not execution.over and execution.stopping is None and execution.state.left:
        for attempt in execution.alive.values():
            attempt.flush(last=True)
        _finish(execution, ev.RunPaused(at=execution.engine.now(), reason=PauseReason.MANUAL))


def settle(execution: Execution, end: ev.Event) -> None:
    """End a held run: the notebook that it belongs to has ended, in this way."""
    if execution.over or not execution.hold:
        return
    execution.hold = False
    _finish(execution, end)


def _end_stopped(execution: Execution, end: ev.Event, now: float) -> None:
    if isinstance(end, ev.RunFailedEvent):
        failed = "it took longer than its timeout" if end.error.type == "RunTimeout" else "it failed"
        message = f"the run stopped: {end.node} failed" if end.node else f"the run stopped: {failed}"
    elif isinstance(end, ev.RunCompleted):
        message = f"the run ended before: {end.message}"
    else:
        message = "the run was cancelled"
    reason = ev.Reason(group="run", message=message)
    paths = execution.state.topology.paths
    well_or_not = isinstance(end, ev.RunFailedEvent | ev.RunCompleted)
    remedies = execution.state.topology.remedies
    kept = remedies.every if remedies is not None and well_or_not and execution.state.ending is None else frozenset()
    for number in planning.unfinished(execution.state):
        if number not in kept:
            execution.record(ev.NodeCancelled(at=now, node=paths[number], reason=reason))
    execution.standing_in.clear()
    if kept and isinstance(end, ev.RunFailedEvent | ev.RunCompleted):
        if prepare_end(execution, end, undo=execution.undoes):
            return
        leave_aside(execution)
    _end(execution, end)


def _end(execution: Execution, end: ev.Event) -> None:
    if execution.hold and isinstance(end, ev.RunFailedEvent | ev.RunCompleted):
        execution.engine.idle(execution)
        return
    _finish(execution, end)


def _finish(execution: Execution, end: ev.Event) -> None:
    """The run ends or pauses with `end`, which says who is to be started because of it."""
    execution.record(with_call(end, execution.state))
    execution.over = True
    execution.timers.end()
    if execution.claims is not None:
        execution.claims.end()
    if execution.loops:
        for attempt in list(execution.alive.values()):
            attempt.stop()  # they sleep, and are taken up again where the run goes on


def _give_up(execution: Execution) -> None:
    """What has not stopped by now is left alone; its late result will be refused."""
    left = list(execution.alive.values())
    leftovers.tell(execution, left)
    for attempt in left:
        attempt.end(None, NodeTimeout("It was given up.", node=attempt.path, timeout=CANCEL_SECONDS))
    execution.engine.mark(execution)


def go_on_ending(execution: Execution) -> bool:
    """Whether a run that is taken up was about to end."""
    state = execution.state
    if state.ending is None and state.stopping is not None:
        _stop_as(execution, state.stopping)
    return state.ending is not None or state.stopping is not None
