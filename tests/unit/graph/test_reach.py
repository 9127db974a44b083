from __future__ import annotations

import pytest

from flownb.graph.builder import Builder


def skipped(flow: Builder) -> list[str | None]:
    return [problem.node for problem in flow.validate()]


def two_ways() -> Builder:
    """A condition whose answer is always yes, and nodes behind both answers."""
    flow = Builder("dead")
    flow.condition("yes", "1 > 0")
    flow.node(lambda: 1, id="never", after="yes.false")
    flow.node(lambda: 1, id="runs", after="yes.true")
    return flow


def test_what_lies_behind_a_dead_port_is_skipped_with_all_that_needs_it() -> None:
    flow = two_ways()
    flow.node(lambda never: never, id="data")
    flow.node(lambda: 1, id="order", after="data")
    assert skipped(flow) == ["never", "data", "order"]


def test_one_live_way_is_enough_for_gates_orders_and_what_takes_many() -> None:
    flow = two_ways()
    flow.node(lambda: 1, id="order", after=["never", "runs"])
    flow.node(lambda: 1, id="gate", after=["yes.false", "yes.true"])
    flow.merge("merge", "never", "runs")
    flow.node(lambda never=3: never, id="default")
    assert skipped(flow) == ["never"]


@pytest.mark.parametrize(("join", "dead"), [("any", False), (2, False), (3, True)])
def test_a_join_counts_what_can_come(join: str | int, dead: bool) -> None:
    flow = two_ways()
    flow.node(lambda: 1, id="other")
    flow.node(lambda: 1, id="joined", after=["yes.false", "runs", "other"], join=join)
    assert skipped(flow) == (["never", "joined"] if dead else ["never"])


def test_a_merge_of_dead_ways_is_dead() -> None:
    flow = two_ways()
    flow.merge("merge", "never", "yes.false")
    assert skipped(flow) == ["never", "merge"]


def test_a_test_that_depends_on_something_has_no_dead_port() -> None:
    flow = Builder("alive")
    flow.variable("n")
    flow.condition("a", "n > 0")
    flow.condition("b", "now() > '1999'", after="a.false")
    flow.node(lambda: 1, id="c", after="b.false")
    assert skipped(flow) == []


def test_islands_count_only_where_there_is_a_start() -> None:
    flow = Builder("islands")
    flow.node(lambda: 1, id="a")
    flow.node(lambda: 1, id="b")
    assert skipped(flow) == []
    flow.add("start", "begin")
    flow.node(lambda begin: begin, id="c")
    assert skipped(flow) == ["a", "b"]
