"""What is around the graph: the frame, the head with the run's figures, and the picture of a flow without nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from flownb.graph.drawing.icons import icon
from flownb.graph.drawing.shapes import Rect, Text
from flownb.graph.drawing.theme import mix
from flownb.graph.drawing.words import clean, duration, fit, width_of
from flownb.model.status import NodeStatus, RunStatus

if TYPE_CHECKING:
    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.drawing.state import PictureState
    from flownb.graph.drawing.theme import Theme

#: The head's height; the least size of a picture; the most that a title takes.
HEAD: Final = 48.0
LEAST_WIDTH: Final = 440.0
EMPTY_HEIGHT: Final = 208.0
MOST_TITLE: Final = 340.0
_UNFINISHED: Final = frozenset({RunStatus.RUNNING, RunStatus.PAUSED})


class Head:
    """The line above the graph; made before the picture's width is known, because it may ask for more."""

    def __init__(self, title: str, state: PictureState | None, nodes: int, theme: Theme) -> None:
        """Set the line.

        Args:
            title: the workflow's name, or what stands for it.
            state: None in the picture of a definition.
            nodes: how many nodes the workflow has.
            theme: the colours.
        """
        self._theme = theme
        self._state = state
        self._left: list[Shape] = []
        self._x = 16.0
        name = fit(clean(title) or "Untitled", 14.0, MOST_TITLE, 600)
        self._write(name, 14.0, theme.ink, 600, gap=12.0)
        if state is not None and state.status is not None:
            self._pill(state.status)
        if state is None:
            self._write(f"{nodes} node{'' if nodes == 1 else 's'}", 13.0, theme.ink_2, 400, gap=0.0)
        else:
            self._figures(state)
        self._right, right_width = self._counts()
        self.width = self._x + (32.0 + right_width if self._right else 0.0) + 16.0

    def _write(self, text: str, size: float, ink: str, weight: Literal[400, 600], *, gap: float) -> None:
        baseline = HEAD / 2 + size * 0.35
        width = width_of(text, size, weight)
        self._left.append(Text(self._x, baseline, text, size, ink, weight, width=width))
        self._x += width + gap

    def _pill(self, status: RunStatus) -> None:
        theme = self._theme
        look = "pending" if status is RunStatus.PENDING else status.value
        ink = theme.status[look]
        ground = mix(ink, 0.09 if theme.surface == "#ffffff" else 0.14, theme.surface)
        word = status.value.capitalize()
        width = 8.0 + 12.0 + 5.0 + width_of(word, 12.0) + 9.0
        top = HEAD / 2 - 11.0
        self._left.append(Rect(self._x, top, width, 22.0, 11.0, fill=ground))
        self._left += icon(look, (self._x + 8.0, top + 5.0), 12.0, ink, ground, width=1.8)
        self._left.append(Text(self._x + 25.0, top + 15.2, word, 12.0, ink, 500))
        self._x += width + 14.0
        self._left.append(Rect(self._x, HEAD / 2 - 9.0, 1.0, 18.0, fill=theme.line))
        self._x += 14.0

    def _figures(self, state: PictureState) -> None:
        """`5/8 nodes · 18 s`."""
        theme = self._theme
        time = duration(state.seconds)
        self._write(f"{state.done}/{state.total}", 13.0, theme.ink, 600, gap=4.0)
        self._write("nodes" if state.total != 1 else "node", 13.0, theme.ink_2, 400, gap=6.0 if time else 0.0)
        if time:
            self._write("·", 13.0, theme.ink_2, 400, gap=6.0)
            self._write(time, 13.0, theme.ink, 400, gap=0.0)

    def _counts(self) -> tuple[list[Shape], float]:
        """At the right: how many failed, how many wait; drawn from 0 on, moved when the width is known."""
        shapes: list[Shape] = []
        x = 0.0
        states = self._state.nodes.values() if self._state else ()
        for status, word in ((NodeStatus.FAILED, "failed"), (NodeStatus.WAITING, "waiting")):
            count = sum(each.status is status for each in states)
            if count:
                x += 16.0 if x else 0.0
                ink = self._theme.status[status.value]
                shapes += icon(status.value, (x, HEAD / 2 - 6.0), 12.0, ink, self._theme.surface, width=1.8)
                text = f"{count} {word}"
                shapes.append(Text(x + 17.0, HEAD / 2 + 4.4, text, 12.5, ink, 500))
                x += 17.0 + width_of(text, 12.5, 500)
        return shapes, x

    def draw(self, width: float) -> list[Shape]:
        """The head across a picture, with the thin bar of what is done while the run goes on."""
        theme, state = self._theme, self._state
        shapes: list[Shape] = [Rect(1.0, HEAD - 1.0, width - 2.0, 1.0, fill=theme.line)]
        if state is not None and state.status in _UNFINISHED and state.total > 0:
            share = min(max(state.done / state.total, 0.0), 1.0)
            shapes.append(Rect(1.0, HEAD - 2.0, (width - 2.0) * share, 2.0, fill=theme.accent))
        shapes += self._left
        if self._right:
            start = width - 16.0 - self._counts()[1]
            shapes += [_shifted(shape, start) for shape in self._right]
        return shapes


def _shifted(shape: Shape, x: float) -> Shape:
    from flownb.graph.drawing.shapes import Path, moved

    if isinstance(shape, Path):
        return Path(moved(shape.commands, x, 0.0, 1.0), shape.fill, shape.stroke, shape.stroke_width, shape.dash)
    if isinstance(shape, Text):
        return Text(shape.x + x, shape.y, shape.text, shape.size, shape.fill, shape.weight)
    return shape


def draw_frame(width: float, height: float, theme: Theme) -> list[Shape]:
    """The frame with its two grounds: of the head, and of the graph."""
    return [
        Rect(0.0, 0.0, width, height, 8.0, fill=theme.surface),
        Rect(0.0, HEAD - 1.0, width, height - HEAD + 1.0, 8.0, fill=theme.ground),
        Rect(0.0, HEAD - 1.0, width, 16.0, fill=theme.ground),
    ]


def draw_edge_of_frame(width: float, height: float, theme: Theme) -> Shape:
    """The line around everything; drawn last."""
    return Rect(0.0, 0.0, width, height, 8.0, stroke=theme.line)


def draw_empty(width: float, theme: Theme) -> list[Shape]:
    """What stands where the nodes will be."""
    middle, y = width / 2, HEAD + EMPTY_HEIGHT / 2
    hint = "Write @flow.node above a function, and it appears here."
    return [
        Text(middle, y - 4.0, "No nodes yet", 13.0, theme.ink, 600, "middle"),
        Text(middle, y + 18.0, hint, 13.0, theme.ink_2, 400, "middle"),
    ]
