"""Forks: what had ended stays, what depends on a change runs again, and the run itself is not touched."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, InvalidInput, Output, RunFailed, StoreError, UsageError
from flownb.model import events as ev
from flownb.model.status import NodeStatus, RunStatus
from flownb.run.handles.describe import describe
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

SECONDS = 10.0


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def ran() -> Counter[str]:
    return Counter()


def shop(ran: Counter[str]) -> Flow:
    """load → rate → total → big → post; `side` depends on load alone."""
    flow = Flow("shop")

    @flow.node
    def load(n: int = 3) -> list[int]:
        ran["load"] += 1
        return list(range(n))

    @flow.node
    def side(load: list[int]) -> int:
        ran["side"] += 1
        return len(load)

    flow.set_variable("keep_rate", "rate", 2, after=load)

    @flow.node(after="keep_rate")
    def total(load: list[int], ctx: Any) -> int:
        ran["total"] += 1
        return sum(load) * int(ctx.variables["rate"])

    big = flow.condition("big", "total > 10")

    @flow.node(after=big.true)
    def post(total: int) -> str:
        ran["post"] += 1
        return f"posted {total}"

    @flow.node(after=big.false)
    def keep(total: int) -> str:
        ran["keep"] += 1
        return f"kept {total}"

    return flow


def go(flow: Flow, store: Store, **inputs: Any) -> Run:
    run = flow.run(store=store, display=False, **inputs)
    run.result(SECONDS)
    return run


def seq_of(run: Run, kind: type[ev.Event], node: str) -> int:
    return next(
        each.seq for each in run.events() if isinstance(each.event, kind) and getattr(each.event, "node", "") == node
    )


def test_a_fork_without_a_change_does_nothing_again(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    before = [record.event for record in run.events()]
    fork = run.fork()
    assert fork.result(SECONDS) == run.outputs == {"side": 3, "keep": "kept 6"}
    assert ran == {"load": 1, "side": 1, "total": 1, "keep": 1}
    assert fork.id != run.id
    assert [record.event for record in run.events()] == before


def test_a_changed_variable_reruns_what_may_read_it_and_what_follows(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    fork = run.fork(set={"rate": 10})
    assert fork.result(SECONDS) == {"side": 3, "post": "posted 30"}
    assert ran == {"load": 1, "side": 1, "total": 2, "keep": 1, "post": 1}
    assert fork["keep"].status is NodeStatus.SKIPPED
    assert run.outputs == {"side": 3, "keep": "kept 6"}


def test_a_changed_output_reruns_its_dependents_and_not_the_node(store: Store, ran: Counter[str]) -> None:
    fork = go(shop(ran), store).fork(set={"total": 100})
    assert fork.result(SECONDS)["post"] == "posted 100"
    assert (ran["total"], ran["load"], ran["post"]) == (1, 1, 1)
    assert fork.state.sources[fork.state.topology.index["total"]] == "set"


def test_the_changed_output_of_a_node_that_sets_a_variable_is_the_variable(store: Store, ran: Counter[str]) -> None:
    fork = go(shop(ran), store).fork(set={"keep_rate": 10})
    assert fork.result(SECONDS) == {"side": 3, "post": "posted 30"}
    assert fork.state.variables == {"rate": 10}


def test_a_changed_choice_takes_the_other_way(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    assert run.fork(set={"big": True}).result(SECONDS) == {"side": 3, "post": "posted 6"}
    assert run.fork(set={"big": Output(1, ports=("true",))}).result(SECONDS)["post"] == "posted 6"


def test_a_changed_input_reruns_what_takes_it(store: Store, ran: Counter[str]) -> None:
    fork = go(shop(ran), store).fork(set={"n": 5})
    assert fork.result(SECONDS) == {"side": 5, "post": "posted 20"}
    assert fork.state.inputs == {"n": 5}
    assert ran["load"] == 2


def test_a_fork_from_the_middle_has_only_what_had_happened_by_then(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    at = seq_of(run, ev.NodeCompleted, "load")
    fork = run.fork(at=at, set={"load": [100]})
    assert fork.result(SECONDS) == {"side": 1, "post": "posted 200"}
    assert ran == {"load": 1, "side": 2, "total": 2, "keep": 1, "post": 1}
    first = [type(record.event) for record in fork.events()][:2]
    assert first == [ev.RunForked, ev.RunStarted]
    forked = fork.events()[0].event
    assert isinstance(forked, ev.RunForked)
    assert (forked.source, forked.seq) == (run.id, at)


def test_both_ends_know_of_each_other(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    fork = run.fork(at=5)
    fork.result(SECONDS)
    assert describe(store, run.id)["forks"] == [{"run": fork.id, "seq": 5}]
    document = describe(store, fork.id)
    assert document["forked_from"] == {"run": run.id, "seq": 5}
    assert document["trigger"] == "fork"
    assert "forks" not in document


def test_what_was_in_flight_starts_anew_under_keys_of_its_own(store: Store) -> None:
    flow = Flow("keys")
    keys: list[str] = []
    hold, held = threading.Event(), threading.Event()

    @flow.node(on_crash="ask")
    def send(ctx: Any) -> int:
        keys.append(ctx.idempotency_key)
        held.set()
        hold.wait(SECONDS)
        return 1

    run = flow.run(store=store, display=False)
    held.wait(SECONDS)
    wait_for(lambda: len(store.events(run.id)) == 2)
    fork = run.fork()
    hold.set()
    assert fork.result(SECONDS) == run.result(SECONDS) == {"send": 1}
    assert sorted(keys) == sorted([f"{run.id}:send", f"{fork.id}:send"])


def test_a_failed_run_is_mended_by_a_fork(store: Store, ran: Counter[str]) -> None:
    flow = Flow("fragile")

    @flow.node
    def parts() -> int:
        ran["parts"] += 1
        return 0

    @flow.node
    def share(parts: int) -> float:
        return 10 / parts

    run = flow.run(store=store, display=False)
    with pytest.raises(RunFailed):
        run.result(SECONDS)
    assert run.fork(set={"parts": 4}).result(SECONDS) == {"share": 2.5}
    assert run.status is RunStatus.FAILED
    assert ran["parts"] == 1


def test_a_loop_that_had_ended_keeps_its_rounds_and_one_that_is_reached_begins_anew(
    store: Store, ran: Counter[str]
) -> None:
    flow = Flow("loops")

    @flow.node
    def rows() -> list[int]:
        return [1, 2, 3]

    with flow.loop("each", over="rows"):

        @flow.node
        def double(item: int) -> int:
            ran[str(item)] += 1
            return item * 2

    flow.node(lambda each: sum(each) + 0, id="total")
    run = go(flow, store)
    assert run.fork().result(SECONDS) == {"total": 12}
    assert run.fork(set={"rows": [5]}).result(SECONDS) == {"total": 10}
    assert ran == {"1": 1, "2": 1, "3": 1, "5": 1}
    at = seq_of(run, ev.NodeCompleted, "each[1].double")
    fork = run.fork(at=at)
    assert fork.result(SECONDS) == {"total": 12}
    assert ran["2"] == 1
    with pytest.raises(InvalidInput, match="double is inside a loop"):
        run.fork(set={"double": 3})


def test_a_signal_that_came_before_comes_again_to_who_waits_again(store: Store) -> None:
    flow = Flow("signals")
    flow.variable("who", default="ada")
    flow.add("control.wait_for_event", "paid", event="paid")
    flow.add("control.transform", "told", fields={"x": "paid", "who": "who"})
    run = flow.run(store=store, display=False)
    run.signal("paid", 7)
    assert run.result(SECONDS)["told"]["who"] == "ada"
    assert run.fork(set={"who": "bob"}).result(SECONDS)["told"]["who"] == "bob"
    again = run.fork(at=1)
    wait_for(lambda: again.status is RunStatus.PAUSED)
    again.signal("paid", 8)
    assert again.result(SECONDS)["told"]["who"] == "ada"


def test_a_fork_sets_no_variable_of_the_workflow_by_what_it_takes_along(store: Store) -> None:
    flow = Flow("counter")
    flow.variable("count", type="number", default=0)
    flow.set_variable("more", "count", "{{ variables.count + 1 }}", scope="workflow")
    run = go(flow, store)
    go(flow, store)
    assert run.fork().result(SECONDS) == {"more": 1}
    assert flow.variables(store=store) == {"count": 2}


def test_a_value_that_only_the_process_had_is_made_again(store: Store, ran: Counter[str]) -> None:
    flow = Flow("transient")

    @flow.node
    def model() -> Any:
        ran["model"] += 1
        return threading.Lock()

    @flow.node
    def use(model: Any, n: int = 1) -> int:
        return n if model is not None else 0

    run = go(flow, store)
    assert run.fork(set={"n": 2}).result(SECONDS) == {"use": 2}
    assert ran["model"] == 2


def test_artifacts_are_kept_as_long_as_either_run_is_there(tmp_path: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    flow = Flow("blobs")
    flow.node(lambda: b"x" * 500_000, id="make")
    flow.node(lambda make, n=1: len(make) + n, id="size")
    run = go(flow, store)
    fork = run.fork(set={"n": 2})
    assert fork.result(SECONDS) == {"size": 500_002}
    wait_for(lambda: store.owner_of(run.id) is None)
    store.delete_run(run.id)
    store.collect()
    assert fork["make"].output == b"x" * 500_000
    assert store.check() == []


@pytest.mark.parametrize("at", [0, -1, 10_000, True, "3", 2.5])
def test_a_moment_that_never_was_is_refused(at: Any, store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    with pytest.raises(InvalidInput, match=r"has the events 1 to \d+ to go back to"):
        run.fork(at=at)
    assert len(list(store.rows())) == 1


def test_a_wrong_name_or_value_is_a_sentence_and_leaves_no_run(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    with pytest.raises(InvalidInput, match="no node, input or variable 'totl' to set. Did you mean 'total'"):
        run.fork(set={"totl": 1})
    with pytest.raises(InvalidInput, match="'n' is 'many'; it must be a number"):
        run.fork(set={"n": "many"})
    with pytest.raises(InvalidInput, match="The output of total can't be a lock"):
        run.fork(set={"total": threading.Lock()})
    with pytest.raises(InvalidInput, match="big has no port 'maybe'"):
        run.fork(set={"big": Output(1, ports=("maybe",))})
    with pytest.raises(InvalidInput, match="big leaves by true or false: say which"):
        run.fork(at=2, set={"big": 7})
    assert len(list(store.rows())) == 1


def test_a_fork_of_a_fork_goes_back_further(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    fork = run.fork(set={"total": 50})
    fork.result(SECONDS)
    again = fork.fork(set={"total": 7})
    assert again.result(SECONDS)["keep"] == "kept 7"
    with pytest.raises(InvalidInput, match="has the events 2 to"):
        fork.fork(at=1)


def test_a_moment_shows_what_was_known_then(store: Store, ran: Counter[str]) -> None:
    run = go(shop(ran), store)
    at = seq_of(run, ev.NodeCompleted, "load")
    moment = run.at(at)
    assert moment["load"].output == [0, 1, 2]
    assert moment["total"].status is NodeStatus.PENDING
    assert moment.status is RunStatus.RUNNING
    assert len(moment.events()) == at
    with pytest.raises(InvalidInput, match="no moment"):
        run.at(10_000)


def test_a_run_whose_program_nobody_knows_is_not_forked(store: Store, ran: Counter[str]) -> None:
    from flownb.run.handles.handle import Run as Handle
    from flownb.run.recovery.recover import read_state, require_row

    run = go(shop(ran), store)
    handle = Handle(store, read_state(store, require_row(store, run.id)))
    handle.settle()
    with pytest.raises(UsageError, match="not at hand"):
        handle.fork()


def test_a_fork_that_can_not_be_written_leaves_no_run(
    store: Store, ran: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = go(shop(ran), store)

    def full(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full", place="here")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", full)
        with pytest.raises(StoreError, match="full"):
            run.fork()
    assert [row.id for row in store.rows()] == [run.id]
