"""A stored value in a few words, for the second line of a card: `5 rows`, `12 items`, `True`."""

from __future__ import annotations

from typing import Any, Final

from flownb.graph.drawing.words import clean

_LONGEST: Final = 40
#: Between two figures of a shape.
_TIMES: Final = " \u00d7 "


def brief(plain: Any) -> str:
    """What a value is; empty where there is nothing to say in a few words. Only its plain form is looked at."""
    kind = type(plain)
    if kind in (bool, int, float):
        return clean(plain, _LONGEST)
    if kind is str:
        return clean(plain[:80], _LONGEST)
    if kind is list:
        return _counted(len(plain), "item")
    if kind is not dict:
        return ""
    tag = next(iter(plain), "") if len(plain) == 1 else ""
    if not tag.startswith("$"):
        return _counted(len(plain), "field")
    return _of_artifact(plain[tag]) if tag == "$artifact" else ""


def _of_artifact(payload: Any) -> str:
    made = payload.get("preview") or {}
    if (shape := made.get("shape")) and payload.get("form") == "parquet":
        return _counted(shape[0], "row")
    if shape:
        return _TIMES.join(map(str, shape))
    if "width" in made and "height" in made:
        return f"{made['width']}{_TIMES}{made['height']} px"
    if "items" in made and "length" in made:
        return _counted(made["length"], "item")
    return ""


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", "\u202f")
