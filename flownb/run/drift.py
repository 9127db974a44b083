"""The difference between the definition that a run is pinned to and the one of now, for people to read."""

from __future__ import annotations

import json
from typing import Any, Final

_MOST_LINES: Final = 60


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
            lines.append(f"~ {part}: {json.dumps(before.get(part))} became {json.dumps(after.get(part))}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} lines more"]
    return "\n".join(lines) or "(only names, notes or positions changed)"


def _nodes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(node["id"]): node for node in document.get("nodes", [])}


def _edges(document: dict[str, Any]) -> set[str]:
    edges = document.get("edges", [])
    return {
        f"{edge['source']}.{edge.get('source_port', 'main')} -> {edge['target']}.{edge.get('target_port', 'main')}"
        for edge in edges
    }


def _changed(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    source_before, source_after = old.get("config", {}).get("source", ""), new.get("config", {}).get("source", "")
    if source_before != source_after:
        import difflib  # rarely needed

        diff = difflib.unified_diff(source_before.splitlines(), source_after.splitlines(), lineterm="", n=1)
        return [f"~ node {name}: its code changed", *(f"    {line}" for line in list(diff)[2:])]
    fields = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    return [f"~ node {name}: {', '.join(fields)} changed"]
