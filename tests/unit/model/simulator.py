"""A run without an engine: decides, starts and ends nodes as a script says, by nothing but the model.

It is the smallest thing that keeps the engine's contract with `RunState`: take what is ready, decide, journal, apply.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.state import PENDING, RUNNING, RunState
from flownb.model.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Workflow


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a node of the script does when it is started, or instead of being started."""

    #: `complete`, `fail` (handled by `continue`), `fail_port` (handled by the error port), `stop` (not handled),
    #: `skip` (a person skips it before it starts) or `give_up` (it fails and ends skipped).
    does: str = "complete"
    ports: tuple[str, ...] | None = None
    #: Which of its conditional edges are true, by edge id; the others are false.
    true_edges: frozenset[str] = frozenset()


COMPLETE = Outcome()
FAILURE = ev.Failure(type="ValueError", message="no")


class Simulator:
    """One run of a workflow; `journal` has everything that happened, `state` what came of it."""

    def __init__(
        self,
        workflow: Workflow,
        ports: Mapping[str, NodePorts] | None = None,
        script: Mapping[str, Outcome] | None = None,
        seed: int = 0,
    ) -> None:
        self.topology = Topology(workflow, ports or {})
        self.state = RunState(self.topology)
        self.script = dict(script or {})
        self.random = random.Random(seed)
        self.journal: list[ev.Event] = []
        self.starts: list[str] = []
        self.queue: list[int] = []
        self.happen(ev.RunStarted(at=0.0, workflow=workflow.name))

    def happen(self, event: ev.Event) -> None:
        self.journal.append(event)
        apply(self.state, event)

    def outcome(self, number: int) -> Outcome:
        return self.script.get(self.topology.paths[number], COMPLETE)

    def run(self) -> RunState:
        """Go on until nothing is ready and nothing runs; the order of all that could be next is random."""
        for number, path in enumerate(self.topology.paths):
            if self.outcome(number).does == "skip" and self.state.node_status[number] == PENDING:
                reason = ev.Reason(group="command", message="a person skipped it")
                self.happen(ev.NodeSkipped(at=0.0, node=path, reason=reason))
        while True:
            self.queue += self.state.take_ready()
            running = [n for n, status in enumerate(self.state.node_status) if status == RUNNING]
            if not self.queue and not running:
                return self.state
            if self.queue and (not running or self.random.random() < 0.6):
                self.begin(self.queue.pop(self.random.randrange(len(self.queue))))
            else:
                self.end(self.random.choice(running))

    def begin(self, number: int) -> None:
        path = self.topology.paths[number]
        assert self.state.node_status[number] == PENDING, path
        if reason := self.state.decide(number):
            self.happen(ev.NodeSkipped(at=1.0, node=path, reason=reason))
            return
        self.starts.append(path)
        self.happen(ev.NodeStarted(at=1.0, node=path, attempt=self.state.attempts[number] + 1))

    def end(self, number: int) -> None:
        path, outcome = self.topology.paths[number], self.outcome(number)
        conditional = [wire.id for wire in self.topology.leaving[number] if wire.condition is not None]
        verdicts = {edge: edge in outcome.true_edges for edge in conditional}
        if outcome.does == "complete":
            output = f"out of {path}"
            self.happen(ev.NodeCompleted(at=2.0, node=path, output=output, ports=outcome.ports, verdicts=verdicts))
        elif outcome.does == "give_up":
            reason = ev.Reason(group="error", message="it failed, and on_error is skip")
            self.happen(ev.NodeSkipped(at=2.0, node=path, reason=reason))
        else:
            port = outcome.does == "fail_port"
            handled = outcome.does in ("fail", "fail_port")
            self.happen(
                ev.NodeFailedEvent(at=2.0, node=path, error=FAILURE, handled=handled, port=port, verdicts=verdicts)
            )

    def resume(self) -> RunState:
        """As the engine does after a failure: set back, count again, and go on."""
        back = self.state.reset_numbers()
        self.queue.clear()
        self.happen(ev.RunResumed(at=3.0, reset=tuple(self.topology.paths[number] for number in back)))
        return self.run()

    def statuses(self) -> dict[str, str]:
        return {path: str(self.state.status_of(path)) for path in self.topology.paths}
