"""What people are asked, and what they answer."""

from __future__ import annotations

from typing import Any

from flownb.model.events.event import NodeEvent


class ApprovalRequested(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_requested"):
    """A person is asked."""

    approval: str
    kind: str
    question: str
    expires_at: float | None = None
    ports: tuple[str, ...] = ()
    preview: Any = None
    form: dict[str, Any] | None = None


class ApprovalVoted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_voted"):
    """One of several approvers answered; the threshold is not reached."""

    approval: str
    by: str
    port: str
    comment: str = ""


class ApprovalDecided(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_decided"):
    """The one answer of a request."""

    approval: str
    by: str
    port: str
    data: Any = None
    comment: str = ""


class ApprovalExpired(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_expired"):
    """Nobody answered in time."""

    approval: str
    action: str = "expired"
