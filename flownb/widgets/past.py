"""What pages are shown that look back: each of them one moment of the run's journal, while the run goes on beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.run.handles.history import History
from flownb.widgets.moment import Moments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.run.handles.handle import Run
    from flownb.run.handles.moment import Moment

#: Events that are read in one go; then it is the others' turn, and who waits is told how far it is.
_AT_ONCE: Final = 20_000
#: Pages that look back at once; the one that has asked for nothing longest is forgotten first.
_MOST_PAGES: Final = 20


_NOTHING: Final[dict[str, Any]] = {"nodes": {}, "edges": {}, "questions": {}}


class Wish(msgspec.Struct, frozen=True):
    """What a page wants to see."""

    #: After which event.
    seq: int
    #: The card or the edge whose panel is open, and whether the variables are listed.
    look: dict[str, Any]


class Past:
    """Goes to the moments that pages ask for; of many wishes of one page only the newest counts."""

    def __init__(self, run: Run, tell: Callable[[Moment, Moments, Mapping[str, Any]], dict[str, Any]]) -> None:
        """Nobody looks back yet, and nothing is read.

        Args:
            run: whose moments.
            tell: what the open panels show of a moment.
        """
        self._run = run
        self._tell = tell
        self._history: History | None = None
        self._shape: Any = None
        self._wishes: dict[str, Wish] = {}

    def want(self, page: str, seq: int, look: dict[str, Any]) -> None:
        """A page wants to see a moment."""
        self._wishes.pop(page, None)
        self._wishes[page] = Wish(max(0, seq), look)
        while len(self._wishes) > _MOST_PAGES:
            del self._wishes[next(iter(self._wishes))]

    def forget(self, page: str) -> None:
        """A page is back in the present."""
        self._wishes.pop(page, None)

    @property
    def wanted(self) -> bool:
        """Whether some page waits for its moment."""
        return bool(self._wishes)

    def next(self, chosen: Mapping[str, int]) -> dict[str, Any] | None:
        """Work on the oldest wish: its moment, or how far the journal has been read; None where there is no wish.

        Args:
            chosen: the rounds of loops that somebody chose to see.
        """
        page = next(iter(self._wishes), None)
        if page is None:
            return None
        wish = self._wishes[page]
        history = self._at_hand()
        length = history.length
        seq = min(wish.seq, length)
        message: dict[str, Any] = {"page": page, "seq": seq, "last": length}
        if not history.go(seq, _AT_ONCE) and history.reached < length:
            return message | {"read": history.reached}
        self._wishes.pop(page, None)
        moment = history.moment()
        moments = Moments(moment, chosen)
        message["at"] = history.when
        message["moment"] = _NOTHING | moments.news(None)
        return message | self._tell(moment, moments, wish.look)

    def _at_hand(self) -> History:
        """The history; begun anew where the run has another definition than it had."""
        run = self._run
        shape = run.state.topology.origin
        if self._history is None or self._shape is not shape:
            self._history, self._shape = History(run.store, run.id, shape), shape
        return self._history
