"""What a loop promises, on the real engine with a store in memory."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb import Flow, RunCancelled, RunFailed, RunPaused
from flownb.errors import InvalidWorkflow, UsageError
from flownb.model.events import IterationStarted
from flownb.model.status import NodeStatus, PauseReason, RunStatus
from flownb.run.handles.depict import depict, picture_of
from flownb.run.handles.describe import describe
from flownb.run.recovery.recover import read_state, require_row
from flownb.testing import Crash, Simulation, crash_at
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def doubling(over: Any, **options: Any) -> Flow:
    flow = Flow("doubling")
    with flow.loop("each", over=over, **options):

        @flow.node
        async def double(item: Any) -> Any:
            return item * 2

    return flow


def test_the_results_of_the_rounds_come_out_in_order() -> None:
    flow = doubling([3, 1, 2])

    @flow.node
    def total(each: list[int]) -> int:
        return sum(each)

    done = run(flow)
    assert done.result(5) == {"total": 12}
    assert done["each"].output == [6, 2, 4]
    assert done["each[1].double"].output == 2
    assert done["each[1].double"].inputs == {"item": 1}
    assert [record.event.index for record in done.events() if isinstance(record.event, IterationStarted)] == [0, 1, 2]


def test_a_body_uses_its_own_nodes_and_all_that_lies_outside() -> None:
    flow = Flow("body")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    @flow.node
    def factor(by: int) -> int:
        return by

    with flow.loop("each", over="load", concurrency=2):

        @flow.node
        def times(item: int, factor: int) -> int:
            return item * factor

        @flow.node
        async def plus(times: int, index: int, more: int = 100) -> int:
            return times + index + more

    assert run(flow, by=10).result(5) == {"each": [110, 121, 132]}


def test_expressions_in_a_body_know_the_round() -> None:
    flow = Flow("expressions")

    @flow.node
    def load() -> list[dict[str, int]]:
        return [{"n": 1}, {"n": 5}]

    with flow.loop("each", over="load"):
        big = flow.condition("big", "item.n > 2")
        flow.add("control.transform", "yes", fields={"text": "{{ item.n }} at {{ index }}"}, after=big.true)

    done = run(flow)
    assert done.result(5) == {"each": [None, {"text": "5 at 1"}]}
    assert str(done["each[0].yes"].status) == "skipped"
    assert done["each[0].yes"].why == "each[0].big took false, not true"


def test_rows_of_a_frame_are_the_items() -> None:
    flow = Flow("rows")

    @flow.node
    def load() -> pd.DataFrame:
        return pd.DataFrame({"name": ["a", "b"], "amount": [1.5, 2.5]})

    with flow.loop("each", over="load"):

        @flow.node
        def name(item: dict[str, Any]) -> str:
            return f"{item['name']}{item['amount']}"

    assert run(flow).result(5) == {"each": ["a1.5", "b2.5"]}


def test_several_ends_of_a_body_make_a_table() -> None:
    flow = Flow("ends")
    with flow.loop("each", over=[1]):

        @flow.node
        def one(item: int) -> int:
            return item

        @flow.node
        def two(item: int) -> int:
            return item * 2

    assert run(flow).result(5) == {"each": [{"one": 1, "two": 2}]}


def test_loops_lie_in_loops() -> None:
    flow = Flow("nested")

    @flow.node
    def rows() -> list[list[int]]:
        return [[1, 2], [], [3]]

    with flow.loop("outer", over="rows"):

        @flow.node
        def scale(index: int) -> int:
            return [10, 100, 1000][index]

        with flow.loop("inner", over="item"):

            @flow.node
            def times(item: int, scale: int, rows: list[list[int]]) -> int:
                return item * scale + len(rows)

    done = run(flow)
    assert done.result(5) == {"outer": [[13, 23], [], [3003]]}
    assert done["outer[2].inner[0].times"].output == 3003


@pytest.mark.parametrize("concurrency", [1, 3])
def test_so_many_rounds_are_at_work_at_once(concurrency: int) -> None:
    flow = Flow("width")
    now, most = 0, 0

    with flow.loop("each", over=list(range(9)), concurrency=concurrency):

        @flow.node
        async def work(item: int) -> int:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            now -= 1
            return item

    assert run(flow).result(5) == {"each": list(range(9))}
    assert most == concurrency


def test_a_run_with_room_for_one_node_has_room_for_a_loop() -> None:
    flow = Flow("narrow", settings={"concurrency": 1})  # type: ignore[arg-type]  # a dict is taken as well
    with flow.loop("outer", over=[[1, 2], [3]]), flow.loop("inner", over="item"):

        @flow.node
        def same(item: int) -> int:
            return item

    assert run(flow).result(5) == {"outer": [[1, 2], [3]]}


def test_a_loop_over_nothing_gives_an_empty_list() -> None:
    assert run(doubling([])).result(5) == {"each": []}


def test_a_loop_counts() -> None:
    flow = Flow("count")
    with flow.loop("each", count="n + 1"):

        @flow.node
        def square(item: int, index: int) -> int:
            return item * index

    flow.variable("n")
    assert run(flow, n=3).result(5) == {"each": [0, 1, 4, 9]}


def test_a_loop_goes_on_while_its_condition_holds_and_each_round_gets_the_result_before() -> None:
    flow = Flow("while")
    with flow.loop("each", condition="item < 50 and len(results) < 100", first=3):

        @flow.node
        def grow(item: int) -> int:
            return item * 2

    assert run(flow).result(5) == {"each": [6, 12, 24, 48, 96]}


def test_a_map_calls_a_function_for_each_item() -> None:
    flow = Flow("map")

    @flow.node
    def load() -> list[int]:
        return [1, 2]

    def clean(item: int, load: list[int]) -> int:
        return item + len(load)

    assert flow.map(clean, over=load, concurrency=2)(1, [0]) == 2
    done = run(flow)
    assert done.result(5) == {"clean": [3, 4]}
    assert done["clean[1].clean_item"].output == 4


# --- what goes wrong --------------------------------------------------------------------------------------------------


def fragile(**options: Any) -> tuple[Flow, set[int]]:
    """A loop over five items, some of which fail as long as they are in the set."""
    flow, bad = Flow("fragile"), {1, 3}
    with flow.loop("each", over=[0, 1, 2, 3, 4], **options):

        @flow.node
        async def check(item: int) -> int:
            if item in bad:
                raise ValueError(f"no {item}")
            return item

        @flow.node
        async def tenfold(check: int) -> int:
            return check * 10

    return flow, bad


def test_a_failed_round_fails_the_loop_and_no_more_begin() -> None:
    flow, _ = fragile(concurrency=1)
    failed = run(flow)
    with pytest.raises(RunFailed, match=r"1 of 2 rounds of each failed; the first: each\[1\].check: ValueError: no 1"):
        failed.result(5)
    assert failed["each[1].tenfold"].status is NodeStatus.CANCELLED
    assert "each[2].check" not in failed.state.topology.index


def test_a_retried_loop_keeps_the_rounds_that_went_well() -> None:
    flow, bad = fragile(concurrency=1)
    failed = run(flow)
    with pytest.raises(RunFailed):
        failed.result(5)
    bad.clear()
    assert failed.resume().result(5) == {"each": [0, 10, 20, 30, 40]}
    assert failed["each[0].check"].attempts == 1


def test_errors_are_collected_and_listed_at_the_error_port() -> None:
    flow, _ = fragile()
    each = flow["each"]

    @flow.node(inputs={"faults": each.error})
    def told(faults: list[dict[str, Any]]) -> list[Any]:
        return [(fault["index"], fault["item"], fault["node"], fault["message"]) for fault in faults]

    @flow.node
    def good(each: list[Any]) -> list[Any]:
        return each

    done = run(flow)
    assert done.result(5) == {
        "told": [(1, 1, "each[1].check", "no 1"), (3, 3, "each[3].check", "no 3")],
        "good": [0, None, 20, None, 40],
    }


def test_an_error_port_stays_silent_where_every_round_went_well() -> None:
    flow, bad = fragile(errors="collect")
    bad.clear()
    each = flow["each"]

    @flow.node(after=each.error)
    def told() -> str:
        return "told"

    done = run(flow)
    done.result(5)
    assert done["told"].status is NodeStatus.SKIPPED


def test_a_node_inside_may_deal_with_its_failure_itself() -> None:
    flow = Flow("inside")
    with flow.loop("each", over=[1, 0]):

        @flow.node(fallback=-1)
        def divide(item: int) -> float:
            return 1 / item

    assert run(flow).result(5) == {"each": [1.0, -1]}


def test_nodes_inside_are_tried_again() -> None:
    flow, tries = Flow("retry"), dict.fromkeys(range(3), 0)
    with flow.loop("each", over=[0, 1, 2]):

        @flow.node(retry={"attempts": 2, "delay": 0})
        def flaky(item: int) -> int:
            tries[item] += 1
            if tries[item] < 2:
                raise OSError("again")
            return item

    assert run(flow).result(5) == {"each": [0, 1, 2]}
    assert tries == {0: 2, 1: 2, 2: 2}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("text", "a text is one value"),
        ("nothing", "nothing \\(None\\)"),
        ("table", "a table \\(dict\\), which is one value"),
        ("missing", "missing"),
    ],
)
def test_what_is_no_list_fails_the_loop_with_a_sentence(over: str, message: str) -> None:
    flow = Flow("no list")

    @flow.node
    def data() -> dict[str, Any]:
        return {"text": "abc", "nothing": None, "table": {"a": 1}}

    with flow.loop("each", over=f"data.{over}"):

        @flow.node
        def same(item: Any) -> Any:
            return item

    with pytest.raises(RunFailed, match=message):
        run(flow).result(5)


def test_a_loop_that_never_ends_is_ended() -> None:
    flow = Flow("endless")
    with flow.loop("each", condition="true", max_iterations=20):

        @flow.node
        async def same(index: int) -> int:
            return index

    with pytest.raises(RunFailed, match="each did not end within 20 rounds"):
        run(flow).result(5)


def test_a_loop_over_a_million_rows_is_refused_before_it_begins() -> None:
    flow = Flow("rows")
    flow.node(lambda: pd.DataFrame({"a": range(1_000_000)}), id="load")
    with flow.loop("each", over="load"):
        flow.node(lambda item: item, id="same")
    failed = run(flow)
    with pytest.raises(RunFailed, match="each would do 1,000,000 rounds, and 100,000 are allowed"):
        failed.result(20)
    assert len(failed.state.topology) == 2


@pytest.mark.parametrize("over", [{"over": [1, 2, 3]}, {"count": 3}])
def test_a_loop_is_held_to_its_max_iterations_before_it_begins(over: dict[str, Any]) -> None:
    flow = Flow("bounded")
    with flow.loop("each", **over, max_iterations=2):
        flow.node(lambda item: item, id="same")
    failed = run(flow)
    with pytest.raises(RunFailed, match="each would do 3 rounds, and 2 are allowed"):
        failed.result(5)
    assert len(failed.state.topology) == 1


def test_a_timeout_of_a_loop_ends_its_rounds() -> None:
    flow, held = Flow("slow"), asyncio.Event()
    with flow.loop("each", over=[1, 2], timeout=0.05):

        @flow.node
        async def wait(item: int) -> int:
            await held.wait()
            return item

    failed = run(flow)
    with pytest.raises(RunFailed, match="timeout"):
        failed.result(5)
    assert failed["each[0].wait"].status is NodeStatus.CANCELLED


def test_a_cancelled_run_ends_its_loops() -> None:
    flow, started = Flow("cancelled"), threading.Event()
    with flow.loop("each", over=[1, 2]):

        @flow.node
        async def wait(item: int) -> int:
            started.set()
            await asyncio.sleep(60)
            return item

    cancelled = run(flow)
    started.wait(5)
    cancelled.cancel()
    with pytest.raises(RunCancelled):
        cancelled.result(5)
    assert {str(node.status) for node in cancelled} == {"cancelled"}


def test_a_skipped_loop_ends_its_rounds() -> None:
    flow, started = Flow("skipped"), threading.Event()
    with flow.loop("each", over=[1, 2]):

        @flow.node
        async def wait(item: int) -> int:
            started.set()
            await asyncio.sleep(60)
            return item

    skipped = run(flow)
    started.wait(5)
    skipped.skip("each")
    skipped.result(5)
    assert skipped.status is RunStatus.COMPLETED
    assert skipped["each[0].wait"].status is NodeStatus.CANCELLED


# --- pauses and other lives -------------------------------------------------------------------------------------------


def test_a_paused_loop_goes_on_where_it_was() -> None:
    flow, begun, go = Flow("paused"), [], threading.Event()
    with flow.loop("each", over=[0, 1, 2, 3], concurrency=1):

        @flow.node
        def work(item: int) -> int:
            begun.append(item)
            if item == 1:
                go.wait(5)
            return item

    paused = run(flow)
    wait_for(lambda: 1 in begun)
    paused.pause()
    go.set()
    with pytest.raises(RunPaused):
        paused.result(5)
    assert begun == [0, 1]
    assert paused.resume().result(5) == {"each": [0, 1, 2, 3]}
    assert begun == [0, 1, 2, 3]


@pytest.mark.parametrize("nth", range(1, 12))
def test_whenever_it_dies_the_rounds_of_a_while_come_one_after_another(nth: int) -> None:
    flow = Flow("resting")
    loop = flow.loop("each", condition="index < 3", first=1)
    with loop:
        flow.delay("rest", 5, inputs={"main": loop.item})
    with Simulation(1) as simulation:
        with crash_at("tick.after_commit", nth=nth):
            try:
                simulation.settle(simulation.run(flow, key="k"))
            except Crash:
                simulation.clock.advance(10)  # what a round waited for has come meanwhile
                simulation.restart()
        done = simulation.run(flow, key="k")
        assert simulation.result(done) == {"each": [1, 1, 1]}


def test_a_loop_whose_rounds_wait_parks_the_run() -> None:
    flow = Flow("parked")
    with flow.loop("each", over=[1, 2]):
        flow.delay("later", seconds=3600)

        @flow.node(after="later")
        def then(item: int) -> int:
            return item

    parked = run(flow)
    with pytest.raises(RunPaused):
        parked.result(5)
    assert parked.pause_reason is PauseReason.TIMER
    assert [node.id for node in parked if node.status is NodeStatus.WAITING] == ["each[0].later", "each[1].later"]
    parked.skip("each[0].later")
    wait_for(lambda: parked.resting and parked["each[0].later"].status is NodeStatus.SKIPPED)
    assert parked.pause_reason is PauseReason.TIMER
    parked.skip("each[1].later")
    assert parked.result(5) == {"each": [None, None]}


def test_another_reader_folds_the_same_state(tmp_path: Any) -> None:
    flow = Flow("read again")
    with flow.loop("outer", over=[[1], [2, 3]]), flow.loop("inner", over="item"):

        @flow.node
        def same(item: int) -> int:
            return item

    done = flow.run(store=f"sqlite:///{tmp_path}/flownb.db", display=False)
    assert done.result(5) == {"outer": [[1], [2, 3]]}
    again = read_state(done.store, require_row(done.store, done.id))
    assert again.topology.paths == done.state.topology.paths
    assert bytes(again.node_status) == bytes(done.state.node_status)
    assert again.output == done.state.output
    assert again.left == 0
    document = describe(done.store, done.id)
    assert document["nodes"]["outer[1].inner[0].same"]["output"] == 2
    assert document["outputs"] == {"outer": [[1], [2, 3]]}


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_loop_is_for_each_while_or_count_and_nothing_between() -> None:
    flow = Flow("between")
    with pytest.raises(UsageError, match="over, condition or count, one of them, and none is given"):
        flow.loop("each")
    with pytest.raises(UsageError, match="over and count is given"):
        flow.loop("each", over=[1], count=3)


def test_only_a_loop_has_a_body() -> None:
    flow = Flow("body of a node")

    @flow.node
    def load() -> int:
        return 1

    with pytest.raises(UsageError, match="load is no loop"), load:
        pass


def test_what_lies_inside_is_not_used_from_outside() -> None:
    flow = doubling([1])

    @flow.node
    def outside(double: int) -> int:
        return double

    with pytest.raises(InvalidWorkflow, match="outside waits for double, which is inside the loop each"):
        run(flow)


def test_retries_belong_to_the_nodes_inside() -> None:
    with pytest.raises(InvalidWorkflow, match="each is a loop: retry belongs to the nodes inside it"):
        run(doubling([1], retry=3))


def test_the_picture_of_a_loop_counts_its_rounds() -> None:
    flow, bad = fragile(errors="collect")
    done = run(flow)
    done.result(5)
    cards = depict(done.state).nodes
    assert (cards["check"].status, cards["check"].text) == ("failed", "5 of 5 rounds")
    assert cards["each"].status == "completed"
    assert "5 of 5 rounds" in picture_of(done.state).svg()
    assert bad
