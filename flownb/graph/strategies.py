"""What is to be done about classes of errors, as people write it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from flownb.errors import UsageError, near_names
from flownb.model.status import ErrorClass, Strategy
from flownb.model.workflow import ErrorHandler

#: Other words for a strategy.
_WORDS: Final = {"fail": Strategy.STOP}
_FIELDS: Final = tuple(name for name in ErrorHandler.__struct_fields__ if name != "error")


def handlers_of(owner: str, given: Any) -> tuple[ErrorHandler, ...]:
    """The handlers of a node: by error a strategy, a dict of its fields, or a list of both, tried in this order.

    Raises:
        UsageError: it is something else; the message begins with `owner`.
    """
    if given is None:
        return ()
    if isinstance(given, list | tuple) and all(isinstance(each, ErrorHandler) for each in given):
        return tuple(given)
    if not isinstance(given, Mapping):
        raise UsageError(f"{owner}: strategies takes one for each error, as {{'timeout': 'skip'}}, not {given!r:.80}.")
    found = []
    for error, wanted in given.items():
        for each in wanted if isinstance(wanted, list | tuple) else (wanted,):
            fields = dict(each) if isinstance(each, Mapping) else {"strategy": each}
            found.append(handler(owner, error, **fields))
    return tuple(found)


def handler(owner: str, error: Any, **fields: Any) -> ErrorHandler:
    """One handler.

    Raises:
        UsageError: a field is unknown, or has no such value.
    """
    for unknown in fields.keys() - set(_FIELDS):
        raise UsageError(f"{owner}: a strategy has no field {unknown!r}.{near_names(unknown, _FIELDS)}")
    name = error.__name__ if isinstance(error, type) else error
    strategy = fields.get("strategy", Strategy.STOP)
    try:
        fields["strategy"] = Strategy(_WORDS.get(str(strategy), strategy))
    except ValueError:
        known = [*Strategy, *_WORDS]
        raise UsageError(
            f"{owner}: about {name} is to be done {strategy!r}, which is no strategy.{near_names(str(strategy), known)}"
        ) from None
    try:
        return msgspec.convert({"error": name, **{n: v for n, v in fields.items() if v is not None}}, ErrorHandler)
    except msgspec.ValidationError as fault:
        raise UsageError(f"{owner}: the strategy for {name!r}: {fault}.") from fault


def unknown_error(name: str) -> str | None:
    """The near names of a text that is no class of errors and can't be an exception; None where it is one.

    An exception may be of a package that is not installed here: a name that begins large, or has a dot, is taken as it
    is.
    """
    if name in _CLASSES or isinstance(getattr(builtins, name, None), type):
        return None
    last = name.rpartition(".")[2]
    if last[:1].isupper() and all(part.isidentifier() for part in name.split(".")):
        return None
    return near_names(name, [*_CLASSES, *_EXCEPTIONS]).strip()


_CLASSES: Final = (*ErrorClass, "any")
_EXCEPTIONS: Final = [name for name in dir(builtins) if name.endswith(("Error", "Exception"))]
