from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from flownb.cli.progress import Lines, Live, Silent, display_for
from flownb.model import events as ev
from flownb.model.events import Record

if TYPE_CHECKING:
    import pytest

WHY = ev.Reason(group="gate", message="big took true, not false")
BOOM = ev.Failure(type="ValueError", message="boom\n\x1b[2Jover")

STORY: list[ev.Event] = [
    ev.RunStarted(at=0, workflow="shop"),
    ev.NodeStarted(at=0, node="load"),
    ev.NodeOutput(at=0.1, node="load", stream="stdout", text="read"),
    ev.NodeOutput(at=0.2, node="load", stream="stdout", text="ing\nhalf"),
    ev.NodeProgress(at=10, node="load", text="page 1", progress=0.5),
    ev.NodeProgress(at=11, node="load", text="page 2", progress=0.6),
    ev.NodeCompleted(at=12, node="load", output=[1, 2]),
    ev.NodeStarted(at=12, node="big"),
    ev.NodeCompleted(at=12.5, node="big", output=True, ports=("true",)),
    ev.NodeSkipped(at=12.5, node="keep", reason=WHY),
    ev.NodeStarted(at=12.5, node="post"),
    ev.NodeRetrying(at=13, node="post", attempt=1, delay=2, error=BOOM),
    ev.NodeStarted(at=15, node="post", attempt=2),
    ev.NodeFailedEvent(at=16, node="post", error=BOOM),
    ev.SystemWarning(at=16, message="disk is full"),
    ev.RunFailedEvent(at=16, error=BOOM, node="post"),
]


def records() -> list[Record]:
    return [Record("run1", number, event) for number, event in enumerate(STORY, 1)]


def test_without_a_terminal_each_event_of_a_node_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = Lines()
    display.show(records())
    display.note("cell 1 of 3")
    display.close()
    out, err = capsys.readouterr()
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in err.splitlines()]
    assert out == ""
    assert lines == [
        "Run run1 of shop starts.",
        "◐ load                 running",
        "| load: reading",
        "◐ load                 running             50% page 1",
        "| load: half",
        "✔ load                 completed     12 s  [1, 2]",
        "◐ big                  running",
        "✔ big                  completed   0.50 s  → true True",
        "» keep                 skipped             big took true, not false",
        "◐ post                 running",
        "↻ post                 retrying            in 2.00 s, attempt 1 failed: ValueError: boom \\x1b[2Jover",
        "◐ post                 running             attempt 2",
        "✖ post                 failed      3.50 s  ValueError: boom \\x1b[2Jover",
        "disk is full",
    ]


def test_a_reader_who_has_gone_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        tries = 0

        def write(self, text: str) -> int:
            self.tries += 1
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    gone = Gone()
    monkeypatch.setattr(sys, "stderr", gone)
    display = Lines()
    for record in records():
        display.show([record])
    display.close()
    assert gone.tries == 1


def test_on_a_terminal_what_ended_stands_above_and_nothing_is_left_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    display = Live(total=4)
    display.show(records())
    display.note("cell 2 of 3")
    shown = display._below().plain
    display.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "✔ load                 completed     12 s  [1, 2]" in text
    assert "✖ post                 failed      3.50 s  ValueError: boom \\x1b[2Jover" in text
    assert shown.startswith("4 of 4 nodes · cell 2 of 3 · ")


def test_on_a_terminal_markup_is_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    display = Live()
    display.show([Record("run1", 1, ev.NodeStarted(at=0, node="[bold]x[/bold]"))])
    display.show([Record("run1", 2, ev.NodeSkipped(at=0, node="[bold]x[/bold]", reason=WHY))])
    display.say("[red]:smile:[/red]")
    display.close()
    text = capsys.readouterr().err
    assert "[bold]x[/bold]" in text
    assert "[red]:smile:[/red]" in text


def test_many_nodes_at_work_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    del capsys
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    display = Live(total=20)
    for number in range(20):
        display.show([Record("run1", number + 1, ev.NodeStarted(at=0, node=f"n{number}"))])
    shown = display._below().plain
    display.close()
    assert "… and 12 more at work\n0 of 20 nodes" in shown


def test_the_display_fits_where_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(display_for(), Lines)
    assert isinstance(display_for(quiet=True), Silent)
    assert capsys.readouterr().err == ""
