"""HTML that can't be broken out of: text is made harmless and escaped; only what was made here is taken as it is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.icons import ICONS
from flownb.services.harmless import block

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Elements that have no content and no end.
_VOID: Final = frozenset({"input", "br", "img", "meta", "link", "hr"})

Attribute = str | int | bool | None


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(tag: str, *children: str | None, **attributes: Attribute) -> Html:
    """An element; `class_` is the attribute `class`, and `data_action` is `data-action`.

    Args:
        tag: its name.
        children: what is in it: text, which is escaped, or `Html`; None is nothing.
        attributes: text and numbers, which are escaped; True for one without a value, None and False for none.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{many(children)}</{tag}>")


def many(children: Iterable[str | None]) -> Html:
    """Several after one another."""
    return Html("".join(each if isinstance(each, Html) else text(each) for each in children if each is not None))


def text(value: str) -> Html:
    """Text: control characters and marks that turn the direction of writing are shown as what they are."""
    return Html(escape(block(value)))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{text(str(value))}"'


def icon(name: str, *, small: bool = False) -> Html:
    """One of our drawings, which say nothing to those who listen."""
    inside = []
    for stroke in ICONS.get(name, ICONS["shapes"]):
        sign, way = (stroke[0], stroke[1:]) if stroke[0] in "*-~.:" else ("", stroke)
        how: dict[str, Attribute] = {
            "*": {"fill": "currentColor", "stroke": "none"},
            "-": {"stroke": "var(--fnb-raised)"},
            "~": {"opacity": "0.25"},
            ".": {"stroke_width": "2.4"},
            ":": {"stroke_dasharray": "2.4 2"},
        }.get(sign, {})  # type: ignore[assignment]  # a table of tables of texts
        inside.append(el("path", d=way, **how))
    return el("svg", *inside, class_=f"ic{' st' if small else ''}", viewBox="0 0 16 16", aria_hidden="true")
