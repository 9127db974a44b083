"""What a store has of the questions to people: each as lists show it, and the log of what was answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from flownb.model.events import ApprovalDecided, ApprovalExpired, ApprovalRequested, ApprovalVoted, Event
from flownb.store.notices import Notice


class ApprovalRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request to a person as lists show it: written by `commit` beside the events."""

    id: str
    run: str
    workflow: str
    node: str
    kind: str
    #: An `ApprovalStatus`.
    status: str
    created_at: float
    expires_at: float | None
    decided_at: float | None
    decided_by: str | None
    #: The port that the answer took; None before it.
    port: str | None
    #: The whole question and the whole answer.
    request: ApprovalRequested
    decision: ApprovalDecided | ApprovalExpired | None
    #: Answers of single approvers before the threshold was reached, oldest first.
    votes: tuple[ApprovalVoted, ...] = ()
    #: Who was told of it, or is to be, and how that went.
    notices: tuple[Notice, ...] = ()


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the append-only log of what people were asked and what they answered; see `store/audit.py`."""

    run: str
    #: From 1, without gaps.
    place: int
    #: Which key sealed it.
    key: str
    #: The seal of the entry before; empty for the first.
    previous: str
    #: The event, as the store's codec writes it.
    body: bytes
    seal: str


#: Looks at how a request stands and says what is to be recorded; pure and quick, as it is called in a transaction.
Judge = Callable[["ApprovalRow"], Sequence[Event]]
