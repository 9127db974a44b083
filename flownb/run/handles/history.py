"""The moments of a run, for who goes to and fro among them: the journal is folded once, and from near by after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import InvalidInput
from flownb.model.snapshot import snapshot
from flownb.model.state import RunState
from flownb.run.handles.moment import Moment
from flownb.run.recovery.recover import apply_known, require_row

if TYPE_CHECKING:
    from flownb.model.topology import Topology
    from flownb.store.contract import Store

#: Events between two states that are kept, at first; so many are kept, unless the run has so many nodes that they
#: would be too large together, then fewer.
_APART: Final = 500
_MOST_KEPT: Final = 64
_LEAST_KEPT: Final = 4
_MOST_ENTRIES: Final = 8_000_000
#: What a state keeps of each node, and of one in a loop, whose graph is the run's own.
_OF_NODE: Final = 10
_OF_INSTANCE: Final = 30
#: Events that are read from the store at once.
_PAGE: Final = 500


class History:
    """Finds the state after any event; from one thread at a time.

    Forth it folds on; back it begins at the nearest state that was kept on the way. So the first way through costs as
    much as the journal is long, and every other one a few hundred events, however long it is.
    """

    def __init__(self, store: Store, run_id: str, shape: Topology) -> None:
        """Begin before the first event.

        Args:
            store: where the run is.
            run_id: which.
            shape: its compiled definition.
        """
        self._store = store
        self._id = run_id
        state = RunState(shape, run_id)
        state.workflow = require_row(store, run_id).workflow
        #: The state that was last looked at, after how many events it is, and the kept ones, by that number.
        self._state, self._seq = state, 0
        self._kept: dict[int, tuple[RunState, float | None]] = {0: (snapshot(state), None)}
        self._apart = _APART
        #: When the event happened that it stands at; None before the first.
        self.when: float | None = None

    @property
    def length(self) -> int:
        """How many events the journal has now."""
        return require_row(self._store, self._id).seq

    @property
    def reached(self) -> int:
        """The number of the event that it stands at."""
        return self._seq

    def at(self, seq: int) -> Moment:
        """The run as it was when its event number `seq` had happened; good until the next call.

        Raises:
            InvalidInput: it has no such event.
        """
        length = self.length
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq <= length:
            raise InvalidInput(f"Run {self._id} has {length} events, and no moment {seq!r:.40}.", name="seq")
        self.go(seq, length)
        return self.moment()

    def moment(self) -> Moment:
        """The run as it was where it stands."""
        return Moment(self._store, self._state, self._seq)

    def go(self, seq: int, most: int) -> bool:
        """Go towards an event, over so many events at most; whether it is reached."""
        nearest = max(each for each in self._kept if each <= seq)
        if seq < self._seq or nearest > self._seq:
            kept, self.when = self._kept[nearest]
            self._state, self._seq = snapshot(kept), nearest
        end = min(seq, self._seq + most)
        while self._seq < end:
            page = self._store.events(self._id, self._seq, min(_PAGE, end - self._seq))
            if not page:
                break
            for record in page:
                apply_known(self._state, record.event)
                self._seq, self.when = record.seq, record.event.at
                if self._seq % self._apart == 0 and self._seq not in self._kept:
                    self._keep()
        return self._seq >= seq

    def _keep(self) -> None:
        self._state.finished_blocks = []  # for who looks after loops, and here nobody does
        self._kept[self._seq] = (snapshot(self._state), self.when)
        nodes, flat = len(self._state.topology), self._state.flat
        entries = _OF_NODE * flat + _OF_INSTANCE * (nodes - flat)
        most = max(_LEAST_KEPT, min(_MOST_KEPT, _MOST_ENTRIES // max(1, entries)))
        while len(self._kept) > most:
            self._apart *= 2
            self._kept = {seq: each for seq, each in self._kept.items() if seq % self._apart == 0}
