"""One run at work: it folds events, asks the plan what is next, starts attempts and takes their ends.

Everything here happens on the engine's loop. Nothing becomes visible before the engine has committed it: `record`
folds an event and puts it on `out`; the engine commits `out`, publishes it, and only then starts what it announced.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.fold import APPLY
from flownb.model.ports import MAIN
from flownb.model.state import RUNNING, RunState
from flownb.model.status import FailurePolicy, OnError
from flownb.run import plan as planning
from flownb.run.aftermath import attempt_failed, look_after
from flownb.run.attempt import Attempt
from flownb.run.cache import Cache
from flownb.run.children import Children
from flownb.run.ending import conclude, end_by, failed_event, go_on_ending, limit_time, stop
from flownb.run.inputs import Values, unchanged
from flownb.run.loops import Rounds, turn
from flownb.run.outcome import NotKept
from flownb.run.output.capture import Buffer
from flownb.run.resources import Claims
from flownb.run.variables import storable
from flownb.run.waiting.decisions import expire_due, late, take
from flownb.run.waiting.halts import Halts
from flownb.run.waiting.people import ask, what_came
from flownb.run.waiting.signals import look_for, take_up
from flownb.run.waiting.timers import Timers
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.model.bodies import Block
    from flownb.model.events import Failure
    from flownb.run.body import Body
    from flownb.run.context import Services
    from flownb.run.definition import Definition
    from flownb.run.engine import Engine
    from flownb.run.outcome import Outcome
    from flownb.run.steps import Promises
    from flownb.store.contract import Lease, Store
    from flownb.store.requests import ApprovalRow

_log = logging.getLogger("flownb.engine")


class Execution:
    """A run in this process, from the moment it is claimed until it ends, pauses or is lost."""

    #: Whether it is about to pause, and whether what it did is undone before it ends.
    pausing = False
    undoes = False
    over = False
    #: The runs beneath this one; None until a node has begun one.
    children: Children | None = None
    #: The requests of the run as they were read when it was claimed; None where nobody has.
    answers: list[ApprovalRow] | None = None

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
        steps: int | None = None,
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
        self._bodies = definition.bodies_of(state.topology)
        self._room = definition.workflow.settings.concurrency
        #: The time; seconds since 1970.
        self._now = engine.now
        self._wake = engine.output_waits
        #: Folded, not committed.
        self.out: list[ev.Event] = []
        self.alive: dict[int, Attempt] = {}
        #: None where no node asks for one.
        self.cache = Cache(self) if definition.caches else None
        #: Breakpoints, and whoever steps through the run; None where there is neither.
        self.halts = Halts(state, steps) if steps is not None or state.breakpoints else None
        #: What its nodes have taken of named resources; None where none takes any.
        self.claims = Claims(self, engine.pool) if definition.takes else None
        #: Loops at work, by the number of their node.
        self.loops: dict[int, Rounds] = {}
        #: Nodes between two attempts, and nodes whose timer is near.
        self.timers = Timers(self)
        self.stopping: ev.Event | None = None
        #: Fallbacks at work, with the node in whose place each runs and why.
        self.standing_in: dict[int, tuple[Body, Failure]] = {}
        #: Exceptions by node, so that `RunFailed` has the original as its cause.
        self.causes: dict[int, BaseException] = {}
        #: Whether the next tick will look at it.
        self.marked = False
        #: Called on the loop after each commit, with the events, and once with None when this execution is over; who
        #: changes the list puts another in its place, so that whoever goes through it is not disturbed.
        self.listeners: tuple[Callable[[Sequence[ev.Event] | None], None], ...] = ()
        self.lost: BaseException | None = None
        #: Whether the engine has let go of it; its listeners hear no more.
        self.gone = False
        #: Steps inside nodes that wait for their commit; None until there is one.
        self.promises: Promises | None = None
        #: The inputs that are references to secrets.
        self.references: frozenset[str] = frozenset()
        #: Announced in `out`, to be started once that is committed.
        self.starts: list[Attempt] = []

    @property
    def fail_fast(self) -> bool:
        """Whether a failure that nothing handles ends the run at once."""
        return self.definition.workflow.settings.failures == FailurePolicy.FAIL_FAST

    def begin(self) -> None:
        """Go to work: take answers, await near timers; a failure that nothing handled stops the run at once."""
        if self.state.approvals:
            take(self, None if expire_due(self) else self.answers)
        self.answers = None
        for number in list(self.state.waits):
            self.timers.watch(number)
        take_up(self)
        if self.state.children:
            Children.of(self).take_up()
        if self.state.breakpoints and self.halts is None:
            self.halts = Halts(self.state)
        nodes = self.state.topology.nodes
        stops = any(nodes[number].on_error is not OnError.CONTINUE for number in self.state.unhandled)
        if not go_on_ending(self) and self.fail_fast and stops:
            stop(self, failed_event(self))
        limit_time(self)
        self.engine.mark(self)

    # --- recording ----------------------------------------------------------------------------------------------------

    def record(self, event: ev.Event) -> None:
        """Fold an event and have it committed with the next tick; secrets are masked here, once for all who see it."""
        if masking.known is not None:
            event = masking.known.struct(event)
        state = self.state
        APPLY[type(event)](state, event)  # as `apply` does it, without a call
        state.seq += 1
        self.out.append(event)
        if not self.marked:
            self.engine.mark(self)

    def tell(self, happened: Sequence[ev.Event] | None) -> None:
        """Tell the listeners: of what was committed, of nothing left to do (empty), or of the end (None)."""
        for listener in self.listeners:
            try:
                listener(happened)
            except Exception:  # noqa: BLE001  a view that can't draw must not keep nodes from starting
                _log.exception("Run %s goes on; who listens to it failed: %r", self.run_id, listener)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def advance(self) -> list[Attempt]:
        """Decide what is next and record it; returns the attempts to start once that is committed."""
        if self.over:
            return []
        idle = self.pausing or self.stopping is not None
        if self.values.large:
            self.values.release()
        if self.claims is not None:
            self.claims.look(idle=idle)
        if self.standing_in:
            look_after(self)
            idle = self.pausing or self.stopping is not None
        self._decide(idle=idle)
        quiet = len(self.alive) <= self.sleeping
        if quiet and (idle or not (self.timers or (self.claims and self.claims.waiting))) and not late(self):
            conclude(self)
        starts, self.starts = self.starts, []
        return starts

    def _decide(self, *, idle: bool) -> None:
        state = self.state
        while True:
            if state.finished_blocks:
                turn(self)
            if not state.ready:
                break
            room = 0 if idle else self._room - len(self.alive) + len(self.loops)
            if room <= 0 and not idle:
                break  # when one ends, there is
            step = planning.plan(state, room)
            state.ready = step.rest
            self._take(step)
            if not step.skips and not (step.starts and (state.ready or state.finished_blocks)):
                break  # nothing is ready, or what is has to wait for room

    def _take(self, step: planning.Plan) -> None:
        paths = self.state.topology.paths
        for number, reason in step.skips:
            self.record(ev.NodeSkipped(at=self._now(), node=paths[number], reason=reason))
        for number in step.starts if self.halts is None else self.halts.let_through(step.starts):
            body = self._bodies[number]
            if body.node.disabled:
                self._pass_through(number)
            elif self.cache is None or body.node.cache is None or not self.cache.use(body):
                self.attempt(number, 1)

    @property
    def sleeping(self) -> int:
        """How many of the nodes in flight are loops that only wait for their rounds."""
        return sum(rounds.sleeping for rounds in self.loops.values()) if self.loops else 0

    def grow(self, block: Block) -> None:
        """A round began: its instances get bodies."""
        topology, inside = self.state.topology, self.definition.inside
        nodes, paths = topology.nodes, topology.paths
        for number in range(block.base, block.base + block.count):
            self._bodies.append(inside[nodes[number].id].instance(number, paths[number]))

    def attempt(self, number: int, number_of_try: int) -> None:
        """Make the next attempt of a node, to be started once that is committed."""
        if self.claims is not None and not self.claims.take(number, number_of_try):
            return
        body = self._bodies[number]
        attempt = Attempt(self, body, number, body.path, number_of_try, Buffer(self._wake, services=self.services))
        if number_of_try > 1:  # what many attempts print is bounded together
            attempt.buffer.left //= number_of_try
        self.alive[number] = attempt
        if self.state.waits and (wait := self.state.waits.pop(number, None)) is not None:
            attempt.resumed = self._now()
            attempt.resume_data = self.values.decode(wait.resume_data)
        if self.state.delivered and (came := self.state.delivered.get(number)) is not None:
            attempt.resumed = what_came(self, came)
        self.record(ev.NodeStarted(at=self._now(), node=body.path, attempt=number_of_try))
        self.starts.append(attempt)

    def _pass_through(self, number: int) -> None:
        """A disabled node: what comes in at `main`, else its first input, is its output; its body does not run."""
        body = self._bodies[number]
        given = self.arguments(body)
        value = given[MAIN] if MAIN in given else next(iter(given.values()), None)
        if isinstance(value, list) and any(each.many for each in self.state.topology.arguments[number]):
            value = value[0] if value else None
        plain = self.values.encode(value)
        self.values.keep(number, Output(value), plain)
        self.record(ev.NodeCompleted(at=self._now(), node=body.path, output=plain, source="disabled"))

    # --- the end of an attempt ----------------------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt, outcome: Outcome | None, error: BaseException | None) -> None:
        """An attempt is over. A late result, after the run or the attempt was given up, is refused."""
        if self.alive.get(attempt.number) is not attempt or self.over:
            return
        del self.alive[attempt.number]
        if self.claims is not None:
            self.claims.give_back(attempt.number)
        attempt.buffer.closed = True
        if attempt.buffer.pending:
            attempt.flush(last=True)
        if type(error) is NotKept:
            self.engine.lose(self, error.fault)  # the attempt stays uncommitted: nothing says that the node failed
        elif error is not None:
            attempt_failed(self, attempt, error)
        elif outcome is not None and outcome.suspend is not None:
            self._suspended(attempt, outcome)
        elif outcome is not None:
            self._completed(attempt, outcome)

    def _completed(self, attempt: Attempt, outcome: Outcome) -> None:
        number = attempt.number
        output = outcome.output
        if output is None and number not in self.state.topology.wires and not self.definition.maps_output:
            completed = ev.NodeCompleted(at=self._now(), node=attempt.path, output=outcome.plain)
            self.record(completed)
            if self.cache is not None:
                self.cache.keep(number, completed)
            return
        output = output or Output(outcome.plain)
        variables = outcome.variables or {}
        verdicts: dict[str, bool] = {}
        try:
            if self.definition.maps_output:
                variables = variables | self._mapped(number, output)
            if number in self.state.topology.wires:
                verdicts = self.values.verdicts(number, output)
        except Exception as error:  # noqa: BLE001  a mapping or a condition that can't be evaluated fails its node
            attempt_failed(self, attempt, error)
            return
        self.values.keep(number, output, outcome.plain, outcome.held)
        for name, plain in variables.items():
            self.record(ev.VariableSet(at=self._now(), name=name, value=plain, node=attempt.path, scope=output.scope))
        completed = ev.NodeCompleted(
            at=self._now(),
            node=attempt.path,
            output=outcome.plain,
            ports=output.ports,
            values={port: each.plain for port, each in outcome.ports.items()} if outcome.ports else {},
            verdicts=verdicts,
        )
        self.record(completed)
        if self.cache is not None and not variables:  # what also sets something else is done each time
            self.cache.keep(number, completed)
        if output.ending is not None:
            end_by(self, attempt.path, output.ending)

    def _mapped(self, number: int, output: Output) -> dict[str, Any]:
        """The variables, in plain form, that an output becomes."""
        mapping = self._bodies[number].maps_output
        if mapping is None:
            return {}
        made = mapping.variables(self.values, number, output)
        declared, artifacts = self.definition.declared, self.store.artifacts
        return {name: storable(declared, artifacts, name, value) for name, value in made.items()}

    def _suspended(self, attempt: Attempt, outcome: Outcome) -> None:
        suspend = outcome.suspend
        assert suspend is not None
        self.record(
            ev.NodeWaiting(
                at=self._now(),
                node=attempt.path,
                waits_for=suspend.waits_for,
                until=suspend.until,
                request=suspend.name if suspend.ask is None else ask(self, attempt.path, suspend, outcome.plain),
                resume_data=self.values.encode(suspend.data),
            )
        )
        if self.state.signals:
            look_for(self, attempt.number)
        if attempt.number in self.state.waits:
            self.timers.watch(attempt.number)
            if self.children is not None:
                self.children.look_again(attempt.number)

    # --- values, for attempts -----------------------------------------------------------------------------------------

    def arguments(self, body: Body) -> dict[str, Any]:
        """The live inputs by parameter of a node whose body does not run, as they came."""
        return unchanged(self.values.arguments(body))

    def input_value(self, name: str) -> Any:
        """An input of the run."""
        return self.values.input(name)

    def variable_value(self, name: str) -> Any:
        """A variable of the run."""
        return self.values.decode(self.state.variables[name])

    def in_flight(self) -> list[str]:
        """The paths of the nodes in flight."""
        return [
            path
            for path in self.state.topology.paths
            if self.state.node_status[self.state.topology.index[path]] == RUNNING
        ]
