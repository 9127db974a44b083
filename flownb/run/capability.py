"""What a definition may say and this engine can't do yet: refused in a sentence, never silently left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.workflow import Node, Workflow

_HINT: Final = "A later version brings it."


def unsupported(workflow: Workflow) -> list[Problem]:
    """The problems of a sound definition that asks for more than this engine has."""
    return [
        Problem(message, node=node.id, place=place, hint=_HINT, code="not_yet")
        for node in workflow.nodes
        for place, message in _of_node(node)
    ]


def _of_node(node: Node) -> Iterator[tuple[str, str]]:
    asked: dict[str, Any] = {
        "pinned": None if node.pinned is msgspec.UNSET else node.pinned,
    }
    for place, value in asked.items():
        if value is not None:
            yield place, f"{node.id}: {place} has no effect in this version."
