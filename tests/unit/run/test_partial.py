"""What a part of a run promises: until, from_, only, and pinned outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, Output
from flownb.errors import InvalidInput, NotFound
from flownb.model.events import SystemInfo, SystemWarning
from flownb.run.request import Request
from flownb.run.start import start
from flownb.store.memory import MemoryStore

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run


#: Nodes that ran; in the module, because what a function encloses is part of what it does.
RAN: list[Any] = []


class Story:
    """A flow of five nodes that notes which of them run, and whose pieces can change."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.ran = RAN
        self.flow = self.make()

    def make(self, *, factor: int = 2) -> Flow:
        flow = Flow("story")

        def load(rows: int) -> list[int]:
            RAN.append("load")
            return list(range(rows))

        def other() -> str:
            RAN.append("other")
            return "other"

        def twice(load: list[int]) -> list[int]:
            RAN.append("twice")
            return [each * 2 for each in load]

        def thrice(load: list[int]) -> list[int]:
            RAN.append("twice")
            return [each * 3 for each in load]

        def total(twice: list[int], other: str) -> int:
            RAN.append("total")
            return sum(twice)

        flow.node(load)
        flow.node(other)
        flow.node(twice if factor == 2 else thrice, id="twice", inputs={"load": "load"})
        big = flow.condition("big", "len(load) > 2")
        flow.node(total, after=big.true)
        self.flow = flow
        return flow

    def run(self, **options: Any) -> Run:
        self.ran.clear()
        run = self.flow.run({"rows": options.pop("rows", 4)}, store=self.store, display=False, **options)
        run.result(5)
        return run


def test_from_runs_a_node_and_what_follows_and_takes_the_rest_from_before() -> None:
    story = Story()
    assert story.run().outputs == {"total": 12}
    again = story.run(from_="total")
    assert again.outputs == {"total": 12}
    assert story.ran == ["total"]
    assert again.state.sources[again["load"].number] == "reused"
    assert again["load"].output == [0, 1, 2, 3]
    assert story.run(from_="twice").outputs == {"total": 12}
    assert story.ran == ["twice", "total"]


def test_from_runs_what_is_stale_as_well() -> None:
    story = Story()
    story.run()
    assert story.run(from_="total", rows=5).outputs == {"total": 20}
    assert sorted(story.ran) == ["load", "total", "twice"], "another input"
    story.run()
    story.make(factor=3)
    assert story.run(from_="total").outputs == {"total": 18}
    assert story.ran == ["twice", "total"], "other code"


def test_from_without_an_earlier_run_runs_everything() -> None:
    story = Story()
    assert story.run(from_="total").outputs == {"total": 12}
    assert sorted(story.ran) == ["load", "other", "total", "twice"]


def test_a_branch_that_was_skipped_is_skipped_again() -> None:
    story = Story()
    assert story.run(rows=1).outputs == {}
    again = story.run(from_="big", rows=1)
    assert story.ran == []
    assert again["total"].why == "big took false, not true (gate big.true->total.after)"


def test_only_runs_some_nodes_on_what_there_is() -> None:
    story = Story()
    story.run()
    alone = story.run(only="twice")
    assert story.ran == ["twice"]
    assert alone["twice"].output == [0, 2, 4, 6]
    assert alone["total"].why == "not asked for: the run is only twice"
    assert story.run(only=["twice", story.flow["total"]]).outputs == {"total": 12}
    assert sorted(story.ran) == ["total", "twice"]


def test_only_says_so_when_it_uses_what_is_stale() -> None:
    story = Story()
    story.run()
    story.make(factor=3)
    alone = story.run(only="total")
    assert alone.outputs == {"total": 12}
    warned = [record.event.message for record in alone.events() if isinstance(record.event, SystemWarning)]
    assert warned == ["twice has changed since its earlier output, which is used all the same."]


def test_a_part_that_can_not_run_leaves_no_run() -> None:
    story = Story()
    with pytest.raises(InvalidInput, match="total can't run alone: no earlier run has an output of other"):
        story.run(only="total")
    with pytest.raises(InvalidInput, match="has no node 'totl' to run from.*total"):
        story.run(from_="totl")
    with pytest.raises(InvalidInput, match="one of until, from_ and only, and got until and only"):
        story.run(until="load", only="load")
    assert list(story.store.rows()) == []


def test_a_changed_loop_is_stale() -> None:
    store = MemoryStore()
    RAN.clear()

    def make(more: int) -> Flow:
        flow = Flow("loop")
        with flow.loop("each", over=[1, 2]):

            @flow.node
            def add(item: int) -> int:
                RAN.append(item)
                return item + more

        @flow.node
        def total(each: list[int]) -> int:
            return sum(each)

        return flow

    assert make(0).run(store=store, display=False).result(5) == {"total": 3}
    assert make(0).run(store=store, display=False, from_="total").result(5) == {"total": 3}
    assert RAN == [1, 2]
    assert make(10).run(store=store, display=False, from_="total").result(5) == {"total": 23}
    assert RAN == [1, 2, 1, 2]


# --- pins -------------------------------------------------------------------------------------------------------------


def test_a_pinned_output_takes_the_place_of_running() -> None:
    story = Story()
    story.flow.pin("load", [10, 20, 30])
    pinned = story.run()
    assert pinned.outputs == {"total": 120}
    assert "load" not in story.ran
    assert pinned.state.sources[pinned["load"].number] == "pinned"
    story.flow.unpin("load")
    assert story.run().outputs == {"total": 12}


def test_a_pin_chooses_ports_and_may_be_what_has_no_stored_form() -> None:
    story = Story()
    story.flow.pin("big", Output(False, ports=("false",)))
    assert story.run().outputs == {}
    story.flow.unpin()
    flow, thing = Flow("live"), object()

    @flow.node
    def make() -> object:
        raise AssertionError

    @flow.node
    def same(make: object) -> bool:
        return make is thing

    flow.pin(make, thing)
    assert flow.run(store="memory:", display=False).result(5) == {"same": True}


def test_a_headless_run_ignores_pins_and_says_so() -> None:
    story = Story()
    request = Request(
        definition=story.flow.definition(), store=story.store, inputs={"rows": 4}, pins={"load": [1]}, headless=True
    )
    headless = start(request)
    assert headless.result(5) == {"total": 12}
    told = [record.event.message for record in headless.events() if isinstance(record.event, SystemInfo)]
    assert told == ["Pinned outputs do not count in a headless run: load run as usual."]


def test_only_a_node_can_be_pinned() -> None:
    with pytest.raises(NotFound, match="has no node .lod."):
        Story().flow.pin("lod", 1)
