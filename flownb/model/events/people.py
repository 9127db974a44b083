"""What people are asked, and what they answer."""

from __future__ import annotations

from typing import Any

from flownb.model.events.event import NodeEvent


class ApprovalRequested(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_requested"):
    """A person is asked, with all that is needed to judge an answer wherever it is given."""

    approval: str
    #: `confirmation`, `input`, `decision`, `review`, or `in_doubt` after a crash.
    kind: str
    question: str
    expires_at: float | None = None
    ports: tuple[str, ...] = ()
    #: A list of what is shown beside the question: `name`, `kind` (`value` or `diff`), `value` in plain form.
    preview: Any = None
    #: What comes with an answer, as JSON schema.
    form: dict[str, Any] | None = None
    details: str = ""
    #: Who may answer: names of users and groups; empty for everybody.
    approvers: tuple[str, ...] = ()
    #: Votes that an answer needs, and that a rejection needs.
    approvals_needed: int = 1
    rejections_needed: int = 1
    #: The port that an expiry takes; `expired` unless the request says otherwise, empty for a failure.
    expiry_port: str = "expired"
    #: What comes with an automatic answer.
    default: Any = None
    #: Who started the run, and whether they may answer.
    asked_by: str = ""
    self_approval: bool = True
    #: What the data may be changed to, as JSON schema; None where they may not be changed.
    edits: dict[str, Any] | None = None
    due_at: float | None = None
    #: Seconds between two reminders.
    remind: float | None = None
    #: Where people are told, by the names of the operator's channels; and who, where that is not all approvers.
    channels: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    #: Who is told, and may answer, from a moment on that nobody has answered until.
    escalate_to: tuple[str, ...] = ()
    escalate_at: float | None = None


class ApprovalVoted(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_voted"):
    """One of several approvers answered."""

    approval: str
    by: str
    port: str
    comment: str = ""
    data: Any = None
    #: The real identity, where `by` is another, and the name that somebody claimed.
    user: str = ""
    claim: str = ""
    #: How they were known, where not by their process: `link`, with its number and the address that it came from.
    via: str = ""
    link: str = ""
    address: str = ""


class ApprovalDecided(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_decided"):
    """The one answer of a request."""

    approval: str
    #: Whose answer it counts as.
    by: str
    port: str
    data: Any = None
    comment: str = ""
    #: The real identity, where `by` is another, and the name that somebody claimed.
    user: str = ""
    claim: str = ""
    #: How they were known, where not by their process: `link`, with its number and the address that it came from.
    via: str = ""
    link: str = ""
    address: str = ""


class ApprovalExpired(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_expired"):
    """Nobody answered in time."""

    approval: str
    #: `expired`, `auto_approve`, `auto_reject` or `fail`.
    action: str = "expired"
    #: The port that fires; empty where the node fails.
    port: str = "expired"
    data: Any = None


class ApprovalRefused(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_refused"):
    """An answer that was not taken, and why; kept in the audit log, and changes nothing."""

    approval: str
    by: str
    port: str
    why: str
    user: str = ""
    claim: str = ""
    via: str = ""
    link: str = ""
    address: str = ""


class ApprovalReminded(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_reminded"):
    """A request that is due was brought to mind; kept in the audit log."""

    approval: str


class ApprovalNotified(NodeEvent, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="approval_notified"):
    """Somebody was told of a request, or could not be; kept in the audit log, and changes nothing."""

    approval: str
    channel: str
    #: Who; empty where all are told at once, as in a chat room.
    to: str = ""
    #: `asked`, `reminder` or `escalation`.
    kind: str = "asked"
    #: Why it could not be delivered; empty where it was.
    why: str = ""
    attempt: int = 1
    #: When it is tried again; None where it is not.
    next_at: float | None = None
