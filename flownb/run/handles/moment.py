"""`run.at(seq)`: a run as it was at one of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import InvalidInput
from flownb.model.state import RunState
from flownb.run.handles.view import RunView
from flownb.run.recovery.recover import apply_known, require_row

if TYPE_CHECKING:
    from flownb.model.events import Record
    from flownb.model.topology import Topology
    from flownb.store.contract import Store


class Moment(RunView):
    """What the journal tells up to an event, and no further."""

    def __init__(self, store: Store, run_id: str, shape: Topology, seq: int) -> None:
        records = store.events(run_id)
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq <= len(records):
            raise InvalidInput(f"Run {run_id} has {len(records)} events, and no moment {seq!r:.40}.", name="seq")
        state = RunState(shape, run_id)
        state.workflow = require_row(store, run_id).workflow
        self._records = records[:seq]
        for record in self._records:
            apply_known(state, record.event)
        super().__init__(store, state)
        #: The number of the last event that had happened.
        self.seq = seq

    def events(self, after: int = 0) -> list[Record]:
        """The journal up to this moment, from `seq > after` on."""
        return self._records[max(after, 0) :]
