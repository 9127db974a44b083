"""What runs when a node runs: its function or its type, and all that could be decided before."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from flownb.graph.references import mentions, references_of
from flownb.model.status import OnCrash, Where
from flownb.run.mapping import OutputMapping
from flownb.run.where import loop, thread
from flownb.services.secrets import has_reference

if TYPE_CHECKING:  # a struct's hints are read by coders only
    from collections.abc import Callable  # noqa: TC004  as above

    from flownb.graph.nodetype import NodeType  # noqa: TC004  as above
    from flownb.graph.schemas.crossing import Crossing  # noqa: TC004  as above
    from flownb.model.bodies import Brought  # noqa: TC004  as above
    from flownb.model.workflow import Node  # noqa: TC004  as above
    from flownb.run.attempt import Attempt  # noqa: TC004  as above
    from flownb.run.mapping import InputMapping  # noqa: TC004  as above


# A struct, as each round of a loop has one for every node inside it: it is copied in a twentieth of the time.


class Body(msgspec.Struct, eq=False):
    """What runs when a node runs; `call` is the function of a node that has one."""

    number: int
    node: Node
    path: str
    type: type[NodeType]  # noqa: A003  the word of the definition
    on_crash: OnCrash
    call: Callable[..., Any] | None
    #: Whether what the function returns is the node's output as it is.
    plain: bool
    #: The same, and nobody looks at it before it is kept.
    as_is: bool
    takes_ctx: bool
    #: What the function takes, where other inputs of the node are not for it.
    parameters: frozenset[str]
    #: Whether its config names secrets.
    refers: bool
    #: Whether it may read variables: its expressions name them, or it gets a `ctx`.
    reads_variables: bool
    is_timed: bool
    #: Whether its expressions may name the link to the run.
    names_link: bool
    #: Calls the body where it runs: decided once, not for every attempt.
    start: Callable[[Attempt], None]
    #: Which variables its output becomes; None as a rule.
    maps_output: OutputMapping | None
    #: What its inputs are made of; None as a rule.
    mapping: InputMapping | None = None
    #: Parameters that are inputs of the run, not edges.
    from_inputs: tuple[str, ...] = ()
    #: Parameters with the number of the node that each gets its value from, where that is all there is to it.
    sources: tuple[tuple[str, int], ...] | None = None
    #: What is done with values that come in at some parameters: converted, looked at; None as a rule.
    crossings: dict[str, Crossing] | None = None
    #: The same for what goes out, by port.
    leaving: dict[str, Crossing] | None = None
    #: Parameters that are the item or the number of the round, inside a loop.
    from_round: tuple[str, ...] = ()
    #: The same for those that an edge from the loop leads to.
    brought: tuple[Brought, ...] = ()

    def instance(self, number: int, path: str) -> Body:
        """The same for an instance of the node in a round of its loop."""
        body = copy.copy(self)
        body.number, body.path = number, path
        return body


def body_of(
    number: int, node: Node, cls: type[NodeType], function: Callable[..., Any] | None, *, plain: bool = False
) -> Body:
    """The body of a node, without what its edges make of it.

    Args:
        number: the node's.
        node: the node.
        cls: its type.
        function: what it calls, where it has a function.
        plain: whether what the function returns is the output, whatever the type.
    """
    plain = plain or node.type == "python"
    takes_ctx = function is not None and cls.takes_context(node.config)
    return Body(
        number=number,
        node=node,
        path=node.id,
        type=cls,
        on_crash=node.on_crash or cls.on_crash,
        call=function,
        plain=plain,
        as_is=plain and not node.output_schema,
        takes_ctx=takes_ctx,
        parameters=frozenset(node.config.get("params", ())) if function is not None else frozenset(),
        refers=function is None and not cls.passes_references and has_reference(node.config),
        reads_variables=takes_ctx if function is not None else reads_variables(node, cls),
        is_timed=bool(node.timeout or node.heartbeat),
        names_link=function is None and mentions(node.config, "resume_url"),
        start=place_of(node, cls, function),
        maps_output=OutputMapping(node) if node.output_mapping else None,
    )


def place_of(node: Node, cls: type[NodeType], function: Callable[..., Any] | None) -> Callable[[Attempt], None]:
    """What starts the body of a node: on the loop if it is async, a plain function where the node says."""
    where = node.where or cls.where_of(node)
    if inspect.isfunction(function) and function.__code__.co_flags & inspect.CO_COROUTINE and is_bare(node):
        return loop.start_function
    if function is None or inspect.iscoroutinefunction(function) or where is Where.LOOP:
        return loop.start
    if where is Where.MAIN:
        from flownb.run.where import main  # few flows need it

        return main.start
    if where is Where.PROCESS:
        from flownb.run.where import process  # few flows need it, and it takes a while to import

        return process.start
    return thread.start


def is_bare(node: Node) -> bool:
    """Whether what a node's function returns is its output, and nobody looks at it."""
    return node.type == "python" and not node.output_schema


def reads_variables(node: Node, cls: type[NodeType] | None) -> bool:
    """Whether a node may read variables; of a type that isn't ours nobody knows."""
    if "function" in node.config and cls is not None and cls.takes_context(node.config):
        return True
    if cls is None or not cls.__module__.startswith("flownb."):
        return True
    return "variables" in references_of(node, cls).names
