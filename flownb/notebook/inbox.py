"""`flownb.inbox`: everything that runs ask people, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.run.engine import engine
from flownb.run.handles.approvals import Approval, Approvals
from flownb.run.waiting.decisions import look_after, remind
from flownb.run.waiting.deliveries import deliver_soon
from flownb.store.place import store_of

if TYPE_CHECKING:
    from flownb.store.contract import Store


def inbox(store: Any = None, *, everything: bool = False) -> Approvals:
    """What runs ask people, oldest first; it shows itself in a notebook, and each entry can be answered.

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
    return Approvals(Approval(opened, row) for row in rows)
