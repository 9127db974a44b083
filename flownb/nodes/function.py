"""The base of node types whose body may be a plain function."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.errors import NotFound, UsageError, near_names
from flownb.graph.function import CONTEXT, FIELDS, function_ports
from flownb.graph.nodetype import NodeType
from flownb.graph.refs import NodeRef
from flownb.model.ports import DataType
from flownb.model.problem import Problem
from flownb.model.status import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from flownb.graph.nodetype import Context
    from flownb.model.ports import NodePorts
    from flownb.model.workflow import Node


class FunctionNode(NodeType):
    """A node type whose body is a function, when its config has the field `function`.

    The engine sets `function` where it has the function at hand (`Builder.functions`); else it is imported by its
    address. It runs `call` where the node says, awaits the outcome if that is awaitable, and hands it to `outcome`.
    """

    verbatim: ClassVar[tuple[str, ...]] = FIELDS

    #: The live function of this instance; None imports it when it is called.
    function: Callable[..., Any] | None = None

    @classmethod
    def make(cls, config: Mapping[str, Any]) -> Self:
        """An instance; the config of a function is checked already and stays as it is."""
        return cls(dict(config)) if "function" in config else super().make(config)

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """The ports that the function's parameters and its extra outputs make."""
        return function_ports(node.config)

    @classmethod
    def where_of(cls, node: Node) -> Where:
        """A sync function runs on a thread, an async one on the loop."""
        return Where.THREAD if "function" in node.config and not node.config.get("async") else Where.LOOP

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config of a function."""
        return check_function(node)

    @classmethod
    def function_of(cls, node: Node) -> Callable[..., Any]:
        """The function of a node, imported by its address.

        Raises:
            NotFound: there is no such module or function; the message names the node.
            UsageError: it can't be imported, or is no function.
        """
        return load_function(str(node.config.get("function", "")), node.id)

    def arguments(self, ctx: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What the function is called with, by name; absent inputs are left to its own defaults."""
        config: Mapping[str, Any] = self.config
        params = config.get("params", {})
        given = {name: value for name, value in inputs.items() if name in params or config.get("open")}
        if config.get("context"):
            given[CONTEXT] = ctx
        return given

    def call(self, ctx: Context, inputs: Mapping[str, Any]) -> Any:
        """Call the function, on whatever thread this is; of an async one the coroutine comes back."""
        function = self.function or load_function(str(self.config["function"]), ctx.path)
        return function(**self.arguments(ctx, inputs))

    def outcome(self, value: Any, inputs: Mapping[str, Any]) -> Any:
        """What the node returns when the function has returned `value`."""
        del inputs
        return value

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Call the function: an async one here, any other on a thread."""
        import asyncio  # not yet there where a flow is only defined

        value = self.call(ctx, inputs) if self.config.get("async") else await asyncio.to_thread(self.call, ctx, inputs)
        if inspect.isawaitable(value):
            value = await value
        return self.outcome(value, inputs)


def load_function(address: str, node_id: str) -> Callable[..., Any]:
    """The function at `module:qualname`; a node of that name stands for its plain function.

    Raises:
        NotFound: there is no such module or function.
        UsageError: the address is none, its module fails when imported, or what lies there can't be called.
    """
    module_name, _, qualname = address.partition(":")
    if not module_name or not qualname:
        raise UsageError(f"{node_id}: the function's address is {address!r}; it must be `module:function`.")
    if module_name == "__main__" or "<" in qualname:
        where = "in a notebook or script" if module_name == "__main__" else "inside another function"
        raise NotFound(
            f"{node_id}: its function {qualname!r} was defined {where}, and can't be imported from there. "
            "Run the program that defines it, or move it to a module.",
            node=node_id,
        )
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise NotFound(
                f"{node_id}: there is no module {error.name!r} for its function {address!r}. "
                "Run it from the folder where the module lies, or install it.",
                node=node_id,
            ) from error
        raise UsageError(
            f"{node_id}: the module {module_name!r} needs {error.name!r}: {error}.", node=node_id
        ) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{node_id}: the module {module_name!r} can't be imported: {reason}", node=node_id) from error
    for part in qualname.split("."):
        if not hasattr(found, part):
            near = near_names(part, [name for name in dir(found) if not name.startswith("_")])
            raise NotFound(f"{node_id}: {module_name} has no function {qualname!r}.{near}", node=node_id)
        found = getattr(found, part)
    if isinstance(found, NodeRef) and found.function is not None:
        found = found.function
    if not callable(found):
        raise UsageError(f"{node_id}: {address} is {type(found).__name__}, and a node needs a function.", node=node_id)
    function: Callable[..., Any] = found
    return function


def check_function(node: Node) -> list[Problem]:
    """The problems of a config that keeps a function; without a schema, so that ordinary flows load no pydantic."""
    config = node.config
    faults: list[tuple[str, str]] = [
        (name, f"it has no field {name!r}.{near_names(name, FIELDS)}") for name in config if name not in FIELDS
    ]
    address = config.get("function")
    if address is None:
        faults.append(("function", "it needs the field 'function', as `module:name`."))
    elif not isinstance(address, str) or not all(address.partition(":")):
        faults.append(("function", f"function is {address!r:.80}; it must be `module:name`."))
    params = config.get("params", {})
    if not isinstance(params, dict):
        faults.append(("params", f"params is {params!r:.80}; it must be a table of parameters."))
    else:
        faults += _check_params(params)
    if not _is_type(config.get("returns", "any")):
        faults.append(("returns", f"returns is {config['returns']!r:.80}; it must be one of {', '.join(_TYPES)}."))
    outputs = config.get("outputs", ())
    if not isinstance(outputs, list | tuple) or not all(
        isinstance(each, str) and each.isidentifier() for each in outputs
    ):
        faults.append(("outputs", f"outputs is {outputs!r:.80}; it must be a list of port names."))
    return [
        Problem(f"{node.id} ({node.type}): {text}", node=node.id, place=f"config.{place}", code="bad_config")
        for place, text in faults
    ]


def _check_params(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    faults = []
    for name, each in params.items():
        if not isinstance(each, dict) or not each.keys() <= {"type", "optional"}:
            faults.append((f"params.{name}", f"the parameter {name!r} is {each!r:.80}; it takes type and optional."))
        elif not _is_type(each.get("type", "any")):
            faults.append((f"params.{name}.type", f"the type of {name!r} is {each['type']!r:.80}, which no port has."))
    return faults


_TYPES: Final = tuple(each.value for each in DataType)


def _is_type(value: object) -> bool:
    return isinstance(value, str) and value in _TYPES
