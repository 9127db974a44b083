from __future__ import annotations

from typing import Any

import pytest

from flownb.model import events as ev
from flownb.model.fold import apply, fold
from flownb.model.state import RunState
from flownb.model.status import ApprovalStatus, NodeStatus, PauseReason, RunStatus
from flownb.model.topology import Topology
from flownb.model.workflow import Edge, JoinCount, Node, Workflow
from tests.unit.model.simulator import FAILURE, Outcome, Simulator

T = 100.0


def flow(*edges: Edge, nodes: str = "abcd", **joins: Any) -> Workflow:
    return Workflow(
        name="w", nodes=tuple(Node(id=name, type="python", join=joins.get(name, "all")) for name in nodes), edges=edges
    )


def data(source: str, target: str, port: str | None = None) -> Edge:
    return Edge(source=source, source_port=port, target=target, target_port=source)


def after(source: str, target: str, port: str | None = None, condition: str | None = None) -> Edge:
    return Edge(source=source, source_port=port, target=target, target_port="after", condition=condition)


CHAIN = flow(data("a", "b"), data("b", "c"), data("c", "d"))


def state_of(workflow: Workflow = CHAIN) -> RunState:
    return RunState(Topology(workflow, {}), "run")


# --- the run ----------------------------------------------------------------------------------------------------------


def test_a_run_from_start_to_end() -> None:
    state = state_of()
    assert (state.status, state.seq) == (RunStatus.PENDING, 0)
    apply(
        state,
        ev.RunStarted(
            at=T,
            workflow="w",
            definition="d",
            inputs={"x": 1},
            mode="test",
            trigger="cron",
            parent="p",
            parent_node="n",
        ),
    )
    assert (state.status, state.started_at, state.inputs, state.definition) == (RunStatus.RUNNING, T, {"x": 1}, "d")
    assert (state.mode, state.trigger, state.parent, state.parent_node) == ("test", "cron", "p", "n")
    apply(state, ev.RunCompleted(at=T + 1, results={"r": 2}, message="early"))
    assert (state.status, state.finished_at, state.results) == (RunStatus.COMPLETED, T + 1, {"r": 2})
    assert (state.message, state.seq) == ("early", 2)


def test_a_failed_run_that_goes_on_has_no_error_and_no_end() -> None:
    state = state_of()
    fold(state, [ev.RunStarted(at=T, workflow="w"), ev.RunFailedEvent(at=T + 1, error=FAILURE, node="a")])
    assert (state.status, state.error, state.error_node) == (RunStatus.FAILED, FAILURE, "a")
    apply(state, ev.RunResumed(at=T + 2, definition="new"))
    assert (state.status, state.error, state.error_node) == (RunStatus.RUNNING, None, None)
    assert (state.finished_at, state.definition) == (None, "new")


@pytest.mark.parametrize(
    "end",
    [
        ev.RunCompleted(at=T),
        ev.RunFailedEvent(at=T, error=FAILURE),
        ev.RunCancelledEvent(at=T, by="ada"),
        ev.RunResumed(at=T),
    ],
)
def test_only_a_paused_run_has_a_pause_reason(end: ev.Event) -> None:
    state = state_of()
    apply(state, ev.RunPaused(at=T, reason="human", message="ada is asked"))
    assert (state.status, state.pause_reason) == (RunStatus.PAUSED, PauseReason.HUMAN)
    assert state.message == "ada is asked"
    apply(state, end)
    assert state.pause_reason is None


def test_variables_keep_their_last_value() -> None:
    state = state_of()
    fold(state, [ev.VariableSet(at=T, name="x", value=1), ev.VariableSet(at=T, name="x", value=[2])])
    assert state.variables == {"x": [2]}


