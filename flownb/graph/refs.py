"""What the builder hands out: a reference to a node, and one to a port of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar

from flownb.errors import UsageError, near_names
from flownb.ids import slug
from flownb.model.ports import ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.graph.definitions import Definitions

Target = TypeVar("Target", bound="NodeRef | list[NodeRef] | tuple[NodeRef, ...]")


class Source(NamedTuple):
    """Where an edge leaves: a node by id, and one of its ports or None for the node as a whole."""

    node: str
    port: str | None = None

    def __str__(self) -> str:
        return f"{self.node}.{self.port}" if self.port else self.node


class PortRef:
    """A port of a node, as `ok.approved`: for `after=`, for `inputs=`, and on the left of `>>`.

    `with offers.north:` defines the nodes of a parallel's branch.
    """

    __slots__ = ("builder", "node", "port")

    def __init__(self, builder: Definitions, node: str, port: str) -> None:
        self.builder = builder
        self.node = node
        self.port = port

    def __enter__(self) -> Self:
        """What is defined from here on lies in this branch of a parallel.

        Raises:
            UsageError: it is the port of something else.
        """
        self.builder.open_body(self.node, self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self.builder.close_body()

    def __rshift__(self, target: Target) -> Target:
        """Wire this port to a node, or to several; gives back what is on the right."""
        return link([self], target)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PortRef):
            return NotImplemented
        return self.builder is other.builder and (self.node, self.port) == (other.node, other.port)

    def __hash__(self) -> int:
        return hash((id(self.builder), self.node, self.port))

    def __repr__(self) -> str:
        return f"<port {self.node}.{self.port}>"


class NodeRef:
    """A node of a flow. Calling it calls the plain function; `.<port>` is a port; `a >> b` wires.

    A port whose name is one of this class's own attributes is `.port(name)`.
    """

    builder: Definitions
    #: The id of the node.
    id: str
    #: The plain function, or None for a node that is none.
    function: Callable[..., Any] | None
    #: There where there is a function, as `functools.wraps` leaves it.
    __wrapped__: Callable[..., Any]
    __name__: str

    def __init__(self, builder: Definitions, node_id: str, function: Callable[..., Any] | None = None) -> None:
        self.__name__ = node_id
        if function is not None:
            functools.update_wrapper(self, function, updated=())
        self.builder = builder
        self.id = node_id
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the plain function, outside of any run."""
        if self.function is None:
            raise TypeError(f"{self.id} can't be called: it is a node without a function.")
        return self.function(*args, **kwargs)

    def __enter__(self) -> Self:
        """What is defined from here on lies inside this loop, or between the branches of this parallel.

        Raises:
            UsageError: the node is neither.
        """
        self.builder.open_body(self.id)
        return self

    def __exit__(self, *_: object) -> None:
        self.builder.close_body()

    def port(self, name: str) -> PortRef:
        """A port by name.

        Raises:
            AttributeError: the node has no such port; the message lists near names.
        """
        known = self.builder.output_names(self.id)
        if known is not None and name not in known:
            raise AttributeError(f"{self.id} has no port {name!r}.{near_names(name, known)}")
        return PortRef(self.builder, self.id, name)

    def __getattr__(self, name: str) -> PortRef:
        if name.startswith("_") or "builder" not in self.__dict__:  # asked for by copy, pickle or IPython
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        return self.port(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(self.builder.output_names(self.id) or ()), ERROR})

    def __rshift__(self, target: Target) -> Target:
        """Wire this node to another, or to several; gives back what is on the right."""
        return link([self], target)

    def __rrshift__(self, sources: object) -> NodeRef:
        """Wire several nodes to this one: `[a, b] >> c`."""
        return link(sources, self) if isinstance(sources, list | tuple) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeRef):
            return NotImplemented
        return self.builder is other.builder and self.id == other.id

    def __hash__(self) -> int:
        return hash((id(self.builder), self.id))

    def __repr__(self) -> str:
        return f"<node {self.id} of the flow {self.builder.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process goes the plain function: it is all that code there can use."""
        if self.function is None:
            raise TypeError(f"{self!r} can't be pickled: a node means something in its own flow only.")
        return _same, (self.function,)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


#: What names a source: a reference, an id as `"big"` or `"big.true"`, or a nested list of them.
Sources: TypeAlias = "NodeRef | PortRef | str | list[Any] | tuple[Any, ...] | None"


def sources(given: object, builder: Definitions, what: str) -> Iterator[Source]:
    """Each source in what was given to `after=` or `inputs=`, however nested.

    Args:
        given: references, ids and lists of them; None is nothing.
        builder: whose nodes they must be.
        what: the name of the argument and its node, for messages.

    Raises:
        UsageError: something else is among them, or a node of another flow.
    """
    stack = [given]
    while stack:
        each = stack.pop()
        match each:
            case None:
                continue
            case NodeRef() | PortRef():
                if each.builder is not builder:
                    raise UsageError(
                        f"{what}: {each!r} belongs to the flow {each.builder.name!r}; it can't be wired in "
                        f"{builder.name!r}."
                    )
                yield Source(each.id) if isinstance(each, NodeRef) else Source(each.node, each.port)
            case str():
                yield parse_source(each)
            case list() | tuple():
                stack.extend(reversed(list(each)))
            case _:
                raise UsageError(f"{what} takes nodes, ports, ids and lists of them, and not {each!r:.80}.")


def parse_source(text: str) -> Source:
    """`big` or `big.true`, where the node may also go by its name."""
    head, dot, tail = text.rpartition(".")
    return Source(slug(head), tail) if dot and tail.isidentifier() else Source(slug(text))


def link(given: list[Any] | tuple[Any, ...], target: Target) -> Target:
    """Wire each of the sources to each of the targets; gives the targets back."""
    targets = target if isinstance(target, list | tuple) else [target]
    for each in targets:
        if not isinstance(each, NodeRef):
            return NotImplemented
        for source in sources(list(given), each.builder, f"{each.id} on the right of >>"):
            each.builder.link(source, each.id)
    return target
