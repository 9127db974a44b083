"""Images come back pixel by pixel; figures leave a picture."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from flownb.errors import StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts

Image: Any = pytest.importorskip("PIL.Image")


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


def picture(mode: str) -> Any:
    size = (7, 5)
    noise = Image.frombytes("L", size, bytes(number * 37 % 256 for number in range(35)))
    if mode == "I;16":
        return Image.frombytes(mode, size, bytes(number * 91 % 256 for number in range(70)))
    return noise.convert("RGBA").convert(mode) if mode != "LA" else noise.convert("LA")


def back(value: Any, artifacts: MemoryArtifacts) -> Any:
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    return values.load(msgspec.json.decode(msgspec.json.encode(stored.plain)), artifacts)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_an_image_keeps_mode_pixels_and_info(mode: str, artifacts: MemoryArtifacts) -> None:
    image = picture(mode)
    image.info = {"dpi": (72, 72), "note": b"x", "transparency": 3, "icc_profile": b"p" * 70_000}
    stored = values.store(image, artifacts)
    found = back(image, artifacts)
    assert type(found) is Image.Image
    assert found == image
    assert found.info == image.info
    assert len(values.artifacts_in(stored.plain)) == 2


def test_an_image_is_a_png_with_a_preview(artifacts: MemoryArtifacts) -> None:
    stored = values.store(picture("RGB"), artifacts)
    with artifacts.open(stored.digest or "") as file:
        assert Image.open(io.BytesIO(file.read())).format == "PNG"
    assert values.preview(stored.plain) == "Image, 7 × 5, RGB"  # noqa: RUF001  the sign for "by"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "F", "I", "RGBX", "RGBa"])
def test_what_png_would_change_is_refused(mode: str, artifacts: MemoryArtifacts) -> None:
    stored = values.store(Image.new(mode, (2, 2)), artifacts)
    assert "which png would change" in stored.plain["$transient"]["reason"]


def test_an_image_tied_to_a_file_says_how_to_untie_it(artifacts: MemoryArtifacts) -> None:
    buffer = io.BytesIO()
    picture("RGB").save(buffer, "JPEG")
    with Image.open(buffer) as opened:
        reason = values.store(opened, artifacts).plain["$transient"]["reason"]
        assert "is a JpegImageFile, an image tied to its file: return image.copy()" in reason
        assert back(opened.copy(), artifacts) == opened.copy()


def test_a_damaged_png_is_refused(artifacts: MemoryArtifacts) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(50)
    plain = {"$artifact": {"digest": artifacts.put(data, ".png"), "form": "png", "size": len(data)}}
    with pytest.raises(StoreError, match="can't be read as png"):
        values.load(plain, artifacts)


def test_a_figure_is_transient_and_leaves_a_picture(artifacts: MemoryArtifacts) -> None:
    figures: Any = pytest.importorskip("matplotlib.figure")
    figure = figures.Figure()
    figure.subplots().plot([1, 2])
    for value in (figure, {"plots": [figure]}):
        stored = values.store(value, artifacts)
        note = stored.plain["$transient"]
        assert "a figure has no stored form, only a picture of it" in note["reason"]
        assert values.artifacts_in(stored.plain) == {note["png"]}
        with artifacts.open(note["png"]) as file:
            assert Image.open(io.BytesIO(file.read())).format == "PNG"


def test_a_figure_that_cannot_be_drawn_is_transient_all_the_same(artifacts: MemoryArtifacts) -> None:
    figures: Any = pytest.importorskip("matplotlib.figure")

    class Broken(figures.Figure):  # type: ignore[misc]
        def savefig(self, *_: Any, **__: Any) -> None:
            raise RuntimeError

    stored = values.store(Broken(), artifacts)
    assert stored.transient
    assert "png" not in stored.plain["$transient"]
