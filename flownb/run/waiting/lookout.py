"""What is to be done about requests because time passes: by their owner, a scheduler, or whoever looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.run.waiting.decisions import look_after, remind
from flownb.run.waiting.notices import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.model import events as ev
    from flownb.store.contract import Store


def look_over(store: Store, now: Callable[[], float]) -> list[ev.ApprovalNotified]:
    """One pass over the requests of a store: end the late ones, note and send reminders, send what is to be sent.

    Any number of processes may do it at the same time. It blocks as long as the slowest delivery takes, and must not be
    called on an event loop.

    Args:
        store: whose requests.
        now: seconds since 1970.

    Returns what came of each notice that was due.

    Raises:
        StoreError: the store can't be read or written.
    """
    look_after(store, now())
    for row in store.approvals():
        remind(store, row, now())
    return deliver(store, now)
