"""Public events: who registers hears everything, and breaks nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import flownb
from flownb import Flow
from flownb.errors import UsageError
from flownb.model.events import EVENT_ALIASES
from flownb.run import bus


def hello() -> Flow:
    flow = Flow("hello")

    @flow.node
    def greet() -> str:
        return "hello"

    return flow


def test_a_handler_hears_the_events_of_its_type() -> None:
    heard: list[Any] = []
    with flownb.on("node_completed", heard.append):
        done = hello().run(store="memory:")
        done.result(5)
        assert bus.drain()
    assert [(event.type, event.node, event.run, event.data["output"]) for event in heard] == [
        ("node_completed", "greet", done.id, "hello")
    ]


def test_a_wildcard_hears_all_in_order() -> None:
    heard: list[str] = []
    with flownb.on("*", lambda event: heard.append(event.type)):
        hello().run(store="memory:").result(5)
        assert bus.drain()
    assert heard == ["run_started", "node_started", "node_completed", "run_completed"]


def test_async_handlers_are_awaited_and_filters_asked() -> None:
    heard: list[str] = []

    async def handler(event: bus.PublicEvent) -> None:
        heard.append(event.type)

    with flownb.on("*", handler, lambda event: event.node == "greet"):
        hello().run(store="memory:").result(5)
        assert bus.drain()
    assert heard == ["node_started", "node_completed"]


def test_a_handler_that_raises_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def bad(event: bus.PublicEvent) -> None:
        raise ValueError(event.type)

    with (
        caplog.at_level(logging.ERROR, "flownb.events"),
        flownb.on("run_completed", bad),
        flownb.on("run_completed", lambda event: heard.append(event.type)),
    ):
        assert hello().run(store="memory:").result(5) == {"greet": "hello"}
        assert bus.drain()
    assert heard == ["run_completed"]
    assert "ValueError: run_completed" in caplog.text


@pytest.mark.parametrize("name", sorted(EVENT_ALIASES))
def test_the_older_names_are_accepted(name: str) -> None:
    with flownb.on(name, lambda _: None) as subscription:
        assert subscription.event_type == EVENT_ALIASES[name]


def test_an_unknown_name_is_refused_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match="no event type 'node_complete'.*'node_completed'"):
        flownb.on("node_complete", lambda _: None)


def test_own_events_reach_handlers_and_history() -> None:
    heard: list[Any] = []
    with flownb.on("shop.paid", heard.append):
        flownb.emit("shop.paid", {"order": 7})
        assert bus.drain()
    assert heard[0].data == {"order": 7}
    assert bus.history("shop.paid")[-1].data == {"order": 7}
    with pytest.raises(UsageError, match="flownb's own"):
        flownb.emit("run_completed")
