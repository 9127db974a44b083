"""Answers that only the edges of a document know: a question to people may be left by a port as `escalate`."""

from __future__ import annotations

from typing import Any, Final

#: The ports that questions have anyway.
_USUAL: Final = ("main", "error", "approved", "rejected", "submitted", "expired")
#: Where a config names further ones.
_FIELDS: Final = ("options", "ports", "output_ports")


def add_answers(document: dict[str, Any]) -> None:
    """Name in the config of each question the ports by which edges leave it."""
    listed = document.get("nodes")
    entries = listed if isinstance(listed, list) else ()
    nodes = {each["id"]: each for each in entries if isinstance(each, dict) and isinstance(each.get("id"), str)}
    edges = document.get("edges")
    for edge in edges if isinstance(edges, list) else ():
        source = edge.get("source") if isinstance(edge, dict) else None
        node = nodes.get(source) if isinstance(source, str) else None
        if node is None or not str(node.get("type", "")).startswith("human."):
            continue
        port, config = edge.get("source_port"), node.setdefault("config", {})
        if not isinstance(port, str) or port in _USUAL or not port.isidentifier() or not isinstance(config, dict):
            continue
        answers = config.setdefault(next((each for each in _FIELDS if each in config), "ports"), [])
        if isinstance(answers, list) and port not in answers:
            answers.append(port)
