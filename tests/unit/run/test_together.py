"""Runs that are answered together go on together, and each as if it were alone."""

from __future__ import annotations

import gc
import itertools
import logging
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import flownb
from flownb import Flow
from flownb.errors import StoreCorrupt, StoreLocked
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.run.executor import Execution
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from flownb.testing import FaultyStore, fake_clock
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run

SECONDS = 60.0
MANY = 40


def asking(ran: Counter[str] | None = None, **options: Any) -> Flow:
    flow = Flow("asking")

    @flow.node
    async def first(n: int = 0) -> int:
        if ran is not None:
            ran[f"first {n}"] += 1
        return n + 1

    ok = flow.approval("ok", "Go on with {{ first }}?", after=first, **options)

    @flow.node(after=ok.approved)
    async def last(first: int) -> int:
        if ran is not None:
            ran[f"last {first - 1}"] += 1
        return first + 1

    return flow


def at_rest(runs: list[Run]) -> dict[str, str]:
    """The one question of each, by run."""
    wait_for(lambda: all(run.resting for run in runs), SECONDS)
    return {row.run: row.id for run in runs for row in run.store.approvals(run=run.id)}


def until_ended(run: Run) -> None:
    wait_for(lambda: run.status.ended, SECONDS)


def kinds(run: Run) -> Counter[type[ev.Event]]:
    return Counter(type(record.event) for record in run.events())


@pytest.mark.parametrize("by", ["decide", "inbox", "another_connection"])
@pytest.mark.parametrize("place", ["memory", "sqlite"])
def test_each_goes_on_once_with_its_own_answer(tmp_path: Path, place: str, by: str) -> None:
    ran: Counter[str] = Counter()
    store = MemoryStore() if place == "memory" else open_store(f"sqlite:///{tmp_path}/w.db")
    flow = asking(ran)
    runs = [flow.run(n=n, store=store, display=False) for n in range(MANY)]
    asked = at_rest(runs)
    answers = dict(zip(asked, ("approved", "rejected") * MANY, strict=False))
    if by == "decide":
        for run in runs:
            run.decide(asked[run.id], answers[run.id])
            assert not run.resting
    else:
        elsewhere = store if place == "memory" or by == "inbox" else open_store(f"sqlite:///{tmp_path}/./w.db")
        for each in flownb.inbox(elsewhere):
            each.answer(answers[each.run])
    for n, run in enumerate(runs):
        until_ended(run)
        assert run.result(SECONDS) == ({"last": n + 2} if answers[run.id] == "approved" else {})
        seen = kinds(run)
        assert (seen[ev.ApprovalRequested], seen[ev.ApprovalDecided], seen[ev.RunResumed]) == (1, 1, 1)
    assert set(ran.values()) == {1}
    assert len(ran) == MANY + MANY // 2
    assert store.waiting() == set()


def test_a_flood_of_answers_costs_few_transactions() -> None:
    store = FaultyStore(MemoryStore())
    runs = [asking().run(n=n, store=store, display=False) for n in range(MANY)]
    asked = at_rest(runs)
    store.calls.clear()
    for run in runs:
        run.decide(asked[run.id])
    for run in runs:
        run.result(SECONDS)
    assert store.calls["claim"] == 0
    assert store.calls["journals"] <= store.calls["claim_free"] < MANY // 2
    assert store.calls["commit"] < MANY


def test_what_can_not_be_done_now_is_done_as_soon_as_it_can() -> None:
    store = FaultyStore(MemoryStore())
    flow = asking()
    runs = [flow.run(n=n, store=store, display=False) for n in range(5)]
    asked = at_rest(runs)
    store.fail_at(1, only=("receive",), error=StoreLocked("locked"), times=2)
    for run in runs:
        run.decide(asked[run.id])
    for n, run in enumerate(runs):
        until_ended(run)
        assert run.result(SECONDS) == {"last": n + 2}
    assert store.failed


def test_one_that_can_not_be_read_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(MemoryStore())
    flow = asking()
    runs = [flow.run(n=n, store=store, display=False) for n in range(5)]
    asked = at_rest(runs)
    store.fail_at(1, only=("approvals",), error=StoreCorrupt("unreadable"), times=2)
    with caplog.at_level(logging.CRITICAL):
        for run in runs:
            store.answer(run.id, asked[run.id], lambda row: [approved(row)])
        engine().house.look_soon(store)
        wait_for(lambda: sum(run.status.ended for run in runs) >= len(runs) - 1, SECONDS)
        wait_for(lambda: not engine().executions, SECONDS)  # the one that could not be read is at work nowhere
    for run in flow.resume(store=store):  # and goes on as soon as it can be read, if it has not by itself
        until_ended(run)
    assert all(store.row(run.id).status == "completed" for run in runs)


