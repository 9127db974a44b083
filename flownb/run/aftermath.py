"""After a failed attempt: another one follows, or what the node's `on_error` makes of it is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from flownb.errors import ExpressionError
from flownb.model import events as ev
from flownb.run.ending import stop
from flownb.run.failure import after_failure, failure_of, may_retry, retry_delay
from flownb.run.loops import end_inside, round_failed
from flownb.run.secrets import masked_cause

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt
    from flownb.run.definition import Body
    from flownb.run.executor import Execution


def attempt_failed(execution: Execution, attempt: Attempt, error: BaseException) -> None:
    """An attempt ended with an exception, or was cancelled."""
    number, node, now = attempt.number, attempt.body.node, execution.engine.now()
    if execution.stopping is not None:
        reason = ev.Reason(group="run", message="the run stopped while it ran")
        execution.record(ev.NodeCancelled(at=now, node=attempt.path, reason=reason))
        return
    if isinstance(error, asyncio.CancelledError) and not attempt.asked_to_stop:
        error = asyncio.CancelledError("it cancelled itself")
    failure = failure_of(error)
    if not execution.pausing and may_retry(node.retry, attempt.number_of_try, failure):
        assert node.retry is not None
        delay = retry_delay(node.retry, attempt.number_of_try, execution.engine.chance())
        tries = attempt.number_of_try
        execution.record(ev.NodeRetrying(at=now, node=attempt.path, attempt=tries, delay=delay, error=failure))
        execution.timers.later(number, delay, tries + 1)
        return
    execution.causes[number] = masked_cause(error, failure, attempt.path)
    if number in execution.state.blocks:
        end_inside(execution, number, f"its loop ended: {attempt.path} failed")
    failed_for_good(execution, attempt.body, failure)


def failed_for_good(execution: Execution, body: Body, failure: ev.Failure) -> None:
    """No attempt follows: `on_error` says what comes of it."""
    number, node, now = body.number, body.node, execution.engine.now()
    values, wired = execution.values, number in execution.state.topology.wires
    has_port = number in execution.state.topology.has_error_port
    what = after_failure(node, body.path, failure, has_error_port=has_port, at=now)
    if what.value is not None:
        values.keep(number, what.value)
    if isinstance(what.event, ev.NodeCompleted):
        what.event = msgspec.structs.replace(what.event, output=values.encode(node.fallback))
    if what.value is not None and wired:
        failed = isinstance(what.event, ev.NodeFailedEvent)
        try:
            verdicts = values.verdicts(number, what.value, failed=failed)
        except ExpressionError as error:
            message = f"The condition of an edge that leaves {body.path} can't be evaluated: {error}"
            execution.record(ev.SystemWarning(at=now, message=message, node=body.path))
            verdicts = {}
        what.event = msgspec.structs.replace(what.event, verdicts=verdicts)
    if what.stops and number >= execution.state.flat:  # inside a loop, which has the say about the run
        execution.record(msgspec.structs.replace(what.event, handled=True))
        round_failed(execution, number)
        return
    if isinstance(what.event, ev.NodeWaiting):  # the failure is told beside it
        tries = execution.state.attempts[number]
        execution.record(ev.NodeRetrying(at=now, node=body.path, attempt=tries, delay=0.0, error=failure))
    execution.record(what.event)
    if what.stops:
        stop(execution, ev.RunFailedEvent(at=now, error=failure, node=body.path))
