"""What happens beside the nodes: on the desktop, in this process, and what users say."""

from __future__ import annotations

from typing import Any

import msgspec

from flownb.model.events.event import Event, NodeEvent


class DesktopScreenshot(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_screenshot"):
    """A node took a picture of the screen."""

    image: Any


class DesktopClick(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_click"):
    """A node clicked."""

    x: int
    y: int
    button: str = "left"


class DesktopType(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_type"):
    """A node typed; secrets are masked."""

    text: str


class DesktopOcr(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="desktop_ocr"):
    """A node read text from the screen."""

    result: Any


class SystemInfo(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_info"):
    """Something worth knowing."""

    message: str
    node: str | None = None
    #: The id of the click that was heard.
    ask: str = ""


class SystemWarning(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_warning"):
    """Something that will hurt later, with advice."""

    message: str
    node: str | None = None


class SystemError(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="system_error"):  # noqa: A001
    """Something went wrong beside the nodes."""

    message: str
    node: str | None = None


class UserEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="user"):
    """What `flownb.emit` sends: published to handlers, never journaled."""

    name: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    source: str = ""
