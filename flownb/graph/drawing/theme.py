"""The colours of a picture, light and dark, as literal values.

They are what the widgets' style sheet makes of JupyterLab's two default themes, so that a saved picture and the live
view look alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec


def mix(colour: str, share: float, ground: str) -> str:
    """`share` (0 to 1) of one colour laid over another; both as `#rrggbb`."""
    one, other = _channels(colour), _channels(ground)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(one, other, strict=True))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


class Theme(msgspec.Struct, frozen=True):
    """Every colour that a picture uses."""

    surface: str
    ground: str
    raised: str
    sunken: str
    line: str
    line_strong: str
    #: Names and values; everything else that is read; ornament, never text.
    ink: str
    ink_2: str
    ink_3: str
    accent: str
    #: How strong the square behind a family's icon is tinted.
    tint: float
    shadow: float
    #: By status: for text and icons, and at full strength for bars and washes.
    status: dict[str, str]
    fills: dict[str, str]
    #: By data type, and by family.
    types: dict[str, str]
    families: dict[str, str]


def _light() -> Theme:
    white, black, layer = "#ffffff", "#000000", "#eeeeee"
    quiet = mix(black, 0.64, white)
    return Theme(
        surface=white,
        ground=mix(layer, 0.34, white),
        raised=white,
        sunken=mix(layer, 0.55, white),
        line="#e0e0e0",
        line_strong=mix("#bdbdbd", 0.8, black),
        ink=mix(black, 0.87, white),
        ink_2=quiet,
        ink_3=mix(black, 0.34, white),
        accent="#1976d2",
        tint=0.11,
        shadow=0.05,
        status=_statuses("#0068a3", "#8a5b00", "#00735a", "#b84300", quiet),
        fills=_statuses("#56b4e9", "#e69f00", "#009e73", "#d55e00", mix(black, 0.34, white)),
        types=_types("#7a7a7a #009e73 #0072b2 #a8578a #3b9bd1 #a18600 #c77700 #d55e00 #7b6a58 #6a5acd", "#b84300"),
        families=_families("#0072b2 #5f6b76 #a8578a #0b7f74 #8a6a00 #6a5acd #a3501f"),
    )


def _dark() -> Theme:
    white, darkest, layer_1, layer_2 = "#ffffff", "#111111", "#212121", "#424242"
    quiet = mix(white, 0.66, layer_1)
    return Theme(
        surface=layer_1,
        ground=mix(darkest, 0.45, layer_1),
        raised=mix(layer_2, 0.34, layer_1),
        sunken=mix(darkest, 0.3, layer_1),
        line=mix("#424242", 0.88, layer_1),
        line_strong=mix("#616161", 0.92, white),
        ink=mix(white, 0.87, layer_1),
        ink_2=quiet,
        ink_3=mix(white, 0.32, layer_1),
        accent="#64b5f6",
        tint=0.18,
        shadow=0.3,
        status=_statuses("#6bbdf0", "#f0b03a", "#35c39b", "#ff9159", quiet),
        fills=_statuses("#4aa3d8", "#d79a1c", "#13a57d", "#e2703a", mix(white, 0.32, layer_1)),
        types=_types("#9a9a9a #2fb98f #4ba3dc #d78bb8 #7cc4ee #cdb431 #e6a23a #f08a50 #b7a58f #a79bf0", "#ff9159"),
        families=_families("#6bb8ea #a9b4be #dc9cc3 #4cc1b3 #d9b650 #b0a5f5 #eaa06f"),
    )


def _statuses(running: str, waiting: str, completed: str, failed: str, quiet: str) -> dict[str, str]:
    return {
        "running": running,
        "retrying": running,
        "waiting": waiting,
        "paused": waiting,
        "completed": completed,
        "cached": completed,
        "failed": failed,
        **dict.fromkeys(("pending", "queued", "skipped", "cancelled", "stale"), quiet),
    }


def _types(colours: str, error: str) -> dict[str, str]:
    names = ("any", "string", "number", "boolean", "object", "array", "dataframe", "image", "file", "ai")
    types = dict(zip(names, colours.split(), strict=True))
    types |= {"screenshot": types["image"], "coordinates": types["object"], "ocr_result": types["object"]}
    return types | {"error": error}


def _families(colours: str) -> dict[str, str]:
    return dict(zip(FAMILIES, colours.split(), strict=True))


#: The families of nodes, each with a colour and icons of its own.
FAMILIES: Final = ("code", "control", "people", "world", "data", "ai", "desktop")


@lru_cache(maxsize=2)
def theme(*, dark: bool) -> Theme:
    """The colours for a light or a dark page."""
    return _dark() if dark else _light()
