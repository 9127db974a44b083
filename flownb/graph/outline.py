"""A workflow as text: its nodes in topological order, each with its status and why, for terminals and readers."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.cards import said
from flownb.graph.drawing.state import CardState
from flownb.graph.drawing.words import clean, duration
from flownb.graph.layout.layers import assign
from flownb.graph.layout.wiring import Wiring
from flownb.model.status import NodeStatus

if TYPE_CHECKING:
    from flownb.graph.drawing.state import PictureState
    from flownb.graph.layout.wiring import Vertex
    from flownb.model.workflow import Workflow

#: One sign a status, all of one column.
SIGNS: Final[dict[NodeStatus, str]] = {
    NodeStatus.PENDING: "○",
    NodeStatus.QUEUED: "◌",
    NodeStatus.RUNNING: "◐",
    NodeStatus.WAITING: "◇",
    NodeStatus.COMPLETED: "●",
    NodeStatus.FAILED: "✕",
    NodeStatus.SKIPPED: "»",
    NodeStatus.CANCELLED: "⊖",
}
#: Names and sources longer than this are cut.
MOST_NAME: Final = 40
MOST_SOURCES: Final = 4
MOST_REASON: Final = 200


def outline(workflow: Workflow, state: PictureState | None, *, title: str | None = None) -> str:
    """The text; its first line begins `run <status>` where there is a run.

    Args:
        workflow: valid or not.
        state: None for the outline of a definition, which gives types instead of statuses.
        title: what stands for the workflow's name.
    """
    wiring = Wiring(workflow)
    rows = [_row(wiring, vertex, state) for vertex in in_order(wiring)]
    name_width = max((_columns(name) for name, _, _ in rows), default=0)
    word_width = min(max((_columns(word) for _, word, _ in rows), default=0), 28)
    lines = [_head(workflow, state, title)]
    for name, word, sources in rows:
        lines.append(f"  {_padded(name, name_width)}  {_padded(word, word_width)}  {sources}".rstrip())
    if not rows:
        lines.append("  No nodes yet.")
    return "\n".join(lines) + "\n"


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(each) or each == "\u200d" else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))


def _head(workflow: Workflow, state: PictureState | None, title: str | None) -> str:
    name = clean(title or workflow.name or workflow.id, MOST_NAME) or "untitled"
    if state is None:
        count = len(workflow.nodes)
        return f"workflow {name}  {count} node{'' if count == 1 else 's'}"
    parts = [f"run {state.status.value if state.status else 'pending'}", name, f"{state.done}/{state.total} nodes"]
    return "  ".join([*parts, duration(state.seconds)]).rstrip()


def in_order(wiring: Wiring) -> list[Vertex]:
    """All vertices, sources first, what is inside a box right after the box; ties as in the definition."""
    spans = [1] * len(wiring.vertices)
    ranks = assign(spans, [(link.start, link.end) for link in wiring.links], set(range(len(spans))))
    found: list[Vertex] = []
    work = sorted(wiring.roots, key=lambda number: (ranks[number], number), reverse=True)
    while work:
        vertex = wiring.vertices[work.pop()]
        found.append(vertex)
        work += sorted(vertex.children, key=lambda number: (ranks[number], number), reverse=True)
    return found


def _row(wiring: Wiring, vertex: Vertex, state: PictureState | None) -> tuple[str, str, str]:
    """Name, what it says, and what it reads."""
    node = vertex.node
    name = "  " * vertex.depth + (clean(node.title, MOST_NAME) or node.id)
    sources = dict.fromkeys(
        clean(wiring.vertices[link.source].node.title, MOST_NAME) + _port(link.out_port)
        for link in wiring.links_into(vertex.number)
    )
    shown = list(sources)[:MOST_SOURCES]
    more = f" and {len(sources) - MOST_SOURCES} more" if len(sources) > MOST_SOURCES else ""
    after = f"← {', '.join(shown)}{more}" if shown else ""
    if state is None:
        return f"· {name}", clean(node.type, MOST_NAME), after
    card = state.nodes.get(vertex.key) or state.nodes.get(node.id) or CardState()
    return f"{SIGNS[card.status]} {name}", _words(card), after


def _port(name: str) -> str:
    return "" if name == "main" else f".{clean(name, MOST_NAME)}"


def _words(card: CardState) -> str:
    """The status's word always; then the text, the attempts and the duration."""
    word, text = card.status.value, clean(card.text, MOST_REASON)
    said_ = said(card, text)
    if text and not said_.lower().startswith(word):
        said_ = f"{word}: {text}"
    elif not text:
        said_ = word
    extra = [badge for badge in card.badges if badge != word]
    extra += [f"{card.attempts} attempts"] if card.attempts > 1 else []
    time = duration(card.seconds)
    return ", ".join(
        [said_[0].lower() + said_[1:], *(clean(each, MOST_NAME) for each in extra), *([time] if time else [])]
    )
