"""What every public page is framed by, and the pages that say nothing but one sentence."""

from __future__ import annotations

from typing import Final, NamedTuple

from flownb.server.markup import Html, el, icon, many
from flownb.server.style import style

_STYLE: Final = "<style>{}</style>"


class Page(NamedTuple):
    """An answer of the public listener."""

    body: Html
    status: int = 200
    #: Where to look instead, from the address that was asked.
    location: str = ""


def page(title: str, *inside: Html | None, status: int = 200, state: str = "", note: str = "") -> Page:
    """A whole document: no script, no picture from elsewhere, nothing to load.

    Args:
        title: of the window.
        inside: what is in the column.
        status: of the answer.
        state: a class of the column.
        note: a line beneath it.
    """
    head = (
        el("meta", charset="utf-8"),
        el("title", title),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="robots", content="noindex, nofollow"),
        el("link", rel="icon", href="data:,"),
        Html(_STYLE.format(style())),
    )
    column = el("main", *inside, class_=state or None)
    below = el("footer", note) if note else None
    body = el("body", el("div", column, below, class_="fnb page"))
    whole = el("html", el("head", *head), body, lang="en")
    return Page(Html(f"<!doctype html>{whole}"), status)


def told(title: str, sentence: str, *more: Html | None, mark: str = "cancelled", status: int = 200) -> Page:
    """A page that says how something stands."""
    sign = el("span", icon(mark), class_=f"mark s-{mark}")
    inside = el("div", sign, el("h1", title), el("p", sentence, class_="sec"), *more, class_="pad done")
    return page(title, inside, status=status)


def nowhere() -> Page:
    """Whatever is not there, never was, or was not signed by this store: all look alike."""
    return told(
        "This link leads nowhere",
        "It may be incomplete, or no longer good. Open it whole, as it was sent to you, or ask for a new one.",
        status=404,
    )


def too_old() -> Page:
    """A link that was good once."""
    return told("This link is too old", "Ask whoever sent it to you for a new one.", mark="clock", status=410)


def broken() -> Page:
    """Something went wrong here; the log says what."""
    return told(
        "This did not work", "The fault is on this side, and is noted. Nothing was decided; try again later.",
        mark="failed", status=500,
    )  # fmt: skip


def refused(sentence: str, status: int) -> Page:
    """A request that is not taken."""
    return told("This was not taken", sentence, mark="failed", status=status)


def back_to(place: str) -> Html | None:
    """The way back to the list that a page was opened from, if it was."""
    return el("a", "All questions", href=place, class_="back") if place else None


def sentences(*parts: str) -> str:
    """Parts that are there, as one text."""
    return " ".join(each for each in parts if each)


def lines(*parts: str) -> Html:
    """Parts that are there, a line each."""
    return many(el("div", each) for each in parts if each)
