from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb import Flow, RetryPolicy, UsageError, Workflow
from flownb.errors import InvalidInput, InvalidWorkflow
from flownb.model.durations import as_seconds, seconds_in
from flownb.model.problem import Severity
from flownb.store.memory import MemoryStore

GOOD = {
    "90s": 90.0,
    "90": 90.0,
    "1.5": 1.5,
    "2d": 172_800.0,
    "4h": 14_400.0,
    "1h 30m": 5_400.0,
    "1h30m": 5_400.0,
    "1 hour, 30 minutes": 5_400.0,
    "2 days and 3 hours": 183_600.0,
    "1.5h": 5_400.0,
    "250ms": 0.25,
    "1w": 604_800.0,
    " 2 D ": 172_800.0,
    "PT4H": 14_400.0,
    "P1DT2H30M": 95_400.0,
    "P2W": 1_209_600.0,
    "PT0.5S": 0.5,
    "PT1,5H": 5_400.0,
    "pt90s": 90.0,
}
BAD = [
    "", " ", "soon", "h", "2x", "2d 2d", "30m 1h", "-2d", "+2d", "1e9s", "nan", "inf", "infs", "1h30", "1:30", "P",
    "PT", "P1Y", "P1M", "P1DT", "P4H", "PT4", "2d;", "2d and", "1h,", "\uff11h", "1 h our", "9" * 400 + "d",
    "1h" * 50, "\u00bdh", "1.h",
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), GOOD.items())
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert seconds_in(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no length of time: give seconds as a number, or a text as '90s'"):
        seconds_in(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = seconds_in(text)
    except InvalidInput:
        return
    assert found >= 0.0


def test_what_is_no_text_stays_what_it_is() -> None:
    assert [as_seconds(each) for each in (3, 2.5, None, True, timedelta(minutes=1))] == [3, 2.5, None, True, 60.0]


def test_nodes_take_texts_for_their_times() -> None:
    flow = Flow("f")
    ok = flow.approval("ok", "Fine?", timeout="2d", due="4h", remind="1h 30m", escalate_to="eve", escalate_after="PT8H")
    retry = {"delay": "250ms"}
    flow.node(lambda ctx: 1, id="load", after=ok.approved, timeout="90s", heartbeat="PT1M", retry=retry)
    flow.delay("pause", "1h 30m", after="load")
    flow.delay("other", seconds="90s", after="load")
    assert [each for each in flow.validate() if each.severity is Severity.ERROR] == []
    nodes = {node.id: node for node in flow.build().nodes}
    load = nodes["load"]
    assert load.retry is not None
    assert (load.timeout, load.heartbeat, load.retry.delay) == (90.0, 60.0, 0.25)
    assert nodes["pause"].config == {"seconds": "1h 30m"}


def test_a_delay_waits_as_long_as_its_text_says() -> None:
    flow = Flow("f")
    flow.delay("pause", "20ms")
    begun = time.time()
    flow.run(store=MemoryStore(), display=False).result(10)
    assert time.time() - begun >= 0.02


def test_documents_take_texts_for_their_times() -> None:
    node: dict[str, Any] = {"id": "a", "type": "control.delay", "config": {"seconds": "2h"}, "timeout": "1h 30m"}
    node["retry"] = {"attempts": 2, "delay": "5s", "max_delay": "PT1M"}
    document = {"format": 1, "id": "w", "name": "w", "nodes": [node], "edges": [], "settings": {"timeout": "2d"}}
    workflow = Workflow.from_json(document)
    (read,) = workflow.nodes
    assert (read.timeout, read.retry, workflow.settings.timeout) == (
        5_400.0,
        RetryPolicy(attempts=2, delay=5.0, max_delay=60.0),
        172_800.0,
    )
    assert Workflow.from_json(workflow.to_json()) == workflow


def test_a_wrong_one_is_told_with_its_place_and_the_form() -> None:
    node = {"id": "a", "type": "control.delay", "config": {"seconds": 1}, "timeout": "tomorrow"}
    with pytest.raises(InvalidWorkflow, match=r"nodes\[0\]\.timeout") as refused:
        Workflow.from_json({"format": 1, "id": "w", "name": "w", "nodes": [node], "edges": []})
    assert "'tomorrow' is no length of time: give seconds as a number, or a text as '90s'" in str(refused.value)
    with pytest.raises(UsageError, match="a: timeout: 'soon' is no length of time"):
        Flow("f").node(lambda: 1, id="a", timeout="soon")
    with pytest.raises(UsageError, match="a: retry: 'soon' is no length of time"):
        Flow("f").node(lambda: 1, id="a", retry={"delay": "soon"})
    flow = Flow("f")
    flow.approval("ok", "Fine?", due="soon")
    (problem,) = flow.validate()
    assert "'soon' is no length of time: give seconds" in problem.message
