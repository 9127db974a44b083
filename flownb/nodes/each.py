"""An expression evaluated for one item after another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flownb.expr import Expression, Template
    from flownb.graph.nodetype import Context
    from flownb.nodes.items import Items

#: The names that an expression has for one item: itself, and its number from 0.
ITEM_NAMES: Final = frozenset({"item", "index"})

#: After so many items somebody looks at the clock, and whether the node was asked to stop.
_LOOK_EVERY: Final = 1_024
#: Seconds that a loop may take without anybody hearing of it.
_PATIENCE: Final = 5.0


class Pace:
    """Watches a loop over many items: shows how far it is, warns once when it will take long, ends it on demand."""

    def __init__(self, ctx: Context, total: int, noun: str) -> None:
        self._ctx = ctx
        self._total = total
        self._noun = noun
        self._started = ctx.now()
        self._warned = False

    def look(self, done: int) -> None:
        """Look, when so many items are done.

        Raises:
            CancelledError: the node was asked to stop.
        """
        if self._ctx.cancelled:
            raise asyncio.CancelledError
        taken = self._ctx.now() - self._started
        if taken < _PATIENCE:
            return
        self._ctx.progress(done / self._total)
        if not self._warned:
            self._warned = True
            left = taken * (self._total - done) / done
            self._ctx.logger.warning(
                "%s: %s of %s %ss took %.0f s, the rest will take about %.0f s. Work out what is the same for all of "
                "them in a node before this one, or use a function that works on the whole DataFrame.",
                self._ctx.path, f"{done:,}", f"{self._total:,}", self._noun, taken, left,
            )  # fmt: skip


def each(
    compiled: Expression | Template, items: Items, ctx: Context, names: Mapping[str, Any]
) -> Iterator[Any | ExpressionError]:
    """What an expression gives for each item, in order; an error where it can't be evaluated, for the caller to raise.

    Args:
        compiled: it sees the item as `item`, its number as `index`, and the names.
        items: what to go through.
        ctx: of the node, to be told how far it is.
        names: what the expression sees besides.
    """
    data = {name: names[name] for name in compiled.names if name in names}
    evaluate = compiled.evaluate
    pace = Pace(ctx, len(items), items.noun)
    for index, item in enumerate(items):
        if index and not index % _LOOK_EVERY:
            pace.look(index)
        data["item"], data["index"] = item, index
        try:
            value = evaluate(data)
        except ExpressionError as error:
            value = error
        yield value


def each_value(compiled: Expression | Template, items: Items, ctx: Context, names: Mapping[str, Any]) -> list[Any]:
    """The same as a list.

    Raises:
        ExpressionError: it can't be evaluated for an item; the message names the first one.
    """
    values = []
    for index, value in enumerate(each(compiled, items, ctx, names)):
        if isinstance(value, ExpressionError):
            raise ExpressionError(
                f"{items.owner}: {items.noun} {index}: {value.message}", text=value.text, position=value.position
            ) from value
        values.append(value)
    return values
