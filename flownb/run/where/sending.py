"""The call of a node's function, made ready to be sent to a process; what can't be sent is named."""

from __future__ import annotations

import inspect
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import cloudpickle

from flownb.errors import UsageError
from flownb.graph.function import address_of
from flownb.graph.refs import NodeRef
from flownb.run.child.wire import Parcel, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.attempt import Attempt

_WAY_OUT = "or let the node run on a thread (where='thread')"


def pack_call(attempt: Attempt, inputs: dict[str, Any]) -> tuple[Any, dict[str, Parcel]]:
    """The function, as a parcel or an address, and a parcel for each argument.

    Raises:
        UsageError: one of them can't be sent; the message says which, and what to do.
    """
    body = attempt.body
    assert body.call is not None
    given = inputs if body.plain else {name: each for name, each in inputs.items() if name in body.parameters}
    return _pack_function(body.path, body.call), {
        name: _pack_argument(body.path, name, value) for name, value in given.items()
    }


def _pack_argument(path: str, name: str, value: Any) -> Parcel:
    try:
        return pack(value)
    except Exception as error:
        raise UsageError(
            f"{path} runs in a process of its own, and its argument {name!r}, a {type(value).__qualname__}, can't be "
            f"sent there ({type(error).__name__}: {error}). Hand over what it is made from and make it inside the "
            f"function, {_WAY_OUT}."
        ) from error


def _pack_function(path: str, function: Callable[..., Any]) -> Parcel | str:
    with_local_modules(function)
    try:
        return pack(function)
    except Exception as error:
        if _is_importable(function):
            return address_of(function)
        name, value = _culprit(function)
        what = f"uses {name!r}, a {type(value).__qualname__}, which" if name else "can't be sent there: something in it"
        raise UsageError(
            f"{path} runs in a process of its own, and its function {what} has no pickle "
            f"({type(error).__name__}: {error}). Make that inside the function, {_WAY_OUT}."
        ) from error


def _is_importable(function: Callable[..., Any]) -> bool:
    """Whether another process finds this function, or the node made of it, by its address."""
    module, _, name = address_of(function).partition(":")
    found: Any = sys.modules.get(module)
    if module == "__main__" or "<" in name or found is None or not _can_be_found(module):
        return False
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function or (isinstance(found, NodeRef) and found.function is function)


def with_local_modules(function: Callable[..., Any]) -> None:
    """Have functions of a module that only this process can import sent whole, and not by name."""
    name = getattr(function, "__module__", None)
    module = sys.modules.get(name or "")
    if name and name != "__main__" and module is not None and not _can_be_found(name):
        cloudpickle.register_pickle_by_value(module)


def _can_be_found(module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.builtin_module_names:
        return True
    try:
        found = PathFinder.find_spec(top)
    except Exception:  # noqa: BLE001  a finder of somebody else's
        return False
    loaded = getattr(sys.modules.get(top), "__file__", None)
    return found is not None and (loaded is None or found.origin == loaded)


def _culprit(function: Callable[..., Any]) -> tuple[str, Any]:
    """The first thing that a function uses and that can't be pickled."""
    try:
        used = inspect.getclosurevars(inspect.unwrap(function))
    except (TypeError, ValueError):
        return "", None
    for name, value in {**used.globals, **used.nonlocals}.items():
        try:
            pack(value)
        except Exception:  # noqa: BLE001  this is the one
            return name, value
    return "", None
