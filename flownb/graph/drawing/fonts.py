"""The type of the PNG: Aileron, which Pillow carries; for what it can't write, a font of the machine.

A text is set in the first font that has all of its characters. Where there is none, each character takes the first
that has it, an accented letter gives up its accent, and the rest is drawn as the font's empty box.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

#: Fonts of Linux, macOS and Windows, the ones that look most like Aileron first, then those that know most scripts.
_MACHINE: Final = (
    "LiberationSans-Regular.ttf",
    "Helvetica.ttc",
    "arial.ttf",
    "Arial.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "PingFang.ttc",
    "msyh.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoEmoji-Regular.ttf",
    "seguisym.ttf",
)
#: No font has a character for it.
_NOTHING: Final = "\U0010fffd"
#: Characters are looked for at this size.
_PROBE: Final = 20.0


@lru_cache(maxsize=64)
def _load(name: str, size: float) -> FreeTypeFont | None:
    """A font by its file's name, `` for Aileron; None where the machine doesn't have it."""
    from PIL import ImageFont

    if not name:
        return ImageFont.load_default(size)  # type: ignore[return-value]  # with a size it is always FreeType's
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _has(name: str, character: str) -> bool:
    font = _load(name, _PROBE)
    if font is None:
        return False
    if character.isspace():
        return True
    return bytes(font.getmask(character)) != bytes(font.getmask(_NOTHING))


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    return tuple(name for name in _MACHINE if _load(name, _PROBE) is not None)


@lru_cache(maxsize=4096)
def _font_for(character: str) -> str:
    return next((name for name in ("", *_installed()) if _has(name, character)), "?")


def runs(text: str, size: float) -> list[tuple[str, FreeTypeFont]]:
    """The pieces of a text, each with the font that it is to be drawn in."""
    if all(_has("", character) for character in text):
        return _loaded([("", text)], size)
    whole = next((name for name in _installed() if all(_has(name, character) for character in text)), None)
    if whole is not None:
        return _loaded([(whole, text)], size)
    known = [(_font_for(character), character) for character in text]
    plain = [
        (name, character) if name != "?" else ("", unicodedata.normalize("NFKD", character)[0])
        for name, character in known
    ]
    grouped = groupby(plain, key=lambda pair: pair[0])
    return _loaded([(name, "".join(character for _, character in pairs)) for name, pairs in grouped], size)


def _loaded(pieces: list[tuple[str, str]], size: float) -> list[tuple[str, FreeTypeFont]]:
    found = []
    for name, text in pieces:
        font = _load(name, size) or _load("", size)
        if font is not None:
            found.append((text, font))
    return found
