"""A stored value as a page shows it: its preview, with the small picture that lies in an artifact."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.store import values

if TYPE_CHECKING:
    from flownb.store.contract import Store

_MOST_PICTURE: Final = 1_000_000


def shown(plain: Any, store: Store) -> dict[str, Any]:
    """The preview of a value; never more than a glance of it is loaded, and nothing in it makes this fail."""
    preview = values.preview_of(plain)
    if "png" in preview:
        preview = preview | {"png": _picture(preview["png"], store)}
    return preview


def _picture(digest: Any, store: Store) -> str:
    """A small picture in base64; empty where it is not there."""
    try:
        with store.artifacts.open(digest) as file:
            data = file.read(_MOST_PICTURE)
    except (FlownbError, OSError, TypeError, ValueError):
        return ""
    return base64.b64encode(data).decode()
