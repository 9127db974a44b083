from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from flownb.graph.drawing import png
from flownb.graph.drawing.fonts import runs
from flownb.graph.drawing.shapes import Circle, Group, Path, Rect, Text
from flownb.graph.picture import draw
from tests.unit.graph.sketch import invoices, invoices_state

if TYPE_CHECKING:
    import pytest

INK = "#112233"


def image(*shapes: Rect | Circle | Path | Text | Group, width: float = 20, height: float = 10) -> Image.Image:
    data = png.render(shapes, width, height, scale=1, ground="#ffffff")
    return Image.open(BytesIO(data))


def test_a_rectangle_covers_exactly_its_pixels() -> None:
    picture = image(Rect(5, 2, 10, 6, fill=INK))
    assert picture.getbbox() == (5, 2, 15, 8)
    assert picture.getpixel((5, 2)) == (0x11, 0x22, 0x33, 255)


def test_a_level_line_is_as_thick_as_it_says() -> None:
    picture = image(Path((("M", 0, 5), ("L", 20, 5)), stroke=INK, stroke_width=2))
    column = [picture.getpixel((10, y)) for y in range(10)]
    assert [y for y, pixel in enumerate(column) if isinstance(pixel, tuple) and pixel[3]] == [4, 5]


def test_a_ring_is_empty_in_the_middle() -> None:
    picture = image(Circle(5, 5, 4.5, stroke=INK, stroke_width=1.5, fill="#ffffff"))
    assert picture.getpixel((5, 5)) == (255, 255, 255, 255)


def test_the_size_is_the_scale_times_the_picture() -> None:
    picture = draw(invoices(), invoices_state())
    for scale in (1.0, 2.0):
        opened = Image.open(BytesIO(picture.png(scale)))
        assert opened.size == (int(picture.width * scale), int(picture.height * scale))


def test_what_would_get_too_large_is_scaled_down() -> None:
    scale = png.scale_for(50_000, 20_000, 2.0)
    assert 50_000 * scale * 20_000 * scale <= png.MOST_PIXELS
    assert png.scale_for(100, 100, 2.0) == 2.0


def test_strips_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw(invoices(), invoices_state())
    whole = Image.open(BytesIO(picture.png(1.0)))
    monkeypatch.setattr(png, "STRIP_PIXELS", 60_000)
    strips = Image.open(BytesIO(picture.png(1.0)))
    assert whole.tobytes() == strips.tobytes()


def test_text_is_drawn_where_it_says() -> None:
    picture = image(Text(4, 9, "H", 10, INK), width=20, height=12)
    left, top, right, bottom = picture.getbbox() or (0, 0, 0, 0)
    assert 4 <= left <= 6
    assert right <= 12
    assert (top, bottom) == (2, 9)


def test_text_in_any_script_is_drawn() -> None:
    for text in ("Geräte", "数据", "שלום", "🎉", "a\u0301", "\U0010fffd"):
        assert "".join(piece for piece, _ in runs(text, 20.0))
        assert image(Text(1, 9, text, 9, INK), width=60).getbbox()


def test_an_empty_text_draws_nothing() -> None:
    assert image(Text(1, 9, "", 9, INK)).getbbox() is None
