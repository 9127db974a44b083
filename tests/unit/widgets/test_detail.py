"""The panel of a node: bounded text, whatever the node returned, printed or raised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flownb import Flow
from flownb.model.events import event_type
from flownb.widgets.detail import Look, lines_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flownb import Run


def ended(*functions: Callable[..., Any], **inputs: Any) -> Run:
    flow = Flow("shop")
    for function in functions:
        flow.node(function, on_error="continue")
    run = flow.run(inputs, store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    return run


def load(path: str) -> list[int]:
    print("reading", path)
    return [1, 2]


def fail(load: list[int]) -> None:
    print("<script>alert(1)</script>" * 10_000)
    raise ValueError("<img src=x onerror=alert(1)>" + "y" * 8_000)


def test_a_node_tells_what_it_got_gave_and_wrote() -> None:
    told = Look(ended(load, path="july.csv"), "load", "load").told()
    assert told["output"]["kind"] == "list"
    assert told["log"] == "reading july.csv\n"
    assert [(each["name"], each["from"]) for each in told["inputs"]] == [("path", "the run's inputs")]
    assert [each["how"] for each in told["tries"]] == ["completed"]
    assert told["why"].startswith("it ran")


def test_a_failed_node_tells_its_error_and_everything_is_bounded() -> None:
    told = Look(ended(load, fail, path="july.csv"), "fail", "fail").told()
    assert told["error"]["type"] == "ValueError"
    assert "raise ValueError" in told["error"]["traceback"]
    assert len(json.dumps(told)) < 100_000
    assert told["output"] is None


def test_a_node_that_has_not_started_has_a_panel_too() -> None:
    run = ended(load, path="x")
    assert Look(run, "clean", "each[0].clean").told()["status"] == "pending"


def test_events_are_lines() -> None:
    run = ended(load, fail, path="x")
    records = run.events()
    lines = lines_of(records)
    assert [line["seq"] for line in lines] == [record.seq for record in records]
    assert [line["type"] for line in lines] == [event_type(record.event) for record in records]
    assert all(len(line["text"]) <= 240 for line in lines)
