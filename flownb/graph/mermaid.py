"""A workflow as Mermaid's text, for READMEs and wikis that draw it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flownb.graph.drawing.words import clean
from flownb.graph.layout.wiring import Wiring
from flownb.model.ports import MAIN

if TYPE_CHECKING:
    from flownb.graph.layout.wiring import Link, Vertex
    from flownb.model.workflow import Workflow

#: The brackets around a label, by the beginning of the node's type: they give the shape.
_SHAPES: Final[tuple[tuple[str, str, str], ...]] = (
    ("control.condition", "{", "}"),
    ("control.switch", "{", "}"),
    ("control.start", "([", "])"),
    ("control.output", "([", "])"),
    ("trigger.", "([", "])"),
    ("human.", "[/", "/]"),
    ("sql.", "[(", ")]"),
    ("notebook.", "[[", "]]"),
    ("control.subflow", "[[", "]]"),
)
#: Everything that could mean something to Mermaid, Markdown or HTML.
_UNSAFE: Final = re.compile(r"[^\w .,:/+=?!()'-]")
MOST_LABEL: Final = 60


def mermaid(workflow: Workflow) -> str:
    """The text of a `flowchart`; ids are `n0`, `n1` …, so that no name can be a word of Mermaid's."""
    wiring = Wiring(workflow)
    lines = ["flowchart LR"]
    for number in wiring.roots:
        lines += _node(wiring, wiring.vertices[number], 1)
    lines += [_edge(link) for link in wiring.links if not link.implied]
    if not wiring.vertices:
        lines.append('    empty["No nodes yet"]')
    return "\n".join(lines) + "\n"


def _node(wiring: Wiring, vertex: Vertex, depth: int) -> list[str]:
    indent = "    " * depth
    label = f'"{_safe(vertex.node.title) or "?"}"'
    if not vertex.is_box:
        before, after = next(
            ((before, after) for start, before, after in _SHAPES if vertex.node.type.startswith(start)), ("[", "]")
        )
        return [f"{indent}n{vertex.number}{before}{label}{after}"]
    lines = [f"{indent}subgraph n{vertex.number}[{label}]", f"{indent}    direction LR"]
    for child in vertex.children:
        lines += _node(wiring, wiring.vertices[child], depth + 1)
    return [*lines, f"{indent}end"]


def _edge(link: Link) -> str:
    words = [link.out_port] if link.out_port != MAIN else []
    if link.edge is not None and link.edge.condition:
        words.append(link.edge.condition)
    label = _safe(", ".join(words))
    arrow = "-.->" if link.kind == "order" else "-->"
    return f"    n{link.source} {arrow}{f'|{chr(34)}{label}{chr(34)}|' if label else ''} n{link.target}"


def _safe(text: str) -> str:
    """Text between double quotes, with everything unusual as an entity in Mermaid's notation."""
    return _UNSAFE.sub(lambda match: f"#{ord(match.group())};", clean(text, MOST_LABEL))
