"""The words of a picture: cleaned, measured, cut to fit; durations in one unit.

Widths are those of Aileron, the font that Pillow carries, which are close to Helvetica's: the PNG is set in it, and
what a browser takes for the SVG is rarely much wider.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from math import isfinite
from typing import Final

#: Longer names are cut before anything else looks at them.
LONGEST: Final = 400

#: Advance widths of the characters 32 to 126, in thousandths of the type size.
# fmt: off
_WIDTHS: Final = (
    216, 242, 339, 580, 580, 740, 654, 176, 315, 315, 560, 580, 220, 274, 220, 303, 580, 580, 580, 580, 580, 580, 580,
    580, 580, 580, 220, 220, 580, 580, 580, 499, 852, 639, 627, 699, 709, 587, 567, 710, 730, 264, 544, 609, 575, 866,
    718, 737, 598, 733, 619, 585, 612, 682, 622, 952, 625, 581, 591, 307, 303, 295, 580, 500, 300, 531, 611, 529, 615,
    549, 290, 615, 593, 238, 233, 522, 247, 855, 593, 586, 611, 615, 330, 459, 313, 592, 514, 785, 482, 513, 462, 303,
    250, 303, 580,
)
# fmt: on
#: Those of a few others: ellipsis, middle dot, dashes, quotation marks, degree, times.
_MORE: Final = {
    "\u2026": 660,
    "\u00b7": 220,
    "\u2013": 500,
    "\u2014": 800,
    "\u2018": 220,
    "\u2019": 220,
    "\u201c": 400,
    "\u201d": 400,
    "\u00b0": 380,
    "\u00d7": 580,
}
_OTHER: Final = 600
_WIDE: Final = 1000
_BOLD: Final = 1.03
#: Characters of these kinds draw nothing, turn the reading direction, or are no characters at all.
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
_JOINER: Final = "\u200d"


def clean(text: object, longest: int = LONGEST) -> str:
    """Text for one line: blanks for line breaks, without control characters, marks of direction and half characters."""
    raw = str(text)
    cut = raw[: longest * 4]
    kept = "".join(
        " " if character.isspace() else character
        for character in cut
        if character.isspace() or character == _JOINER or unicodedata.category(character) not in _DROPPED
    )
    line = " ".join(kept.split())
    return line if len(line) <= longest and len(cut) == len(raw) else line[: longest - 1].rstrip() + "…"


@lru_cache(maxsize=4096)
def _em(character: str) -> int:
    code = ord(character)
    if 32 <= code <= 126:  # noqa: PLR2004 (the table's first and last character)
        return _WIDTHS[code - 32]
    if character in _MORE:
        return _MORE[character]
    if unicodedata.combining(character) or character == _JOINER or unicodedata.category(character) == "Mn":
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    base = unicodedata.normalize("NFKD", character)[0]
    return _em(base) if base != character else _OTHER


def width_of(text: str, size: float, weight: int = 400) -> float:
    """How wide a text is, in pixels."""
    return sum(map(_em, text)) * size / 1000 * (_BOLD if weight >= 600 else 1.0)  # noqa: PLR2004 (CSS's semibold)


def fit(text: str, size: float, room: float, weight: int = 400) -> str:
    """The text, or as much of its beginning as fits with an ellipsis; empty where not even that does."""
    if width_of(text, size, weight) <= room:
        return text
    left = room - width_of("…", size, weight)
    kept = 0
    for character in text:
        left -= width_of(character, size, weight)
        if left < 0:
            break
        kept += 1
    cut = text[:kept].rstrip()
    return cut + "…" if cut else ""


def duration(seconds: float | None) -> str:
    """A duration in one unit: `4 ms`, `0.02 s`, `3.1 s`, `64 s`, `12 min`, `2 h`, `3 d`; empty where there is none."""
    if seconds is None or not isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 0.0095:  # noqa: PLR2004 (below, two decimals would say 0.01 s or less)
        return f"{round(seconds * 1000)} ms" if seconds >= 0.0005 else "< 1 ms"  # noqa: PLR2004
    for limit, text in ((0.0995, f"{seconds:.2f} s"), (9.95, f"{seconds:.1f} s"), (99.5, f"{seconds:.0f} s")):
        if seconds < limit:
            return text
    for limit, unit, name in ((5970, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"
