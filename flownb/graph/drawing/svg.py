"""Shapes as SVG: one file, no reference to anything outside, colours as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.shapes import Circle, Group, Path, Rect, Text
from flownb.graph.drawing.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.graph.drawing.shapes import Command, Shape

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
#: What XML 1.0 doesn't allow in a document at all; `clean` removes it from one-line texts, this from all others.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(shapes: Sequence[Shape], width: float, height: float, *, title: str, description: str) -> str:
    """The document.

    Args:
        shapes: from the back to the front.
        width: in CSS pixels.
        height: in CSS pixels.
        title: what the picture is, for readers.
        description: what it shows, for readers.
    """
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    type_ = f'font-family="{FONT}" text-rendering="geometricPrecision"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {type_}>',
        f"<title>{escape(clean(title))}</title>",
        f"<desc>{escape(description)}</desc>",
    ]
    return "\n".join([*head, *(line for shape in shapes for line in _lines(shape)), "</svg>\n"])


def escape(text: str) -> str:
    """Text that can stand in an element or in an attribute between double quotes."""
    text = _FORBIDDEN.sub("", text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def _lines(shape: Shape) -> Iterator[str]:
    match shape:
        case Group():
            node = f' data-flownb-node="{escape(clean(shape.node))}"' if shape.node else ""
            status = f' data-status="{escape(shape.status)}"' if shape.status else ""
            yield f"<g{node}{status}>"
            if shape.title:
                yield f"<title>{escape(shape.title)}</title>"
            for each in shape.shapes:
                yield from _lines(each)
            yield "</g>"
        case Rect():
            yield _rect(shape)
        case Circle():
            inset = shape.stroke_width / 2 if shape.stroke else 0.0
            place = f'cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius - inset)}"'
            yield f"<circle {place}{_paint(shape.fill, shape.stroke, shape.stroke_width)}/>"
        case Path():
            ends = ' stroke-linejoin="round"' if shape.stroke else ""
            if shape.stroke and not shape.dash:
                ends += ' stroke-linecap="round"'
            dash = f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
            paint = _paint(shape.fill, shape.stroke, shape.stroke_width)
            yield f'<path d="{_d(shape.commands)}"{paint}{ends}{dash}/>'
        case Text():
            yield _text(shape)


def _rect(shape: Rect) -> str:
    inset = shape.stroke_width / 2 if shape.stroke else 0.0
    x, y = shape.x + inset, shape.y + inset
    width, height = max(shape.width - 2 * inset, 0.0), max(shape.height - 2 * inset, 0.0)
    radius = max(shape.radius - inset, 0.0)
    round_ = f' rx="{_n(radius)}"' if radius else ""
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{round_}'
    return f"<rect {place}{_paint(shape.fill, shape.stroke, shape.stroke_width)}/>"


def _text(shape: Text) -> str:
    weight = f' font-weight="{shape.weight}"' if shape.weight != 400 else ""  # noqa: PLR2004 (CSS's regular)
    anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
    tight = f' textLength="{_n(shape.width)}" lengthAdjust="spacingAndGlyphs"' if shape.width else ""
    place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}"'
    return f'<text {place} fill="{shape.fill}"{weight}{anchor}{tight}>{escape(shape.text)}</text>'


def _paint(fill: str, stroke: str, width: float) -> str:
    paint = f' fill="{fill or "none"}"'
    return f'{paint} stroke="{stroke}" stroke-width="{_n(width)}"' if stroke else paint


def _d(commands: Sequence[Command]) -> str:
    return "".join(f"{name}{' '.join(_n(float(number)) for number in numbers)}" for name, *numbers in commands)


def _n(number: float) -> str:
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
