"""What a plain function says about itself as a node: parameters, port types, help; and how a config keeps that."""

from __future__ import annotations

import datetime as dt
import enum
import inspect
import math
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import UsageError
from flownb.graph.hints import type_of, type_of_value
from flownb.model.fingerprint import code_and_source
from flownb.model.ports import ERROR, MAIN, DataType, InputPort, NodePorts, OutputPort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: The parameter by which a function asks for what it may know and do while it runs.
CONTEXT: Final = "ctx"


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a function: an edge if it names a node, else an input of the flow."""

    name: str
    #: What its hint says.
    type: DataType = DataType.ANY
    #: The live default, or UNSET.
    default: Any = msgspec.UNSET

    @property
    def required(self) -> bool:
        """Whether the function can't be called without it."""
        return self.default is msgspec.UNSET

    @property
    def input_type(self) -> DataType:
        """The type of the flow's input that it makes: what its hint says, else what its default is."""
        if self.type is not DataType.ANY or self.required:
            return self.type
        return type_of_value(self.default)


class Signature(msgspec.Struct, frozen=True):
    """A function as a node."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    returns: DataType = DataType.ANY
    #: The first line of its docstring.
    help: str = ""
    takes_context: bool = False
    is_async: bool = False
    #: Whether it has `**kwargs`, so that inputs of any name may be wired.
    open: bool = False


def read_signature(function: Callable[..., Any], *, name: str = "") -> Signature:
    """Read a function.

    Args:
        function: whatever can be called.
        name: what to call it in messages, where it has no name of its own.

    Raises:
        UsageError: it has no readable signature, or parameters that can't be given by name, or it is a generator.
    """
    name = name or getattr(function, "__name__", type(function).__name__)
    if not callable(function):
        raise UsageError(f"A node is made from a function, and {function!r:.80} can't be called.")
    try:
        signature = _signature(function)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{name} has no signature that Python can read: wrap it in a function of your own, with named parameters."
        ) from error
    _refuse_generators(function, name)
    parameters: list[Parameter] = []
    takes_context = is_open = False
    for each in signature.parameters.values():
        if each.kind is each.VAR_KEYWORD:
            is_open = True
        elif each.kind in (each.VAR_POSITIONAL, each.POSITIONAL_ONLY):
            raise UsageError(_by_position(name, each))
        elif each.name == CONTEXT:
            takes_context = True
        else:
            default = msgspec.UNSET if each.default is each.empty else each.default
            parameters.append(Parameter(each.name, type_of(each.annotation), default))
    return Signature(
        name=name,
        parameters=tuple(parameters),
        returns=type_of(signature.return_annotation),
        help=_first_line(function),
        takes_context=takes_context,
        is_async=_is_async(function),
        open=is_open,
    )


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # there hints are evaluated when asked for, and some name what isn't imported
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def _by_position(name: str, parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return (
            f"{name} takes *{parameter.name}, and a node gets its values by name: name each parameter. "
            "If a decorator hides the real ones, give it functools.wraps."
        )
    return (
        f"{name} takes {parameter.name!r} by position only, and a node gets its values by name: "
        "remove the `/` from its signature."
    )


def _refuse_generators(function: Callable[..., Any], name: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UsageError(f"{name} has a `yield`, and a node returns one value: collect the values and return a list.")


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004  the method is wanted, not whether there is one
    )


def _first_line(function: Callable[..., Any]) -> str:
    if not hasattr(function, "__name__"):
        return ""  # an instance or a partial: the docstring is its class's
    return next(iter((inspect.getdoc(function) or "").splitlines()), "").strip()


# --- the config of a node that is a function --------------------------------------------------------------------------

#: The fields of such a config; none of them is a template.
FIELDS: Final = ("function", "code", "source", "params", "outputs", "returns", "context", "async", "open")


def function_config(function: Callable[..., Any], signature: Signature, outputs: Iterable[str] = ()) -> dict[str, Any]:
    """What the config of a node keeps of its function: plain data; what is false or empty is left out.

    `function` is `module:qualname`, `code` its hash, `source` its text, `params` a table `{type, optional}` by name,
    `outputs` the names of extra ports, `returns` the type of `main`.
    """
    code, source = code_and_source(function)
    config: dict[str, Any] = {"function": address_of(function), "code": code, "source": source}
    config["params"] = {
        each.name: {"type": each.type.value} if each.required else {"type": each.type.value, "optional": True}
        for each in signature.parameters
    }
    config["returns"] = signature.returns.value
    if extra := list(outputs):
        config["outputs"] = extra
    for field, there in (("context", signature.takes_context), ("async", signature.is_async), ("open", signature.open)):
        if there:
            config[field] = True
    return config


def function_ports(config: Mapping[str, Any]) -> NodePorts:
    """The ports that such a config makes; what is malformed in it is passed over, because `check` reports it."""
    params = config.get("params")
    inputs = [
        InputPort(name, _data_type(each.get("type")), required=not each.get("optional", False))
        for name, each in (params.items() if isinstance(params, dict) else ())
        if isinstance(each, dict)
    ]
    extra = config.get("outputs")
    outputs = [OutputPort(MAIN, _data_type(config.get("returns")))]
    outputs += [OutputPort(str(each)) for each in (extra if isinstance(extra, list | tuple) else ())]
    return NodePorts(tuple(inputs), tuple(outputs), bool(config.get("open", False)))


def check_outputs(name: str, outputs: Iterable[str]) -> tuple[str, ...]:
    """The names of extra ports, checked.

    Raises:
        UsageError: one is no identifier, is there twice, or is the name of a port that every node has.
    """
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    for number, each in enumerate(names):
        if not isinstance(each, str) or not each.isidentifier():
            raise UsageError(f"The port {each!r} of {name} needs a name that is a Python identifier.")
        if each in (MAIN, ERROR) or each in names[:number]:
            raise UsageError(f"{name} has the port {each!r} already: choose another name.")
    return names


def address_of(function: Callable[..., Any]) -> str:
    """`module:qualname` of a function."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def plain_default(value: Any) -> Any:  # noqa: PLR0911  a table of cases
    """A default as a definition can show it: JSON data, a date or path as text; None for what has no such form."""
    match value:
        case enum.Enum():
            return plain_default(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case os.PathLike():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return [plain_default(each) for each in value]
        case dict():
            return {str(name): plain_default(each) for name, each in value.items()}
    return None


def _data_type(name: Any) -> DataType:
    try:
        return DataType(name)
    except ValueError:
        return DataType.ANY
