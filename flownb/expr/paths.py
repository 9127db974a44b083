"""Paths compiled: `order`, `order.total`, `order.lines.0.price`, `order["x.y"][-1]`.

Most expressions are paths into dictionaries, so the first two levels are looked up without a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.expr.access import SETTLED, Live, entry, known_names, settle
from flownb.expr.refusal import Missing, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.expr.limits import Work

    #: A compiled expression: takes the roots (a dict, exactly) and the budget, gives a settled value.
    Closure = Callable[[dict[str, Any], Work], Any]

_ABSENT: Final = object()
# Keys behind which a message shows no more of a path.
_NAMED: Final = 30


def missing_root(root: str, data: dict[str, Any], position: int, hint: str = "") -> Missing:
    """The refusal of a name that the data doesn't have."""
    return Missing(
        f"There is no {root!r}.{hint}", position, name=root, known=None if hint else lambda: known_names(data)
    )


def compile_path(root: str, keys: list[str | int], positions: list[int], hint: str) -> Closure:
    """A closure for a path whose keys are all known.

    `positions` has the place of the root and of every key; `hint` ends the sentence that says that the root is missing.
    """
    if not keys:
        return _root(root, positions[0], hint)
    rest: list[tuple[str | int, str, int]] = []
    for number, key in enumerate(keys):
        rest.append((key, rest[-1][1] if number > _NAMED else shown_path(root, keys[:number]), positions[number + 1]))

    def slowly(data: dict[str, Any], work: Work) -> Any:
        if root not in data:
            raise missing_root(root, data, positions[0], hint)
        value = _settled(data[root], work, root, positions[0])
        for key, what, position in rest:
            try:
                value = entry(value, key, work, what)
            except Refusal as refusal:
                refusal.position = position
                raise
        return value

    if type(keys[0]) is str and len(keys) == 1:
        return _one_key(root, keys[0], slowly)
    if type(keys[0]) is str and type(keys[1]) is str and len(keys) == 2:  # noqa: PLR2004
        return _two_keys(root, keys[0], keys[1], slowly)
    return slowly


def _root(root: str, position: int, hint: str) -> Closure:
    def read(data: dict[str, Any], work: Work) -> Any:
        try:
            value = data[root]
        except KeyError:
            raise missing_root(root, data, position, hint) from None
        return value if type(value) in SETTLED else _settled(value, work, root, position)

    return read


def _one_key(root: str, key: str, slowly: Closure) -> Closure:
    def read(data: dict[str, Any], work: Work) -> Any:
        value = data.get(root)
        if type(value) is dict:
            value = value.get(key, _ABSENT)
            if type(value) in SETTLED:
                return value
        return slowly(data, work)

    return read


def _two_keys(root: str, key: str, second: str, slowly: Closure) -> Closure:
    def read(data: dict[str, Any], work: Work) -> Any:
        value = data.get(root)
        if type(value) is dict:
            value = value.get(key)
            if type(value) is dict:
                value = value.get(second, _ABSENT)
                if type(value) in SETTLED:
                    return value
        return slowly(data, work)

    return read


def _settled(value: Any, work: Work, root: str, position: int) -> Any:
    try:
        return settle(value, work, root)
    except Live as live:
        live.position = position
        live.message += f" Alone, `{{{{ {root} }}}}` hands it on as it is."
        raise


def shown_path(root: str, keys: list[str | int]) -> str:
    """The path as text, for messages, not too long."""
    text = root + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text if len(text) <= 60 else text[:57] + "…"  # noqa: PLR2004
