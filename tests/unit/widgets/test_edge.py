"""The panel of an edge: the value on it, the verdict of its condition, and why nothing comes where nothing does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.widgets.edge import edge_told
from flownb.widgets.moment import Moments
from flownb.widgets.scene import scene_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    @flow.node
    def total(load: list[int]) -> int:
        return sum(load)

    big = flow.condition("big", "total > 1000")

    @flow.node(after=big.true)
    def alarm() -> str:
        return "alarm"

    @flow.node(after=big.false)
    def post() -> str:
        return "posted"

    with flow.loop("each", over="load"):

        @flow.node
        def clean(item: int) -> int:
            return item * 2

        @flow.node
        def check(clean: int) -> int:
            return clean

    flow.edge(load, post, condition="len(load) > 5")
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    return run


def told(run: Run, source: str, target: str, at: int | None = None) -> dict[str, Any]:
    view = run if at is None else run.at(at)
    routes = scene_of(run.state.topology.workflow)["routes"]
    route = next(each for each in routes if (each["source"], each["target"]) == (source, target))
    found = edge_told(view, route, Moments(view).wire(route["edge"]))
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_live_edge_tells_its_value_and_where_it_arrives(run: Run) -> None:
    found = told(run, "load", "total")
    assert (found["state"], found["parameter"], found["port"]) == ("live", "load", "main")
    assert found["value"]["length"] == 3
    assert found["why"] == "load completed; total gets the value as load."


def test_a_dead_edge_says_why_and_has_no_value(run: Run) -> None:
    found = told(run, "big", "alarm")
    assert found["state"] == "dead"
    assert found["why"].startswith("big took false, not true")
    assert "value" not in found


def test_a_gate_carries_no_data(run: Run) -> None:
    found = told(run, "big", "post")
    assert found["why"] == "big fired false; the way to post is open. No data go with it."
    assert "value" not in found


def test_the_verdict_of_a_condition_is_told_once_there_is_one(run: Run) -> None:
    found = told(run, "load", "post")
    assert (found["condition"], found["verdict"], found["state"]) == ("len(load) > 5", False, "dead")
    assert "is false" in found["why"]
    before = told(run, "load", "post", at=1)
    assert before["state"] == "open"
    assert "verdict" not in before
    assert before["why"].startswith("load is pending")


def test_an_edge_in_a_loop_is_that_of_the_round_that_is_shown(run: Run) -> None:
    found = told(run, "clean", "check")
    assert found["source"] == "each[2].clean"
    assert found["value"]["text"] == "6"
    assert "No round" in told(run, "clean", "check", at=1)["why"]
