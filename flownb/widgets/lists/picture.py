"""A list as a PNG: what the saved notebook shows where there is no kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from flownb.graph.drawing import png
from flownb.graph.drawing.frame import HEAD, draw_edge_of_frame
from flownb.graph.drawing.icons import icon
from flownb.graph.drawing.shapes import Rect, Text
from flownb.graph.drawing.theme import theme
from flownb.graph.drawing.words import clean, duration, fit, width_of
from flownb.model.status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.drawing.theme import Theme
    from flownb.run.handles.approvals import Approval
    from flownb.store.contract import RunRow

_WIDTH: Final = 760.0
_ROW: Final = 48.0
#: Lines of one section; a picture is no place to look for the thousandth.
MOST: Final = 12
_SCALE: Final = 2.0
_SIGNS: Final = {
    "paused": "waiting", "pending": "pending", "approved": "completed", "answered": "completed",
    "rejected": "cancelled", "expired": "skipped",
}  # fmt: skip


class Line(NamedTuple):
    """One run or one request."""

    #: A node's status, for icon and colour.
    sign: str
    name: str
    second: str
    right: str


class Section(NamedTuple):
    """A heading, its lines, and what is said where there are none."""

    title: str
    total: int
    lines: list[Line]
    empty: str


def run_lines(rows: Sequence[RunRow]) -> list[Line]:
    """The first of some runs."""
    return [_run_line(row) for row in rows[:MOST]]


def _run_line(row: RunRow) -> Line:
    why = f", {row.pause_reason}" if row.pause_reason else ""
    ended = row.finished_at if RunStatus(row.status).ended else None
    took = duration(ended - row.started_at) if ended is not None and row.started_at is not None else ""
    return Line(_SIGNS.get(row.status, row.status), row.workflow, f"{row.status}{why}, run {row.id}", took)


def request_lines(found: Sequence[Approval]) -> list[Line]:
    """The first of some requests."""
    return [_request_line(each) for each in found[:MOST]]


def _request_line(each: Approval) -> Line:
    sign = "waiting" if each.status == "pending" else _SIGNS.get(each.status, each.status)
    since = f"{duration(max(0.0, time.time() - each.created_at))} ago"
    return Line(sign, each.question, f"{each.node} of {each.workflow}, run {each.run}", since)


def picture(title: str, sections: Sequence[Section]) -> bytes:
    """The picture of a list, light, as every picture in a saved notebook."""
    colours = theme(dark=False)
    height = HEAD + sum(_height(each) for each in sections)
    shapes: list[Shape] = [Rect(0.0, 0.0, _WIDTH, height, 8.0, fill=colours.surface)]
    shapes.append(Text(16.0, HEAD / 2 + 5.0, title, 14.0, colours.ink, 600))
    top = HEAD
    for each in sections:
        shapes += _section(each, top, colours)
        top += _height(each)
    shapes.append(draw_edge_of_frame(_WIDTH, height, colours))
    return png.render(shapes, _WIDTH, height, scale=_SCALE, ground=colours.surface)


def _height(section: Section) -> float:
    return 32.0 + _ROW * max(1, len(section.lines)) + (28.0 if section.total > len(section.lines) else 0.0)


def _section(section: Section, top: float, colours: Theme) -> list[Shape]:
    shapes: list[Shape] = [Rect(0.0, top, _WIDTH, 32.0, fill=colours.sunken)]
    shapes.append(Text(16.0, top + 20.5, f"{section.title} ({section.total:,})", 12.0, colours.ink_2, 600))
    y = top + 32.0
    if not section.lines:
        shapes.append(Text(16.0, y + 28.0, fit(section.empty, 13.0, _WIDTH - 32.0), 13.0, colours.ink_2))
    for each in section.lines:
        shapes += _line(each, y, colours)
        y += _ROW
    if section.total > len(section.lines):
        more = f"and {section.total - len(section.lines):,} more"
        shapes.append(Text(16.0, y + 18.0, more, 12.0, colours.ink_2))
    return shapes


def _line(line: Line, y: float, colours: Theme) -> list[Shape]:
    ink = colours.status.get(line.sign, colours.ink_2)
    shapes: list[Shape] = [Rect(0.0, y, _WIDTH, 1.0, fill=colours.line)]
    shapes += icon(line.sign, (17.0, y + 17.0), 14.0, ink, colours.surface, width=1.8)
    room = _WIDTH - 60.0 - width_of(line.right, 12.0) - 16.0
    shapes.append(Text(44.0, y + 21.0, fit(clean(line.name), 13.0, room, 600), 13.0, colours.ink, 600))
    shapes.append(Text(44.0, y + 37.0, fit(clean(line.second), 11.5, room), 11.5, colours.ink_2))
    if line.right:
        shapes.append(Text(_WIDTH - 16.0, y + 28.0, line.right, 12.0, colours.ink_2, 400, "end"))
    return shapes
