"""What a definition may say and this engine can't do yet: refused in a sentence, never silently left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model.problem import Problem
from flownb.model.status import OnError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.workflow import Node, Workflow

_HINT: Final = "A later version brings it."


def unsupported(workflow: Workflow) -> list[Problem]:
    """The problems of a sound definition that asks for more than this engine has."""
    problems = [
        Problem(message, node=node.id, place=place, hint=_HINT, code="not_yet")
        for node in workflow.nodes
        for place, message in _of_node(node)
    ]
    if workflow.settings.timeout is not None:
        message = "A run has no timeout as a whole yet; its nodes have."
        problems.append(Problem(message, place="settings.timeout", hint=_HINT, code="not_yet"))
    return problems


def _of_node(node: Node) -> Iterator[tuple[str, str]]:
    if node.where is Where.MAIN:
        yield "where", f"{node.id} can't run in the {node.where} yet; sync functions run on threads."
    if node.on_error is OnError.COMPENSATE:
        yield "on_error", f"{node.id}: on_error can't be {str(node.on_error)!r} yet."
    asked: dict[str, Any] = {
        "cache": node.cache if node.cache is not None and node.cache.enabled else None,
        "pinned": None if node.pinned is msgspec.UNSET else node.pinned,
    }
    for place, value in asked.items():
        if value is not None:
            yield place, f"{node.id}: {place} has no effect in this version."
