"""The definitions of a flow as they come in, one after another, and the workflow that they come to.

Names are resolved when the flow is built, so the order of definition doesn't matter.
"""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import NotFound, UsageError, near_names
from flownb.graph.hints import type_of
from flownb.graph.refs import NodeRef, PortRef, Source, sources
from flownb.graph.registry import registry as shared_registry
from flownb.graph.spec import NodeOptions, Origin, Spec, node_record, record_of
from flownb.graph.validate import validate
from flownb.graph.wiring import Link, Wired, wire
from flownb.ids import slug
from flownb.model.ports import ERROR, ConnectionType, DataType
from flownb.model.problem import Problem
from flownb.model.scopes import LOOP, PARALLEL, branch_names
from flownb.model.workflow import ErrorHandler, Node, Settings, Variable, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from flownb.graph.function import Signature
    from flownb.graph.registry import Registry


class DefinitionWarning(UserWarning):
    """A node was replaced by one of the same id from another cell."""


class Definitions:
    """Nodes by id, wires and inputs, until they are asked what they come to.

    The newest definition of a node wins where it comes from a later execution than the older one; two in one execution
    of a cell, or in a module, are a problem. The wires that a cell drew go when the cell is executed again.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        registry: Registry | None = None,
        settings: Settings | Mapping[str, Any] | None = None,
        origin: Callable[[], Origin | None] = lambda: None,
    ) -> None:
        """Begin a flow.

        Args:
            name: what people read.
            description: what it is for.
            registry: the node types; the shared ones by default.
            settings: settings of every run.
            origin: says which execution of which cell is going on, None outside of a notebook.
        """
        self.name = name
        self.description = description
        self.registry = registry or shared_registry
        self.settings = record_of(Settings, name, "settings", settings) or Settings()
        #: Says which execution of which cell is going on; None outside of a notebook.
        self.origin = origin
        #: The newest execution of each cell that defined something here.
        self._executions: dict[str, Origin] = {}
        self._specs: dict[str, Spec] = {}
        self._links: list[tuple[Origin | None, Link]] = []
        self._variables: dict[str, Variable] = {}
        #: What is done about classes of errors in the whole flow, by the error and whether it is another attempt.
        self._handlers: dict[tuple[str, bool], ErrorHandler] = {}
        #: Of the ids that were defined twice at one place.
        self._clashes: dict[str, Problem] = {}
        #: The loops, and the branches of parallels, whose bodies are being defined, the innermost last.
        self._around: list[Source] = []
        # What it comes to, until the next change.
        self._wired: Wired | None = None
        self._built: Workflow | None = None
        self._checked: list[Problem] | None = None

    # --- what comes in ------------------------------------------------------------------------------------------------

    def define(
        self,
        type_: str,
        name: str,
        config: dict[str, Any],
        options: NodeOptions,
        function: tuple[Callable[..., Any], Signature] | None = None,
        *,
        flow: Any = None,
    ) -> NodeRef:
        """Add a node, or replace the one of that id.

        Args:
            type_: the id of its type.
            name: its id, or a text that one is made from and that becomes its name.
            config: plain data.
            options: what every node takes.
            function: the function that the node calls, with what it says about itself.
            flow: the flow that it runs.

        Raises:
            UsageError: an option is unknown or has no such value; nothing was added.
        """
        node_id = slug(name)
        plain, signature = function or (None, None)
        around = self._parent(node_id, options.get("parent"))
        node = Node(
            id=node_id,
            type=type_,
            name=options.get("name") or (name if name != node_id else ""),
            config=config,
            notes=options.get("notes") or (signature.help if signature else ""),
            parent=around.node if around else None,
            **node_record(node_id, options),
        )
        inputs = {
            port: tuple(sources(given, self, f"{node_id}: inputs[{port!r}]"))
            for port, given in (options.get("inputs") or {}).items()
        }
        after = tuple(sources(options.get("after"), self, f"{node_id}: after"))
        branch = around if around and around.port else None
        spec = Spec(node, after, inputs, signature, plain, self._enter(), branch, flow)
        if old := self._specs.get(node_id):
            self._replace(old, spec)
        self._specs[node_id] = spec
        return NodeRef(self, node_id, plain)

    def open_body(self, owner: str, branch: str | None = None) -> None:
        """What is defined from here on lies inside a loop, or in a branch of a parallel.

        Raises:
            UsageError: the node is no loop, and the port no branch.
        """
        spec = self._specs.get(owner)
        kind = spec.node.type if spec else ""
        if branch is None and kind == PARALLEL:
            names = " or ".join(f"{owner}.{name}" for name in branch_names(spec.node)) if spec else ""
            raise UsageError(f"{owner} is a parallel: `with` takes one of its branches, {names}.")
        if branch is None and kind != LOOP:
            raise UsageError(f"{owner} is no loop: `with` takes what `flow.loop(…)` gives.")
        if branch is not None and not (spec and kind == PARALLEL and branch in branch_names(spec.node)):
            raise UsageError(f"{owner}.{branch} is no branch: `with` takes a loop, or a branch of a parallel.")
        self._around.append(Source(owner, branch))

    def close_body(self) -> None:
        """What is defined from here on lies outside the innermost loop or branch."""
        self._around.pop()

    def _parent(self, node_id: str, given: NodeRef | PortRef | str | None) -> Source | None:
        if given is None:
            return self._around[-1] if self._around else None
        (source,) = sources(given, self, f"{node_id}: parent")
        return source

    def edge(
        self,
        source: NodeRef | PortRef | str,
        target: NodeRef | str,
        *,
        port: str | None = None,
        source_port: str | None = None,
        target_port: str | None = None,
        condition: str | None = None,
        type: str | ConnectionType = ConnectionType.MAIN,  # noqa: A002  the word of the definition
    ) -> None:
        """Wire two nodes.

        Args:
            source: the node, or its port.
            target: the node, or `"node.port"`.
            port: the source's port, where `source` doesn't say it.
            source_port: another word for `port`.
            target_port: a parameter or port, or `after` for order alone; where none is given, as by `>>`.
            condition: an expression over the source's output; the edge is dead where it is false.
            type: one of the types of connection.
        """
        (leaves,) = sources(source, self, f"the source of an edge to {target}")
        (ends,) = sources(target, self, f"the target of an edge from {leaves}")
        chosen = source_port or port
        if chosen and leaves.port not in (None, chosen):
            raise UsageError(f"The edge from {leaves} to {ends} has two source ports: {leaves.port!r} and {chosen!r}.")
        try:
            kind = ConnectionType(type)
        except ValueError:
            near = near_names(str(type), list(ConnectionType))
            raise UsageError(f"There is no type of connection {type!r}.{near}") from None
        leaves = Source(leaves.node, chosen or leaves.port)
        self._add(Link(leaves, ends.node, target_port or ends.port, condition, kind))

    def link(self, source: Source, target: str) -> None:
        """What `>>` does: an edge whose end is found by the target's ports."""
        self._add(Link(source, target))

    def variable(
        self,
        name: str,
        *,
        type: Any = DataType.ANY,  # noqa: A002  the word of the definition
        default: Any = msgspec.UNSET,
        secret: bool = False,
        description: str = "",
    ) -> None:
        """Declare an input that only expressions use, or say more about one than a parameter can.

        Args:
            name: its name.
            type: the name of a port type, or a Python type.
            default: plain data; without it every run must give a value.
            secret: its value is a reference, never the secret.
            description: for people.
        """
        named = isinstance(type, str) and type in list(DataType)
        self._enter()
        self._variables[name] = Variable(
            name=name,
            type=str(type) if named else type_of(type).value,
            default=default,
            secret=secret,
            description=description,
        )

    def remove(self, node: NodeRef | str) -> None:
        """Take a node out, with the edges that were drawn to and from it.

        Raises:
            NotFound: there is no such node.
        """
        node_id = node.id if isinstance(node, NodeRef) else slug(node)
        if self._specs.pop(node_id, None) is None:
            raise NotFound(f"{self.name} has no node {node_id!r}.{near_names(node_id, self._specs)}")
        self._clashes.pop(node_id, None)
        self._links = [each for each in self._links if node_id not in (each[1].source.node, each[1].target)]
        self._changed()

    # --- what it comes to ---------------------------------------------------------------------------------------------

    def build(self) -> Workflow:
        """The definition; the same object until the flow changes."""
        if self._built is None:
            wired = self._wiring()
            self._built = Workflow(
                id=slug(self.name),
                name=self.name,
                description=self.description,
                variables=wired.variables,
                nodes=tuple(spec.node for spec in self._specs.values()),
                edges=wired.edges,
                error_handlers=tuple(self._handlers.values()),
                settings=self.settings,
            )
        return self._built

    def problems(self) -> list[Problem]:
        """What is wrong and can't be seen in the definition: ids that clash, inputs that disagree."""
        return [*self._clashes.values(), *self._wiring().problems]

    def validate(self) -> list[Problem]:
        """Everything that is wrong, at once: what the definition shows, and what was lost on the way to it."""
        if self._checked is None:
            self._checked = self.problems() + validate(self.build(), self.registry)
        return list(self._checked)

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The function of each node that has one, by id."""
        return {name: spec.function for name, spec in self._specs.items() if spec.function is not None}

    @property
    def flows(self) -> dict[str, Any]:
        """The flow of each subflow that was given one, by id."""
        return {name: spec.flow for name, spec in self._specs.items() if spec.flow is not None}

    @property
    def defaults(self) -> dict[str, Any]:
        """The live default of each input that has one; the definition shows them in plain form.

        An input whose functions differ in it, as `lambda i=i: …` in a loop does, is absent: each uses its own.
        """
        return dict(self._wiring().defaults)

    def output_names(self, node_id: str) -> list[str] | None:
        """The ports that a node may fire; None where they can't be known."""
        spec = self._specs.get(node_id)
        if spec is None or spec.node.type not in self.registry:
            return None
        ports = self.registry.get(spec.node.type).ports_of(spec.node)
        return [*(port.name for port in ports.outputs), ERROR]

    def __getitem__(self, node_id: str) -> NodeRef:
        """The node of that id or name.

        Raises:
            NotFound: there is none.
        """
        spec = self._specs.get(slug(node_id))
        if spec is None:
            raise NotFound(f"{self.name} has no node {node_id!r}.{near_names(node_id, self._specs)}")
        return NodeRef(self, spec.node.id, spec.function)

    def __contains__(self, node_id: object) -> bool:
        return isinstance(node_id, str) and slug(node_id) in self._specs

    # --- inside -------------------------------------------------------------------------------------------------------

    def _enter(self) -> Origin | None:
        """Something is defined now: forget what was built, and the wires of earlier executions of this cell."""
        self._changed()
        now = self.origin()
        if now is not None and self._executions.get(now.cell) != now:
            self._executions[now.cell] = now
            self._links = [each for each in self._links if each[0] is None or each[0].cell != now.cell]
        return now

    def _add(self, link: Link) -> None:
        now = self._enter()  # first, because it may put another list in the place of this one
        self._links.append((now, link))

    def _replace(self, old: Spec, new: Spec) -> None:
        """Say what is to be said when an id is defined again."""
        node_id = new.node.id
        if old.origin == new.origin:
            places = " and ".join(filter(None, dict.fromkeys((old.place, new.place))))
            where = f"in one execution of {new.origin}" if new.origin else "in one program"
            self._clashes[node_id] = Problem(
                f"Two nodes have the id {node_id!r}, {where}{f' ({places})' if places else ''}.",
                node=node_id,
                hint="Rename one, or give it another id.",
                code="duplicate_id",
            )
            return
        self._clashes.pop(node_id, None)
        if old.origin is None or new.origin is None or old.origin.cell != new.origin.cell:
            warnings.warn(
                f"The node {node_id!r} of {old.origin or 'a module'} is replaced by the one of "
                f"{new.origin or 'a module'}. If both are wanted, rename one.",
                DefinitionWarning,
                stacklevel=_first_outside(inspect.currentframe()),
            )

    def _wiring(self) -> Wired:
        if self._wired is None:
            links = [link for _, link in self._links]
            self._wired = wire(list(self._specs.values()), links, self._variables, self.registry)
        return self._wired

    def _changed(self) -> None:
        self._wired = self._built = self._checked = None


def _first_outside(frame: FrameType | None) -> int:
    """The stack level, as `warnings.warn` counts from `frame`, of the first code that isn't flownb's."""
    level = 1
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("flownb."):
        frame, level = frame.f_back, level + 1
    return level if frame is not None else 1
