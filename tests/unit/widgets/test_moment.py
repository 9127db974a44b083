"""The moment: what a view is told while a run works, whole or what is new, is the run's state and nothing else."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.widgets.moment import Moments
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run
    from flownb.model.events import Event


def shop() -> Flow:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    with flow.loop("each", over="load"):

        @flow.node
        def clean(item: int) -> int:
            return item * 2

    @flow.node(on_error="continue")
    def fail(load: list[int]) -> None:
        raise ValueError("<b>no</b>")

    @flow.node
    def later(fail: None) -> int:
        return 1

    return flow


def ended(flow: Flow) -> Run:
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    return run


def test_the_whole_says_how_every_node_and_edge_stands() -> None:
    whole = Moments(ended(shop())).whole()
    nodes = whole["nodes"]
    assert {key: node["status"] for key, node in nodes.items()} == {
        "load": "completed", "each": "completed", "clean": "completed", "fail": "failed", "later": "skipped",
    }  # fmt: skip
    assert nodes["load"]["text"] == "3 items"
    assert nodes["fail"]["text"] == "Failed: <b>no</b>"
    assert whole["edges"]["load.main->fail.load"] == "live"
    assert whole["edges"]["fail.main->later.fail"] == "dead"
    assert whole["bar"]["status"] == "failed"
    assert whole["bar"]["error_node"] == "fail"
    assert json.loads(json.dumps(whole)) == whole


def test_a_loop_says_its_rounds_and_shows_the_one_that_was_chosen() -> None:
    moments = Moments(ended(shop()))
    nodes = moments.news(None)["nodes"]
    assert nodes["each"]["rounds"] == {
        "total": 3, "shown": 2, "marks": ["done"] * 3, "done": 3, "running": 0, "failed": 0, "waiting": 0,
    }  # fmt: skip
    assert nodes["clean"]["path"] == "each[2].clean"
    assert nodes["clean"]["text"] == "6"
    moments.choose("each", 0)
    news = moments.news([])
    assert news["nodes"]["clean"]["path"] == "each[0].clean"
    assert news["nodes"]["each"]["rounds"]["shown"] == 0


def test_nothing_happened_is_no_news() -> None:
    moments = Moments(ended(shop()))
    moments.news(None)
    assert moments.news([]) == {}


def test_what_is_told_while_a_run_works_comes_to_the_same_as_the_whole() -> None:
    flow = shop()
    gate = threading.Event()

    @flow.node
    def last(each: list[int]) -> int:
        gate.wait(10)
        return sum(each)

    run = flow.run(store="memory:", display=False)
    moments = Moments(run)
    heard: list[Event] = []
    told = moments.whole()
    moments.news(None)
    run.watch(heard.extend)

    def tell() -> bool:
        taken = [heard.pop(0) for _ in range(len(heard))]
        news = moments.news(taken)
        told["bar"] = news.get("bar", told["bar"])
        told["nodes"] |= news.get("nodes", {})
        told["edges"] |= news.get("edges", {})
        return bool(told["nodes"]["last"]["status"] == "running")

    moments.choose("each", 0)  # looks at everything once: some of it was committed before it could be heard
    wait_for(tell)
    gate.set()
    wait_for(lambda: run.status.ended)
    tell()
    fresh = Moments(run)
    fresh.choose("each", 0)
    assert told == fresh.whole()


def test_a_look_that_the_engine_disturbed_loses_no_news() -> None:
    run = ended(shop())
    moments = Moments(run)
    disturbed = Disturbed(moments)
    with pytest.raises(RuntimeError):
        disturbed.news()
    news = moments.news([])  # the events of the first look are gone
    assert news["nodes"].keys() == moments.whole()["nodes"].keys()
    assert news["edges"] == moments.whole()["edges"]


def test_who_asks_for_the_whole_takes_no_news_from_others() -> None:
    run = ended(shop())
    moments = Moments(run)
    moments.whole()
    assert moments.news([])["nodes"].keys() == {"load", "each", "clean", "fail", "later"}


class Disturbed:
    """A look at a run whose edges can't be read the first time."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def news(self) -> None:
        def disturbed(*_: object) -> None:
            raise RuntimeError("dictionary changed size during iteration")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Moments, "_renew_edges", disturbed)
            self._moments.news([])
