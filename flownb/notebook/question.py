"""A question in a notebook: what is asked, what is shown beside it, and how to answer; as HTML that does nothing.

Everything that comes from a run is escaped. The look is that of the approval card: the question largest, then what is
shown, then how to answer; decided and expired ones are three lines.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from flownb.model.times import iso, maybe_iso
from flownb.notebook.preview import html_of
from flownb.run.handles.question import answer_lines
from flownb.run.waiting.judging import standing

if TYPE_CHECKING:
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

_BOX: Final = (
    "border:1px solid {line};border-radius:8px;margin:8px 0;max-width:760px;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"
)
_SMALL: Final = "color:var(--jp-ui-font-color2,#565656);font-size:12px"
_SIGNS: Final = {
    "pending": ("⧗", "#8a5a00", "Waiting for an answer"),
    "approved": ("✔", "#00694f", "Approved"),
    "rejected": ("✖", "#b04200", "Rejected"),
    "answered": ("✔", "#00694f", "Answered"),
    "expired": ("○", "#565656", "Expired"),
    "cancelled": ("—", "#565656", "Cancelled"),
}
_MOST_DIFF: Final = 400


def question_html(row: ApprovalRow, store: Store) -> str:
    """A request as HTML."""
    return _open(row, store) if row.status == "pending" else _closed(row)


def _head(row: ApprovalRow, right: str) -> str:
    sign, colour, word = _SIGNS.get(row.status, ("?", "#565656", row.status))
    return (
        f'<div style="padding:8px 16px;display:flex;gap:8px"><b>{escape(row.node)}</b>'
        f'<span style="{_SMALL}">{escape(row.workflow)}, run {escape(row.run)}</span>'
        f'<span style="margin-left:auto;color:{colour};font-weight:500">{sign} {word}</span>'
        f'<span style="{_SMALL}">{right}</span></div>'
    )


def _box(row: ApprovalRow, inside: str) -> str:
    line = "#e69f00" if row.status == "pending" else "var(--jp-border-color2,#dcdcdc)"
    return (
        f'<section class="flownb-approval" data-approval="{escape(row.id)}" data-status="{escape(row.status)}" '
        f'style="{_BOX.format(line=line)}">{inside}</section>'
    )


def _open(row: ApprovalRow, store: Store) -> str:
    request = row.request
    until = f"expires {iso(row.expires_at)}" if row.expires_at is not None else ""
    parts = [_head(row, until), f'<div style="padding:0 16px;font-size:17px">{_lines(request.question)}</div>']
    if request.details:
        parts.append(f'<div style="padding:4px 16px">{_lines(request.details)}</div>')
    for shown in request.preview or ():
        body = _diff(shown["value"]) if shown.get("kind") == "diff" else html_of(shown["value"], store)
        name = escape(str(shown.get("name", "")))
        parts.append(f'<div style="padding:8px 16px;overflow:auto"><div style="{_SMALL}">{name}</div>{body}</div>')
    if request.form is not None:
        parts.append(_form(request.form))
    facts = []
    if request.approvers:
        facts.append(f"May decide: {', '.join(request.approvers)}.")
    if request.approvals_needed > 1 or row.votes:
        facts.append(f"{standing(row)}.")
    if facts:
        parts.append(f'<div style="padding:4px 16px;{_SMALL}">{escape(" ".join(facts))}</div>')
    commands = "\n".join(answer_lines(request))
    parts.append(
        f'<div style="padding:8px 16px;background:var(--jp-layout-color2,#f6f6f6)"><div style="{_SMALL}">Answer in a '
        f"terminal, or with run.decide(&quot;{escape(row.id)}&quot;):</div>"
        f'<pre style="margin:4px 0">{escape(commands)}</pre></div>'
    )
    return _box(row, "".join(parts))


def _closed(row: ApprovalRow) -> str:
    port = f"port {escape(row.port)}" if row.port else ""
    decision = row.decision
    said = getattr(decision, "comment", "")
    told = f"“{escape(said)}” " if said else ""
    claim = getattr(decision, "claim", "")
    by = f", by {escape(row.decided_by)}" if row.decided_by else ""
    claimed = f" (as {escape(claim)})" if claim and claim != row.decided_by else ""
    return _box(
        row,
        f'{_head(row, port)}<div style="padding:0 16px">{_lines(row.request.question)}</div>'
        f'<div style="padding:4px 16px 12px;{_SMALL}">{told}{maybe_iso(row.decided_at) or ""}{by}{claimed}</div>',
    )


def _form(form: dict[str, Any]) -> str:
    rows = []
    for name, each in list(form.get("properties", {}).items())[:50]:
        schema: dict[str, Any] = each if isinstance(each, dict) else {}
        kind = " | ".join(map(str, schema.get("enum", ()))) or schema.get("format") or schema.get("type") or "any"
        needed = "" if name in form.get("required", ()) else ", may be left out"
        text = f"<code>{escape(str(name))}</code> ({escape(str(kind))}{needed})"
        rows.append(f"<li>{text} {escape(str(schema.get('description', '')))}</li>")
    return f'<div style="padding:4px 16px">To be filled in:<ul style="margin:0">{"".join(rows)}</ul></div>'


def _diff(text: Any) -> str:
    colours = {"+": "#00694f", "-": "#b04200", "@": "#0063a0"}
    lines = str(text).splitlines()
    shown = [
        f'<span style="color:{colours.get(each[:1], "inherit")}">{escape(each)}</span>' for each in lines[:_MOST_DIFF]
    ]
    return f"<pre>{'<br>'.join(shown)}</pre>"


def _lines(text: str) -> str:
    return "<br>".join(escape(each) for each in text.splitlines())
