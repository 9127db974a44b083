"""After a failed attempt: another one follows, or what the node's `on_error` makes of it is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import ExpressionError
from flownb.model import events as ev
from flownb.model.status import OnError
from flownb.run import remedies
from flownb.run.ending import stop
from flownb.run.failure import Course, after_failure, course_of, failure_of, may_retry, retry_delay
from flownb.run.loops import end_inside, round_failed
from flownb.run.secrets import masked_cause

if TYPE_CHECKING:
    from flownb.graph.nodetype import Output
    from flownb.run.attempt import Attempt
    from flownb.run.body import Body
    from flownb.run.executor import Execution


def attempt_failed(execution: Execution, attempt: Attempt, error: BaseException) -> None:
    """An attempt ended with an exception, or was cancelled."""
    number, now = attempt.number, execution.engine.now()
    if execution.stopping is not None:
        reason = ev.Reason(group="run", message="the run stopped while it ran")
        execution.record(ev.NodeCancelled(at=now, node=attempt.path, reason=reason))
        return
    if isinstance(error, asyncio.CancelledError) and not attempt.asked_to_stop:
        error = asyncio.CancelledError("it cancelled itself")
    failure = failure_of(error)
    course = _course(execution, attempt.body, failure)
    if course.advice:
        failure = msgspec.structs.replace(failure, advice=course.advice)
    if not execution.pausing and may_retry(course.retry, attempt.number_of_try, failure):
        assert course.retry is not None
        delay = retry_delay(course.retry, attempt.number_of_try, execution.engine.chance())
        tries = attempt.number_of_try
        execution.record(ev.NodeRetrying(at=now, node=attempt.path, attempt=tries, delay=delay, error=failure))
        execution.timers.later(number, delay, tries + 1)
        return
    execution.causes[number] = masked_cause(error, failure, attempt.path)
    if number in execution.state.blocks:
        end_inside(execution, number, f"its loop ended: {attempt.path} failed")
    failed_for_good(execution, attempt.body, failure)


def _course(execution: Execution, body: Body, failure: ev.Failure) -> Course:
    topology = execution.state.topology
    shared = topology.workflow.error_handlers
    return course_of(body.node, shared, failure, has_error_port=body.number in topology.has_error_port)


def failed_for_good(execution: Execution, body: Body, failure: ev.Failure) -> None:
    """No attempt follows: a fallback runs in its place, or `on_error` says what comes of it."""
    policy = _course(execution, body, failure).policy
    if policy is OnError.FALLBACK and remedies.stand_in(execution, body, failure):
        return
    settle_failure(execution, body, failure, policy)


def settle_failure(execution: Execution, body: Body, failure: ev.Failure, policy: OnError) -> None:
    """Record what a policy makes of a failure."""
    number, node, now = body.number, body.node, execution.engine.now()
    values, wired = execution.values, number in execution.state.topology.wires
    what = after_failure(node, body.path, failure, policy=policy, at=now, fail_fast=execution.fail_fast)
    if what.value is not None:
        values.keep(number, what.value)
    if isinstance(what.event, ev.NodeCompleted):
        what.event = msgspec.structs.replace(what.event, output=values.encode(node.fallback))
    if what.value is not None and wired:
        failed = isinstance(what.event, ev.NodeFailedEvent)
        verdicts = _verdicts(execution, body, what.value, failed=failed)
        what.event = msgspec.structs.replace(what.event, verdicts=verdicts)
    unhandled = isinstance(what.event, ev.NodeFailedEvent) and not what.event.handled
    if unhandled and remedies.absorbs(execution, number, failure):
        return
    if what.stops and number >= execution.state.flat:  # inside a loop, which has the say about the run
        execution.record(msgspec.structs.replace(what.event, handled=True, compensates=False))
        round_failed(execution, number)
        return
    if isinstance(what.event, ev.NodeWaiting):  # the failure is told beside it
        tries = execution.state.attempts[number]
        execution.record(ev.NodeRetrying(at=now, node=body.path, attempt=tries, delay=0.0, error=failure))
    execution.record(what.event)
    if what.stops:
        stop(execution, ev.RunFailedEvent(at=now, error=failure, node=body.path))


def _verdicts(execution: Execution, body: Body, value: Output, *, failed: bool = False) -> dict[str, bool]:
    try:
        return execution.values.verdicts(body.number, value, failed=failed)
    except ExpressionError as error:
        message = f"The condition of an edge that leaves {body.path} can't be evaluated: {error}"
        execution.record(ev.SystemWarning(at=execution.engine.now(), message=message, node=body.path))
        return {}


def look_after(execution: Execution) -> None:
    """Fallbacks that have ended end the nodes in whose place they ran: with their output, or with both errors."""
    for number in reversed(list(execution.standing_in)):  # a fallback's own fallback began later
        ended = remedies.ended(execution.state, number)
        if ended is None:
            continue
        body, failure = execution.standing_in.pop(number)
        if not remedies.is_replaced(execution.state, body.number):
            continue  # somebody skipped it meanwhile, or the run stops
        if ended:
            settle_failure(execution, body, remedies.both(failure, execution.state, number), OnError.STOP)
        else:
            _complete(execution, body, number)


def _complete(execution: Execution, body: Body, number: int) -> None:
    """The node has what its fallback gave, ports included."""
    state, values = execution.state, execution.values
    output, plain = values.as_returned(number), state.output[number]
    values.keep(body.number, output, plain)
    more: dict[str, Any] = {}
    if body.number in state.topology.wires:
        more["verdicts"] = _verdicts(execution, body, output)
    execution.record(
        ev.NodeCompleted(
            at=execution.engine.now(),
            node=body.path,
            output=plain,
            ports=state.ports.get(number),
            values=state.port_values.get(number, {}),
            source="fallback",
            **more,
        )
    )
