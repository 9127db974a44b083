"""Every node says why it is as it is, in every case."""

from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow, RunFailed, RunPaused
from flownb.model.status import RunStatus
from flownb.run.handles.describe import describe
from flownb.store.memory import MemoryStore
from tests.waiting import wait_for

SECONDS = 10.0


def go(flow: Flow, store: MemoryStore | None = None, **given: Any) -> Any:
    run = flow.run(store=store or MemoryStore(), display=False, **given)
    run.result(SECONDS)
    return run


def chain(factor: int = 2) -> Flow:
    flow = Flow("chain")

    @flow.node
    def load(n: int = 3) -> int:
        return n

    flow.node((lambda load: load * 2) if factor == 2 else (lambda load: load * 3), id="twice")
    flow.node(lambda twice: twice + 1, id="more")
    flow.node(lambda more: more, id="end")
    return flow


def test_what_ran_waited_failed_or_was_skipped_says_so() -> None:
    flow = Flow("cases")
    flow.node(lambda: 1, id="one")
    tries: list[int] = []

    @flow.node(retry={"attempts": 2, "delay": 0.0})
    def shaky() -> int:
        tries.append(1)
        return 1 // (len(tries) - 1)

    flow.node(lambda one: one / 0, id="bad", on_error="continue")
    flow.node(lambda bad: bad, id="after_bad")
    big = flow.condition("big", "one > 1")
    flow.node(lambda one: one, id="gone", after=big.true)
    flow.node(lambda one: one, id="off", disabled=True)
    flow.node(lambda: 1 / 0, id="spare", fallback=7)
    run = flow.run(store=MemoryStore(), display=False)
    with pytest.raises(RunFailed):
        run.result(SECONDS)
    assert {node.id: node.why for node in run} == {
        "one": "it ran, and its result is committed",
        "shaky": "it ran, and its result is committed (attempt 2)",
        "bad": "ZeroDivisionError: division by zero",
        "after_bad": "no value for bad: bad failed (data bad.main->after_bad.bad)",
        "big": "it ran, and its result is committed",
        "gone": "big took false, not true (gate big.true->gone.after)",
        "off": "it is disabled: what came in was passed on, and it did not run",
        "spare": "it failed, and its fallback is its output",
    }
    nodes = describe(run.store, run.id)["nodes"]
    assert {path: node["why"] for path, node in nodes.items()} == {node.id: node.why for node in run}


def test_what_rests_says_what_it_waits_for() -> None:
    flow = Flow("resting")
    flow.wait_for_event("paid", "paid-{{ 1 }}", seconds=7200)
    flow.node(lambda paid: paid, id="ship")
    run = flow.run(store=MemoryStore(), display=False)
    wait_for(lambda: run.status is RunStatus.PAUSED)
    assert run["paid"].why.startswith("it waits for an event 'paid-1', until 2")
    assert run["ship"].why == "it waits for paid"
    flow = Flow("halting")
    flow.node(lambda: 1, id="one")
    flow.breakpoint("one")
    run = flow.run(store=MemoryStore(), display=False)
    with pytest.raises(RunPaused):
        run.result(SECONDS)
    assert run["one"].why == "the run halts before it: it has a breakpoint"


def test_what_has_a_value_without_running_says_whose_it_is() -> None:
    store = MemoryStore()
    flow = chain()
    first = go(flow, store)
    flow.pin("twice", 50)
    pinned = go(flow, store)
    assert pinned["twice"].why == "it did not run: its output is pinned"
    flow.unpin()
    part = go(flow, store, from_="end")
    assert part["load"].why == (
        "it did not run: its output is that of an earlier run, and nothing that it depends on has changed; "
        f"that run is {pinned.id}"
    )
    assert part["twice"].why == (
        f"it ran, and its result is committed; it ran again because in run {pinned.id} it was pinned"
    )
    assert first["twice"].why == "it ran, and its result is committed"


def test_what_is_stale_says_what_has_changed() -> None:
    store = MemoryStore()
    run = go(chain(), store)
    part = go(chain(factor=3), store, from_="end")
    assert f"its code or config has changed since run {run.id}" in part["twice"].why
    assert "it ran again because twice, before it, did" in part["more"].why
    assert part["end"].why == "it ran, and its result is committed"
    part = go(chain(factor=3), store, from_="end", n=9)
    assert "its input n is another than in run" in part["load"].why
    part = go(chain(factor=3), store, only="end")
    assert part["load"].why == "not asked for: the run is only end"


def test_a_cached_result_says_so() -> None:
    store = MemoryStore()
    flow = Flow("cached")
    flow.node(lambda: 1, id="one", cache=True)
    go(flow, store)
    assert go(flow, store)["one"].why == (
        "it did not run: a result of the same code, config and inputs was in the cache"
    )


def test_a_fork_says_what_is_the_other_runs_and_what_ran_again() -> None:
    run = go(chain())
    fork = run.fork(set={"twice": 10})
    fork.result(SECONDS)
    assert fork["load"].why == (
        f"it ran in run {run.id}, from which this one was forked, and nothing that it depends on was changed"
    )
    assert fork["twice"].why == "it did not run: its output was set when the run was forked"
    assert fork["more"].why.endswith("it ran again because twice was set in the fork")
    assert fork["end"].why.endswith("it ran again because more, before it, did")
    fork = run.fork(set={"n": 7})
    fork.result(SECONDS)
    assert fork["load"].why.endswith("it ran again because n was set in the fork")
