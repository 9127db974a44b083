"""Answers to a run that nobody has are seen, though nobody has written them into its journal."""

from __future__ import annotations

import threading

from flownb.graph.registry import registry
from flownb.model import events as ev
from flownb.model.fold import fold
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Node, Workflow
from flownb.run.handles.handle import Run
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner
from flownb.widgets.answers import Answers, wanted
from flownb.widgets.moment import Moments
from tests.waiting import wait_for


def resting() -> Run:
    """A handle on a run that asks, and that no process has."""
    store = MemoryStore()
    _, lease = store.create_run(NewRun(id="r1", workflow="shop", created_at=1.0), current_owner())
    assert lease is not None
    happened: list[ev.Event] = [
        ev.RunStarted(at=1.0, workflow="shop"),
        ev.NodeStarted(at=1.0, node="ok", attempt=1),
        ev.ApprovalRequested(
            at=1.0, node="ok", approval="a1", kind="confirmation", question="Fine?", ports=("approved", "rejected")
        ),
        ev.NodeWaiting(at=1.0, node="ok", waits_for="human", request="a1"),
        ev.RunPaused(at=1.0, reason="human"),
    ]
    store.commit([Write(run="r1", fence=lease.fence, first=1, events=happened, release=True)])
    workflow = Workflow(id="shop", name="shop", nodes=(Node(id="ok", type="human.approval"),))
    topology = Topology(workflow, registry.ports(workflow))
    run = Run(store, fold(RunState(topology, "r1"), happened))
    run.settle()
    return run


def test_an_answer_that_nobody_wrote_is_seen_and_no_question_is_open() -> None:
    run = resting()
    assert wanted(run)
    changed = threading.Event()
    answers = Answers(run, changed.set)
    moments = Moments(run)
    assert moments.whole()["bar"]["asked"] == 1

    run.store.decide("r1", ev.ApprovalDecided(at=2.0, node="ok", approval="a1", by="ada", port="approved"))

    wait_for(changed.is_set)
    answers.end()
    moments.answers = answers.rows
    told = moments.whole()
    assert told["questions"]["a1"]["status"] == "approved"
    assert told["questions"]["a1"]["answer"]["by"] == "ada"
    assert told["bar"]["asked"] == 0
    assert told["bar"]["status"] == "paused"
