"""Which node types there are: a table of names, so that a family is imported when a flow first uses it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from flownb.errors import EnvironmentFault, FlownbError, MissingExtra, NotFound, UsageError, near_names
from flownb.graph.aliases import EXTRAS, NAMED, canonical_type
from flownb.graph.nodetype import NodeType
from flownb.graph.references import references_of, with_expression_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint

    from flownb.model.ports import NodePorts
    from flownb.model.status import Category
    from flownb.model.workflow import Node, Workflow

#: The types that ship: where each class lies, as `module:class`.
BUILT_IN: Final[dict[str, str]] = {
    "python": "flownb.nodes.python:PythonNode",
    "control.start": "flownb.nodes.control:Start",
    "control.output": "flownb.nodes.control:OutputNode",
    "control.condition": "flownb.nodes.control:Condition",
    "control.delay": "flownb.nodes.control:Delay",
    "control.loop": "flownb.nodes.loop:Loop",
    "control.parallel": "flownb.nodes.parallel:Parallel",
    "control.merge": "flownb.nodes.merge:Merge",
    "control.wait_for_event": "flownb.nodes.waiting:WaitForEvent",
    "control.set_variable": "flownb.nodes.steering:SetVariable",
    "control.stop": "flownb.nodes.steering:Stop",
    "control.error_handler": "flownb.nodes.errors:ErrorHandler",
    "control.compensate": "flownb.nodes.errors:Compensate",
    "control.switch": "flownb.nodes.choice:Switch",
    "control.transform": "flownb.nodes.transform:Transform",
    "control.filter": "flownb.nodes.pick:Filter",
    "control.sort": "flownb.nodes.pick:Sort",
    "control.dedupe": "flownb.nodes.pick:Dedupe",
    "control.limit": "flownb.nodes.pick:Limit",
    "control.split": "flownb.nodes.split:Split",
    "control.aggregate": "flownb.nodes.aggregate:Aggregate",
    "control.assert": "flownb.nodes.gate:Assert",
    "code.run": "flownb.nodes.code:RunCode",
    "human.approval": "flownb.nodes.human:Approval",
    "human.input": "flownb.nodes.human:InputNode",
    "human.decision": "flownb.nodes.human:Decision",
    "human.review": "flownb.nodes.human:Review",
    "trigger.error": "flownb.nodes.trigger:ErrorTrigger",
    "trigger.status": "flownb.nodes.trigger:StatusTrigger",
    "files.read": "flownb.nodes.files:Read",
    "files.write": "flownb.nodes.files:Write",
    # These live above this layer: a name and no import, so that a clone on the path knows it without being installed.
    "notebook.run": "flownb.notebook.node:NotebookNode",
    "control.subflow": "flownb.notebook.subflow:Subflow",
}

#: Packages name their types in this entry point group: `"family.name" = "module:class"`.
GROUP: Final = "flownb.nodes"


class Registry:
    """The node types by name. `registry` is the one that everybody shares; tests and plug-ins may make their own."""

    def __init__(self, table: Mapping[str, str] = BUILT_IN, *, group: str = GROUP) -> None:
        """Know the types of a table, and those that installed packages name.

        Args:
            table: `module:class` by type id.
            group: the entry point group to look into; empty for none.
        """
        self._table = dict(table)
        self._group = group
        self._classes: dict[str, type[NodeType]] = {}
        self._found: dict[str, EntryPoint] | None = None

    def register(self, cls: type[NodeType]) -> type[NodeType]:
        """Add a type, or replace an earlier one of the same name that was registered; usable as a decorator.

        Raises:
            UsageError: it is no node type, has no name, or takes the name of one that ships.
        """
        if not (isinstance(cls, type) and issubclass(cls, NodeType)):
            raise UsageError(f"{cls!r} is no node type: derive a class from flownb.graph.nodetype.NodeType.")
        name = getattr(cls, "type", None)
        if not isinstance(name, str) or not name:
            raise UsageError(f"{cls.__qualname__} has no type id: set `type = 'family.name'` in the class.")
        if name in self._table:
            raise UsageError(
                f"{cls.__qualname__} can't take the name {name!r}: a node type that ships has it. Choose another one."
            )
        self._classes[name] = cls
        return cls

    def get(self, name: str) -> type[NodeType]:
        """The class of a type, imported now if nobody used it before; other names for it are understood.

        Raises:
            NotFound: no such type; the message lists near names.
            MissingExtra: the type needs a package that is not installed.
            EnvironmentFault: its module can't be imported.
        """
        known = self._classes.get(name)
        return known if known is not None else self._load(name)

    def names(self) -> list[str]:
        """Every type id there is, sorted; nothing is imported."""
        return sorted({*self._table, *self._classes, *self._entry_points()})

    def __contains__(self, name: object) -> bool:
        """Whether there is such a type, under this name or another; nothing is imported."""
        return isinstance(name, str) and self.name_of(name) is not None

    def ports_of(self, node: Node) -> NodePorts:
        """The ports of one node: its type's, those its config makes, and one for each name in its expressions.

        Raises:
            NotFound: its type is unknown.
        """
        cls = self.get(node.type)
        used = references_of(node, cls)
        return with_expression_ports(cls.ports_of(node), used, in_body=node.parent is not None)

    def ports(self, workflow: Workflow) -> dict[str, NodePorts]:
        """The ports of all nodes by id, as `Topology` wants them; a node of unknown type is left out."""
        found = {}
        for node in workflow.nodes:
            try:
                found[node.id] = self.ports_of(node)
            except FlownbError:
                continue
        return found

    def categories(self, workflow: Workflow) -> dict[str, Category]:
        """The category of each node by id, for palettes and pictures; a node of unknown type is left out."""
        found = {}
        for node in workflow.nodes:
            try:
                found[node.id] = self.get(node.type).category
            except FlownbError:
                continue
        return found

    def name_of(self, name: str) -> str | None:
        """The id under which a type is known here, which may go by another name; None where it is unknown."""
        for each in (name, canonical_type(name)):
            if each in self._classes or each in self._table or each in self._entry_points():
                return each
        return None

    def _load(self, asked: str) -> type[NodeType]:
        name = self.name_of(asked)
        if name is None:
            raise NotFound(self._unknown(asked), name=asked)
        if name in self._classes:
            return self._classes[name]
        place = self._table.get(name)
        if place is not None:
            cls = _import(name, place, lambda: _attribute(place))
        else:
            entry = self._entry_points()[name]
            cls = _import(name, entry.value, entry.load)
        self._classes[name] = cls
        return cls

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {}
            if self._group:
                from importlib.metadata import entry_points

                self._found = {each.name: each for each in entry_points(group=self._group)}
        return self._found

    def _unknown(self, name: str) -> str:
        canonical = canonical_type(name)
        if canonical in NAMED:
            also = f" (that is {canonical!r})" if canonical != name else ""
            return f"This version of flownb does not have the node type {name!r}{also} yet."
        return f"There is no node type {name!r}.{near_names(name, self.names())}"


def _attribute(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _import(name: str, place: str, load: Callable[[], object]) -> type[NodeType]:
    try:
        cls = load()
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(name.partition(".")[0])
        way_out = f"pip install 'flownb[{extra}]'" if extra else f"install the package that has {error.name!r}"
        raise MissingExtra(
            f"The node type {name!r} needs the module {error.name!r}, which is not installed: {way_out}.", name=name
        ) from error
    except Exception as error:
        raise EnvironmentFault(
            f"The node type {name!r} can't be loaded from {place}: {type(error).__name__}: {error}", name=name
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, NodeType)):
        raise EnvironmentFault(f"{place} should be the node type {name!r}, but it is {cls!r:.80}.", name=name)
    if cls.type != name:
        raise EnvironmentFault(f"{place} is listed as the node type {name!r} but calls itself {cls.type!r}.", name=name)
    return cls


#: The node types that everybody shares.
registry: Final = Registry()
