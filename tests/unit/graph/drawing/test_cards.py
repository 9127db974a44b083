from __future__ import annotations

import pytest

from flownb.graph.drawing.cards import Card, draw_card
from flownb.graph.drawing.shapes import Path, Rect, Text
from flownb.graph.drawing.state import CardState
from flownb.graph.drawing.theme import theme
from flownb.graph.drawing.words import width_of
from flownb.graph.layout.plan import CardSpot
from flownb.model.status import NodeStatus
from flownb.model.workflow import Node, RetryPolicy

SPOT = CardSpot("n", 0, 0.0, 0.0, 220.0, 56.0)


def card(state: CardState | None, *, name: str = "load", attempts: int = 0) -> Card:
    retry = RetryPolicy(attempts=attempts) if attempts else None
    return Card(Node(id="n", type="python", name=name, retry=retry), state, theme(dark=False), {})


def texts(state: CardState | None, *, name: str = "load", attempts: int = 0) -> list[str]:
    group = draw_card(card(state, name=name, attempts=attempts), SPOT, "full", compact=False)
    return [shape.text for shape in group.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize("status", list(NodeStatus))
def test_a_status_without_a_text_is_said_in_a_word(status: NodeStatus) -> None:
    assert texts(CardState(status=status))[-1] == status.value.capitalize()


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (CardState(status=NodeStatus.COMPLETED, text="5 rows"), "5 rows"),
        (CardState(status=NodeStatus.COMPLETED, badges=("cached",)), "Cached"),
        (CardState(status=NodeStatus.COMPLETED, badges=("cache",)), "Cached"),
        (CardState(status=NodeStatus.FAILED, text="SMTP 421"), "Failed: SMTP 421"),
        (CardState(status=NodeStatus.FAILED, text="Failed: SMTP 421"), "Failed: SMTP 421"),
        (CardState(status=NodeStatus.SKIPPED, text="big is true"), "Skipped: big is true"),
        (CardState(status=NodeStatus.WAITING, text="Waiting for you"), "Waiting for you"),
        (CardState(status=NodeStatus.CANCELLED, text="Cancelled by anna"), "Cancelled by anna"),
        (CardState(status=NodeStatus.RUNNING, badges=("retrying",)), "Retrying"),
        (None, "python"),
    ],
)
def test_the_second_line_says_the_status_once(state: CardState | None, word: str) -> None:
    assert card(state).word == word


def test_the_duration_goes_where_both_do_not_fit() -> None:
    short = CardState(status=NodeStatus.FAILED, text="SMTP 421", seconds=9.1)
    long = CardState(status=NodeStatus.FAILED, text="the server refused it", seconds=9.1)
    assert "9.1 s" in texts(short)
    assert "9.1 s" not in texts(long)


def test_attempts_are_shown_from_the_second_on() -> None:
    assert "3/5" in texts(CardState(attempts=3), attempts=5)
    assert "2x" in texts(CardState(attempts=2))
    assert texts(CardState(attempts=1), attempts=5) == ["load", "Pending"]


def test_badges_leave_room_for_the_name() -> None:
    group = draw_card(card(CardState(badges=("b" * 50, "c" * 50)), name="n" * 50), SPOT, "full", compact=False)
    name, badge = [shape for shape in group.shapes if isinstance(shape, Text)][:2]
    assert name.text.startswith("nnnnn")
    assert name.x + width_of(name.text, name.size, 600) < badge.x


def test_only_a_waiting_card_is_tinted() -> None:
    fills = {status: card(CardState(status=status)).fill() for status in NodeStatus}
    tinted = [status for status, fill in fills.items() if fill != theme(dark=False).raised]
    assert tinted == [NodeStatus.WAITING]


@pytest.mark.parametrize("status", [NodeStatus.SKIPPED, NodeStatus.CANCELLED])
def test_what_will_not_run_loses_fill_and_shadow(status: NodeStatus) -> None:
    first = draw_card(card(CardState(status=status)), SPOT, "full", compact=False).shapes[0]
    assert isinstance(first, Path)
    assert first.dash
    assert first.fill == theme(dark=False).ground


@pytest.mark.parametrize(("progress", "width"), [(-1.0, 0.0), (0.5, 100.0), (7.0, 200.0)])
def test_progress_stays_on_the_card(progress: float, width: float) -> None:
    state = CardState(status=NodeStatus.RUNNING, progress=progress)
    bar = draw_card(card(state), SPOT, "full", compact=False).shapes[-1]
    assert isinstance(bar, Rect)
    assert bar.width == width


def test_a_card_tells_readers_everything() -> None:
    state = CardState(status=NodeStatus.FAILED, text="SMTP 421", seconds=9.1, attempts=3)
    group = draw_card(card(state, attempts=3), SPOT, "bar", compact=False)
    assert (group.title, group.node, group.status) == ("load, Failed: SMTP 421, 3/3, 9.1 s", "n", "failed")
