"""Our own icons: 16 by 16, lines of 1.5, round ends; and which node and which status has which.

The icons of two statuses never have the same shape, so that colour only repeats what the shape says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.shapes import Path, moved, parse
from flownb.model.status import Category

if TYPE_CHECKING:
    from flownb.graph.drawing.shapes import Shape
    from flownb.graph.layout.plan import Point

_RING: Final = "M13.8 8A5.8 5.8 0 1 1 2.2 8A5.8 5.8 0 1 1 13.8 8Z"
_TURN: Final = "M13 8a5 5 0 1 1 -1.5 -3.5L13 6M13 2.8V6H9.8"
_PIN: Final = "M6 2h4l-.5 4.5L12 9H4l2.5 -2.5zM8 9v5"

#: Each icon as strokes in its colour, unless a sign goes before it: `*` filled, `-` a stroke in the colour behind the
#: icon, `~` a faint stroke, `.` a thick one, `:` a dashed one.
ICONS: Final[dict[str, tuple[str, ...]]] = {
    # statuses
    "pending": (_RING,),
    "queued": (_RING, ".M5.2 8h.01M8 8h.01M10.8 8h.01"),
    "running": ("~" + _RING, "M8 2.2A5.8 5.8 0 0 1 13.8 8"),
    "retrying": (_TURN,),
    "waiting": ("M4 2h8M4 14h8M4.8 2c0 3.4 3.2 4.2 3.2 6s-3.2 2.6 -3.2 6M11.2 2c0 3.4 -3.2 4.2 -3.2 6s3.2 2.6 3.2 6",),
    "completed": ("*M14.6 8A6.6 6.6 0 1 1 1.4 8A6.6 6.6 0 1 1 14.6 8Z", "-M5 8.2l2.2 2.1L11.2 6"),
    "failed": (
        "*M5.2 1.4h5.6l3.8 3.8v5.6l-3.8 3.8H5.2l-3.8 -3.8V5.2z",
        "-M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
    ),
    "skipped": ("*M3 4v8l5 -4z", "M3 4v8l5 -4z", "*M8.5 4v8l5 -4z", "M8.5 4v8l5 -4z"),
    "cancelled": (_RING, "M5.2 8h5.6"),
    "cached": ("*M9 1.8L3.8 9H8l-1 5.2L12.2 7H8z", "M9 1.8L3.8 9H8l-1 5.2L12.2 7H8z"),
    "pinned": (_PIN,),
    "stale": (":M8 2.2A5.8 5.8 0 1 1 2.2 8", "M8 5v3.2l2 1.3"),
    "transient": (":" + _RING,),
    "paused": (".M5.5 3.5v9M10.5 3.5v9",),
    # families
    "code": ("M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",),
    "notebook": ("M4 2h8.5v12H4zM6.8 2v12M2.5 5h3M2.5 8h3M2.5 11h3",),
    "branch": ("M2 8h4.5M6.5 8L12 4M6.5 8L12 12", "M9.6 3.4L12.4 3.7L11.6 6.4M11.6 9.6l.8 2.7l-2.8 .3"),
    "merge": ("M2 4l5 4M2 12l5 -4M7 8h6.5M11 5.5L13.5 8L11 10.5",),
    "parallel": ("M2 8h3M5 4v8M5 4h8.5M5 8h8.5M5 12h8.5",),
    "loop": ("M13 7A5.1 5.1 0 0 0 3.6 5.3M3.3 2.6v2.9h2.9M3 9a5.1 5.1 0 0 0 9.4 1.7M12.7 13.4v-2.9H9.8",),
    "clock": ("M14 8A6 6 0 1 1 2 8A6 6 0 1 1 14 8Z", "M8 4.5V8l2.5 1.5"),
    "play": ("M5 3.5v9l7 -4.5z",),
    "flag": ("M4 14V2.5h8l-2 3l2 3H4",),
    "shapes": ("M2.5 2.5h5v5h-5zM13.5 11A2.5 2.5 0 1 1 8.5 11A2.5 2.5 0 1 1 13.5 11ZM10 5h4M12 3v4M2.5 11h4",),
    "person": (
        "M10.7 5.2A2.7 2.7 0 1 1 5.3 5.2A2.7 2.7 0 1 1 10.7 5.2Z",
        "M2.8 13.6c.4 -2.9 2.4 -4.3 5.2 -4.3s4.8 1.4 5.2 4.3",
    ),
    "globe": ("M14 8A6 6 0 1 1 2 8A6 6 0 1 1 14 8Z", "M2 8h12M8 2c2.4 2 2.4 10 0 12M8 2c-2.4 2 -2.4 10 0 12"),
    "mail": (
        "M3 3.5h10a1 1 0 0 1 1 1v7a1 1 0 0 1 -1 1H3a1 1 0 0 1 -1 -1v-7a1 1 0 0 1 1 -1z",
        "M2.6 5l5.4 4l5.4 -4",
    ),
    "search": ("M11 7A4 4 0 1 1 3 7A4 4 0 1 1 11 7Z", "M10 10l3.5 3.5"),
    "plug": ("M5.5 2v3M10.5 2v3M4 5h8v2.5a4 4 0 0 1 -8 0zM8 11.5V14",),
    "db": ("M13 4A5 2 0 1 1 3 4A5 2 0 1 1 13 4Z", "M3 4v8c0 1.1 2.2 2 5 2s5 -.9 5 -2V4M3 8c0 1.1 2.2 2 5 2s5 -.9 5 -2"),
    "file": ("M4 2h5l3.5 3.5V14H4zM9 2v3.5h3.5",),
    "spark": ("M8 2c.5 3.8 2.2 5.5 6 6c-3.8 .5 -5.5 2.2 -6 6c-.5 -3.8 -2.2 -5.5 -6 -6c3.8 -.5 5.5 -2.2 6 -6z",),
    "screen": ("M3 3h10a1 1 0 0 1 1 1v6a1 1 0 0 1 -1 1h-10a1 1 0 0 1 -1 -1v-6a1 1 0 0 1 1 -1zM8 11v3M5 14h6",),
    "bell": ("M4.5 11V7a3.5 3.5 0 0 1 7 0v4l1.2 1.5H3.3zM7 14.2h2",),
}

#: The icon and the family of a node type, or of all types that begin with a prefix.
_TYPES: Final[dict[str, tuple[str, str]]] = {
    "python": ("code", "code"),
    "code": ("code", "code"),
    "notebook": ("notebook", "code"),
    "control": ("shapes", "control"),
    "control.start": ("play", "control"),
    "control.output": ("flag", "control"),
    "control.stop": ("flag", "control"),
    "control.respond": ("flag", "control"),
    "control.condition": ("branch", "control"),
    "control.switch": ("branch", "control"),
    "control.filter": ("branch", "control"),
    "control.decision_table": ("branch", "control"),
    "control.loop": ("loop", "control"),
    "control.parallel": ("parallel", "control"),
    "control.split": ("parallel", "control"),
    "control.merge": ("merge", "control"),
    "control.aggregate": ("merge", "control"),
    "control.delay": ("clock", "control"),
    "control.wait_for_event": ("bell", "control"),
    "control.error_handler": ("bell", "control"),
    "control.compensate": ("flag", "control"),
    "human": ("person", "people"),
    "trigger": ("play", "world"),
    "trigger.schedule": ("clock", "world"),
    "trigger.webhook": ("globe", "world"),
    "trigger.event": ("bell", "world"),
    "trigger.error": ("bell", "world"),
    "trigger.status": ("bell", "world"),
    "trigger.file": ("file", "world"),
    "http": ("globe", "world"),
    "mail": ("mail", "world"),
    "search": ("search", "world"),
    "hubspot": ("plug", "world"),
    "service": ("plug", "world"),
    "files": ("file", "world"),
    "sql": ("db", "data"),
    "ai": ("spark", "ai"),
    "desktop": ("screen", "desktop"),
    "interface": ("screen", "desktop"),
}

_CATEGORIES: Final[dict[Category, tuple[str, str]]] = {
    Category.TRIGGER: ("play", "world"),
    Category.CONFIG: ("shapes", "data"),
    Category.INTERFACE: ("screen", "desktop"),
    Category.ACTION: ("plug", "world"),
    Category.LOGIC: ("branch", "control"),
    Category.RESULT: ("flag", "control"),
}


def icon_of(node_type: str, category: Category | None) -> tuple[str, str]:
    """The names of a node's icon and of its family.

    Args:
        node_type: as `mail.send`; a type that isn't known takes those of its prefix or of its category.
        category: the type's category, where it is known.
    """
    known = _TYPES.get(node_type) or _TYPES.get(node_type.partition(".")[0])
    if known:
        return known
    return _CATEGORIES[category] if category else ("shapes", "control")


def icon(name: str, place: Point, size: float, colour: str, ground: str, *, width: float = 1.5) -> list[Shape]:
    """An icon's shapes.

    Args:
        name: a key of `ICONS`.
        place: the upper left corner.
        size: the width and height; the icons are drawn for 16.
        colour: of the icon.
        ground: what lies behind it.
        width: of the strokes, at a size of 16.
    """
    scale = size / 16
    shapes: list[Shape] = []
    for text in ICONS[name]:
        mark, line = (text[0], text[1:]) if text[0] in "*-~.:" else ("", text)
        commands = moved(parse(line), *place, scale)
        if mark == "*":
            shapes.append(Path(commands, fill=colour))
            continue
        stroke = {"-": ground, "~": _faint(colour, ground)}.get(mark, colour)
        thick = (2.2 if mark == "." else width) * scale
        shapes.append(
            Path(commands, stroke=stroke, stroke_width=thick, dash=(2.4 * scale, 2.6 * scale) if mark == ":" else ())
        )
    return shapes


def _faint(colour: str, ground: str) -> str:
    from flownb.graph.drawing.theme import mix

    return mix(colour, 0.25, ground)
