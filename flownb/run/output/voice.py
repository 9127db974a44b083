"""What a node says of itself while it runs: status, progress, and signs of life for long work."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.model.events import NodeHeartbeat, NodeProgress
from flownb.run.output.capture import writable
from flownb.services import masking
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.events import NodeEvent
    from flownb.run.attempt import Attempt

_MOST_STATUS: Final = 200
_MOST_DETAIL: Final = 16 * 1024
#: Seconds between two records of status and progress, and of heartbeats; both grow with the age of the attempt, so that
#: a journal grows with its logarithm.
_STATUS_SECONDS: Final = 0.2
_STATUS_SHARE: Final = 1 / 1000
_BEAT_SECONDS: Final = 1.0
_BEAT_SHARE: Final = 1 / 500


class Voice:
    """Of one attempt; made when it says something first, or is listened to. Safe from any thread."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._clock = attempt.execution.engine.loop.time
        self._began = self.heard = self._clock()
        #: The newest detail of a heartbeat before this attempt, in plain form.
        self.before: Any = attempt.execution.state.heartbeats.get(attempt.number)
        self._text = ""
        self._share: float | None = None
        #: What was said last of each kind, and what of it is in the journal.
        self._said: tuple[str, float | None] = ("", None)
        self._recorded: tuple[str, float | None] = self._said
        self._due = 0.0
        self._detail = self._recorded_detail = self.before
        self._beat_due = 0.0
        self._lock = threading.Lock()

    def status(self, text: object) -> None:
        """A short text beside the node: one line, cut where it is too long."""
        # Masked before it is cut: half a secret can't be found.
        line = " ".join(masking.text(str(text))[: 10 * _MOST_STATUS].split())[:_MOST_STATUS]
        with self._lock:
            self._text = writable(line)
            self._said = (self._text, self._share)
        self._speak()

    def progress(self, share: object) -> None:
        """How far it is, 0 to 1; what lies outside is cut, and what is no number (0 / 0) means that it isn't known.

        Raises:
            InvalidInput: it is nothing that could be a share.
        """
        try:
            number = float(share)  # type: ignore[arg-type]  # whatever it is
        except (TypeError, ValueError, OverflowError):
            raise InvalidInput(
                f"progress() of {self._attempt.path} takes a share from 0 to 1, not {share!r:.80}.", name="share"
            ) from None
        with self._lock:
            self._share = None if math.isnan(number) else min(1.0, max(0.0, number))
            self._said = (self._text, self._share)
        self._speak()

    def beat(self, detail: Any) -> None:
        """It lives, and is so far that an attempt after this one could go on from `detail`.

        Raises:
            InvalidInput: `detail` is large, or has no stored form.
        """
        if detail is not None:
            stored = values.store(detail, MemoryArtifacts())
            if stored.transient or stored.digest is not None or stored.size > _MOST_DETAIL:
                what = "has no stored form" if stored.transient else f"takes {stored.size:,} bytes"
                raise InvalidInput(
                    f"heartbeat() of {self._attempt.path} takes a note of at most {_MOST_DETAIL:,} bytes, as a page or "
                    f"an offset to go on from; this {type(detail).__name__} {what}.",
                    name="detail",
                )
            self._detail = stored.plain
        self._speak()

    def hear(self) -> None:
        """It lives, whatever it says."""
        self.heard = self._clock()

    def _speak(self) -> None:
        self.hear()
        self._attempt.buffer.nudge()

    def take(self, now: float, *, last: bool) -> Iterator[NodeEvent]:
        """The events of what is due to be recorded; all that is left at the end."""
        attempt, at = self._attempt, self._attempt.execution.engine.now()
        age = self.heard - self._began
        said = self._said
        if said != self._recorded and (last or now >= self._due):
            self._recorded = said
            self._due = now + max(_STATUS_SECONDS, age * _STATUS_SHARE)
            yield NodeProgress(at=at, node=attempt.path, text=said[0], progress=said[1])
        detail = self._detail
        if detail is not self._recorded_detail and (last or now >= self._beat_due):
            same = detail == self._recorded_detail
            self._recorded_detail = detail
            self._beat_due = now + max(_BEAT_SECONDS, age * _BEAT_SHARE)
            if not same:
                yield NodeHeartbeat(at=at, node=attempt.path, detail=detail)

    def waits(self) -> bool:
        """Whether there is something to record later."""
        return self._said != self._recorded or self._detail is not self._recorded_detail