def test_events_that_are_only_records_change_nothing_but_the_number() -> None:
    state = state_of()
    apply(state, ev.NodeOutput(at=T, node="a", stream="stdout", text="x"))
    apply(state, ev.SystemWarning(at=T, message="slow"))
    assert state.seq == 2
    assert state.left == 4


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_a_node_from_start_to_end() -> None:
    state = state_of()
    fold(
        state,
        [
            ev.NodeStarted(at=T, node="a"),
            ev.NodeProgress(at=T, node="a", text="page 1"),
            ev.NodeRetrying(at=T, node="a", attempt=1, delay=2.0, error=FAILURE),
        ],
    )
    assert (state.status_of("a"), state.in_flight) == (NodeStatus.RUNNING, [0])
    assert state.retries[0].delay == 2.0
    apply(state, ev.NodeStarted(at=T + 2, node="a", attempt=2))
    assert (state.retries, state.attempts[0], state.node_started[0]) == ({}, 2, T)
    apply(state, ev.NodeCompleted(at=T + 3, node="a", output=7, ports=("x",), values={"x": 8}, source="cache"))
    assert (state.status_of("a"), state.output[0], state.node_finished[0]) == (NodeStatus.COMPLETED, 7, T + 3)
    assert (state.ports[0], state.port_values[0], state.sources[0]) == (("x",), {"x": 8}, "cache")
    assert (state.left, state.done, state.in_flight) == (3, 1, [])
    assert list(state.with_status(NodeStatus.PENDING)) == ["b", "c", "d"]
    with pytest.raises(KeyError):
        state.status_of("nobody")


def test_a_node_may_have_very_many_attempts() -> None:
    state = state_of()
    apply(state, ev.NodeStarted(at=T, node="a", attempt=1_000_000))
    assert state.attempts[0] == 1_000_000


@pytest.mark.parametrize(
    "then",
    [
        ev.NodeStarted(at=T, node="a"),
        ev.NodeCompleted(at=T, node="a"),
        ev.NodeFailedEvent(at=T, node="a", error=FAILURE),
        ev.NodeSkipped(at=T, node="a", reason=ev.Reason(group="command", message="no")),
        ev.RunResumed(at=T, reset=("a",)),
    ],
)
def test_only_parked_nodes_wait_for_something(then: ev.Event) -> None:
    waiting = ev.NodeWaiting(at=T, node="a", waits_for="event", resume_data={"page": 3})
    state = fold(state_of(), [ev.NodeStarted(at=T, node="a"), waiting])
    assert (state.status_of("a"), state.waits) == (NodeStatus.WAITING, {0: waiting})
    apply(state, then)
    assert state.waits == {}


def test_the_outputs_are_those_of_the_sinks_that_completed() -> None:
    workflow = flow(data("a", "b"), data("a", "c"), nodes="abc")
    simulator = Simulator(workflow, {}, {"c": Outcome(does="fail")})
    assert simulator.run().outputs() == {"b": "out of b"}


def test_each_node_is_taken_from_ready_once() -> None:
    state = state_of(flow(data("a", "c"), data("b", "c"), nodes="abc"))
    assert state.take_ready() == [0, 1]
    assert state.take_ready() == []
    apply(state, ev.NodeCompleted(at=T, node="a"))
    assert state.take_ready() == []
    apply(state, ev.NodeCompleted(at=T, node="b"))
    assert state.take_ready() == [2]


def test_a_replayed_journal_leaves_only_pending_nodes_to_take() -> None:
    simulator = Simulator(CHAIN)
    simulator.run()
    whole = fold(state_of(), simulator.journal)
    assert whole.take_ready() == []
    part = fold(state_of(), simulator.journal[:3])  # run started, a started, a completed
    assert part.take_ready() == [1]


def test_a_node_that_a_person_skipped_does_not_become_ready_later() -> None:
    state = state_of()
    state.take_ready()
    apply(state, ev.NodeSkipped(at=T, node="b", reason=ev.Reason(group="command", message="no")))
    assert state.take_ready() == [2]
    assert state.decide(2) == ev.Reason(group="data", message="no value for b: b was skipped", edge="b.main->c.b")
    apply(state, ev.NodeCompleted(at=T, node="a"))
    assert state.ready == []


# --- error ports and conditions ---------------------------------------------------------------------------------------


def test_the_error_port_fires_instead_of_all_others() -> None:
    workflow = flow(data("a", "b"), data("a", "c", "error"), after("a", "d"))
    failed = Simulator(workflow, {}, {"a": Outcome(does="fail_port")})
    failed.run()
    assert failed.statuses() == {"a": "failed", "b": "skipped", "c": "completed", "d": "skipped"}
    assert failed.state.unhandled == set()
    well = Simulator(workflow)
    well.run()
    assert well.statuses() == {"a": "completed", "b": "completed", "c": "skipped", "d": "completed"}
    assert well.state.reasons[2].message == "no value for a: a did not fail"


