"""The checks of what lies inside loops and parallels: which edges may lead there, and what each branch consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model.ports import MAIN
from flownb.model.problem import Problem
from flownb.model.scopes import INDEX, ITEM, LOOP, PARALLEL, branch_names, find_branches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.model.scopes import Scopes, SortedEdges
    from flownb.model.workflow import Edge, Node


def check_scopes(edge: Edge, scopes: Scopes, source: Node, place: str) -> Iterator[Problem]:
    """Whether an edge may lead where it leads: into a body, but not out of one.

    Args:
        edge: between known nodes.
        scopes: of the definition.
        source: the node that it leaves.
        place: of the edge.
    """
    port = edge.source_port or MAIN
    meets = scopes.meet(edge)
    if meets is not None:
        if source.type == LOOP and port in (ITEM, INDEX):
            yield Problem(
                f"{edge.target} is outside the loop {source.id}, whose {port} only the nodes inside know.",
                node=edge.target,
                place=place,
                hint=f"Put {edge.target} into the loop, or use {source.id}, which gives the results of all rounds.",
                code="out_of_loop",
            )
        return
    if scopes.enters(edge):
        if (source.type == LOOP and port in (ITEM, INDEX)) or (source.type == PARALLEL and port != MAIN):
            return
        if source.type == PARALLEL:
            message = f"{edge.target} is inside the parallel {source.id}; it can't wait for it."
            hint = f"Wire it to the port of its branch: {_ports(source)}."
        else:
            message = f"{edge.target} is inside the loop {source.id}; it can't wait for it."
            hint = "Its nodes know the round as `item` and `index`, which are ports of the loop too."
    elif (owner := scopes.of(edge.source)) is None or _is_around(scopes, edge.source, edge.target):
        message = f"{edge.target} is inside {source.id}, and not right inside; it can't wait for it."
        hint = "Bring what it needs by a node that lies between them."
    else:
        is_loop = scopes.type_of(owner) == LOOP
        message = (
            f"{edge.target} waits for {edge.source}, which is inside the {'loop' if is_loop else 'parallel'} {owner}."
        )
        gives = "the results of all rounds" if is_loop else "the results of its branches, each at its port too"
        hint = f"From outside use the {'loop' if is_loop else 'parallel'}: {owner} gives {gives}."
    yield Problem(message, node=edge.target, place=place, hint=hint, code="out_of_loop")


def _is_around(scopes: Scopes, outer: str, inner: str) -> bool:
    around: str | None = inner
    while around is not None and around != outer:
        around = scopes.of(around)
    return around == outer


def _ports(parallel: Node) -> str:
    return " or ".join(f"{parallel.id}.{name}" for name in branch_names(parallel))


def check_branches(nodes: Sequence[Node], edges: SortedEdges) -> Iterator[Problem]:
    """Whether each branch of each parallel has nodes, and each node inside one branch."""
    for number, node in enumerate(nodes):
        if node.type != PARALLEL:
            continue
        found = find_branches(node, edges)
        for place, (name, members) in enumerate(found.members.items()):
            if not members and not any(name in leading for _, leading in found.torn):
                yield Problem(
                    f"The branch {name!r} of {node.id} leads to no node inside it.",
                    node=node.id,
                    port=name,
                    place=f"nodes[{number}].config.branches[{place}]",
                    hint=f"Define its nodes in `with {node.id}.{name}:`, or take the branch out.",
                    code="empty_branch",
                )
        for each in found.homeless:
            yield Problem(
                f"{each.id} is inside {node.id} and in none of its branches.",
                node=each.id,
                hint=f"Wire it to one, as by after={_ports(node)}, or put it outside.",
                code="no_branch",
            )
        for each, names in found.torn:
            yield Problem(
                f"{each.id} is in the branches {' and '.join(names)} of {node.id} at once, because their nodes are "
                "wired to one another.",
                node=each.id,
                hint="Branches wait for none of each other: bring them together behind the parallel.",
                code="tied_branches",
            )
