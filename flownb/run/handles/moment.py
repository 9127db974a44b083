"""A run as it was at one of its events: what `run.at(seq)` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.run.handles.view import RunView

if TYPE_CHECKING:
    from flownb.model.events import Record
    from flownb.model.state import RunState
    from flownb.store.contract import Store


class Moment(RunView):
    """What the journal tells up to an event, and no further."""

    def __init__(self, store: Store, state: RunState, seq: int) -> None:
        super().__init__(store, state)
        #: The number of the last event that had happened.
        self.seq = seq

    def events(self, after: int = 0) -> list[Record]:
        """The journal up to this moment, from `seq > after` on."""
        start = max(after, 0)
        return self._store.events(self._id, start, self.seq - start) if start < self.seq else []
