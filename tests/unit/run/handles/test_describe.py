from __future__ import annotations

import json
from typing import Any

import pytest

from flownb import Flow, RetryPolicy
from flownb.errors import NotFound
from flownb.model import events as ev
from flownb.model.fold import apply
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Node, Workflow
from flownb.run.handles.describe import describe, describe_approval, describe_event, describe_row, describe_state
from flownb.store.contract import NewRun
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store

BOOM = ev.Failure(type="ValueError", message="boom", traceback="Traceback …")


def test_a_run_before_its_first_event_has_all_of_its_fields() -> None:
    store = MemoryStore()
    row, _ = store.create_run(NewRun(id="r1", workflow="shop", created_at=1.5), None)
    document = describe(store, "r1")
    assert (document["status"], document["started_at"], document["nodes"]) == ("pending", None, {})
    assert document["created_at"] == "1970-01-01T00:00:01.500Z"
    assert describe_row(row)["finished_at"] is None


def test_an_unknown_run_is_not_found() -> None:
    with pytest.raises(NotFound):
        describe(MemoryStore(), "nope")


def state_of(*happened: ev.Event) -> RunState:
    workflow = Workflow(name="shop", nodes=(Node(id="a", type="python"), Node(id="b", type="python")))
    state = RunState(Topology(workflow, {}), "r1")
    for event in happened:
        apply(state, event)
    return state


def document_of(*happened: ev.Event) -> dict[str, Any]:
    store = MemoryStore()
    row, _ = store.create_run(NewRun(id="r1", workflow="shop", definition="old", created_at=0.5), None)
    return describe_state(row, state_of(*happened))


def test_the_state_is_shown_and_not_a_row_that_was_read_before() -> None:
    document = document_of(
        ev.RunStarted(at=1, workflow="shop", definition="new"),
        ev.NodeStarted(at=2, node="a", attempt=1),
        ev.NodeFailedEvent(at=3.25, node="a", error=BOOM),
        ev.RunFailedEvent(at=4, error=BOOM, node="a"),
    )
    assert (document["status"], document["definition_hash"], document["duration_ms"]) == ("failed", "new", 3000)
    assert document["error"] == {
        "type": "ValueError",
        "message": "boom",
        "class": "execution",
        "traceback": "Traceback …",
        "recoverable": True,
        "node": "a",
    }
    assert document["nodes"]["a"]["duration_ms"] == 1250
    assert document["nodes"]["a"]["error"]["message"] == "boom"
    assert document["nodes"]["b"]["status"] == "pending"


def test_a_paused_run_has_a_reason_and_no_end() -> None:
    document = document_of(ev.RunStarted(at=1, workflow="shop"), ev.RunPaused(at=2, reason="timer", until=9))
    assert (document["status"], document["pause_reason"]) == ("paused", "timer")
    assert (document["finished_at"], document["duration_ms"]) == (None, None)


def test_a_skipped_node_says_why_and_never_began() -> None:
    reason = ev.Reason(group="gate", message="big took true, not false")
    node = document_of(ev.RunStarted(at=1, workflow="shop"), ev.NodeSkipped(at=2, node="b", reason=reason))["nodes"][
        "b"
    ]
    assert (node["status"], node["reason"]) == ("skipped", "big took true, not false")
    assert (node["started_at"], node["finished_at"], node["duration_ms"], node["attempts"]) == (None, None, None, 0)


def test_every_document_is_json(own_store: str) -> None:
    flow = Flow("values")

    @flow.node(retry=RetryPolicy(attempts=2, delay=0.0))
    def odd(ctx: Any, when: Any = (1, 2)) -> Any:
        if ctx.attempt == 1:
            raise OSError("once")
        return {"nan": float("nan"), "set": {1}, "bytes": b"x", 3: object}

    run = flow.run(store=own_store, display=False)
    run.result(10)
    store = open_store(own_store)
    document = describe(store, run.id)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["nodes"]["odd"]["attempts"] == 2
    for record in run.events():
        json.dumps(describe_event(record), allow_nan=False)


def test_an_event_begins_with_its_number_time_and_type() -> None:
    event = ev.NodeCompleted(at=1, node="a", output=[1])
    assert describe_event(ev.Record("r1", 7, event)) == {
        "seq": 7,
        "at": "1970-01-01T00:00:01.000Z",
        "type": "node_completed",
        "node": "a",
        "output": [1],
    }
    assert "node" not in describe_event(ev.Record("r1", 1, ev.RunStarted(at=1, workflow="shop")))


def test_an_approval_has_its_answer_where_there_is_one() -> None:
    asked = ev.ApprovalRequested(at=1, node="ok", approval="a1", kind="approval", question="Go?", expires_at=9)
    open_ = describe_approval({"request": asked, "status": "pending"})
    assert (open_["decided_by"], open_["port"], open_["expires_at"]) == (None, None, "1970-01-01T00:00:09.000Z")
    answer = ev.ApprovalDecided(at=2, node="ok", approval="a1", by="eve", port="approved", data={"n": 1})
    closed = describe_approval({"request": asked, "status": "approved", "decision": answer})
    assert (closed["decided_by"], closed["port"], closed["data"]) == ("eve", "approved", {"n": 1})
