"""Whether a node can run where it says, and whether what it may use there can be held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.problem import Problem
from flownb.model.status import Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.nodetype import NodeType
    from flownb.model.workflow import Node, Settings

#: Less than this an interpreter that does nothing needs itself, in megabytes.
LEAST_MEMORY: Final = 32
_SINGLE: Final = 1


def check_place(node: Node, cls: type[NodeType]) -> Iterator[Problem]:
    """The problems of `where` and of the limits that depend on it."""
    where = node.where
    if where in (Where.PROCESS, Where.MAIN) and cls.where_of(node) is Where.LOOP:
        what = "it is async" if node.config.get("async") else f"nodes of the type {node.type!r} have none"
        yield Problem(
            f"{node.id} can't run in where={str(where)!r}: only a plain function can, and {what}.",
            node=node.id,
            place="where",
            hint="Write it with `def`, or leave `where` away: async code runs on the engine's loop.",
            code="bad_place",
        )
    limits = node.limits
    if limits is None:
        return
    if isinstance(limits.memory_mb, int) and 0 < limits.memory_mb < LEAST_MEMORY:
        yield Problem(
            f"limits.memory_mb of {node.id} is {limits.memory_mb}, and an interpreter alone needs {LEAST_MEMORY} MB.",
            node=node.id,
            place="limits.memory_mb",
            code="bad_policy",
        )
    where = where or cls.where_of(node)
    for place, amount in (("memory_mb", limits.memory_mb), ("cpu_seconds", limits.cpu_seconds)):
        if amount is not None and where is not Where.PROCESS:
            yield Problem(
                f"limits.{place} of {node.id} would hold nothing: only a node in a process of its own can be limited.",
                node=node.id,
                place=f"limits.{place}",
                hint="Add where='process'.",
                code="limit_without_process",
            )


def check_resources(node: Node, settings: Settings, *, is_loop: bool) -> Iterator[Problem]:
    """A node that takes more of a resource than there is can never start, nor can those inside a loop that keeps it."""
    if is_loop and node.limits is not None and node.limits.resources:
        yield Problem(
            f"{node.id} would keep its resources as long as the nodes inside it run, and they might wait for them.",
            node=node.id,
            place="limits.resources",
            hint="Give the limits to the nodes inside that need them.",
            code="loop_takes_resources",
        )
    for name, amount in node.limits.resources.items() if node.limits is not None else ():
        there = settings.resources.get(name, amount if name == "process" else _SINGLE)
        if isinstance(amount, int) and isinstance(there, int) and amount > there:
            yield Problem(
                f"{node.id} takes {amount} of the resource {name!r}, and there is {there}: it can never start.",
                node=node.id,
                place=f"limits.resources.{name}",
                hint=f"Raise the capacity, Settings(resources={{{name!r}: {amount}}}), or take less.",
                code="too_much_of_a_resource",
            )
