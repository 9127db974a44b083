r"""Text from notebooks, nodes and files, made fit for a terminal: what it shows is all that it does.

Names and outputs may hold escape sequences that move the cursor, recolour, retitle or hide; none of them reaches the
terminal. Colours are dropped, everything else is shown as its escape, as `\x1b`.
"""

from __future__ import annotations

import re
from typing import Final

#: `ESC [ … m`, which only colours: dropping it leaves what was meant.
_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")
#: Control characters but tab and newline; what turns the direction of writing; half characters, which can't be written.
_ODD: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_BLANKS: Final = re.compile(r"[\t\n ]+")


def block(text: str) -> str:
    """The text with its lines; a lone carriage return, with which progress bars overwrite a line, begins a new one."""
    text = _COLOUR.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _ODD.sub(_escaped, text)


def line(text: str, most: int | None = None) -> str:
    """The text in one line, cut after `most` characters with a `…`."""
    text = _ODD.sub(_escaped, _COLOUR.sub("", _BLANKS.sub(" ", text.replace("\r", "\n")))).strip()
    return text if most is None or len(text) <= most else text[: max(0, most - 1)] + "…"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
