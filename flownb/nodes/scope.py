"""What the expressions of a node can see."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flownb.services.secrets import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.nodetype import Context


class _WithSecrets(Mapping[str, Any]):
    """The same names; an input that is a reference to a secret gives its value, when an expression reads it."""

    def __init__(self, ctx: Context, names: dict[str, Any]) -> None:
        self._ctx, self._names = ctx, names

    def __getitem__(self, name: str) -> Any:
        value = self._names[name]
        return self._ctx.secret(value) if name in self._ctx.references and is_reference(value) else value

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def scope(ctx: Context, inputs: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The names of an expression, nearest last: those of every run, its inputs, those of a round, the node's inputs.

    Of every run are `run`, `trigger` and `variables`; of a round, inside a loop, `item` and `index`.

    Args:
        ctx: of the node that runs.
        inputs: its live values by port; a node that an expression names comes in at the port of its id.
        own: names that the node's type gives to its expressions.
    """
    given = dict(ctx.inputs)
    # What a variable falls back on is an input, which is read once, because it may be large.
    own_variables = ctx.variables.maps[0] if isinstance(ctx.variables, ChainMap) else ctx.variables
    names = {
        "run": {"id": ctx.run_id},
        "trigger": {"type": ctx.trigger, "payload": ctx.payload},
        "variables": {**given, **own_variables},
        **given,
        **ctx.round,
        **inputs,
        **(own or {}),
    }
    return _WithSecrets(ctx, names) if ctx.references else names
