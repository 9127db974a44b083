"""What becomes of a run whose process died: its journal is written by hand here, as that process would have left it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb import Flow, RetryPolicy, RunFailed, RunPaused
from flownb.errors import DefinitionDrift
from flownb.ids import new_owner_id
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.fingerprint import digest_of
from flownb.model.status import PauseReason, RunStatus
from flownb.services.identity import user
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.store.contract import Owner, Store


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def dead_owner(store: Store) -> Owner:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    owner = msgspec.structs.replace(current_owner(), id=new_owner_id(), pid=child.pid, pid_started=1)
    store.register(owner)
    return owner


def leave_behind(
    flow: Flow,
    store: Store,
    owner: Owner,
    happened: Sequence[ev.Event],
    inputs: dict[str, Any] | None = None,
    *,
    key: str = "k",
) -> str:
    """A run with a key as a killed process leaves it: started, then what happened."""
    definition = flow.definition()
    store.put_definition(definition.hash, definition.document)
    plain = inputs or {}
    new = NewRun(
        id=f"dead{time.monotonic_ns()}",
        workflow=flow.name,
        key=key,
        request=digest_of([flow.name, plain]),
        definition=definition.hash,
        created_at=time.time(),
    )
    row, lease = store.create_run(new, owner)
    assert lease is not None
    started = ev.RunStarted(at=time.time(), workflow=flow.name, definition=definition.hash, inputs=plain)
    store.commit([Write(run=row.id, fence=lease.fence, first=1, events=(started, *happened))])
    return row.id


def started(node: str, attempt: int = 1) -> ev.NodeStarted:
    return ev.NodeStarted(at=time.time(), node=node, attempt=attempt)


def completed(node: str, output: Any) -> ev.NodeCompleted:
    return ev.NodeCompleted(at=time.time(), node=node, output=output)


def two_steps(ran: list[str], **second_options: Any) -> Flow:
    flow = Flow("two steps")

    @flow.node
    def first() -> int:
        ran.append("first")
        return 1

    @flow.node(**second_options)
    def second(first: int) -> int:
        ran.append("second")
        return first + 1

    return flow


def test_committed_nodes_are_restored_and_the_one_in_flight_runs_again(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran)
    run_id = leave_behind(flow, store, dead_owner, [started("first"), completed("first", 41), started("second")])
    done = flow.run(store=store, key="k")
    assert done.id == run_id
    assert done.result(5) == {"second": 42}
    assert ran == ["second"]
    assert [type(record.event) for record in done.events()][4:] == [
        ev.RunResumed,
        ev.NodeStarted,
        ev.NodeCompleted,
        ev.RunCompleted,
    ]


def test_on_crash_fail_fails_the_node(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran, on_crash="fail")
    leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    with pytest.raises(RunFailed, match="second: ProcessDied: The process died while second ran"):
        flow.run(store=store, key="k").result(5)
    assert ran == []


def test_on_crash_ask_stops_and_asks(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran, on_crash="ask")
    leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    asked = flow.run(store=store, key="k")
    with pytest.raises(RunPaused, match=r"in_doubt.*second: was in flight when its process died"):
        asked.result(5)
    assert asked.pause_reason is PauseReason.IN_DOUBT
    with pytest.raises(RunPaused, match=r"in_doubt.*flownb retry"):
        asked.resume().result(5)  # to resume is no answer: it asks again
    with pytest.raises(RunPaused):
        flow.run(store=store, key="k").result(5)
    assert ran == []
    asked.retry("second")
    assert asked.result(5) == {"second": 2}
    assert ran == ["second"]


def test_a_node_in_doubt_can_be_skipped(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran, on_crash="ask")
    leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    asked = flow.run(store=store, key="k")
    with pytest.raises(RunPaused):
        asked.result(5)
    asked.skip("second")
    assert asked.result(5) == {}
    assert asked["second"].why == f"skipped by {user()}"


def test_a_node_between_two_attempts_starts_again_whatever_its_on_crash(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran, on_crash="ask", retry=RetryPolicy(attempts=2))
    failure = ev.Failure(type="ValueError", message="once")
    leave_behind(
        flow,
        store,
        dead_owner,
        [
            started("first"),
            completed("first", 1),
            started("second"),
            ev.NodeRetrying(at=time.time(), node="second", attempt=1, delay=60.0, error=failure),
        ],
    )
    assert flow.run(store=store, key="k").result(5) == {"second": 2}


def test_a_transient_result_that_is_needed_is_computed_again(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran)
    gone = {"$transient": {"type": "Model", "reason": "it has no stored form", "text": "<model>"}}
    leave_behind(flow, store, dead_owner, [started("first"), completed("first", gone), started("second")])
    assert flow.run(store=store, key="k").result(5) == {"second": 2}
    assert ran == ["first", "second"]


def test_a_transient_result_that_nobody_needs_is_not_computed_again(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran)

    @flow.node(after="second")
    def third() -> str:
        ran.append("third")
        return "third"

    gone = {"$transient": {"type": "Model", "reason": "it has no stored form", "text": "<model>"}}
    happened = [started("first"), completed("first", gone), started("second"), completed("second", 5)]
    leave_behind(flow, store, dead_owner, happened)
    assert flow.run(store=store, key="k").result(5) == {"third": "third"}
    assert ran == ["third"]


_GONE = {"$transient": {"type": "Model", "reason": "it has no stored form", "text": "<model>"}}


def _three(ran: list[str], **options: Any) -> Flow:
    flow = Flow("three")

    @flow.node
    def raw() -> object:
        ran.append("raw")
        return 1

    @flow.node(**options)
    def train(raw: object) -> object:
        ran.append("train")
        return ("model", raw)

    @flow.node
    def score(train: object) -> object:
        ran.append("score")
        return train

    @flow.node
    def other(train: object) -> str:
        ran.append("other")
        return "other"

    return flow


_TRAINED = [started("raw"), completed("raw", _GONE), started("train"), completed("train", _GONE)]


def test_a_lost_result_two_levels_up_is_computed_again_and_who_has_ended_is_left_alone(
    store: Store, dead_owner: Owner
) -> None:
    ran: list[str] = []
    flow = _three(ran)
    happened = [*_TRAINED, started("other"), completed("other", "other"), started("score")]
    leave_behind(flow, store, dead_owner, happened)
    run = flow.run(store=store, key="k")
    assert run.result(5) == {"score": ("model", 1), "other": "other"}
    assert ran == ["raw", "train", "score"]


def test_a_lost_result_of_a_node_that_asks_is_asked_about(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = _three(ran, on_crash="ask")
    leave_behind(flow, store, dead_owner, [*_TRAINED, started("score")])
    run = flow.run(store=store, key="k")
    with pytest.raises(RunPaused, match="in_doubt"):
        run.result(5)
    (asked,) = store.approvals(run=run.id)
    assert "train has ended, but its result (Model) was in memory only and is gone" in asked.request.question
    assert "train" not in ran
    run.decide(asked.id, port="rerun")
    assert run.result(5) == {"score": ("model", 1), "other": "other"}
    assert ran.count("train") == 1


def test_a_lost_result_of_a_node_that_may_not_run_again_fails_who_needs_it(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = _three(ran, on_crash="fail")
    leave_behind(flow, store, dead_owner, [*_TRAINED, started("score")])
    with pytest.raises(RunFailed, match="kept in memory only, because a Model has no stored form"):
        flow.run(store=store, key="k").result(5)
    assert ran == []


def test_recorded_inputs_win(store: Store, dead_owner: Owner) -> None:
    flow = Flow("inputs")

    @flow.node
    def use(n: int) -> int:
        return n

    leave_behind(flow, store, dead_owner, [], {"n": 5})
    assert flow.run(store=store, key="k", n=5).result(5) == {"use": 5}


def test_a_changed_program_is_refused_with_the_difference(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran)
    run_id = leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1)])
    changed = Flow("two steps")

    @changed.node
    def first() -> int:
        return 1

    @changed.node
    def second(first: int) -> int:
        return first + 1000

    with pytest.raises(
        DefinitionDrift, match=rf"(?s)not what run {run_id} was started with.*second: its code changed.*1000"
    ):
        changed.run(store=store, key="k")
    assert store.row(run_id).status == RunStatus.RUNNING  # type: ignore[union-attr]  # it is there


def test_a_failed_and_a_finished_run_stay_what_they_are_for_their_key(store: Store) -> None:
    ran: list[str] = []
    flow = two_steps(ran)
    first = flow.run(store=store, key="once")
    assert first.result(5) == {"second": 2}
    again = flow.run(store=store, key="once")
    assert again.id == first.id
    assert again.result(5) == {"second": 2}
    assert ran == ["first", "second"]

    broken = Flow("broken")

    @broken.node
    def bad() -> None:
        ran.append("bad")
        raise ValueError("bad")

    for _ in range(2):
        with pytest.raises(RunFailed, match="ValueError: bad"):
            broken.run(store=store, key="broken").result(5)
    assert ran.count("bad") == 1


def test_a_due_timer_goes_on_and_a_later_one_stays_parked(store: Store, dead_owner: Owner) -> None:
    flow = Flow("timer")
    flow.delay("nap", 3600)
    now = time.time()
    parked = [
        started("nap"),
        ev.NodeWaiting(at=now, node="nap", waits_for="timer", until=now - 1),
        ev.RunPaused(at=now, reason="timer", until=now - 1),
    ]
    leave_behind(flow, store, dead_owner, parked)
    done = flow.run(store=store, key="k")
    done.result(5)
    assert done.status is RunStatus.COMPLETED


def test_an_answer_that_was_left_in_the_store_counts_for_the_key(store: Store, dead_owner: Owner) -> None:
    ran: list[str] = []
    flow = two_steps(ran, on_crash="ask")
    run_id = leave_behind(flow, store, dead_owner, [started("first"), completed("first", 1), started("second")])
    store.send(run_id, cmd.RetryNode(node="second"))
    asked = flow.run(store=store, key="k")
    with pytest.raises(RunPaused):
        asked.result(5)  # the answer came before the question: it was about nothing
    store.send(run_id, cmd.RetryNode(node="second"))
    assert flow.run(store=store, key="k").result(5) == {"second": 2}


def test_a_finished_run_tells_its_result_although_the_program_changed(store: Store) -> None:
    assert two_steps([]).run(store=store, key="told").result(5) == {"second": 2}
    changed = Flow("two steps")
    changed.node(lambda: 7, id="second")
    assert changed.run(store=store, key="told").status is RunStatus.COMPLETED
