"""A question as a terminal shows it: what is asked, what is shown beside it, and the line that answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from flownb.run.handles.told import told_lines
from flownb.run.waiting.judging import approvers_at, standing
from flownb.services.harmless import block, line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.events import ApprovalRequested
    from flownb.store.requests import ApprovalRow

_MOST_ROWS: Final = 8
_MOST_COLUMNS: Final = 8
_MOST_CELL: Final = 24
_MOST_TEXT: Final = 1_500
_MOST_LINES: Final = 20
_INDENT: Final = "    "
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def question_lines(row: ApprovalRow, now: float | None = None) -> Iterator[str]:
    """Everything about a request, indented; nothing in it does anything to a terminal."""
    request = row.request
    yield _indented(request.question)
    if request.details:
        yield _indented(request.details)
    for part in request.preview or ():
        yield from preview_lines(part)
    if request.form is not None:
        yield from _form_lines(request.form)
    if request.edits is not None:
        yield f"{_INDENT}The data may be changed with the answer: --data JSON."
    if facts := _facts(row, now):
        yield f"{_INDENT}{'; '.join(facts)}"
    for told in told_lines(row):
        yield f"{_INDENT}{told}"


def _facts(row: ApprovalRow, now: float | None) -> list[str]:
    """Who may answer, how it stands, and until when."""
    request = row.request
    facts = []
    if approvers := approvers_at(request, time.time() if now is None else now):
        facts.append(f"may answer: {line(', '.join(approvers), 200)}")
    if not request.self_approval and request.asked_by:
        facts.append(f"not {line(request.asked_by, 60)}, who started the run")
    if row.votes or request.approvals_needed > 1 or request.rejections_needed > 1:
        facts.append(standing(row))
    if row.expires_at is not None and row.port is None and row.status == "pending":
        facts.append(f"expires {_in(row.expires_at, now)}")
    if request.due_at is not None and row.status == "pending":
        facts.append(f"due {_in(request.due_at, now)}")
    if request.escalate_at is not None and row.status == "pending":
        facts.append(f"goes to {line(', '.join(request.escalate_to), 200)} {_in(request.escalate_at, now)}")
    return facts


def preview_lines(part: dict[str, Any]) -> Iterator[str]:
    """What is shown beside a question, bounded."""
    name = line(str(part.get("name", "")), 60)
    plain = part.get("value")
    if part.get("kind") == "diff" or isinstance(plain, str):
        yield from _text_lines(name, str(plain))
        return
    shown = values.preview_of(plain)
    if shown["kind"] == "table":
        yield from _table_lines(name, shown)
        return
    if shown["kind"] == "image":
        yield f"{_INDENT}{name}: a picture, {shown.get('width')} by {shown.get('height')} pixels"
        return
    if shown["kind"] == "object" and "png" in shown:
        yield f"{_INDENT}{name}: {line(str(shown['type']), 60)}, a picture of which is shown in notebooks"
        return
    yield from _text_lines(name, values.preview(plain, _MOST_TEXT))


def _text_lines(name: str, text: str) -> Iterator[str]:
    lines = block(text[:_MOST_TEXT]).splitlines()
    more = len(lines) > _MOST_LINES or len(text) > _MOST_TEXT
    lines = lines[:_MOST_LINES]
    if len(lines) <= 1 and not more:
        yield f"{_INDENT}{f'{name}: ' if name else ''}{lines[0] if lines else ''}"
        return
    if name:
        yield f"{_INDENT}{name}:"
    yield from (f"{_INDENT}| {each}" for each in lines)
    if more:
        yield f"{_INDENT}| …"


def _table_lines(name: str, shown: dict[str, Any]) -> Iterator[str]:
    columns = [line(str(column), _MOST_CELL) for column, _ in shown["schema"][:_MOST_COLUMNS]]
    rows = [[_cell(each) for each in row[:_MOST_COLUMNS]] for row in shown["head"][:_MOST_ROWS]]
    wide = [max(map(len, column)) for column in zip(columns, *rows, strict=False)]
    count = (
        f"{len(rows)} of {shown['rows']:,} rows"
        if len(rows) < shown["rows"]
        else f"{shown['rows']:,} row{'s' * (len(rows) != 1)}"
    )
    cut = f", {len(columns)} of {shown['columns']} columns" if len(columns) < shown["columns"] else ""
    yield f"{_INDENT}{name} ({count}{cut})"
    for number, row in enumerate([columns, *rows]):
        cells = (
            each.ljust(width) if not number or not _is_number(each) else each.rjust(width)
            for each, width in zip(row, wide, strict=False)
        )
        yield f"{_INDENT}| {'  '.join(cells).rstrip()}"


def _cell(value: Any) -> str:
    return "" if value is None else line(f"{value:g}" if isinstance(value, float) else str(value), _MOST_CELL)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _form_lines(form: dict[str, Any]) -> Iterator[str]:
    required = form.get("required", ())
    for name, each in list(form.get("properties", {}).items())[:_MOST_LINES]:
        schema: dict[str, Any] = each if isinstance(each, dict) else {}
        choice = schema.get("enum")
        told = " | ".join(map(str, choice)) if choice else str(schema.get("format") or schema.get("type") or "any")
        if "default" in schema:
            told += f", {schema['default']!r} by default"
        elif name not in required:
            told += ", may be left out"
        described = f": {line(str(schema['description']), 100)}" if schema.get("description") else ""
        yield f"{_INDENT}field {line(name, 60)} ({line(told, 160)}){described}"


def answer_lines(request: ApprovalRequested, place: str = "") -> Iterator[str]:
    """The commands that answer a request; `place` is what follows them, as `--store …`."""
    fields = list((request.form or {}).get("properties", {}))
    data = " --data '{" + ", ".join(f'"{line(name, 30)}": …' for name in fields[:4]) + "}'" if fields else ""
    for port in request.ports:
        if port == "rejected":
            yield f"flownb reject {request.approval}{place}"
        elif port in ("approved", "submitted"):
            yield f"flownb approve {request.approval}{data}{place}"
        else:
            yield f"flownb approve {request.approval} --port {port}{data if request.kind == 'decision' else ''}{place}"


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{each}" for each in block(text[:_MOST_TEXT]).splitlines())


def _in(moment: float, now: float | None) -> str:
    left = moment - (time.time() if now is None else now)
    if left <= 0:
        return "now"
    if left < 2 * _MINUTE:
        return f"in {left:.0f} s"
    if left < 2 * _HOUR:
        return f"in {left / _MINUTE:.0f} min"
    return f"in {left / _HOUR:.0f} h" if left < 2 * _DAY else f"in {left / _DAY:.0f} days"
