"""What the expressions of a node can see."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flownb.errors import ExpressionError, NotFound
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

    Of every run are `run`, `trigger` and `variables`; of a round, inside a loop, `item` and `index`. The link to the
    run, `run.resume_url`, is made for the few that name it; where no public address is set there is none, and
    `default(run.resume_url, "")` does without.

    Args:
        ctx: of the node that runs.
        inputs: its live values by port; a node that an expression names comes in at the port of its id.
        own: names that the node's type gives to its expressions.
    """
    given = dict(ctx.inputs)
    # What a variable falls back on is an input, which is read once, because it may be large.
    own_variables = ctx.variables.maps[0] if isinstance(ctx.variables, ChainMap) else ctx.variables
    names = {
        "run": {"id": ctx.run_id, "mode": ctx.mode} if not ctx.names_link else _with_link(ctx),
        "trigger": {"type": ctx.trigger, "payload": ctx.payload},
        "variables": {**given, **own_variables},
        **given,
        **ctx.round,
        **inputs,
        **(own or {}),
    }
    return _WithSecrets(ctx, names) if ctx.references else names


def _with_link(ctx: Context) -> dict[str, Any]:
    """What is known of the run, with the link to it; without, where no public address is set."""
    known = {"id": ctx.run_id, "mode": ctx.mode}
    try:
        return {**known, "resume_url": ctx.resume_url}
    except NotFound:
        return known


def why_no_link(ctx: Context, error: ExpressionError) -> ExpressionError:
    """The error of an expression; where it misses the link to the run, with what to do about that."""
    if not ctx.names_link or "'resume_url'" not in error.message:
        return error
    try:
        _ = ctx.resume_url
    except NotFound as why:
        hint = 'Or do without: {{ default(run.resume_url, "") }}.'
        return ExpressionError(f"{error.message} {why.message} {hint}", **error.fields)
    return error
