"""One run at work: it folds events, asks the plan what is next, starts attempts and takes their ends.

Everything here happens on the engine's loop. Nothing becomes visible before the engine has committed it: `record`
folds an event and puts it on `out`; the engine commits `out`, publishes it, and only then starts what it announced.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import ExpressionError, NodeTimeout
from flownb.graph.nodetype import Output
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.state import FAILED, PENDING, RUNNING, WAITING, RunState, apply
from flownb.model.status import OnError, PauseReason, RunStatus
from flownb.run import plan as planning
from flownb.run.attempt import Attempt, Outcome
from flownb.run.capture import Buffer
from flownb.run.failure import after_failure, failure_of, may_retry, retry_delay
from flownb.run.inputs import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.context import Services
    from flownb.run.definition import Body, Definition
    from flownb.run.engine import Engine
    from flownb.store.contract import Lease, Store

#: Seconds that a cancelled node may take before it is given up.
CANCEL_SECONDS: Final = 5.0
#: A timer due within so many seconds is awaited; a later one parks the run.
PARK_AFTER: Final = 60.0


class Execution:
    """A run in this process, from the moment it is claimed until it ends, pauses or is lost."""

    def __init__(
        self,
        engine: Engine,
        definition: Definition,
        state: RunState,
        store: Store,
        lease: Lease,
        *,
        services: Services,
        values: Values | None = None,
        power: bool = False,
        headless: bool = False,
        hold: bool = False,
    ) -> None:
        self.engine = engine
        self.definition = definition
        self.state = state
        self.store = store
        self.lease = lease
        self.services = services
        self.values = values or Values(state, store.artifacts)
        self.power = power
        self.headless = headless
        #: The end of a notebook's first run is written when the notebook has ended.
        self.hold = hold
        self.run_id = state.run_id
        self._bodies = definition.bodies
        self._room = definition.workflow.settings.concurrency
        #: The time; seconds since 1970.
        self._now = engine.now
        self._wake = engine.output_waits
        #: Folded, not committed.
        self.out: list[ev.Event] = []
        self.alive: dict[int, Attempt] = {}
        #: Nodes between two attempts, and nodes whose timer is near.
        self.timers: dict[int, asyncio.TimerHandle] = {}
        self.pausing = False
        self.stopping: ev.Event | None = None
        self.deadline: asyncio.TimerHandle | None = None
        #: Exceptions by node, so that `RunFailed` has the original as its cause.
        self.causes: dict[int, BaseException] = {}
        self.over = False
        #: Called on the loop after each commit, with the events, and once with None when this execution is over.
        self.listeners: list[Callable[[list[ev.Event] | None], None]] = []
        self.lost: BaseException | None = None
        #: Whether the engine has let go of it; its listeners hear no more.
        self.gone = False
        #: Announced in `out`, to be started once that is committed.
        self.starts: list[Attempt] = []

    def begin(self) -> None:
        """Go to work: near timers are awaited, and a failure that nothing handled stops the run at once."""
        for number in list(self.state.waits):
            self.watch_timer(number)
        nodes = self.state.topology.nodes
        if any(nodes[number].on_error is not OnError.CONTINUE for number in self.state.unhandled):
            self.stop(self.failed_event())
        self.engine.mark(self)

    # --- recording ----------------------------------------------------------------------------------------------------

    def record(self, event: ev.Event) -> None:
        """Fold an event and have it committed with the next tick."""
        apply(self.state, event)
        self.out.append(event)
        self.engine.mark(self)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def advance(self) -> list[Attempt]:
        """Decide what is next and record it; returns the attempts to start once that is committed."""
        if self.over:
            return []
        idle = self.pausing or self.stopping is not None
        state = self.state
        while state.ready:
            step = planning.plan(state, 0 if idle else self._room - len(self.alive))
            state.ready = step.rest
            for number, reason in step.skips:
                self.record(ev.NodeSkipped(at=self._now(), node=state.topology.paths[number], reason=reason))
            for number in step.starts:
                if self._bodies[number].node.disabled:
                    self._pass_through(number)
                else:
                    self._attempt(number, 1)
            if not step.skips and not state.ready:
                break
            if not step.starts and not step.skips:
                break  # what is ready has to wait for room
        if not self.alive and (idle or not self.timers):
            self._conclude()
        starts, self.starts = self.starts, []
        return starts

    def _attempt(self, number: int, number_of_try: int) -> None:
        body = self._bodies[number]
        attempt = Attempt(self, body, number, body.path, number_of_try, Buffer(self._wake))
        self.alive[number] = attempt
        if self.state.waits and (wait := self.state.waits.pop(number, None)) is not None:
            attempt.resumed = self._now()
            attempt.resume_data = self.values.decode(wait.resume_data)
        self.record(ev.NodeStarted(at=self._now(), node=body.path, attempt=number_of_try))
        self.starts.append(attempt)

    def _pass_through(self, number: int) -> None:
        """A disabled node: its first input is its output, and its body does not run."""
        body = self._bodies[number]
        value = next(iter(self.arguments(body).values()), None)
        if isinstance(value, list) and any(each.many for each in self.state.topology.arguments[number]):
            value = value[0] if value else None
        self.values.keep(number, Output(value))
        plain = self.values.encode(value)
        self.record(ev.NodeCompleted(at=self._now(), node=body.path, output=plain, source="disabled"))

    def _conclude(self) -> None:
        """Nothing is in flight and nothing can start: the run ends, pauses, or goes on waiting for a near timer."""
        now = self._now()
        if self.stopping is not None:
            self._end_the_rest(now)
            if self.hold and isinstance(self.stopping, ev.RunFailedEvent):
                self.engine.idle(self)
                return
            self.record(self.stopping)
            self._finish()
            return
        if self.pausing and self.state.left:
            self.record(ev.RunPaused(at=now, reason=PauseReason.MANUAL))
            self._finish()
            return
        if self.state.left and not self.state.waits:
            stuck = ", ".join(self.state.topology.paths[number] for number in planning.unfinished(self.state)[:10])
            failure = ev.Failure(type="InternalError", message=f"Nothing can go on, and nothing waits: {stuck}.")
            self.stop(ev.RunFailedEvent(at=now, error=failure))
            return
        result = planning.verdict(self.state)
        if result.status is RunStatus.PAUSED:
            assert result.pause_reason is not None
            message = planning.pause_message(self.state, result)
            self.record(ev.RunPaused(at=now, reason=result.pause_reason, until=result.until, message=message))
            self._finish()
        elif self.hold:
            self.engine.idle(self)
        elif result.status is RunStatus.FAILED:
            self.record(self.failed_event())
            self._finish()
        else:
            faults.reach("run.before_finish")
            self.record(ev.RunCompleted(at=now))
            self._finish()

    def failed_event(self) -> ev.RunFailedEvent:
        """The end of a run whose nodes failed: the first unhandled failure is its error."""
        number = planning.first_failure(self.state)
        assert number is not None
        return ev.RunFailedEvent(
            at=self._now(), error=self.state.failures[number].error, node=self.state.topology.paths[number]
        )

    def _end_the_rest(self, now: float) -> None:
        assert self.stopping is not None
        if isinstance(self.stopping, ev.RunFailedEvent):
            message = f"the run stopped: {self.stopping.node} failed" if self.stopping.node else "the run failed"
        else:
            message = "the run was cancelled"
        reason = ev.Reason(group="run", message=message)
        for number in planning.unfinished(self.state):
            self.record(ev.NodeCancelled(at=now, node=self.state.topology.paths[number], reason=reason))

    def _finish(self) -> None:
        self.over = True
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
        if self.deadline is not None:
            self.deadline.cancel()

    # --- the end of an attempt ----------------------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt, outcome: Outcome | None, error: BaseException | None) -> None:
        """An attempt is over. A late result, after the run or the attempt was given up, is refused."""
        if self.alive.get(attempt.number) is not attempt or self.over:
            return
        del self.alive[attempt.number]
        attempt.flush()
        if error is not None:
            self._failed(attempt, error)
        elif outcome is not None and outcome.suspend is not None:
            self._suspended(attempt, outcome)
        elif outcome is not None:
            self._completed(attempt, outcome)

    def _completed(self, attempt: Attempt, outcome: Outcome) -> None:
        number, path = attempt.number, attempt.path
        output, stored = outcome.output, outcome.stored
        assert stored is not None
        verdicts: dict[str, bool] = {}
        if number in self.state.topology.wires:
            try:
                verdicts = self.values.verdicts(number, output)
            except Exception as error:  # noqa: BLE001  a condition that can't be evaluated fails its source
                self._failed(attempt, error)
                return
        self.values.keep(number, output)
        self.record(
            ev.NodeCompleted(
                at=self._now(),
                node=path,
                output=stored.plain,
                ports=output.ports,
                values={port: each.plain for port, each in outcome.ports.items()} if outcome.ports else {},
                verdicts=verdicts,
            )
        )

    def _suspended(self, attempt: Attempt, outcome: Outcome) -> None:
        suspend = outcome.suspend
        assert suspend is not None
        self.record(
            ev.NodeWaiting(
                at=self._now(),
                node=attempt.path,
                waits_for=suspend.waits_for,
                until=suspend.until,
                request=suspend.name,
                resume_data=self.values.encode(suspend.data),
            )
        )
        self.watch_timer(attempt.number)

    def watch_timer(self, number: int) -> None:
        """Await a waiting node's timer if it is near; a far one parks the run."""
        wait = self.state.waits.get(number)
        if wait is None or wait.until is None or wait.waits_for != PauseReason.TIMER:
            return
        left = wait.until - self._now()
        if left <= PARK_AFTER:
            self._later(number, left, self.state.attempts[number])

    def _later(self, number: int, seconds: float, number_of_try: int) -> None:
        def due() -> None:
            del self.timers[number]
            if not self.over and self.stopping is None and not self.pausing:
                self._attempt(number, number_of_try)

        self.timers[number] = self.engine.loop.call_later(max(0.0, seconds), due, context=self.engine.base_context)

    def _failed(self, attempt: Attempt, error: BaseException) -> None:
        number, node, now = attempt.number, attempt.body.node, self._now()
        if self.stopping is not None:
            reason = ev.Reason(group="run", message="the run stopped while it ran")
            self.record(ev.NodeCancelled(at=now, node=attempt.path, reason=reason))
            return
        if isinstance(error, asyncio.CancelledError) and not attempt.asked_to_stop:
            error = asyncio.CancelledError("it cancelled itself")
        failure = failure_of(error)
        if not self.pausing and may_retry(node.retry, attempt.number_of_try, failure):
            assert node.retry is not None
            delay = retry_delay(node.retry, attempt.number_of_try, self.engine.chance())
            tries = attempt.number_of_try
            self.record(ev.NodeRetrying(at=now, node=attempt.path, attempt=tries, delay=delay, error=failure))
            self._later(number, delay, tries + 1)
            return
        self.causes[number] = error
        self._failed_for_good(attempt.body, failure)

    def _failed_for_good(self, body: Body, failure: ev.Failure) -> None:
        number, node, now = body.number, body.node, self._now()
        has_port = number in self.state.topology.has_error_port
        what = after_failure(node, failure, has_error_port=has_port, at=now)
        if what.value is not None:
            self.values.keep(number, what.value)
        if isinstance(what.event, ev.NodeCompleted):
            what.event = msgspec.structs.replace(what.event, output=self.values.encode(node.fallback))
        if what.value is not None and number in self.state.topology.wires:
            failed = isinstance(what.event, ev.NodeFailedEvent)
            try:
                verdicts = self.values.verdicts(number, what.value, failed=failed)
            except ExpressionError as error:
                message = f"The condition of an edge that leaves {body.path} can't be evaluated: {error}"
                self.record(ev.SystemWarning(at=now, message=message, node=body.path))
                verdicts = {}
            what.event = msgspec.structs.replace(what.event, verdicts=verdicts)
        self.record(what.event)
        if what.stops:
            self.stop(ev.RunFailedEvent(at=now, error=failure, node=body.path))

    def stop(self, end: ev.Event) -> None:
        """End the run with `end`: nothing starts any more, nodes in flight are asked to stop."""
        if self.over or self.stopping is not None:
            return
        self.stopping = end
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
        for attempt in list(self.alive.values()):
            attempt.stop()
        if self.alive:
            self.deadline = self.engine.loop.call_later(CANCEL_SECONDS, self._give_up, context=self.engine.base_context)
        self.engine.mark(self)

    def _give_up(self) -> None:
        """What has not stopped by now is left alone; its late result will be refused."""
        names = ", ".join(attempt.path for attempt in self.alive.values())
        if names:
            now = self._now()
            self.record(
                ev.SystemWarning(at=now, message=f"{names}: did not stop within {CANCEL_SECONDS:g} s and was given up.")
            )
            for attempt in list(self.alive.values()):
                attempt.end(None, NodeTimeout("It was given up.", node=attempt.path, timeout=CANCEL_SECONDS))
        self.engine.mark(self)

    def leave(self) -> None:
        """The process ends while a pause waits for nodes in flight: it is written now, and they follow `on_crash`."""
        if self.pausing and not self.over and self.stopping is None and self.state.left:
            self.record(ev.RunPaused(at=self._now(), reason=PauseReason.MANUAL))
            self._finish()

    def settle(self, end: ev.Event) -> None:
        """End a held run: the notebook that it belongs to has ended, in this way."""
        if self.over or not self.hold:
            return
        self.hold = False
        self.record(end)
        self._finish()

    # --- commands -----------------------------------------------------------------------------------------------------

    def obey(self, command: cmd.Command) -> None:
        """Carry out a command; one that makes no sense now changes nothing."""
        if self.over:
            return
        match command:
            case cmd.Pause():
                self.pausing = True
            case cmd.Resume():
                self.pausing = False
            case cmd.Cancel(by=by):
                self.stop(ev.RunCancelledEvent(at=self._now(), by=by))
            case cmd.RetryNode(node=path):
                self._retry(path)
            case cmd.SkipNode(node=path):
                self._skip(path, command.by)
            case cmd.SetVariable(name=name, value=value):
                self.record(ev.VariableSet(at=self._now(), name=name, value=value))
            case _:
                message = f"This run can't be asked for {type(command).__struct_config__.tag!r} yet."
                self.record(ev.SystemWarning(at=self._now(), message=message))
        self.engine.mark(self)

    def _retry(self, path: str) -> None:
        number = self.state.topology.index.get(path)
        if number is None or self.state.node_status[number] not in (FAILED, WAITING):
            return
        back = [number] if self.state.node_status[number] == WAITING else self.state.reset_numbers()
        paths = tuple(self.state.topology.paths[each] for each in back)
        self.record(ev.RunResumed(at=self._now(), reset=paths, cause="retry"))

    def _skip(self, path: str, by: str) -> None:
        number = self.state.topology.index.get(path)
        if number is None or self.state.node_status[number] not in (PENDING, WAITING, RUNNING):
            return
        attempt = self.alive.pop(number, None)
        if attempt is not None:
            attempt.stop()
        reason = ev.Reason(group="command", message=f"skipped by {by or 'a command'}")
        self.record(ev.NodeSkipped(at=self._now(), node=path, reason=reason))

    # --- values, for attempts -----------------------------------------------------------------------------------------

    def arguments(self, body: Body) -> dict[str, Any]:
        """The live inputs of a node by parameter."""
        return self.values.arguments(body)

    def input_value(self, name: str) -> Any:
        """An input of the run."""
        return self.values.input(name)

    def variable_value(self, name: str) -> Any:
        """A variable of the run."""
        return self.values.decode(self.state.variables[name])

    def flush_output(self) -> None:
        """Record what the nodes in flight have written."""
        for attempt in list(self.alive.values()):
            attempt.flush()

    def in_flight(self) -> list[str]:
        """The paths of the nodes in flight."""
        return [
            path
            for path in self.state.topology.paths
            if self.state.node_status[self.state.topology.index[path]] == RUNNING
        ]
