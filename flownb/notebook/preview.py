"""A stored value as people see it, without loading more than a glance needs."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError, StoreError
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.store.contract import Store

_MOST_TEXT: Final = 4_000
_MOST_ROWS: Final = 10
_MOST_COLUMNS: Final = 20
_MOST_PICTURE: Final = 3_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def text_of(plain: Any) -> str:
    """One readable text."""
    return values.preview(plain, _MOST_TEXT)


def html_of(plain: Any, store: Store) -> str:
    """The same as HTML: a frame as a table, a picture as a picture, text escaped."""
    try:
        picture = picture_of(plain, store)
        if picture is not None:
            return f'<img alt="output" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
        table = _table(plain)
    except StoreError as error:
        return f"<pre>{escape(str(error))}</pre>"
    if table is not None:
        return table
    if isinstance(plain, dict | list) and not any(str(key).startswith("$") for key in plain):
        return f"<pre>{escape(json.dumps(plain, indent=2, ensure_ascii=False)[:_MOST_TEXT])}</pre>"
    return f"<pre>{escape(text_of(plain))}</pre>"


def picture_in(forms: Mapping[str, Any], store: Store) -> str:
    """The picture among the forms of something that was displayed, as HTML; empty where there is none."""
    for media_type in ("image/png", "image/jpeg"):
        data = _bytes(forms.get(media_type), store)
        if data:
            return f'<img alt="displayed" src="data:{media_type};base64,{base64.b64encode(data).decode()}">'
    return ""


def _bytes(plain: Any, store: Store) -> bytes | None:
    """Bytes in base64, as notebooks keep pictures, or as a stored value."""
    try:
        loaded = base64.b64decode(plain) if isinstance(plain, str) else values.load(plain, store.artifacts)
    except (ValueError, FlownbError):
        return None
    return loaded if isinstance(loaded, bytes) and len(loaded) <= _MOST_PICTURE else None


def picture_of(plain: Any, store: Store) -> bytes | None:
    """The bytes of a PNG: an image, a figure's picture, or bytes that are one."""
    if not isinstance(plain, dict):
        return None
    if "$bytes" in plain:
        loaded = values.load(plain, store.artifacts)
        return loaded if isinstance(loaded, bytes) and loaded.startswith(_PNG) else None
    digest = (plain.get("$transient") or {}).get("png") if "$transient" in plain else None
    if "$artifact" in plain and plain["$artifact"].get("form") in ("png", "bytes"):
        digest = plain["$artifact"].get("digest")
    if digest is None or store.artifacts.size(digest) > _MOST_PICTURE:
        return None
    with store.artifacts.open(digest) as file:
        data = file.read()
    return data if data.startswith(_PNG) else None


def _table(plain: Any) -> str | None:
    """The first rows of a frame, from what is kept beside it: nothing is loaded."""
    shown = values.preview_of(plain)
    if shown["kind"] != "table" or not shown["schema"]:
        return None
    names = "".join(f"<th>{escape(str(name))}</th>" for name, _ in shown["schema"][:_MOST_COLUMNS])
    body = "".join(
        f"<tr><th>{escape(str(label))}</th>{''.join(map(_cell, row[:_MOST_COLUMNS]))}</tr>"
        for label, row in zip(shown["index"][:_MOST_ROWS], shown["head"][:_MOST_ROWS], strict=False)
    )
    size = f'<p class="muted">{shown["rows"]:,} rows × {shown["columns"]} columns</p>'  # noqa: RUF001  the sign for "by"
    table = f'<table class="dataframe"><thead><tr><th></th>{names}</tr></thead><tbody>{body}</tbody></table>'
    return table + size


def _cell(value: Any) -> str:
    return f"<td>{'' if value is None else escape(str(value))}</td>"