def approved(row: Any) -> ev.ApprovalDecided:
    return ev.ApprovalDecided(at=1.0, node=row.node, approval=row.id, by="me", port="approved")


def test_what_others_wrote_meanwhile_is_read_before_it_goes_on(tmp_path: Path) -> None:
    ours, theirs = open_store(f"sqlite:///{tmp_path}/w.db"), open_store(f"sqlite:///{tmp_path}/./w.db")
    flow = Flow("twice")
    one = flow.approval("one", "One?")
    two = flow.approval("two", "Two?", after=one.approved)
    flow.set_variable("end", "answer", 1, after=two.approved)
    run = flow.run(store=ours, display=False)
    (first,) = at_rest([run]).values()
    engine().house.take_rest(ours, run.id)  # this process does not look after it for a while
    decided = flownb.inbox(theirs)[0].approve()
    assert decided.id == first
    (other,) = flow.resume(store=theirs)
    (second,) = at_rest([other]).values()
    run._rest_in_house()
    run.decide(second)
    wait_for(lambda: run.status.ended, SECONDS)
    assert run.outputs == {"end": 1}
    assert kinds(run)[ev.ApprovalDecided] == 2


def executions_of(run: Run) -> list[Execution]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Execution and each.run_id == run.id]


# --- what a run costs that waits --------------------------------------------------------------------------------------


def test_a_run_that_waits_keeps_its_state_and_nothing_else() -> None:
    run = asking().run(store="memory:", display=False)
    wait_for(lambda: run.resting)
    wait_for(lambda: not executions_of(run))
    assert run["first"].output == 1
    assert run.left_behind is None
    run.approvals[0].approve()
    assert run.result(SECONDS) == {"last": 2}


def test_a_thousand_runs_that_wait_are_held_in_eight_megabytes(tmp_path: Path) -> None:
    store, flow, count = open_store(f"sqlite:///{tmp_path}/w.db"), asking(), 100
    held: list[int] = []
    runs: list[Run] = []
    tracemalloc.start()
    try:
        for _ in range(5):  # what the first need once is not held for each
            more = [flow.run(store=store, display=False) for _ in range(count)]
            at_rest(more)
            runs += more
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    each = [(after - before) / count for before, after in itertools.pairwise(held)]
    assert min(each) < 8_000, each  # whatever else this process does meanwhile only adds


def test_what_has_no_stored_form_is_kept_over_a_pause() -> None:
    flow = Flow("asking")
    made = []

    @flow.node
    def model() -> Any:
        made.append(object())
        return made[-1]

    @flow.node
    def frame() -> Any:
        return pd.DataFrame({"a": [1, 2]})

    ok = flow.approval("ok", "Fine?", after=[model, frame])

    @flow.node(after=ok.approved)
    def uses(model: Any, frame: Any) -> Any:
        return {"same": model is made[0], "sum": int(frame.a.sum())}

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.resting)
    assert run["model"].output is made[0]
    run.leave()
    assert run["frame"].output.a.tolist() == [1, 2]
    run.approvals[0].approve()
    assert run.result(SECONDS) == {"uses": {"same": True, "sum": 3}}
    assert len(made) == 1


def test_an_answer_that_comes_with_the_end_of_the_time_ends_nothing_twice() -> None:
    with fake_clock() as clock:
        flow = asking(timeout=100.0)
        runs = [flow.run(n=n, store="memory:", display=False) for n in range(6)]
        asked = at_rest(runs)
        runs[0].decide(asked[runs[0].id])
        clock.advance(200.0)
        for run in runs[1:3]:
            with pytest.raises(flownb.errors.Conflict, match="expired"):
                run.decide(asked[run.id])
        for run in runs:
            run.result(SECONDS)
            seen = kinds(run)
            assert seen[ev.ApprovalDecided] + seen[ev.ApprovalExpired] == 1
        assert kinds(runs[0])[ev.ApprovalDecided] == 1
