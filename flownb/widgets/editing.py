"""The data that a reviewer may change, as fields for a page: rows of a table, text, or JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError, NotFound, UsageError
from flownb.graph.drawing.words import clean
from flownb.graph.form_source import as_data
from flownb.model.ports import MAIN
from flownb.nodes.control import passing
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.events import ApprovalRequested
    from flownb.run.handles.view import RunView

#: What one changes in a page and not in code.
_MOST_ROWS: Final = 200
_MOST_COLUMNS: Final = 40
_MOST_TEXT: Final = 100_000


def editable(view: RunView, approval: str) -> dict[str, Any]:
    """The data of a request to change: `kind` is `table` (`columns`, `rows`), `text` or `json` (`text`).

    Raises:
        NotFound: the run has no such request.
        UsageError: its data may not be changed, or there is too much of it for a page.
        FlownbError: the data can't be loaded here.
    """
    kept = view.state.approvals.get(approval)
    if kept is None:
        raise NotFound(f"Run {view.id} has no request {approval!r:.40}.")
    request: ApprovalRequested = kept["request"]
    if request.edits is None:
        raise UsageError(f"The data of {request.node} may not be changed with the answer.")
    value = _subject(view, request)
    if _is_table(request.edits):
        return _table(value, request)
    if isinstance(value, str):
        return {"kind": "text", "text": _fitting(value, request)}
    return {
        "kind": "json",
        "text": _fitting(json.dumps(_finite(as_data(value)), ensure_ascii=False, indent=2), request),
    }


def _subject(view: RunView, request: ApprovalRequested) -> Any:
    """The data that the question is about: what comes in at `main`, else the first thing that is shown."""
    node = view[request.node]
    given = node.inputs if any(each.name == MAIN for each in view.state.topology.arguments[node.number]) else {}
    if came := given.get(MAIN):
        return passing({MAIN: came if isinstance(came, list) else [came]})
    shown = [each for each in request.preview or () if isinstance(each, dict)]
    return values.load(shown[0]["value"], view.store.artifacts) if shown else None


def _is_table(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return schema.get("type") == "array" and isinstance(items, dict) and "additionalProperties" in items


def _table(value: Any, request: ApprovalRequested) -> dict[str, Any]:
    edits = request.edits or {}
    columns = list(edits["items"]["properties"].items())
    count = len(value)
    if count > _MOST_ROWS or len(columns) > _MOST_COLUMNS:
        raise _too_large(request, f"{count:,} rows and {len(columns):,} columns")
    rows = _finite(as_data(value))
    return {
        "kind": "table",
        "columns": [[name, _types(schema)] for name, schema in columns],
        "rows": [[row.get(name) for name, _ in columns] for row in rows],
    }


def _types(schema: Any) -> list[str]:
    found = schema.get("type", []) if isinstance(schema, dict) else []
    return [found] if isinstance(found, str) else [str(each) for each in found]


def _finite(data: Any) -> Any:
    """Numbers that JSON has no word for are empty, as in the answer."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: _finite(each) for name, each in data.items()}
    return [_finite(each) for each in data] if isinstance(data, list) else data


def _fitting(text: str, request: ApprovalRequested) -> str:
    if len(text) > _MOST_TEXT:
        raise _too_large(request, f"{len(text):,} characters")
    return text


def _too_large(request: ApprovalRequested, size: str) -> FlownbError:
    return UsageError(
        f"The data of {clean(request.node, 60)} have {size}; that is too much to change here. "
        f'In a cell: run.decide("{request.approval}", data=…)'
    )
