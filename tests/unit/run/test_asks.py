"""A click that comes by two ways is obeyed once, in whatever order and in whichever process they come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.model import commands as cmd
from flownb.model.events import SystemInfo
from flownb.run.asks import asked_as
from flownb.store.memory import MemoryStore
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb import Run

gate = threading.Event()


@pytest.fixture
def run() -> Iterator[Run]:
    """A run whose first node waits for the gate."""
    gate.clear()
    flow = Flow("shop")
    flow.node(first)
    flow.node(second)
    started = flow.run(store=MemoryStore(), display=False)
    wait_for(lambda: started.state.in_flight)
    yield started
    gate.set()
    started.cancel()
    wait_for(lambda: started.resting)


def test_the_second_is_not_obeyed_and_the_first_is_journaled(run: Run) -> None:
    run.store.send(run.id, cmd.SetBreakpoint(node="second", by="ada", ask="click-1"))
    wait_for(lambda: "click-1" in run.state.asked)
    with asked_as("click-2"):
        run.breakpoint("second", on=False)
    wait_for(lambda: "click-2" in run.state.asked)
    with asked_as("click-1"):
        run.breakpoint("second")
    run.set("seen", 1)
    wait_for(lambda: run.state.variables.get("seen") == 1)
    assert not run.state.breakpoints
    said = [record.event.message for record in run.events() if isinstance(record.event, SystemInfo)]
    assert said == [
        "set_breakpoint of second was asked for by ada by a click",
        "clear_breakpoint of second was asked for by you by a click",
    ]


def test_what_comes_by_no_click_is_obeyed_each_time(run: Run) -> None:
    run.breakpoint("second")
    run.breakpoint("second", on=False)
    run.set("seen", 1)
    wait_for(lambda: run.state.variables.get("seen") == 1)
    assert run.state.asked == frozenset()


def first() -> int:
    gate.wait(60)
    return 1


def second(first: int) -> int:
    return first