def test_a_condition_on_an_edge_of_the_error_port_counts() -> None:
    edge = Edge(source="a", source_port="error", target="b", target_port="x", condition="error.type == 'Timeout'")
    workflow = flow(edge, nodes="ab")
    for true_edges, wanted in ((frozenset[str](), "skipped"), (frozenset({edge.id}), "completed")):
        simulator = Simulator(workflow, {}, {"a": Outcome(does="fail_port", true_edges=true_edges)})
        simulator.run()
        assert simulator.statuses()["b"] == wanted
    assert simulator.state.failures[0].verdicts == {edge.id: True}


def test_a_true_condition_does_not_revive_a_port_that_did_not_fire() -> None:
    edge = after("a", "b", "yes", condition="a > 3")
    script = {"a": Outcome(ports=("no",), true_edges=frozenset({edge.id}))}
    simulator = Simulator(flow(edge, nodes="ab"), {}, script)
    simulator.run()
    assert simulator.state.reasons[1].message == "a took no, not yes"


# --- going on after a failure -----------------------------------------------------------------------------------------


def names(simulator: Simulator, numbers: list[int]) -> str:
    return "".join(simulator.topology.paths[number] for number in numbers)


def test_a_resumption_runs_the_failed_node_and_what_was_skipped_because_of_it_and_nothing_else() -> None:
    workflow = flow(data("a", "b"), data("b", "c"), data("a", "d"))
    simulator = Simulator(workflow, {}, {"b": Outcome(does="stop")})
    simulator.run()
    assert simulator.statuses() == {"a": "completed", "b": "failed", "c": "skipped", "d": "completed"}
    assert simulator.state.unhandled == {1}
    assert names(simulator, simulator.state.reset_numbers()) == "bc"
    del simulator.script["b"]
    simulator.starts.clear()
    simulator.resume()
    assert simulator.starts == ["b", "c"]
    assert set(simulator.statuses().values()) == {"completed"}
    assert simulator.state.unhandled == set()
    assert simulator.state.left == 0


def test_a_reset_node_has_no_traces_of_its_first_life_but_the_count_of_its_attempts() -> None:
    simulator = Simulator(flow(nodes="a"), {}, {"a": Outcome(does="stop")})
    state = simulator.run()
    apply(state, ev.RunResumed(at=T, reset=("a", "nobody")))
    assert (state.node_started[0], state.node_finished[0], state.output[0]) == (0.0, 0.0, None)
    assert (state.failures, state.reasons, state.left, state.attempts[0]) == ({}, {}, 1, 1)
    assert state.take_ready() == [0]
    apply(state, ev.NodeStarted(at=T + 5, node="a", attempt=2))
    assert state.node_started[0] == T + 5


def test_cancelled_nodes_are_set_back_and_what_was_skipped_because_of_them() -> None:
    state = state_of()
    stopped = ev.Reason(group="run", message="the run was stopped")
    apply(state, ev.NodeCancelled(at=T, node="a", reason=stopped))
    for name in "bcd":
        number = state.topology.index[name]
        assert state.take_ready() == [number]
        reason = state.decide(number)
        assert reason is not None
        apply(state, ev.NodeSkipped(at=T, node=name, reason=reason))
    assert state.reset_numbers() == [0, 1, 2, 3]


def test_what_a_person_skipped_stays_skipped() -> None:
    workflow = flow(after("a", "b"), after("b", "c"), after("a", "d"))
    simulator = Simulator(workflow, {}, {"a": Outcome(does="stop"), "b": Outcome(does="skip")})
    simulator.run()
    assert simulator.statuses() == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped"}
    assert names(simulator, simulator.state.reset_numbers()) == "ad"


def test_what_gave_up_by_itself_stays_skipped() -> None:
    # c ran because of b, failed, and its policy is skip; the failure of a has nothing to do with it.
    workflow = flow(after("a", "c", "ok"), after("b", "c"), nodes="abc", c="any")
    simulator = Simulator(workflow, {}, {"a": Outcome(does="stop"), "c": Outcome(does="give_up")})
    simulator.run()
    assert simulator.statuses() == {"a": "failed", "b": "completed", "c": "skipped"}
    assert names(simulator, simulator.state.reset_numbers()) == "a"


def test_a_failure_that_continue_let_pass_is_tried_again_and_one_that_the_error_port_took_is_not() -> None:
    workflow = flow(data("a", "b"), data("c", "d", "error"))
    script = {"a": Outcome(does="fail"), "c": Outcome(does="fail_port")}
    simulator = Simulator(workflow, {}, script)
    simulator.run()
    assert simulator.statuses() == {"a": "failed", "b": "skipped", "c": "failed", "d": "completed"}
    assert names(simulator, simulator.state.reset_numbers()) == "ab"


