"""What is shown beside a question, kept small: as text and as HTML that does nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from flownb.services.harmless import block, line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_PARTS: Final = 8
_MOST_ROWS: Final = 10
_MOST_COLUMNS: Final = 8
_MOST_CELL: Final = 40
_MOST_TEXT: Final = 2_000
_MOST_LINES: Final = 40


def as_text(parts: Iterable[dict[str, Any]]) -> str:
    """All parts as text."""
    return "\n\n".join("\n".join(_text_of(each)) for each in _few(parts))


def as_html(parts: Iterable[dict[str, Any]]) -> str:
    """All parts as HTML, every text escaped."""
    return "".join(_html_of(each) for each in _few(parts))


def _few(parts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in parts if isinstance(each, dict)][:_MOST_PARTS]


def _table_of(part: dict[str, Any]) -> dict[str, Any] | None:
    plain = part.get("value")
    if part.get("kind") == "diff" or isinstance(plain, str):
        return None
    shown = values.preview_of(plain)
    return shown if shown["kind"] == "table" and shown["schema"] else None


def _plain_text(part: dict[str, Any]) -> str:
    plain = part.get("value")
    if part.get("kind") == "diff" or isinstance(plain, str):
        text = str(plain)
    else:
        shown = values.preview_of(plain)
        if shown["kind"] == "image":
            return f"a picture, {shown.get('width')} by {shown.get('height')} pixels"
        text = values.preview(plain, _MOST_TEXT)
    lines = block(text[:_MOST_TEXT]).splitlines()
    cut = len(text) > _MOST_TEXT or len(lines) > _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], *(["…"] if cut else [])])


def _cells(shown: dict[str, Any]) -> tuple[list[str], list[list[str]], str]:
    """The head, the rows, and how large the whole is."""
    head = [line(str(column), _MOST_CELL) for column, _ in shown["schema"][:_MOST_COLUMNS]]
    rows = [[_cell(each) for each in row[:_MOST_COLUMNS]] for row in shown["head"][:_MOST_ROWS]]
    return head, rows, f"rows: {shown['rows']:,}, columns: {shown['columns']}"


def _cell(value: Any) -> str:
    return "" if value is None else line(f"{value:g}" if isinstance(value, float) else str(value), _MOST_CELL)


def _text_of(part: dict[str, Any]) -> Iterator[str]:
    name = line(str(part.get("name", "")), 60)
    shown = _table_of(part)
    if shown is None:
        if name:
            yield f"{name}:"
        yield from (f"  {each}" for each in _plain_text(part).splitlines())
        return
    head, rows, size = _cells(shown)
    yield f"{name} ({size})"
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=False)]
    for row in (head, *rows):
        yield "  " + "  ".join(each.ljust(width) for each, width in zip(row, wide, strict=False)).rstrip()


def _html_of(part: dict[str, Any]) -> str:
    name = escape(line(str(part.get("name", "")), 60))
    shown = _table_of(part)
    if shown is None:
        return f'<p style="{SMALL}">{name}</p><pre style="{_PRE}">{escape(_plain_text(part))}</pre>'
    head, rows, size = _cells(shown)
    names = "".join(f'<th style="{_TH}">{escape(each)}</th>' for each in head)
    body = "".join("<tr>" + "".join(f'<td style="{_TD}">{escape(each)}</td>' for each in row) + "</tr>" for row in rows)
    table = f'<table style="border-collapse:collapse;font-size:13px"><tr>{names}</tr>{body}</table>'
    return f'<p style="{SMALL}">{name} ({size})</p>{table}'


SMALL: Final = "margin:16px 0 4px;color:#565656;font-size:13px"
_PRE: Final = "margin:0;padding:8px;background:#f6f6f6;font-size:13px;white-space:pre-wrap"
_TH: Final = "text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #bdbdbd;font-weight:500"
_TD: Final = "padding:4px 12px 4px 0;border-bottom:1px solid #ececec"
