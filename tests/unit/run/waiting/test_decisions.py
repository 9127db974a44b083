"""A node in doubt after a crash: the run asks once, and goes on with the one answer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused
from flownb.errors import Conflict, InvalidInput, NotFound
from flownb.model import events as ev
from flownb.run.handles.describe import describe
from flownb.services.identity import user
from flownb.store.place import open_store
from tests.unit.run.test_recovery import completed, dead_owner, leave_behind, started, store, two_steps

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Owner, Store
    from flownb.store.requests import ApprovalRow

__all__ = ["dead_owner", "store"]
TIMEOUT = 5.0


def in_doubt(flow: Flow, store: Store, owner: Owner) -> tuple[Run, ApprovalRow]:
    """A paused run whose second node asks."""
    leave_behind(flow, store, owner, [started("first"), completed("first", 1), started("second")])
    run = flow.run(store=store, key="k", display=False)
    with pytest.raises(RunPaused, match="in_doubt"):
        run.result(TIMEOUT)
    (asked,) = store.approvals()
    return run, asked


def test_the_question_is_listed_as_any_other(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    assert (asked.run, asked.node, asked.kind, asked.status) == (run.id, "second", "in_doubt", "pending")
    assert asked.request.ports == ("rerun", "completed", "fail")
    assert "second was in flight (attempt 1) when its process died" in asked.request.question
    (shown,) = describe(store, run.id)["approvals"]
    assert (shown["id"], shown["kind"], shown["status"], shown["port"]) == (asked.id, "in_doubt", "pending", None)
    assert f"flownb approve {asked.id} --port rerun|completed|fail" in run.state.message


@pytest.mark.parametrize(
    ("port", "data", "result", "ran"),
    [("rerun", None, 2, True), ("completed", {"sent": 3}, {"sent": 3}, False)],
)
def test_an_answer_lets_the_run_go_on(
    store: Store, dead_owner: Owner, port: str, data: Any, *, result: Any, ran: bool
) -> None:
    seen: list[str] = []
    run, asked = in_doubt(two_steps(seen, on_crash="ask"), store, dead_owner)
    run.decide(asked.id, port=port, data=data, comment="looked")
    assert run.result(TIMEOUT) == {"second": result}
    assert seen == ["second"] * ran
    (answered,) = [r.event for r in run.events() if isinstance(r.event, ev.ApprovalDecided)]
    assert (answered.approval, answered.by, answered.port, answered.comment) == (asked.id, user(), port, "looked")
    assert [row.status for row in store.approvals(pending=False)] == ["answered"]


def test_the_answer_fail_fails_the_node(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    run.decide(asked.id, port="fail")
    with pytest.raises(RunFailed, match=f"second: ProcessDied: .*{user()} said that it failed"):
        run.result(TIMEOUT)


def test_what_the_node_says_of_errors_holds_for_the_answer_fail(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask", on_error="fallback", fallback=-1), store, dead_owner)
    run.decide(asked.id, port="fail")
    assert run.result(TIMEOUT) == {"second": -1}


def test_a_second_answer_is_refused_and_says_whose_came_first(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    run.decide(asked.id, port="completed", data=7, by="ada")
    with pytest.raises(
        Conflict, match=f"The request {asked.id} of second .*answered already: completed by .*\\(as ada\\) at"
    ):
        run.decide(asked.id, port="rerun")
    assert run.result(TIMEOUT) == {"second": 7}


def test_wrong_answers_change_nothing(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    with pytest.raises(NotFound, match="has no request 'nope'"):
        run.decide("nope", port="rerun")
    with pytest.raises(InvalidInput, match="second can't be answered with 'complete'. Did you mean 'completed'"):
        run.decide(asked.id, port="complete")
    with pytest.raises(InvalidInput, match="a lock can't be"):
        run.decide(asked.id, port="completed", data=threading.Lock())
    assert store.approvals() == [asked]
    run.decide(asked.id, port="rerun")  # it still waits, and goes on
    assert run.result(TIMEOUT) == {"second": 2}


def test_retry_and_skip_are_answers(store: Store, dead_owner: Owner) -> None:
    run, asked = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    run.retry("second")
    assert run.result(TIMEOUT) == {"second": 2}
    assert [row.port for row in store.approvals(pending=False)] == ["rerun"]
    with pytest.raises(Conflict):
        run.decide(asked.id, port="fail")


def test_an_answer_that_came_while_nobody_had_the_run_is_taken_at_its_resumption(
    own_store: str, dead_owner: Owner
) -> None:
    kept = open_store(own_store)
    seen: list[str] = []
    flow = two_steps(seen, on_crash="ask")
    kept.register(dead_owner)
    run, asked = in_doubt(flow, kept, dead_owner)
    del run
    kept.close()  # as if the process had gone
    again = open_store(own_store)
    assert flow.run(store=again, key="k", display=False).status == "paused"  # undecided: it stays as it is
    decision = ev.ApprovalDecided(at=time.time(), node="second", approval=asked.id, by="ada", port="completed", data=9)
    again.decide(asked.run, decision)
    assert describe(again, asked.run)["approvals"][0]["port"] == "completed"  # shown before anybody took it
    assert flow.run(store=again, key="k", display=False).result(TIMEOUT) == {"second": 9}
    assert seen == []


def test_a_branch_in_doubt_does_not_hold_up_the_others_and_is_answered_meanwhile(
    store: Store, dead_owner: Owner
) -> None:
    gate = threading.Event()
    flow = two_steps([], on_crash="ask")

    @flow.node
    def beside(first: int) -> int:
        gate.wait(TIMEOUT)
        return first + 10

    leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    run = flow.run(store=store, key="k", display=False)
    while run["beside"].status != "running" or not store.approvals():
        time.sleep(0.001)
    (asked,) = store.approvals()
    run.decide(asked.id, port="rerun")
    while run["second"].status != "completed":
        time.sleep(0.001)
    gate.set()
    assert run.result(TIMEOUT) == {"second": 2, "beside": 11}


def test_an_answer_with_a_condition_decides_its_edges(store: Store, dead_owner: Owner) -> None:
    flow = two_steps([], on_crash="ask")

    @flow.node
    def third(second: int) -> int:
        return second * 10

    flow.edge("second", "third", condition="second > 5")
    run, asked = in_doubt(flow, store, dead_owner)
    run.decide(asked.id, port="completed", data=3)
    run.result(TIMEOUT)
    assert run["third"].status == "skipped"
