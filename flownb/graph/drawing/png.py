"""Shapes as PNG, with Pillow: drawn larger and scaled down, so that every edge is smooth."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Final, assert_never

from flownb.graph.drawing.fonts import runs
from flownb.graph.drawing.shapes import Circle, Group, Path, Rect, Text, dashes, flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image, ImageDraw

    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.layout.plan import Point

#: The result never has more pixels than this, nor does what is drawn at once.
MOST_PIXELS: Final = 16_000_000
STRIP_PIXELS: Final = 8_000_000
#: Each strip begins so many rows earlier than needed: Pillow rounds what begins above an image's edge differently.
LEAD: Final = 80
#: How many times larger than the result the drawing is.
SMOOTH: Final = 2
#: Text smaller than this, in pixels of the drawing, is a blur: a bar is drawn instead.
LEAST_TYPE: Final = 5.0
#: Dashes with gaps shorter than this together can't be seen: the line is drawn through.
LEAST_DASH: Final = 6.0


def scale_for(width: float, height: float, scale: float) -> float:
    """The scale of the result: as wished, or smaller so that it doesn't get too large."""
    return min(scale, sqrt(MOST_PIXELS / max(width * height, 1.0)))


def render(shapes: Sequence[Shape], width: float, height: float, *, scale: float, ground: str) -> bytes:
    """The file.

    It is drawn in strips, so that a large picture doesn't need several times its own memory.

    Args:
        shapes: from the back to the front.
        width: in CSS pixels.
        height: in CSS pixels.
        scale: pixels of the result for a CSS pixel; made smaller where the result would get too large.
        ground: the colour that transparent corners fade to.
    """
    from PIL import Image, ImageDraw

    scale = scale_for(width, height, scale)
    across, down = max(int(width * scale), 1), max(int(height * scale), 1)
    flat_shapes = [(*_extent(shape), shape) for shape in _flat(shapes)]
    step = max(STRIP_PIXELS // (across * SMOOTH * SMOOTH), 1)
    image = Image.new("RGBA", (across, down))
    for top in range(0, down, step):
        bottom, start = min(top + step, down), max(top - LEAD, 0)
        strip = Image.new("RGBA", (across * SMOOTH, (bottom - start) * SMOOTH), ground + "00")
        pen = _Pen(ImageDraw.Draw(strip), scale * SMOOTH, start * SMOOTH)
        for upper, lower, shape in flat_shapes:
            if lower * scale >= start - 1 and upper * scale <= bottom + 1:
                pen.draw(shape)
        smooth = strip.reduce(SMOOTH)
        image.paste(smooth.crop((0, top - start, across, bottom - start)), (0, top))
    return _file(image, scale)


def _flat(shapes: Sequence[Shape]) -> Iterator[Shape]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _extent(shape: Shape) -> tuple[float, float]:
    """The highest and the lowest point of a shape, or a little more."""
    match shape:
        case Rect():
            return shape.y, shape.y + shape.height
        case Circle():
            return shape.y - shape.radius, shape.y + shape.radius
        case Path():
            ys = [float(number) for _, *numbers in shape.commands for number in numbers[1::2]]
            return min(ys) - shape.stroke_width, max(ys) + shape.stroke_width
        case Text():
            return shape.y - 1.5 * shape.size, shape.y + shape.size
        case Group():
            return 0.0, 0.0
        case _:
            assert_never(shape)


def _file(image: Image.Image, scale: float) -> bytes:
    file = BytesIO()
    dots = 96 * scale  # so that what reads the density shows it in CSS pixels
    image.save(file, "PNG", dpi=(dots, dots), compress_level=6)
    return file.getvalue()


class _Pen:
    """Draws shapes on a strip of an image that is `scale` times as large as they say; the strip begins at `top`."""

    def __init__(self, draw: ImageDraw.ImageDraw, scale: float, top: int) -> None:
        self._draw = draw
        self._scale = scale
        self._top = top

    def draw(self, shape: Shape) -> None:
        """Draw one shape that is no group."""
        match shape:
            case Rect():
                self._rect(shape)
            case Circle():
                self._circle(shape)
            case Path():
                self._path(shape)
            case Text():
                self._text(shape)

    def _y(self, y: float) -> float:
        return y * self._scale - self._top

    def _rect(self, shape: Rect) -> None:
        scale = self._scale
        box = [round(shape.x * scale), round(self._y(shape.y))]
        box += [round((shape.x + shape.width) * scale) - 1, round(self._y(shape.y + shape.height)) - 1]
        if box[2] < box[0] or box[3] < box[1]:
            return
        width = max(round(shape.stroke_width * scale), 1) if shape.stroke else 0
        radius = min(shape.radius * scale, (box[2] - box[0] + 1) / 2, (box[3] - box[1] + 1) / 2)
        outline = shape.stroke or None
        self._draw.rounded_rectangle(tuple(box), radius, fill=shape.fill or None, outline=outline, width=width)

    def _circle(self, shape: Circle) -> None:
        scale, reach = self._scale, shape.radius
        box = [(shape.x - reach) * scale, self._y(shape.y - reach)]
        box += [(shape.x + reach) * scale - 1, self._y(shape.y + reach) - 1]
        if shape.stroke:
            self._draw.ellipse(tuple(box), fill=shape.stroke)
            inset = shape.stroke_width * scale
            box = [box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset]
        if shape.fill and box[2] > box[0]:
            self._draw.ellipse(tuple(box), fill=shape.fill)

    def _path(self, shape: Path) -> None:
        scale = self._scale
        for points, closed in flat(shape.commands, tolerance=0.2 / scale):
            line = [(x * scale, self._y(y)) for x, y in points]
            if closed:
                line.append(line[0])
            if shape.fill and len(line) > 2:  # noqa: PLR2004 (a corner takes three points)
                self._draw.polygon(line, fill=shape.fill)
            if not shape.stroke:
                continue
            width = shape.stroke_width * scale
            if shape.dash and sum(shape.dash) * scale >= LEAST_DASH:
                for piece in dashes(line, [length * scale for length in shape.dash]):
                    self._stroke(piece, shape.stroke, width, round_ends=False)
            else:
                self._stroke(line, shape.stroke, width, round_ends=not shape.dash)

    def _stroke(self, line: Sequence[Point], colour: str, width: float, *, round_ends: bool) -> None:
        """A line with round joins: level and upright stretches as rectangles, which are exact and quick."""
        curve: list[Point] = []
        for start, end in pairwise(line):
            if start[0] == end[0] or start[1] == end[1]:
                self._curve(curve, colour, width)
                curve = []
                self._straight(start, end, colour, width)
            else:
                curve = [*(curve or [start]), end]
        self._curve(curve, colour, width)
        reach = width / 2
        if reach < 1:
            return
        joints = [
            here for before, here, after in zip(line, line[1:], line[2:], strict=False) if _sharp(before, here, after)
        ]
        for x, y in [*joints, *((line[0], line[-1]) if round_ends else ())]:
            self._draw.ellipse((x - reach, y - reach, x + reach - 1, y + reach - 1), fill=colour)

    def _curve(self, line: list[Point], colour: str, width: float) -> None:
        if line:
            points = [(x - 0.5, y - 0.5) for x, y in line]
            self._draw.line(points, fill=colour, width=max(round(width), 1), joint="curve" if len(line) > 2 else None)  # noqa: PLR2004

    def _straight(self, start: Point, end: Point, colour: str, width: float) -> None:
        reach = width / 2
        if start[1] == end[1]:
            box = [min(start[0], end[0]), start[1] - reach, max(start[0], end[0]), start[1] + reach]
        else:
            box = [start[0] - reach, min(start[1], end[1]), start[0] + reach, max(start[1], end[1])]
        left, top, right, bottom = map(round, box)
        self._draw.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), fill=colour)

    def _text(self, shape: Text) -> None:
        size = shape.size * self._scale
        pieces = runs(shape.text, size) if shape.text else []
        width = sum(font.getlength(text) for text, font in pieces)
        bold = {400: 0.0, 500: 0.018, 600: 0.036}[shape.weight] * size
        x = shape.x * self._scale - {"start": 0.0, "middle": width / 2, "end": width}[shape.anchor]
        y = self._y(shape.y)
        if size < LEAST_TYPE:
            self._draw.rectangle((x, y - size * 0.5, x + width, y - size * 0.2), fill=shape.fill)
            return
        for text, font in pieces:
            for shift in (0.0, bold / 2, bold) if bold else (0.0,):
                self._draw.text((x + shift, y), text, fill=shape.fill, font=font, anchor="ls")
            x += font.getlength(text)


def _sharp(before: Point, here: Point, after: Point) -> bool:
    """Whether a line turns so much that its outer edge would show a notch."""
    ax, ay, bx, by = here[0] - before[0], here[1] - before[1], after[0] - here[0], after[1] - here[1]
    return ax * bx + ay * by < 0.9 * sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
