"""The report of a run: one HTML page that needs no network, or a notebook; the picture, then a section a node."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any, Final

from flownb.model.events import NodeOutput
from flownb.model.times import iso
from flownb.notebook.preview import html_of, picture_in, text_of
from flownb.notebook.question import question_html
from flownb.run.handles.depict import picture_of
from flownb.run.handles.describe import describe_state
from flownb.run.output.held import settled
from flownb.run.recovery.recover import read_state, require_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.state import RunState
    from flownb.model.topology import Wire
    from flownb.store.contract import RunRow, Store

_MOST_LOG: Final = 20_000
_MOST_STEPS: Final = 50
_MOST_SHOWN: Final = 50
_WORDS: Final = {
    "completed": "✔ Completed",
    "failed": "✖ Failed",
    "skipped": "» Skipped",
    "cancelled": "— Cancelled",
    "paused": "⧗ Paused",
    "waiting": "⧗ Waiting",
    "running": "◐ Running",
    "pending": "○ Pending",
}

_STYLE: Final = """
:root{color-scheme:light dark;--ground:#fff;--card:#fff;--ink:#1b1b1b;--ink-2:#565656;--line:#dcdcdc;--wash:#f6f6f6;
--accent:#1976d2;--completed:#00694f;--failed:#b04200;--waiting:#8a5a00;--running:#0063a0}
@media(prefers-color-scheme:dark){:root{--ground:#111;--card:#1b1b1b;--ink:#eaeaea;--ink-2:#a8a8a8;--line:#3a3a3a;
--wash:#232323;--accent:#64b5f6;--completed:#4cc6a0;--failed:#ff8f5a;--waiting:#f0b840;--running:#6cbcf2}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
font:13px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 20px 64px}h1{font-size:20px;margin:0 12px 0 0;display:inline}
h2{font-size:14px;margin:0}header{display:flex;flex-wrap:wrap;align-items:center;gap:4px 0;margin-bottom:4px}
.status{font-weight:600;padding:2px 10px;border-radius:12px;background:var(--wash);color:var(--ink-2)}
.completed{color:var(--completed)}.failed{color:var(--failed)}.waiting,.paused{color:var(--waiting)}
.running{color:var(--running)}.muted,dt{color:var(--ink-2)}
.picture{border:1px solid var(--line);border-radius:8px;padding:8px;margin:16px 0;overflow-x:auto}
.picture svg,.picture img{display:block;max-width:100%;height:auto;margin:auto}
.dark{display:none}@media(prefers-color-scheme:dark){.dark{display:block}.light{display:none}}
section{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:12px 16px;margin:12px 0}
section>header{gap:4px 12px}section .time{margin-left:auto;font-variant-numeric:tabular-nums;color:var(--ink-2)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:8px 0 0}dd{margin:0;min-width:0}
pre{margin:0;padding:8px 10px;background:var(--wash);border-radius:6px;overflow:auto;max-height:420px;
font:12px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{text-align:right;padding:3px 12px;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--ink-2);
font-weight:600}img{max-width:100%;border-radius:6px;background:#fff}nav{margin:8px 0}nav a{margin-right:12px}
a{color:var(--accent)}@media print{section{break-inside:avoid}}
"""


def html_report(store: Store, run_id: str) -> str:
    """The report as one HTML page: no script, no request, text of nodes escaped.

    Raises:
        NotFound: no such run.
    """
    row = require_row(store, run_id)
    state = read_state(store, row)
    document = describe_state(row, state, store)
    written = _written(store, run_id)
    parts = [_head(row, document), _picture(state), _inputs(state, store)]
    if document["error"]:
        parts.append(_error_section(document["error"]))
    parts += [_node(path, node, state, store, written[path]) for path, node in document["nodes"].items()]
    if state.results:
        parts.append(_results(state.results, store))
    body = "\n".join(parts)
    title = escape(f"{row.workflow}: {row.status}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


class _Written:
    """What a node wrote: its log, what it displayed, and what it asked people."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self.shown: list[dict[str, Any]] = []
        #: What it asked people, as HTML.
        self.asked: list[str] = []

    def add(self, event: NodeOutput) -> None:
        self._pieces.append(event.text)
        self._size += len(event.text)
        if self._size > 3 * _MOST_LOG:  # the ends are enough, whatever lies between
            text = "".join(self._pieces)
            self._pieces = [text[:_MOST_LOG], "\n…\n", text[-_MOST_LOG:]]
            self._size = 2 * _MOST_LOG
        if event.data is not None and len(self.shown) < _MOST_SHOWN:
            self.shown.append(event.data)

    @property
    def log(self) -> str:
        text = settled("".join(self._pieces))
        if len(text) <= _MOST_LOG:
            return text
        end = _MOST_LOG // 4
        return f"{text[: _MOST_LOG - end]}\n… the middle is left out …\n{text[-end:]}"


def _written(store: Store, run_id: str) -> defaultdict[str, _Written]:
    written: defaultdict[str, _Written] = defaultdict(_Written)
    for record in store.events(run_id):
        if isinstance(record.event, NodeOutput):
            written[record.event.node].add(record.event)
    for row in store.approvals(run=run_id, pending=False):
        written[row.node].asked.append(question_html(row, store))
    return written


def _status(status: str) -> str:
    return f'<span class="status {status}">{_WORDS.get(status, status)}</span>'


def _took(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1000
    minute = 60
    return f"{seconds:.2f} s" if seconds < minute else f"{seconds / minute:.1f} min"


def _head(row: RunRow, document: Mapping[str, Any]) -> str:
    nodes = document["nodes"].values()
    done = sum(node["status"] in ("completed", "skipped", "failed", "cancelled") for node in nodes)
    why = f" {escape(document['pause_reason'])}" if document["pause_reason"] else ""
    facts = [
        f"run <code>{escape(row.id)}</code>",
        f"started {document['started_at'] or '-'}",
        f"{done} of {len(nodes)} nodes",
        _took(document["duration_ms"]),
        f"{escape(row.mode)}, by {escape(row.trigger)}",
    ]
    return (
        f"<header><h1>{escape(row.workflow)}</h1>{_status(row.status)}{why}</header>"
        f'<p class="muted">{" · ".join(fact for fact in facts if fact)}</p>'
    )


def _picture(state: RunState) -> str:
    if not state.topology.nodes:
        return '<p class="muted">This notebook started no flow; it has no nodes.</p>'
    light, dark = picture_of(state).svg(), picture_of(state, dark=True).svg()
    return f'<div class="picture"><div class="light">{light}</div><div class="dark">{dark}</div></div>'


def _inputs(state: RunState, store: Store) -> str:
    if not state.inputs:
        return ""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{html_of(plain, store)}</dd>" for name, plain in state.inputs.items())
    return f"<section><h2>Inputs</h2><dl>{rows}</dl></section>"


def _results(results: Mapping[str, Any], store: Store) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{html_of(plain, store)}</dd>" for name, plain in results.items())
    return f"<section><h2>Results</h2><dl>{rows}</dl></section>"


def _error_section(error: Mapping[str, Any]) -> str:
    where = f" at {escape(error['node'])}" if error.get("node") else ""
    trace = f"<pre>{escape(error['traceback'])}</pre>" if error["traceback"] else ""
    text = f"{error['type']}: {error['message']}"
    return f'<section><h2 class="failed">Failed{where}</h2><p>{escape(text)}</p>{trace}</section>'


def _node(path: str, node: Mapping[str, Any], state: RunState, store: Store, written: _Written) -> str:
    number = state.topology.index[path]
    definition = state.topology.nodes[number]
    tries = f"{node['attempts']} attempts" if node["attempts"] > 1 else ""
    head = (
        f"<header><h2>{escape(definition.title)}</h2>{_status(node['status'])}"
        f'<span class="muted">{escape(definition.type)}</span><span class="muted">{tries}</span>'
        f'<span class="time">{_took(node["duration_ms"])}</span></header>'
    )
    rows: list[tuple[str, str]] = []
    help_text = str(definition.config.get("help", "") or definition.notes)
    if help_text:
        rows.append(("what", escape(help_text)))
    if node["reason"]:
        rows.append(("why", escape(node["reason"])))
    if node["ports"]:
        rows.append(("took", escape(", ".join(node["ports"]))))
    sources = [_source(state, wire) for wire in state.topology.entering[number]]
    if sources:
        rows.append(("from", escape(", ".join(dict.fromkeys(sources)))))
    rows.append(("asked", "".join(written.asked)))
    rows.append(("steps", _steps(node.get("steps", {}), store)))
    if node["status"] == "completed":
        rows.append(("output", html_of(node["output"], store)))
    if node["error"]:
        error = node["error"]
        rows.append(("error", f"{escape(error['type'])}: {escape(error['message'])}"))
        if error["traceback"]:
            rows.append(("traceback", f"<pre>{escape(error['traceback'])}</pre>"))
    rows += [
        ("log", f"<pre>{escape(log)}</pre>" if (log := written.log) else ""),
        ("shown", "".join(picture_in(data, store) for data in written.shown)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows if text)
    return f'<section id="node-{escape(path)}">{head}{f"<dl>{listed}</dl>" if listed else ""}</section>'


def _steps(steps: Mapping[str, Any], store: Store) -> str:
    if not steps:
        return ""
    shown = list(steps.items())[:_MOST_STEPS]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{html_of(plain, store)}</dd>" for name, plain in shown)
    more = f'<p class="muted">and {len(steps) - len(shown)} more</p>' if len(steps) > len(shown) else ""
    return f"<dl>{rows}</dl>{more}"


def _source(state: RunState, wire: Wire) -> str:
    return state.topology.paths[wire.source] + (f".{wire.port}" if wire.port else "")


# --- as a notebook ---------------------------------------------------------------------------------------------------


def notebook_report(store: Store, run_id: str) -> str:
    """The report as a notebook of markdown and outputs; nothing in it is code that runs.

    Raises:
        NotFound: no such run.
    """
    import nbformat
    from nbformat import v4

    row = require_row(store, run_id)
    state = read_state(store, row)
    document = describe_state(row, state, store)
    written = _written(store, run_id)
    notebook = v4.new_notebook()
    notebook.metadata["flownb"] = {
        "run": row.id,
        "status": row.status,
        "workflow": row.workflow,
        "definition_hash": row.definition,
    }
    title = f"# {_markdown(row.workflow)}\n\nrun `{row.id}`, {row.status}, started {iso(row.created_at)}"
    notebook.cells.append(v4.new_markdown_cell(title))
    if state.topology.nodes:
        drawn = picture_of(state)
        shown = {"image/png": base64.b64encode(drawn.png()).decode(), "text/plain": f"run {row.status}"}
        cell = v4.new_code_cell(outputs=[v4.new_output("display_data", data=shown)])
        notebook.cells.append(cell)
    for path, node in document["nodes"].items():
        notebook.cells.append(v4.new_markdown_cell(f"## {_markdown(path)}\n\n{_summary(node)}"))
        outputs = []
        if node["status"] == "completed" and node["output"] is not None:
            data = {"text/html": html_of(node["output"], store), "text/plain": text_of(node["output"])}
            outputs.append(v4.new_output("display_data", data=data))
        asked = [{"text/html": each, "text/plain": "a question"} for each in written[path].asked]
        outputs += [v4.new_output("display_data", data=each) for each in asked]
        if log := written[path].log:
            outputs.append(v4.new_output("stream", name="stdout", text=log))
        for data in written[path].shown:
            forms = {name: form for name, form in data.items() if isinstance(form, str)}  # what is large is not
            outputs += [v4.new_output("display_data", data=forms)] if forms else []
        if node["error"]:
            lines = (node["error"]["traceback"] or f"{node['error']['type']}: {node['error']['message']}").splitlines()
            error = {"ename": node["error"]["type"], "evalue": node["error"]["message"], "traceback": lines}
            outputs.append(v4.new_output("error", **error))
        if outputs:
            notebook.cells.append(v4.new_code_cell(outputs=outputs))
    nbformat.validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _summary(node: Mapping[str, Any]) -> str:
    parts = [_WORDS.get(node["status"], node["status"]), _took(node["duration_ms"]), _markdown(node["reason"] or "")]
    return " · ".join(part for part in parts if part)


def _markdown(text: str) -> str:
    """Text that markdown shows as it is."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|$" else letter for letter in text)
