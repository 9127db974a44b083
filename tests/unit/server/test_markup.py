"""HTML that text can't break out of."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from flownb.graph.drawing.icons import ICONS
from flownb.server.markup import Html, el, icon, many, text


class _Read(HTMLParser):
    def __init__(self, written: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(written)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


@given(st.text(), st.text())
def test_whatever_text_there_is_an_element_stays_one_element(inside: str, value: str) -> None:
    read = _Read(el("p", inside, title=value, data_name=value))
    assert [(tag, [name for name, _ in attrs]) for tag, attrs in read.tags] == [("p", ["title", "data-name"])]
    assert el("p", inside).encode()  # no half character is left


def test_what_was_made_here_is_taken_as_it_is_and_text_is_not() -> None:
    assert el("p", el("b", "<i>"), "<i>", None) == "<p><b>&lt;i&gt;</b>&lt;i&gt;</p>"
    assert many([Html("<br>"), "<br>"]) == "<br>&lt;br&gt;"
    assert text("a\u202eb\x00\ud800") == "a\\u202eb\\x00\\ud800"


def test_attributes_may_have_no_value_or_not_be_there() -> None:
    assert el("input", checked=True, disabled=False, name=None, maxlength=3) == '<input checked maxlength="3">'
    assert el("label", "A", for_="f0", class_="x y") == '<label for="f0" class="x y">A</label>'


def test_every_icon_can_be_drawn_and_an_unknown_one_as_well() -> None:
    assert {icon(name).startswith("<svg") for name in [*ICONS, "nothing"]} == {True}
    assert "style" not in "".join(map(icon, ICONS))
