"""What takes long or much is told once, with advice; the flow's settings say from what on."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from flownb import Flow, InvalidWorkflow, Settings, Watch
from flownb.model import events as ev
from flownb.run.watch.thresholds import memory_used

SECONDS = 60.0


def warnings_of(watch: Watch, body: Any, *, more: Any = None) -> list[tuple[str | None, str]]:
    """The warnings of a run of one node, which ends when there is one or after some seconds."""
    over = threading.Event()
    flow = Flow("watched", settings=Settings(watch=watch))
    flow.node(lambda: body(over), id="node")
    if more is not None:
        flow.node(more, id="before", after=[])
    run = flow.run(store="memory:")

    def look(happened: Any) -> None:
        if any(isinstance(event, ev.SystemWarning) for event in happened):
            over.set()

    run.watch(look)
    run.result(2 * SECONDS)
    found = [each.event for each in run.events() if isinstance(each.event, ev.SystemWarning)]
    return [(each.node, each.message) for each in found]


def wait(over: threading.Event) -> None:
    over.wait(SECONDS)
    threading.Event().wait(1.2)  # another look of the watchdog: nothing is told twice


def test_a_node_that_takes_long_is_told_of_once() -> None:
    ((node, message),) = warnings_of(Watch(node_seconds=0.5, run_seconds=None), wait)
    assert node == "node"
    assert message.startswith("node has run for ")
    assert "(settings.watch.node_seconds is 0.5)" in message
    assert "cache=True spares it" in message


def test_a_run_that_takes_long_is_told_of_with_where_its_time_went() -> None:
    def slow() -> None:
        time.sleep(1.1)

    ((node, message),) = warnings_of(Watch(run_seconds=2, node_seconds=None), wait, more=slow)
    assert node is None
    assert "The run has been at work for" in message
    assert "Most of it went to before 1 s." in message


def test_memory_that_grows_is_told_of() -> None:
    def grow(over: threading.Event) -> int:
        kept: list[bytearray] = []
        end = time.monotonic() + SECONDS
        while not over.is_set() and time.monotonic() < end:
            if len(kept) < 8:
                kept.append(bytearray(b"x" * 8_000_000))
            threading.Event().wait(0.3)
        return len(kept)

    ((node, message),) = warnings_of(Watch(memory_mb=30), grow)
    assert node is None
    assert "MB more than when the run began (settings.watch.memory_mb is 30)" in message
    assert memory_used() > 10_000_000


@pytest.mark.parametrize("name", ["node_seconds", "run_seconds", "memory_mb"])
def test_a_threshold_is_a_number_above_zero(name: str) -> None:
    flow = Flow("watched", settings=Settings(watch=Watch(**{name: -1})))
    flow.node(lambda: 1, id="node")
    with pytest.raises(InvalidWorkflow, match=f"The setting watch.{name} is -1; it must be a number above 0, or None"):
        flow.run(store="memory:")
    never = Flow("never", settings=Settings(watch=Watch(**{name: None})))
    never.node(lambda: 1, id="node")
    assert never.run(store="memory:").result(SECONDS) == {"node": 1}
