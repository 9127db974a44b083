"""What the cache of results promises, on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb import Flow, Output
from flownb.model.events import ResultCached
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

#: Nodes that ran; in the module, because what a function encloses is part of what it does.
RAN: list[Any] = []


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Store:
    RAN.clear()
    return MemoryStore() if request.param == "memory" else open_store(f"sqlite:///{tmp_path}/flownb.db")


def flow_of(factor: int = 2, **cache: Any) -> Flow:
    flow = Flow("cached")

    def load(rows: int) -> pd.DataFrame:
        RAN.append("load")
        return pd.DataFrame({"x": range(rows)})

    def twice(load: pd.DataFrame) -> int:
        RAN.append("twice")
        return int(load.x.sum()) * 2

    def thrice(load: pd.DataFrame) -> int:
        RAN.append("twice")
        return int(load.x.sum()) * 3

    flow.node(load, cache=cache or True)
    flow.node(twice if factor == 2 else thrice, id="total", inputs={"load": "load"}, cache=True)
    return flow


def run(flow: Flow, store: Store, **inputs: Any) -> Run:
    RAN.clear()
    done = flow.run(inputs, store=store, display=False)
    done.result(10)
    return done


def test_a_second_run_uses_the_results_of_the_first(store: Store) -> None:
    assert run(flow_of(), store, rows=4).outputs == {"total": 12}
    assert RAN == ["load", "twice"]
    again = run(flow_of(), store, rows=4)
    assert again.outputs == {"total": 12}
    assert RAN == []
    assert again.state.sources[again["load"].number] == "cache"
    assert len(again["load"].output) == 4


def test_other_inputs_and_other_code_are_computed(store: Store) -> None:
    run(flow_of(), store, rows=4)
    run(flow_of(), store, rows=5)
    assert RAN == ["load", "twice"]
    assert run(flow_of(3), store, rows=5).outputs == {"total": 30}
    assert RAN == ["twice"]


def test_a_result_that_is_too_old_is_computed_again(store: Store) -> None:
    flow = flow_of(enabled=True, ttl=1e-9)
    run(flow, store, rows=4)
    run(flow, store, rows=4)
    assert RAN == ["load"], "its result is the same, so that of the other holds"


def test_a_flow_forgets_its_results(store: Store) -> None:
    flow = flow_of()
    run(flow, store, rows=4)
    assert flow.forget("total", store=store) == 1
    run(flow, store, rows=4)
    assert RAN == ["twice"]
    assert flow.forget(store=store) == 2


def test_nothing_is_cached_that_nobody_asked_for(store: Store) -> None:
    flow = Flow("plain")

    @flow.node
    def load() -> int:
        return 1

    done = run(flow, store)
    assert not any(isinstance(record.event, ResultCached) for record in done.events())


def test_ports_and_conditions_hold_for_a_cached_result(store: Store) -> None:
    def make() -> Flow:
        flow = Flow("ports")

        @flow.node(ports=["big", "small"], cache=True)
        def judge(n: int) -> Output:
            RAN.append("judge")
            return Output(n, ports=("big",) if n > 3 else ("small",), values={"big": n * 10} if n > 3 else {})

        @flow.node(inputs={"value": flow["judge"].big})
        def large(value: int) -> int:
            return value

        @flow.node(after=flow["judge"].small)
        def little() -> str:
            return "little"

        return flow

    for expected in (["judge"], []):
        assert run(make(), store, n=5).outputs == {"large": 50}
        assert expected == RAN
    assert run(make(), store, n=1).outputs == {"little": "little"}


def test_what_has_no_stored_form_is_never_cached(store: Store) -> None:
    flow = Flow("live")

    @flow.node(cache=True)
    def make() -> Callable[[], int]:
        RAN.append("make")
        return lambda: 1

    @flow.node(cache=True)
    def use(make: Any) -> int:
        RAN.append("use")
        return int(make())

    run(flow, store)
    run(flow, store)
    assert RAN == ["make", "use"]


def test_rounds_of_a_loop_are_cached_one_by_one(store: Store) -> None:
    def make(items: list[int]) -> Flow:
        flow = Flow("loop")
        with flow.loop("each", over=items):

            @flow.node(cache=True)
            def square(item: int) -> int:
                RAN.append(item)
                return item * item

        return flow

    assert run(make([1, 2]), store).outputs == {"each": [1, 4]}
    assert run(make([2, 3, 1]), store).outputs == {"each": [4, 9, 1]}
    assert RAN == [3]


def test_an_artifact_that_is_gone_is_computed_again(store: Store) -> None:
    run(flow_of(), store, rows=50_000)
    store.forget_cached(None, "total")
    for digest in list(store.artifacts.digests()):
        store.artifacts.delete(digest)
    with pytest.raises(Exception, match="artifact"):
        run(flow_of(), store, rows=50_000)
