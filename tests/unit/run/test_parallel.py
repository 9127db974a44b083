"""What a parallel promises, on the real engine with a store in memory."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused
from flownb.errors import InvalidWorkflow, UsageError
from flownb.model.status import NodeStatus, RunStatus
from flownb.run.handles.depict import picture_of
from flownb.testing import Crash, Simulation, check_journal, crash_at
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


class Offers:
    """Three branches, each of two nodes; a branch is held until it is let go, and may fail."""

    def __init__(self, **options: Any) -> None:
        self.flow = flow = Flow("offers")
        self.gates = {name: asyncio.Event() for name in "abc"}
        self.fails: set[str] = set()
        self.ended: list[str] = []
        self.offers = flow.parallel("offers", list("abc"), **options)
        for name in "abc":
            self._branch(name)

        @flow.node
        def book(offers: dict[str, Any]) -> dict[str, Any]:
            return offers

    def _branch(self, name: str) -> None:
        with self.offers.port(name):

            @self.flow.node(id=f"ask_{name}")
            async def ask() -> str:
                await self.gates[name].wait()
                if name in self.fails:
                    raise ValueError(f"no {name}")
                return name

            @self.flow.node(id=f"read_{name}", inputs={"asked": f"ask_{name}"})
            async def read(asked: str) -> str:
                self.ended.append(asked)
                return asked.upper()

    def let(self, run: Run, *names: str) -> None:
        loop = run._execution.engine.loop  # type: ignore[union-attr]  # events belong to it
        for name in names:
            loop.call_soon_threadsafe(self.gates[name].set)


def test_the_results_of_all_branches_come_out_by_name() -> None:
    made = Offers()
    done = run(made.flow)
    made.let(done, "c", "a", "b")
    assert done.result(5) == {"book": {"a": "A", "b": "B", "c": "C"}}
    assert list(done["offers"].output) == ["a", "b", "c"]
    assert done["offers[b].read_b"].output == "B"


def test_it_goes_on_with_the_first_and_cancels_the_others() -> None:
    made = Offers(wait_for="any")
    done = run(made.flow)
    made.let(done, "b")
    assert done.result(5) == {"book": {"b": "B"}}
    assert done["offers[a].ask_a"].status is NodeStatus.CANCELLED
    assert done["offers[a].read_a"].status is NodeStatus.CANCELLED
    assert done["offers[a].ask_a"].why == "offers has what it waited for"
    assert done.status is RunStatus.COMPLETED


def test_it_goes_on_when_so_many_have_come() -> None:
    made = Offers(wait_for=2)
    done = run(made.flow)
    made.let(done, "b")
    wait_for(lambda: made.ended == ["b"])
    assert done["book"].status is NodeStatus.PENDING
    made.let(done, "c")
    assert done.result(5) == {"book": {"b": "B", "c": "C"}}


def test_losers_may_go_on_and_change_nothing() -> None:
    made = Offers(wait_for="any", losers="let_go_on")
    made.fails = {"c"}
    going = run(made.flow)
    made.let(going, "a")
    wait_for(lambda: going["book"].status is NodeStatus.COMPLETED)
    assert going["offers[b].ask_b"].status is NodeStatus.RUNNING
    made.let(going, "b", "c")
    assert going.result(5) == {"book": {"a": "A"}}
    assert going["offers[b].read_b"].output == "B"
    assert going["offers[c].ask_c"].status is NodeStatus.FAILED
    assert going.status is RunStatus.COMPLETED


def test_each_branch_has_a_port_that_fires_when_it_came() -> None:
    made = Offers(wait_for="any")
    made.flow.node(lambda: "a won", id="if_a", after=made.offers.a)
    made.flow.node(lambda won: f"{won} won", id="if_b", inputs={"won": made.offers.b})
    done = run(made.flow)
    made.let(done, "b")
    assert done.result(5) == {"book": {"b": "B"}, "if_b": "B won"}
    assert done["if_a"].why == "offers took b, not a"


def test_a_failed_branch_does_not_count_as_long_as_another_can_come() -> None:
    made = Offers(wait_for="any")
    made.fails = {"a"}
    done = run(made.flow)
    made.let(done, "a")
    wait_for(lambda: "offers[a].ask_a" in done.state.topology.index)
    wait_for(lambda: done["offers[a].ask_a"].status is NodeStatus.FAILED)
    made.let(done, "c")
    assert done.result(5) == {"book": {"c": "C"}}


def test_it_fails_as_soon_as_not_enough_can_come_and_ends_the_rest() -> None:
    made = Offers(wait_for=2)
    made.fails = {"a", "b"}
    failed = run(made.flow)
    made.let(failed, "a", "b")
    with pytest.raises(
        RunFailed,
        match=r"waits for 2 of 3 branches, and so many can't come any more: offers\[a\].ask_a: ValueError: no a; "
        r"offers\[b\].ask_b: ValueError: no b",
    ):
        failed.result(5)
    assert failed["offers[c].ask_c"].status is NodeStatus.CANCELLED


def test_one_failure_is_too_many_where_all_are_waited_for() -> None:
    made = Offers()
    made.fails = {"b"}
    failed = run(made.flow)
    made.let(failed, "b")
    with pytest.raises(RunFailed, match=r"A branch of offers failed: offers\[b\].ask_b: ValueError: no b"):
        failed.result(5)
    assert failed["offers[a].ask_a"].status is NodeStatus.CANCELLED


def test_a_failed_parallel_does_again_what_failed_and_keeps_what_came() -> None:
    made = Offers()
    made.fails = {"b"}
    failed = run(made.flow)
    made.let(failed, "a")
    wait_for(lambda: made.ended == ["a"])
    made.let(failed, "b", "c")
    with pytest.raises(RunFailed):
        failed.result(5)
    made.fails.clear()
    assert failed.resume().result(5) == {"book": {"a": "A", "b": "B", "c": "C"}}
    assert made.ended.count("a") == 1
    assert failed["offers[a].ask_a"].attempts == 1


def test_what_goes_wrong_in_a_branch_can_be_handled_behind_it() -> None:
    made = Offers()
    made.fails = {"b"}
    made.flow.node(lambda error: error["message"], id="told", inputs={"error": made.offers.error})
    done = run(made.flow)
    made.let(done, "a", "b", "c")
    assert done.result(5) == {"told": "A branch of offers failed: offers[b].ask_b: ValueError: no b"}


def test_a_branch_in_which_nothing_completes_has_not_come() -> None:
    flow = Flow("gated")
    ways = flow.parallel("ways", ["closed", "open"], wait_for="any")
    with ways.closed:
        never = flow.condition("never", "n > 3")
        flow.node(lambda: 1, id="behind", after=never.true)
    with ways.open:
        flow.node(lambda: 2, id="there")
    flow.variable("n")
    assert run(flow, n=1).result(5) == {"ways": {"open": 2}}


def test_where_no_branch_can_come_it_says_why() -> None:
    flow = Flow("gated")
    ways = flow.parallel("ways", ["closed"], wait_for="any")
    with ways.closed:
        never = flow.condition("never", "n > 3")
        flow.node(lambda: 1, id="behind", after=never.true)
    flow.variable("n")
    with pytest.raises(RunFailed, match="so many can't come any more: no last node of closed completed"):
        run(flow, n=1).result(5)


def test_branches_know_what_they_are_about() -> None:
    flow = Flow("items")
    flow.node(lambda: {"x": 1}, id="load")
    asks = flow.parallel("asks", {"one": "{{ load.x }}", "two": [1, 2]})
    for name in ("one", "two"):
        with asks.port(name):
            flow.node(lambda item, index: (item, index), id=f"of_{name}")
    passed = flow.parallel("passed", ["whole"], inputs={"main": "load"})
    with passed.whole:
        flow.add("control.transform", "read", fields={"x": "{{ item.x + 1 }}"})
    assert run(flow).result(5) == {"asks": {"one": (1, 0), "two": ([1, 2], 1)}, "passed": {"whole": {"x": 2}}}


def test_what_a_branch_is_about_can_be_wired_to_any_port() -> None:
    flow = Flow("wired")
    asks = flow.parallel("asks", {"one": 5, "two": 7})
    with asks.one:
        flow.delay("nap", 0, inputs={"main": asks.one})
    flow.node(lambda n: n * 2, id="twice", inputs={"n": asks.two}, parent=asks)
    done = run(flow)
    assert done.result(5) == {"asks": {"one": 5, "two": 14}}
    assert done["asks[two].twice"].inputs == {"n": 7}
    assert done["asks[one].nap"].inputs == {"main": [5]}


def test_parallels_and_loops_lie_in_one_another() -> None:
    flow = Flow("nested")
    with flow.loop("each", over=[1, 2]):
        ways = flow.parallel("ways", ["once", "often"])
        with ways.once:
            flow.node(lambda item: item, id="first")
        with ways.often, flow.loop("inner", count=2):
            flow.node(lambda item: item * 10, id="tens")
    done = run(flow)
    assert done.result(5) == {"each": [{"once": 1, "often": [0, 10]}, {"once": 2, "often": [0, 10]}]}
    assert done["each[1].ways[often].inner[1].tens"].output == 10


def test_a_branch_that_waits_parks_the_run_and_the_others_go_on() -> None:
    flow = Flow("parked")
    ways = flow.parallel("ways", ["slow", "quick"])
    with ways.slow:
        flow.delay("later", 3600)
    with ways.quick:
        flow.node(lambda: 1, id="now")
    parked = run(flow)
    with pytest.raises(RunPaused):
        parked.result(5)
    assert parked["ways[quick].now"].status is NodeStatus.COMPLETED
    parked.skip("ways[slow].later")
    assert parked.result(5) == {"ways": {"quick": 1}}


def test_a_waiting_loser_waits_no_longer() -> None:
    flow = Flow("waiting")
    ways = flow.parallel("ways", ["slow", "quick"], wait_for="any")
    with ways.slow:
        flow.wait_for_event("later", "go")
    with ways.quick:

        @flow.node
        async def now() -> int:
            await asyncio.sleep(0.01)
            return 1

    done = run(flow)
    assert done.result(5) == {"ways": {"quick": 1}}
    assert done["ways[slow].later"].status is NodeStatus.CANCELLED


def test_a_loser_gives_back_what_it_has_taken() -> None:
    flow = Flow("taken", settings={"resources": {"desk": 1}})  # type: ignore[arg-type]  # a dict is taken as well
    ways = flow.parallel("ways", ["slow", "quick"], wait_for="any")
    with ways.slow:

        @flow.node(limits={"resources": {"desk": 1}})
        async def sits() -> None:
            await asyncio.sleep(60)

    with ways.quick:

        @flow.node
        async def stands() -> int:
            await asyncio.sleep(0.01)
            return 1

    flow.node(lambda ways: ways, id="next", limits={"resources": {"desk": 1}})
    assert run(flow).result(5) == {"next": {"quick": 1}}


def test_the_picture_shows_the_branches() -> None:
    made = Offers(wait_for="any")
    done = run(made.flow)
    made.let(done, "b")
    done.result(5)
    text = picture_of(done.state).text()
    assert "ask_b" in text
    assert "rounds" not in text
    assert "offers.b" in text


# --- killed and taken up again ----------------------------------------------------------------------------------------


def race(losers: str, effects: list[str]) -> Flow:
    flow = Flow("race")
    ways = flow.parallel("ways", {"quick": 1.0, "slow": 2.0}, wait_for="any", losers=losers)
    for name in ("quick", "slow"):
        with ways.port(name):

            @flow.node(id=f"first_{name}")
            async def first(item: float) -> float:
                await asyncio.sleep(item)
                return item

            @flow.node(id=f"last_{name}", inputs={"first": f"first_{name}"})
            async def last(first: float, index: int) -> str:
                effects.append(["quick", "slow"][index])
                return effects[-1]

    @flow.node
    async def behind(ways: dict[str, str]) -> list[str]:
        return list(ways)

    return flow


@pytest.mark.parametrize(
    ("losers", "point"), list(itertools.product(["cancel", "let_go_on"], ["tick.before_commit", "tick.after_commit"]))
)
def test_whenever_it_dies_the_winner_stays_and_losers_are_dealt_with_once(losers: str, point: str) -> None:
    for nth in itertools.count(1):
        effects: list[str] = []
        with Simulation(7) as simulation:
            with crash_at(point, nth=nth) as place:
                first = simulation.run(race(losers, effects), key="k")
                try:
                    simulation.settle(first)
                except Crash:
                    simulation.restart()
            again = simulation.run(race(losers, effects), key="k")
            assert simulation.result(again) == {"behind": ["quick"]}
            check_journal(again.events())
            slow = again["ways[slow].last_slow"].status
            assert slow is (NodeStatus.CANCELLED if losers == "cancel" else NodeStatus.COMPLETED)
        if not place.crashed:
            break
    assert nth > 5


# --- what is refused --------------------------------------------------------------------------------------------------


def refusal(flow: Flow) -> str:
    with pytest.raises(InvalidWorkflow) as caught:
        run(flow)
    return str(caught.value)


def test_a_branch_without_nodes_is_found_before_the_run() -> None:
    flow = Flow("empty")
    ways = flow.parallel("ways", ["a", "b"])
    with ways.a:
        flow.node(lambda: 1, id="one")
    assert "The branch 'b' of ways leads to no node inside it. Define its nodes in `with ways.b:`" in refusal(flow)


def test_a_node_in_no_branch_is_found_before_the_run() -> None:
    flow = Flow("lost")
    ways = flow.parallel("ways", ["a"])
    with ways.a:
        flow.node(lambda: 1, id="one")
    flow.node(lambda: 1, id="lost", parent=ways)
    assert "lost is inside ways and in none of its branches. Wire it to one, as by after=ways.a" in refusal(flow)


def test_branches_are_not_wired_to_one_another() -> None:
    flow = Flow("tied")
    ways = flow.parallel("ways", ["a", "b"])
    with ways.a:
        flow.node(lambda: 1, id="one")
    with ways.b:
        flow.node(lambda one: 1, id="two")
        flow.edge(ways.b, "two", target_port="after")
    assert "two is in the branches a and b of ways at once" in refusal(flow)


def test_a_node_inside_is_not_used_from_outside_but_its_branch_is() -> None:
    flow = Flow("outside")
    ways = flow.parallel("ways", ["a"])
    with ways.a:
        flow.node(lambda: 1, id="one")
    flow.node(lambda one: 1, id="two")
    assert "two waits for one, which is inside the parallel ways. From outside use the parallel" in refusal(flow)


def test_a_node_inside_does_not_wait_for_the_whole() -> None:
    flow = Flow("whole")
    ways = flow.parallel("ways", ["a"])
    with ways.a:
        flow.node(lambda ways: 1, id="one")
    assert "one is inside the parallel ways; it can't wait for it. Wire it to the port of its branch" in refusal(flow)


def test_the_ports_of_a_round_end_at_the_edge_of_the_loop() -> None:
    flow = Flow("item outside")
    each = flow.loop("each", over=[1])
    with each:
        flow.node(lambda item: item, id="same")
    flow.node(lambda n: n, id="outside", inputs={"n": each.item})
    assert "outside is outside the loop each, whose item only the nodes inside know" in refusal(flow)


def test_with_takes_a_branch() -> None:
    flow = Flow("with")
    ways = flow.parallel("ways", ["a", "b"])
    big = flow.condition("big", "true")
    with (
        pytest.raises(UsageError, match=r"ways is a parallel: `with` takes one of its branches, ways.a or ways.b"),
        ways,
    ):
        pass
    with pytest.raises(UsageError, match=r"big.true is no branch"), big.true:
        pass


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"branches": []}, "branches of p"),
        ({"branches": ["a", "a"]}, "two branches 'a'"),
        ({"branches": ["a b"]}, "called like a variable"),
        ({"branches": ["main"]}, "no branch can be called main"),
        ({"branches": ["a"], "wait_for": "count"}, "`count` says how many"),
        ({"branches": ["a"], "wait_for": "any", "count": 1}, "`count` says how many"),
        ({"branches": ["a"], "wait_for": "count", "count": 2}, "2 branches can't come: it has 1"),
        ({"branches": ["a"], "wait_for": "some"}, "wait_for of p"),
        ({"branches": ["a"], "losers": "win"}, "losers of p"),
        ({"branches": "abc"}, "branches of p"),
        ({"branches": [{"name": "a", "target": "x"}]}, "target"),
    ],
)
def test_a_config_that_can_not_be_is_a_sentence(config: dict[str, Any], message: str) -> None:
    flow = Flow("config")
    flow.add("parallel", "p", **config)
    assert message in refusal(flow)


def test_retries_belong_to_the_nodes_inside() -> None:
    made = Offers(retry=3)
    assert "offers is a parallel: retry belongs to the nodes inside it" in refusal(made.flow)
