"""Somebody with a browser, without the browser: opens addresses, reads the form, fills it in, presses a button."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from flownb.server.routes import Request, Site
from flownb.server.style import style

if TYPE_CHECKING:
    from flownb.server.frame import Page
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

FORM = "application/x-www-form-urlencoded"


class Read(HTMLParser):
    """What a page has for somebody who reads it and fills it in."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.status = page.status
        #: Fields by name, with what they hold; a box that is not ticked is not sent.
        self.fields: dict[str, str] = {}
        #: Answers by what their button says.
        self.buttons: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page.body.replace(style(), ""))  # what is long, and says nothing

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def has(self, tag: str, **attributes: str | None) -> bool:
        """Whether there is such an element."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return any(kind == tag and wanted.items() <= found.items() for kind, found in self.tags)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "input" and (found.get("type") != "checkbox" or "checked" in found):
            self.fields[str(found["name"])] = found.get("value") or ("on" if found.get("type") == "checkbox" else "")
        if tag == "option" and "selected" in found:
            name = next(outer["name"] for kind, outer, _ in reversed(self._inside) if kind == "select")
            self.fields[str(name)] = found.get("value") or ""
        if tag not in ("input", "meta", "link", "img", "br"):
            self._inside.append((tag, found, []))

    def handle_endtag(self, tag: str) -> None:
        kind, found, said = self._inside.pop()
        assert kind == tag, f"<{kind}> is closed by </{tag}>"
        words = "".join(said)
        if tag == "button":
            self.buttons[words] = str(found["value"])
        if tag == "textarea":
            self.fields[str(found["name"])] = words.removeprefix("\n")
        if tag == "a":
            self.links[words] = str(found["href"])

    def handle_data(self, data: str) -> None:
        for _, _, said in self._inside:
            said.append(data)
        if self._inside and self._inside[-1][0] not in ("style", "textarea"):
            self.words.append(data)


class Visitor:
    """Knows one address, and remembers the page that it saw last."""

    def __init__(self, store: Store, url: str | None, *, site: Site | None = None, ahead: float = 0.0) -> None:
        assert url is not None
        self.ahead = ahead
        self.site = site or Site(store, lambda: time.time() + self.ahead)
        self.url = url
        self.seen: Read

    def ask(self, method: str = "GET", url: str = "", body: bytes = b"", **more: Any) -> Read:
        """One request, as it comes."""
        parts = urlsplit(url or self.url)
        more.setdefault("content_type", FORM if body else "")
        asked = Request(method, parts.path, parts.query, body=body, address="203.0.113.7", **more)
        self.seen = Read(self.site.respond(asked))
        return self.seen

    def get(self, url: str = "") -> Read:
        """Open an address, and go where it leads."""
        self.url = url or self.url
        found = self.ask()
        while found.page.location:
            self.url = urljoin(self.url, found.page.location)
            found = self.ask()
        return found

    def follow(self, words: str) -> Read:
        """Click a link."""
        (href,) = (href for said, href in self.seen.links.items() if words in said)
        return self.get(urljoin(self.url, href))

    def press(self, button: str, **filled: str) -> Read:
        """Fill in the form that is seen, press a button, and go where that leads."""
        fields = {**self.seen.fields, **filled, "port": self.seen.buttons[button]}
        found = self.ask("POST", body=urlencode(fields).encode())
        return self.get(urljoin(self.url, found.page.location)) if found.page.location else found


def one_request(store: Store, run: str | None = None) -> ApprovalRow:
    """The one request there is, however it stands."""
    (row,) = store.approvals(run=run, pending=False)
    return row
