"""What a run asks people, as plain data for the cards under its canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.words import clean
from flownb.store.forms.summary import text_of_plain
from flownb.widgets.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.events import ApprovalRequested
    from flownb.store.contract import Store

_MOST_QUESTION: Final = 2_000
_MOST_DETAILS: Final = 8_000
_MOST_TEXT: Final = 400
_MOST_FIELDS: Final = 40
#: Questions that a view shows; the newest, where a loop asks for each of its items.
MOST: Final = 50
#: What a field of a form is, by its JSON schema; anything else is written as JSON.
_KINDS: Final = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}


def question_of(kept: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """One request: what is asked, what is shown, how it can be answered, and the answer."""
    request: ApprovalRequested = kept["request"]
    decision = kept.get("decision")
    asked: dict[str, Any] = {
        "id": request.approval,
        "node": request.node,
        "kind": request.kind,
        "status": str(kept["status"]),
        "question": request.question[:_MOST_QUESTION],
        "details": request.details[:_MOST_DETAILS],
        "ports": list(request.ports),
        "previews": [_preview(each, store) for each in request.preview or () if isinstance(each, dict)],
        "fields": fields_of(request.form),
        "edits": request.edits is not None,
        "approvers": [clean(each) for each in request.approvers],
        "needed": request.approvals_needed,
        "votes": [{"by": clean(each.by), "port": each.port, "comment": clean(each.comment)} for each in kept["votes"]],
        "asked": request.at,
        "expires": request.expires_at,
    }
    if decision is not None:
        asked["answer"] = {
            "port": decision.port,
            "at": decision.at,
            "by": clean(getattr(decision, "by", "")),
            "comment": clean(getattr(decision, "comment", ""), _MOST_TEXT),
            "data": "" if decision.data is None else text_of_plain(decision.data, _MOST_TEXT),
        }
    return asked


def _preview(each: dict[str, Any], store: Store) -> dict[str, Any]:
    return {
        "name": clean(each.get("name", "")),
        "kind": "diff" if each.get("kind") == "diff" else "value",
        "value": shown(each.get("value"), store),
    }


def fields_of(form: Any) -> list[dict[str, Any]]:
    """The fields of a form, from its JSON schema; whatever is odd in it becomes a field for JSON."""
    properties = form.get("properties") if isinstance(form, dict) else None
    if not isinstance(properties, dict):
        return []
    required = form.get("required")
    needed = set(required) if isinstance(required, list) else set()
    return [
        _field(name, schema if isinstance(schema, dict) else {}, form, required=name in needed)
        for name, schema in list(properties.items())[:_MOST_FIELDS]
    ]


def _field(name: str, schema: dict[str, Any], form: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = _resolved(schema, form)
    options = schema.get("enum")
    kind = "choice" if isinstance(options, list) and options else _KINDS.get(str(schema.get("type")), "json")
    if kind == "text" and schema.get("format") == "date":
        kind = "date"
    field: dict[str, Any] = {"name": name, "kind": kind, "required": required}
    field["title"] = clean(schema.get("title") or name)
    field["hint"] = clean(schema.get("description") or "", _MOST_TEXT)
    if kind == "choice" and isinstance(options, list):
        field["options"] = [each for each in options[:200] if isinstance(each, str | int | float | bool)]
    if "default" in schema:
        field["default"] = schema["default"]
    for bound in ("minimum", "maximum"):
        if isinstance(schema.get(bound), int | float):
            field[bound] = schema[bound]
    return field


def _resolved(schema: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference within the form, and of an optional field the one that is not null."""
    for key in ("anyOf", "allOf"):
        choices = [each for each in schema.get(key) or () if isinstance(each, dict) and each.get("type") != "null"]
        if len(choices) == 1:
            schema = {**schema, **choices[0]}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        found = (form.get("$defs") or {}).get(reference.removeprefix("#/$defs/"))
        if isinstance(found, dict):
            return {**found, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema
