"""Outputs of a hundred megabytes: a view tells of them in a few kilobytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb import Flow

LARGE = 100_000_000


def test_no_message_of_a_view_holds_more_than_a_glance_of_a_large_output(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anywidget")
    from flownb.widgets.run_view import RunWidget

    flow = Flow("large")

    @flow.node
    def text() -> str:
        return "y" * LARGE

    @flow.node
    def both(text: str) -> int:
        print(text[: LARGE // 100])
        return len(text)

    run = flow.run(display=False)
    assert run.result() == {"both": LARGE}
    widget = RunWidget(run)
    said: list[Any] = []
    monkeypatch.setattr(widget, "_say", said.append)
    for node in ("text", "both"):
        widget.select(node)
        widget.beat()
    assert {each["detail"]["key"] for each in said if "detail" in each} == {"text", "both"}
    assert max(len(json.dumps(each)) for each in said) < 50_000
    assert len(json.dumps(widget.whole())) < 20_000
