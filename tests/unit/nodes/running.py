"""A node run as the engine would run it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flownb.graph.registry import registry
from flownb.model.workflow import Node
from flownb.nodes.prepare import prepare
from flownb.testing import FakeContext, check_node

if TYPE_CHECKING:
    from flownb.model.problem import Problem


def run(type_: str, config: dict[str, Any], value: Any, ctx: FakeContext | None = None, /, **inputs: Any) -> Any:
    """What the node gives when `value` comes in at `main`."""
    return run_with(type_, config, ctx, main=[value], **inputs)


def run_with(type_: str, config: dict[str, Any], ctx: FakeContext | None = None, /, **inputs: Any) -> Any:
    """What the node gives for these inputs."""
    context = ctx or FakeContext()
    node = Node(id="node", type=type_, config=config)
    return asyncio.run(prepare(registry.get(type_), node, context, inputs).execute(context, inputs))


def checked(type_: str, config: dict[str, Any], value: Any, **inputs: Any) -> Any:
    """The same, held against the contract of node types."""
    return check_node(registry.get(type_), config=config, inputs={"main": [value], **inputs})


def problems(type_: str, config: dict[str, Any]) -> list[Problem]:
    """What is wrong with a config."""
    return registry.get(type_).check(Node(id="node", type=type_, config=config))


def said(type_: str, config: dict[str, Any]) -> list[str]:
    """The same in words."""
    return [problem.message for problem in problems(type_, config)]


def leaving(found: Any, port: str) -> Any:
    """What leaves by a port."""
    return found.values[port]
