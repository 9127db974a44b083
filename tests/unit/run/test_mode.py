"""How a run is meant, and what counts only in front of somebody."""

from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.model.workflow import Node, Workflow
from flownb.run.definition import Definition
from flownb.run.request import Request
from flownb.run.start import start
from flownb.store.memory import MemoryStore

SECONDS = 10.0


def asking() -> Flow:
    flow = Flow("asking")
    flow.add("control.transform", "said", fields={"mode": "run.mode"})

    @flow.node
    def seen(said: dict[str, str], ctx: Any) -> list[str]:
        return [said["mode"], ctx.mode]

    return flow


def test_nodes_and_expressions_see_how_the_run_is_meant() -> None:
    assert asking().run(store=MemoryStore(), display=False).result(SECONDS) == {"seen": ["manual", "manual"]}
    for mode in ("test", "production"):
        run = start(Request(definition=asking().definition(), store=MemoryStore(), mode=mode, headless=True))
        assert run.result(SECONDS) == {"seen": [mode, mode]}


def pinned() -> Definition:
    return Definition(
        Workflow(
            name="pins",
            nodes=(
                Node(id="one", type="control.transform", config={"fields": {"x": "1"}}, pinned={"x": 50}),
                Node(id="two", type="control.transform", config={"fields": {"y": "one.x + 1"}}),
            ),
        )
    )


@pytest.mark.parametrize(
    ("mode", "headless", "value"),
    [("manual", False, 51), ("test", False, 51), ("production", False, 2), ("manual", True, 2), ("test", True, 2)],
)
def test_what_a_definition_pins_counts_only_in_front_of_somebody(mode: str, headless: bool, value: int) -> None:
    run = start(Request(definition=pinned(), store=MemoryStore(), mode=mode, headless=headless))
    assert run.result(SECONDS) == {"two": {"y": value}}
    told = [each.event.message for each in run.events() if isinstance(each.event, ev.SystemInfo)]
    assert told == ([] if value == 51 else ["Pinned outputs do not count in a headless run: one run as usual."])


def test_what_the_code_pins_comes_before_what_the_definition_does() -> None:
    run = start(Request(definition=pinned(), store=MemoryStore(), pins={"one": {"x": 7}}))
    assert run.result(SECONDS) == {"two": {"y": 8}}
    assert run["one"].why == "it did not run: its output is pinned"


def test_a_disabled_node_lets_pass_what_comes_in_at_main() -> None:
    flow = Flow("off")
    flow.node(lambda: [3, 1, 2], id="load")
    flow.node(lambda: 9, id="count")
    flow.add("control.sort", "sorted", by=[], disabled=True)
    flow.edge("count", "sorted", target_port="items")
    flow.edge("load", "sorted", target_port="main")
    flow.node(lambda given: given, id="end", inputs={"given": "sorted"})
    assert flow.run(store=MemoryStore(), display=False).result(SECONDS) == {"end": [3, 1, 2]}
