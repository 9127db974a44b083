"""A node's output into the notebook's namespace, by a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import FlownbError
from flownb.graph.drawing.words import clean

if TYPE_CHECKING:
    from flownb.run.handles.node_view import NodeView


def taken(view: NodeView) -> str:
    """Take it, and say what was done, as `clean = DataFrame`.

    Raises:
        FlownbError: there is nothing to take; the message says why.
    """
    try:
        value = view.take()
    except FlownbError:
        raise
    except Exception as error:
        raise FlownbError(f"The output of {view.id} can't be loaded here: {error}") from error
    name = view.id.rpartition(".")[2]
    return f"{clean(name, 60)} = {clean(type(value).__name__, 60)}"
