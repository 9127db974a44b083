"""`flownb.inbox`: everything that runs ask people, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.run.engine import engine
from flownb.run.handles.approvals import Approval, Approvals
from flownb.run.waiting.decisions import look_after, remind
from flownb.run.waiting.deliveries import deliver_soon
from flownb.store.place import store_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.store.contract import Store

#: Requests that the text of a list tells.
_MOST_TOLD: Final = 20


class Inbox(Approvals):
    """What runs ask people, as it stood when the list was made; in a notebook it is live."""

    def __init__(self, found: Iterable[Approval], store: Store, *, everything: bool = False) -> None:
        super().__init__(found)
        #: Where the requests are.
        self.store = store
        #: Whether those are in it that have an answer.
        self.everything = everything

    def text(self) -> str:
        """The first of the requests, as a terminal shows them."""
        if not self:
            return "Nobody is asked anything."
        told = [each.text() for each in self[:_MOST_TOLD]]
        if len(self) > _MOST_TOLD:
            told.append(f"and {len(self) - _MOST_TOLD:,} more; `flownb approvals` lists them all.")
        return "\n".join(told)

    def _repr_html_(self) -> None:
        """No HTML: what a saved notebook keeps is a picture and a text."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from flownb.run.hooks import hook

        del include, exclude
        shown = hook("inbox")
        return {"text/plain": self.text()} if shown is None else shown(self)


def inbox(store: Any = None, *, everything: bool = False) -> Inbox:
    """What runs ask people, oldest first; in a notebook it is live, and each entry can be answered there and by code.

    ```python
    flownb.inbox()
    flownb.inbox()[0].approve(comment="Checked against the statement.")
    ```

    What nobody answered in time expires now, if it has not already.

    Args:
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
        everything: those that have an answer as well.
    """
    opened: Store = store_of(store)
    now = engine().now()
    look_after(opened, now)
    rows = opened.approvals(pending=not everything)
    for row in rows:
        remind(opened, row, now)
    if opened.next_notice() is not None:
        deliver_soon(engine(), opened)
    return Inbox((Approval(opened, row) for row in rows), opened, everything=everything)
