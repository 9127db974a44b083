"""Notices that are to be delivered: who is to be told of a request, where, when, and how that went.

Each begins as a *plan*, written with the request: a channel, and the moment when people are told through it. Whoever
delivers it makes a notice for each recipient of it, as the operator's settings say then; a reminder's plan stays, for
the next one. Everything is done by comparing and swapping: of two processes that look at once, one delivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from flownb.model import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ASKED: Final = "asked"
REMINDER: Final = "reminder"
ESCALATION: Final = "escalation"
#: Who is meant where a channel tells all at once, as a chat room does.
ALL: Final = "*"
#: Channels that deliver nothing: the request is found there by whoever looks.
PASSIVE: Final = frozenset({"console", "notebook", "inbox", "web", "cli"})
#: The most seconds that a notice is claimed for: a claim that seems to last longer was made before the clock was set
#: back.
LONGEST_CLAIM: Final = 120.0


class Notice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One notice, or the plan of some."""

    run: str
    approval: str
    #: `asked`, `reminder` or `escalation`.
    kind: str
    channel: str
    #: Who; empty for a plan.
    to: str = ""
    #: Of reminders the how-manyeth; 0 for all else.
    round: int = 0
    #: When it is to be sent; None where nothing is left to do.
    next_at: float | None
    #: How often it was tried.
    attempts: int = 0
    #: Who sends it, and until when nobody else does.
    claim: str = ""
    claimed_until: float = 0.0
    #: How it went the last time.
    outcome: ev.ApprovalNotified | None = None

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What tells it from the others of its run."""
        return (self.approval, self.kind, self.channel, self.to, self.round)

    @property
    def is_plan(self) -> bool:
        """Whether it stands for the notices that are made of it."""
        return not self.to

    @property
    def delivered(self) -> bool:
        """Whether it arrived, as far as anybody can tell."""
        return self.outcome is not None and not self.outcome.why


def plans_of(run: str, request: ev.ApprovalRequested) -> Iterator[Notice]:
    """What is to be told of a request, and when."""
    for channel in dict.fromkeys(request.channels):
        if channel in PASSIVE:
            continue
        moments = ((ASKED, request.at), (REMINDER, request.due_at), (ESCALATION, request.escalate_at))
        for kind, moment in moments:
            if moment is not None:
                yield Notice(run=run, approval=request.approval, kind=kind, channel=channel, next_at=moment)


def closed(notice: Notice) -> Notice:
    """It, when nobody waits for an answer any more."""
    return notice if notice.next_at is None else msgspec.structs.replace(notice, next_at=None)


def changed(there: Notice | None, seen: Notice, then: Notice) -> Notice | None:
    """What comes of a change to a notice that was looked at; None where somebody has changed it meanwhile.

    That its request was answered meanwhile is no kind to forget how it went; nothing more is sent then.
    """
    if there == seen:
        return then
    return closed(then) if seen.claim and there is not None and there == closed(seen) else None


def is_due(notice: Notice, now: float) -> bool:
    """Whether it is to be delivered by now, and nobody does."""
    held = now < notice.claimed_until <= now + LONGEST_CLAIM
    return notice.next_at is not None and notice.next_at <= now and not held


class NoticeStore(Protocol):
    """What every store promises of notices."""

    def due_notices(self, now: float) -> list[Notice]:
        """Notices that are to be delivered by now and that nobody delivers, oldest first."""
        ...

    def next_notice(self) -> float | None:
        """When the next notice is to be delivered, whether somebody does so already or not; None where there is none.

        It costs next to nothing where there is none.
        """
        ...

    def change_notice(self, seen: Notice, then: Notice, *, more: Sequence[Notice] = ()) -> bool:
        """Put a notice in the place of one that was looked at, unless somebody was faster: False then.

        One whose request was answered meanwhile stays closed. The outcome of `then`, where it is another than that of
        `seen`, goes into the audit log.

        Args:
            seen: how it was.
            then: how it is from now on; the same key.
            more: notices that are made with it; those that are there stay as they are.
        """
        ...
