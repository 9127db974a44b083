"""Workflows for the tests of layouts and pictures, written as lines: `load -> total`, `big.true -> ok.after`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from flownb.graph.picture import CardState, PictureState
from flownb.model.status import NodeStatus, RunStatus
from flownb.model.workflow import Edge, Node, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.layout.plan import CardSpot, Layout, Point

#: The flow of the run view: a branch, an approval, a failed mail, a loop.
INVOICES = """
load -> total
total -> big
big.true -> ok.after
big.false -> archive.after
big.false -> post.after
ok.approved -> post.after
total -> notify.after
total -> post
load -> each.over
clean -> enrich
each -> post
"""


def flow(text: str, *, name: str = "sketch", inside: dict[str, str] | None = None, nodes: str = "") -> Workflow:
    """A workflow from lines of edges; nodes come in the order in which they are named, those in `nodes` first."""
    ids = dict.fromkeys(nodes.split())
    edges = []
    for line in text.strip().splitlines():
        left, right = (end.strip().partition(".") for end in line.split("->"))
        ids |= dict.fromkeys((left[0], right[0]))
        edges.append(
            Edge(source=left[0], source_port=left[2] or None, target=right[0], target_port=right[2] or left[0])
        )
    parents = inside or {}
    made = tuple(Node(id=each, type="python", parent=parents.get(each)) for each in ids)
    return Workflow(name=name, nodes=made, edges=tuple(edges))


def invoices() -> Workflow:
    """The flow of the run view."""
    return flow(INVOICES, name="invoices", inside={"clean": "each", "enrich": "each"})


def invoices_state() -> PictureState:
    """A moment of a run of it, with every status but two."""
    done = NodeStatus.COMPLETED
    return PictureState(
        status=RunStatus.RUNNING,
        nodes={
            "load": CardState(status=done, seconds=0.02, badges=("cached",)),
            "total": CardState(status=done, text="5 rows", seconds=3.1),
            "big": CardState(status=done, text="True", seconds=0.004),
            "ok": CardState(status=NodeStatus.WAITING, text="Waiting for you"),
            "notify": CardState(status=NodeStatus.FAILED, text="SMTP 421", seconds=9.1, attempts=3),
            "archive": CardState(status=NodeStatus.SKIPPED, text="big is true"),
            "each": CardState(status=NodeStatus.RUNNING, text="3/12"),
            "clean": CardState(status=done, text="1 row", seconds=1.2),
            "enrich": CardState(status=NodeStatus.RUNNING, text="Page 2/3", seconds=3.4, progress=0.62),
        },
        edges={"big.false->archive.after": "dead", "clean.main->enrich.clean": "moving"},
        done=5,
        total=8,
        seconds=18,
    )


def overlaps(plan: Layout) -> list[tuple[str, str]]:
    """The pairs of cards that overlap."""
    found = []
    for number, one in enumerate(plan.cards):
        for other in plan.cards[number + 1 :]:
            across = one.x < other.x + other.width and other.x < one.x + one.width
            if across and one.y < other.y + other.height and other.y < one.y + one.height:
                found.append((one.key, other.key))
    return found


def run_through(plan: Layout) -> list[tuple[str, str]]:
    """The edges that run through or along a card, with the card."""
    return [
        (route.edge, card.key)
        for route in plan.routes
        for a, b in pairwise(route.points)
        for card in plan.cards
        if _touches(a, b, card)
    ]


def _touches(a: Point, b: Point, card: CardSpot) -> bool:
    left, right = sorted((a[0], b[0]))
    top, bottom = sorted((a[1], b[1]))
    return card.x < right and left < card.x + card.width and card.y <= bottom and top <= card.y + card.height


def stretches(plan: Layout) -> Iterator[tuple[Point, Point]]:
    """All straight pieces of all edges."""
    for route in plan.routes:
        yield from pairwise(route.points)


def card(plan: Layout, key: str) -> CardSpot:
    """The card of a node."""
    return next(spot for spot in plan.cards if spot.key == key)
