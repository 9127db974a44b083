"""Pictures: PIL images as png files; figures of matplotlib stay in memory, with a picture of them on disk."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.class_state import mro_of
from flownb.store.forms.refused import Refused, a_type, broken

if TYPE_CHECKING:
    from flownb.ids import Digest
    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

#: The modes that png keeps bit by bit.
_MODES: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
#: The largest picture of a figure that is kept, in bytes.
_MOST_PICTURE: Final = 1_000_000
_DPI: Final = 80
#: The longer side of a small picture, in pixels.
_MOST_SIDE: Final = 256


def encode(encoder: Encoder, value: Any, cls: type) -> Any:
    """The reference to an image; NotImplemented for what is none."""
    image_module = sys.modules.get("PIL.Image")
    if image_module is None or image_module.Image not in mro_of(cls):
        return NotImplemented
    if cls is not image_module.Image:
        raise Refused(f"is a {cls.__name__}, an image tied to its file: return image.copy()")
    if encoder.inline:
        raise Refused("is an image inside a table: return the path of its file")
    if value.mode not in _MODES:
        raise Refused(f"is an image of the mode {value.mode}, which png would change: return image.convert('RGB')")
    if value.width * value.height > (image_module.MAX_IMAGE_PIXELS or sys.maxsize):
        raise Refused(f"is an image of {value.width} × {value.height}, more pixels than are read back")  # noqa: RUF001
    info = encoder.named(value.info) if all(type(key) is str for key in value.info) else None
    if info is None:
        raise Refused("is an image whose info has keys that are no text")
    bare = value.copy()
    bare.info = {}  # kept beside the file, because png keeps only some of it
    buffer = io.BytesIO()
    bare.save(buffer, "PNG")
    if not _same_pixels(_read(buffer), bare):
        raise Refused(f"is an image of the mode {value.mode} that png would change: return image.convert('RGB')")
    digest = encoder.artifacts.put(buffer.getbuffer(), ".png")
    preview = {"width": value.width, "height": value.height, "mode": value.mode}
    with suppress(OSError, ValueError):  # a courtesy
        preview |= _thumbnail(encoder, bare)
    return encoder.artifact(value, digest, "png", type="PIL.Image.Image", info=info, preview=preview)


def _thumbnail(encoder: Encoder, image: Any) -> dict[str, Any]:
    """A small picture beside a large one."""
    if max(image.size) <= _MOST_SIDE:
        return {}
    small = image.convert("RGBA" if image.mode in ("LA", "P", "RGBA") else "RGB")
    small.thumbnail((_MOST_SIDE, _MOST_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return {"thumbnail": encoder.artifacts.put(buffer.getbuffer(), ".png")}


def from_file(decoder: Decoder, digest: str, payload: dict[str, Any]) -> Any:
    """The image of a png file."""
    image = _read(io.BytesIO(decoder.read(digest)))
    image.info = decoder.named(payload.get("info", {}), "$artifact")
    return image


def _read(file: io.BytesIO) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise broken("it is an image, and pillow is missing here: pip install pillow") from None
    file.seek(0)
    with Image.open(file, formats=["PNG"]) as opened:
        image = opened.copy()
    image.info = {}
    return image


def _same_pixels(a: Any, b: Any) -> bool:
    """Mode, size, palette and pixels; `==` of PIL is the same and the info."""
    return bool(a == b)


def encode_figure(encoder: Encoder, value: Any, cls: type) -> Any:
    """Refuse a figure, with the digest of a picture of it; NotImplemented for others."""
    figure = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    if figure is None or figure not in mro_of(cls):
        return NotImplemented
    refused = Refused(f"is {a_type(cls)}: a figure has no stored form, only a picture of it")
    with suppress(Exception):  # the picture is a courtesy; drawing runs the user's code
        refused.png = _picture(encoder, value)
    raise refused


def _picture(encoder: Encoder, figure: Any) -> Digest | None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return encoder.artifacts.put(buffer.getbuffer(), ".png") if buffer.tell() <= _MOST_PICTURE else None
