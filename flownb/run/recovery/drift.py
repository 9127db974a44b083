"""The difference between the definition that a run is pinned to and the one of now, for people to read."""

from __future__ import annotations

import json
from typing import Any, Final

_MOST_LINES: Final = 60
_MOST_TEXT: Final = 80


def difference(recorded: str, now: str) -> str:
    """What was added, removed and changed, node by node; source code as a unified diff.

    Args:
        recorded: the JSON document that the run is pinned to; may be empty where it is lost.
        now: the JSON document of the program as it is now.
    """
    if not recorded:
        return "(the recorded definition is missing)"
    before, after = json.loads(recorded), json.loads(now)
    old, new = _nodes(before), _nodes(after)
    lines = [f"- node {name} is gone" for name in old if name not in new]
    lines += [f"+ node {name} is new" for name in new if name not in old]
    for name in new:
        if name in old and old[name] != new[name]:
            lines += _changed(name, old[name], new[name])
    old_edges, new_edges = _edges(before), _edges(after)
    lines += [f"- edge {edge} is gone" for edge in sorted(old_edges - new_edges)]
    lines += [f"+ edge {edge} is new" for edge in sorted(new_edges - old_edges)]
    for part in ("variables", "settings", "error_handlers"):
        if before.get(part) != after.get(part):
            lines.append(f"~ {part}: {_became(before, after, part)}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} lines more"]
    return "\n".join(lines) or "(only names, notes or positions changed)"


def _nodes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(node["id"]): node for node in document.get("nodes", [])}


def _edges(document: dict[str, Any]) -> set[str]:
    edges = document.get("edges", [])
    return {
        f"{edge['source']}.{edge.get('source_port', 'main')} -> {edge['target']}.{edge.get('target_port', 'main')}"
        + (f" if {edge['condition']}" if edge.get("condition") else "")
        for edge in edges
    }


def _changed(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    before, after = old.get("config", {}), new.get("config", {})
    lines = []
    if before.get("source", "") != after.get("source", ""):
        import difflib  # rarely needed

        was, became = (str(each.get("source", "")).splitlines() for each in (before, after))
        diff = difflib.unified_diff(was, became, lineterm="", n=1)
        lines = [f"~ node {name}: its code changed", *(f"    {line}" for line in list(diff)[2:])]
    fields = [
        f"{key}: {_became(old, new, key)}" for key in sorted({*old, *new} - {"config"}) if _differs(old, new, key)
    ]
    keys = sorted({*before, *after} - {"source", "code"})
    fields += [f"config.{key}: {_became(before, after, key)}" for key in keys if _differs(before, after, key)]
    if not lines and _differs(before, after, "code"):
        fields.append("its code changed")
    return lines + [f"~ node {name}: {each}" for each in fields]


def _differs(old: dict[str, Any], new: dict[str, Any], key: str) -> bool:
    return bool(old.get(key) != new.get(key))


def _became(old: dict[str, Any], new: dict[str, Any], key: str) -> str:
    before, after = (_short(json.dumps(each[key])) if key in each else "nothing" for each in (old, new))
    return f"{before} became {after}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