def test_a_node_that_ended_does_not_run_again_when_a_late_source_ends_for_the_second_time() -> None:
    # d started by its any-join because of b, and completed; then a, set back, completes as well.
    workflow = flow(after("a", "d"), after("b", "d"), nodes="abd", d="any")
    simulator = Simulator(workflow, {}, {"a": Outcome(does="stop")})
    simulator.run()
    assert simulator.statuses() == {"a": "failed", "b": "completed", "d": "completed"}
    simulator.script.clear()
    simulator.starts.clear()
    simulator.resume()
    assert simulator.starts == ["a"]
    assert simulator.state.ready == []
    assert simulator.state.left == 0


def test_a_node_for_which_one_order_was_enough_does_not_run_again_either() -> None:
    simulator = Simulator(flow(after("a", "c"), after("b", "c"), nodes="abc"), {}, {"a": Outcome(does="stop")})
    simulator.run()  # orders: one of the two is enough for c
    assert simulator.statuses() == {"a": "failed", "b": "completed", "c": "completed"}
    simulator.script.clear()
    simulator.starts.clear()
    simulator.resume()
    assert simulator.starts == ["a"]


def test_a_join_that_was_hopeless_is_counted_anew() -> None:
    workflow = flow(after("a", "d"), after("b", "d"), nodes="abd", d=JoinCount(2))
    simulator = Simulator(workflow, {}, {"a": Outcome(does="stop")})
    simulator.run()
    assert simulator.statuses()["d"] == "skipped"
    simulator.script.clear()
    simulator.resume()
    assert simulator.statuses()["d"] == "completed"


def test_a_count_anew_while_nodes_run_does_not_start_them_twice() -> None:
    workflow = flow(data("a", "c"), data("b", "d"))
    state = state_of(workflow)
    fold(
        state,
        [
            ev.NodeCompleted(at=T, node="a"),
            ev.NodeStarted(at=T, node="c"),
            ev.NodeFailedEvent(at=T, node="b", error=FAILURE),
            ev.RunResumed(at=T, reset=("b",)),
        ],
    )
    assert state.take_ready() == [1]
    assert state.in_flight == [2]
    assert state.left == 3


# --- people -----------------------------------------------------------------------------------------------------------

ASKED: list[ev.Event] = [
    ev.NodeStarted(at=T, node="a"),
    ev.ApprovalRequested(at=T, node="a", approval="x", kind="approval", question="?"),
    ev.NodeWaiting(at=T, node="a", waits_for="human", request="x"),
]


@pytest.mark.parametrize(
    ("port", "status"),
    [
        ("approved", ApprovalStatus.APPROVED),
        ("rejected", ApprovalStatus.REJECTED),
        ("escalate", ApprovalStatus.ANSWERED),
    ],
)
def test_the_status_of_an_approval_follows_its_answer(port: str, status: ApprovalStatus) -> None:
    state = fold(state_of(), ASKED)
    assert state.approvals["x"]["status"] == ApprovalStatus.PENDING
    vote = ev.ApprovalVoted(at=T, node="a", approval="x", by="ada", port=port)
    decision = ev.ApprovalDecided(at=T, node="a", approval="x", by="grace", port=port)
    fold(state, [vote, decision])
    assert state.approvals["x"]["status"] == status
    assert state.approvals["x"]["votes"] == [vote]
    assert state.approvals["x"]["decision"] == decision


def test_an_approval_expires_or_goes_with_its_node() -> None:
    expired = fold(state_of(), [*ASKED, ev.ApprovalExpired(at=T, node="a", approval="x")])
    assert expired.approvals["x"]["status"] == ApprovalStatus.EXPIRED
    reason = ev.Reason(group="command", message="no")
    for end in (ev.NodeSkipped(at=T, node="a", reason=reason), ev.NodeCancelled(at=T, node="a", reason=reason)):
        gone = fold(state_of(), [*ASKED, end])
        assert gone.approvals["x"]["status"] == ApprovalStatus.CANCELLED


def test_a_decided_approval_stays_decided_when_its_node_is_cancelled() -> None:
    decision = ev.ApprovalDecided(at=T, node="a", approval="x", by="ada", port="approved")
    end = ev.NodeCancelled(at=T, node="a", reason=ev.Reason(group="run", message="stopped"))
    state = fold(state_of(), [*ASKED, decision, end])
    assert state.approvals["x"]["status"] == ApprovalStatus.APPROVED
