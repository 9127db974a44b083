"""Whether what a definition keeps for failures can do its work: compensations, fallbacks, handlers, strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flownb.errors import near_names
from flownb.graph.strategies import unknown_error
from flownb.model.problem import Problem, Severity
from flownb.model.remedies import COMPENSATE, HANDLER
from flownb.model.status import ErrorClass, OnError, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flownb.model.workflow import Edge, ErrorHandler, Node, Workflow

_NAMING = ("compensation", "fallback_node")


class _Known(NamedTuple):
    """What is known of all nodes: by id, with an edge that leaves each, and for whom each is kept."""

    nodes: Mapping[str, Node]
    leaving: Mapping[str, Edge]
    used: dict[str, str]


def check_remedies(workflow: Workflow, edges: Sequence[Edge]) -> Iterator[Problem]:
    """The problems, node by node, then those of the workflow's own handlers.

    Args:
        workflow: the definition.
        edges: its edges, those that follow from expressions included.
    """
    nodes = {node.id: node for node in workflow.nodes}
    if any(node.compensation or node.fallback_node for node in workflow.nodes):
        yield from _check_kept(workflow.nodes, nodes, edges)
    has_any = any(node.compensation for node in workflow.nodes)
    for number, node in enumerate(workflow.nodes):
        yield from _check_strategies(node.strategies, node.id, f"nodes[{number}].strategies", node)
        if node.type == HANDLER:
            yield from _check_scope(node, number, nodes)
        asks = node.on_error == OnError.COMPENSATE or any(h.strategy == Strategy.COMPENSATE for h in node.strategies)
        if (asks or node.type == COMPENSATE) and not has_any:
            yield _nothing_to_undo(node, number)
    yield from _check_strategies(workflow.error_handlers, workflow.name, "error_handlers", None)
    for number, each in enumerate(workflow.error_handlers):
        if each.target is not None and each.target not in nodes:
            yield Problem(
                f"The handler for {each.error} starts {each.target!r}, and there is no such node."
                f"{near_names(each.target, nodes)}",
                place=f"error_handlers[{number}].target",
                code="unknown_node",
            )
        if each.strategy == Strategy.COMPENSATE and not has_any:
            yield Problem(
                f"The handler for {each.error} undoes what was done, and no node has a compensation.",
                place=f"error_handlers[{number}].strategy",
                hint="Give the nodes that are to be undone a `compensation`.",
                code="no_compensation",
            )


def _nothing_to_undo(node: Node, number: int) -> Problem:
    return Problem(
        f"{node.id} undoes what was done, and no node has a compensation: there is nothing that it could run.",
        node=node.id,
        place=f"nodes[{number}].{'type' if node.type == COMPENSATE else 'on_error'}",
        hint="Give the nodes that are to be undone a `compensation`: the node or function that undoes what they did.",
        code="no_compensation",
    )


def _check_kept(sequence: Sequence[Node], nodes: Mapping[str, Node], edges: Sequence[Edge]) -> Iterator[Problem]:
    known = _Known(nodes, {edge.source: edge for edge in edges}, {})
    for number, node in enumerate(sequence):
        for field in _NAMING:
            name = getattr(node, field)
            if name is None:
                continue
            what = field.partition("_")[0]
            for fault, hint in _faults(node, name, what, known):
                yield Problem(fault, node=node.id, place=f"nodes[{number}].{field}", hint=hint, code=f"bad_{what}")
            known.used.setdefault(name, node.id)
        if node.fallback_node is not None and node.fallback is not None:
            message = f"{node.id} has two fallbacks, the value {node.fallback!r:.60} and the node {node.fallback_node}."
            place = f"nodes[{number}].fallback"
            yield Problem(message, node=node.id, place=place, hint="Keep one of them.", code="bad_fallback")


def _faults(node: Node, name: str, what: str, known: _Known) -> Iterator[tuple[str, str]]:
    """What is wrong with a node that another names as its compensation or fallback, and the way out."""
    kept = known.nodes.get(name)
    if kept is None:
        yield f"The {what} of {node.id} is {name!r}, and there is no such node.{near_names(name, known.nodes)}", ""
        return
    if name == node.id:
        yield f"{node.id} is its own {what}.", "Name another node."
        return
    if name in known.used:
        yield (
            f"{name} is the {what} of {node.id}, and is kept for {known.used[name]} already: a node runs once.",
            "Define one for each; they may call the same function.",
        )
    if node.parent is not None or kept.parent is not None:
        inside = node if node.parent is not None else kept
        yield (
            f"{inside.id} is inside {inside.parent}, where no node has a {what} or is one.",
            f"Give {inside.parent} a {what} for all of its rounds, or undo in the node itself.",
        )
    if name in known.leaving:
        edge = known.leaving[name]
        yield (
            f"{name} is the {what} of {node.id}, and an edge leads from it to {edge.target}: nothing would start that.",
            "Take the edge out: what it gives is for nobody else.",
        )
    if kept.compensation or (what == "compensation" and kept.on_error is OnError.COMPENSATE):
        yield f"{name} is the {what} of {node.id}, and would itself be undone.", "Keep one of them."


def _check_scope(node: Node, number: int, nodes: Mapping[str, Node]) -> Iterator[Problem]:
    named = node.config.get("nodes")
    for place, name in enumerate(named if isinstance(named, list) else ()):
        if isinstance(name, str) and name not in nodes:
            yield Problem(
                f"{node.id} handles failures of {name!r}, and there is no such node.{near_names(name, nodes)}",
                node=node.id,
                place=f"nodes[{number}].config.nodes[{place}]",
                code="unknown_node",
            )


def _check_strategies(handlers: Sequence[ErrorHandler], owner: str, place: str, node: Node | None) -> Iterator[Problem]:
    """The strategies of a node, or of the workflow where `node` is None."""
    node_id = node.id if node is not None else None
    decided: set[str] = set()
    for number, each in enumerate(handlers):
        here = f"{place}[{number}]"
        if (near := unknown_error(each.error)) is not None:
            message = f"{owner} says what is done about {each.error!r}, which is no class of errors and no exception."
            yield Problem(message, node=node_id, place=f"{here}.error", hint=near, code="unknown_error")
        for message, hint in _conflicts(each, owner, decided):
            yield Problem(message, node=node_id, place=f"{here}.strategy", hint=hint, code="strategy_conflict")
        if each.strategy != Strategy.RETRY:
            decided.add(each.error)
            amounts = [name for name in ("attempts", "delay") if getattr(each, name) is not None]
            if amounts:
                yield Problem(
                    f"{owner}: {' and '.join(amounts)} of the strategy for {each.error} mean nothing: it is "
                    f"{str(each.strategy)!r}, and only 'retry' repeats.",
                    severity=Severity.WARNING,
                    node=node_id,
                    place=f"{here}.{amounts[0]}",
                    code="strategy_conflict",
                )
        if node is not None and each.target is not None:
            message = f"{owner}: only a workflow's handler starts a node; that for {each.error} names {each.target}."
            hint = "Use an error_handler node, or the error port."
            yield Problem(message, node=node_id, place=f"{here}.target", hint=hint, code="strategy_conflict")


def _conflicts(each: ErrorHandler, owner: str, decided: set[str]) -> Iterator[tuple[str, str]]:
    if each.strategy == Strategy.RETRY and each.error == ErrorClass.VALIDATION:
        yield f"{owner} repeats after validation errors, which never get better.", "Take it out, or use 'fail'."
    if each.error in decided or "any" in decided:
        yield (
            f"{owner}: what is said about {each.error} never counts, because an earlier entry decides it already.",
            "Put 'retry' first and single errors before 'any', or take one of them out.",
        )
